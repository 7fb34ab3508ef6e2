/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Sixteen threads allocate and release as fast as they can, and are scanned in
 * the midst of it, until a line comes on stdin.  Each loses blocks now and then,
 * and makes an entry in its ledger for each: a block that is kept, so that the same
 * scan sees both, and that is made when nothing of the other is left in the
 * thread.  So at any moment there is at most one more of the lost ones, for each
 * thread, and nothing else is lost. */
#include <pthread.h>
#include <stdint.h>

#include "expect.h"

#define THREADS 16
#define LIVE ROUNDS_OF(64, 16)
#define NOINLINE __attribute__((noinline, noclone))

struct entry {
	struct entry *next;
	long long nr;
};

static struct entry *ledger[THREADS];
static volatile int stop;

/* Stale words in what a call has left. */
NOINLINE static void scrub(void)
{
	char room[2048];
	char *p = room;

	memset(p, 0, sizeof room);
	KEEP(p);
}

NOINLINE static void lose(void)
{
	char *p = malloc(40);

	memset(p, 1, 40);
	KEEP(p);
}

NOINLINE static void enter(unsigned thread)
{
	struct entry *e = malloc(sizeof *e);

	e->nr = ledger[thread] ? ledger[thread]->nr + 1 : 1;
	e->next = ledger[thread];
	ledger[thread] = e;
}

static void *work(void *arg)
{
	unsigned thread = (unsigned)(uintptr_t)arg, seed = thread + 1;
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
		if (n % 50)
			continue;
		lose();
		scrub();
		enter(thread);
	}
	for (unsigned i = 0; i < LIVE; i++)
		free(live[i]);
	return NULL;
}

int main(void)
{
	pthread_t t[THREADS];
	long long lost = 0;
	char c;

	for (uintptr_t i = 0; i < THREADS; i++)
		if (pthread_create(&t[i], NULL, work, (void *)i))
			return 97;
	EXPECT_THAT(write(1, "ready\n", 6) == 6);
	EXPECT_THAT(read(0, &c, 1) == 1);
	stop = 1;
	for (int i = 0; i < THREADS; i++)
		pthread_join(t[i], NULL);
	for (int i = 0; i < 16; i++)
		scrub();
	for (int i = 0; i < THREADS; i++)
		lost += ledger[i] ? ledger[i]->nr : 0;
	expect("leaks.definite.blocks", lost);
	expect("leaks.definite.bytes", lost * 40);
	expect("leaks.indirect.blocks", 0);
	expect("unknown_releases", 0);
	expect("unseen_releases", 0);
	expect("error_count", 0);
	return 6;
}
