/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Sixteen threads allocate and release as fast as they can, and are scanned in
 * the midst of it.  Each loses blocks now and then and writes them into a
 * ledger, whose entries are no pointers; nothing else may be lost. */
#include <pthread.h>
#include <stdint.h>
#include <time.h>

#include "expect.h"

#define THREADS 16
#define LIVE 64

static uint64_t lost_blocks, lost_bytes;
static volatile int stop;

static void lose(void)
{
	size_t size = 40;
	char *p = malloc(size);

	memset(p, 1, size);
	KEEP(p);
	__atomic_fetch_add(&lost_blocks, 1, __ATOMIC_RELAXED);
	__atomic_fetch_add(&lost_bytes, size, __ATOMIC_RELAXED);
}

static void *work(void *arg)
{
	unsigned seed = (unsigned)(uintptr_t)arg;
	char *live[LIVE];

	memset(live, 0, sizeof live);
	for (unsigned n = 0; !stop; n++) {
		unsigned i = (seed = seed * 1103515245u + 12345) >> 8 & (LIVE - 1);
		size_t size = 16 + (seed >> 16 & 0xff);

		if (live[i]) {
			for (size_t k = 0; k < 16; k++)
				EXPECT_THAT(live[i][k] == (char)(i + k));
			free(live[i]);
		}
		live[i] = malloc(size);
		memset(live[i], 0, size);
		for (size_t k = 0; k < 16; k++)
			live[i][k] = (char)(i + k);
		if (n % 50 == 0)
			lose();
	}
	for (unsigned i = 0; i < LIVE; i++)
		free(live[i]);
	return NULL;
}

/* Stale words in what threads have left. */
static void scrub(void)
{
	char room[32768];
	char *p = room;

	memset(p, 0, sizeof room);
	KEEP(p);
}

int main(int argc, char **argv)
{
	pthread_t t[THREADS];

	for (uintptr_t i = 0; i < THREADS; i++)
		if (pthread_create(&t[i], NULL, work, (void *)(i + 1)))
			return 97;
	sleep(argc > 1 ? (unsigned)atoi(argv[1]) : 4);
	stop = 1;
	for (int i = 0; i < THREADS; i++)
		pthread_join(t[i], NULL);
	scrub();
	expect("leaks.definite.blocks", (long long)lost_blocks);
	expect("leaks.definite.bytes", (long long)lost_bytes);
	expect("leaks.indirect.blocks", 0);
	expect("scan.nth >=", 5);
	expect("unknown_releases", 0);
	return 0;
}
