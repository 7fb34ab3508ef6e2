/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Threads allocate and keep a ledger, for any allocator that is preloaded: the
 * counts must be the ledger's.  Build: -pthread. */
#include <malloc.h>
#include <pthread.h>
#include "expect.h"

#define THREADS 4
#define ROUNDS ROUNDS_OF(400, 80)
#define LIVE 32

static long long blocks, bytes, frees;

__attribute__((noinline)) static void *get(unsigned how, size_t n)
{
	void *p = NULL;

	switch (how % 6) {
	case 0:
		p = calloc(1, n);
		break;
	case 1:
		p = memalign(64, n);
		break;
	case 2:
		EXPECT_THAT(!posix_memalign(&p, 128, n));
		break;
	case 3:
		p = realloc(NULL, n);
		break;
	default:
		p = malloc(n);
	}
	EXPECT_THAT(p);
	memset(p, (int)how, n);
	return p;
}

__attribute__((noinline)) static void *work(void *arg)
{
	unsigned seed = (unsigned)(size_t)arg * 2654435761u + 1;
	long long n = 0, sum = 0, gone = 0;
	void *live[LIVE] = { NULL };

	for (int i = 0; i < ROUNDS; i++) {
		unsigned k = (seed = seed * 1103515245u + 12345u) >> 16, at = k % LIVE;
		size_t size = 1 + k % 3000 * (k % 50 == 0 ? 300 : 1);

		if (live[at] && k & 64) {
			live[at] = realloc(live[at], size);
			EXPECT_THAT(live[at]);
			n++, gone++, sum += (long long)size;
			continue;
		}
		gone += live[at] != NULL;
		free(live[at]);
		live[at] = get(k, size);
		n++, sum += (long long)size;
	}
	for (int i = 0; i < LIVE; i++) {
		gone += live[i] != NULL;
		free(live[i]);
	}
	__atomic_fetch_add(&blocks, n, __ATOMIC_RELAXED);
	__atomic_fetch_add(&bytes, sum, __ATOMIC_RELAXED);
	__atomic_fetch_add(&frees, gone, __ATOMIC_RELAXED);
	return NULL;
}

int main(void)
{
	pthread_t t[THREADS];

	for (size_t i = 0; i < THREADS; i++)
		EXPECT_THAT(!pthread_create(&t[i], NULL, work, (void *)i));
	for (int i = 0; i < THREADS; i++)
		pthread_join(t[i], NULL);
	expect_stack("work", "total_blocks", blocks);
	expect_stack("work", "total_bytes", bytes);
	expect_stack("work", "open_blocks", 0);
	expect_stack("work", "open_bytes", 0);
	expect("failed", 0);
	expect("unknown_releases", 0);
	expect("error_count", 0);
	return 0;
}
