/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Threads allocate and release as fast as they can, and are attached to in the
 * midst of it.  After a line on stdin each releases what it has: nothing but the
 * C library's own blocks is in use then. */
#include <pthread.h>
#include "expect.h"

#define THREADS 16
#define LIVE ROUNDS_OF(256, 32)

static int stop;
static pthread_barrier_t filled;

static void *get(unsigned how, size_t size)
{
	void *p = NULL;

	switch (how) {
	case 0: return calloc(1, size);
	case 1: return posix_memalign(&p, 64, size) ? NULL : p;
	default: return malloc(size);
	}
}

static void *work(void *arg)
{
	unsigned seed = (unsigned)(size_t)arg * 77u + 1;
	void *live[LIVE];

	for (int i = 0; i < LIVE; i++)
		live[i] = malloc((size_t)i * 7);
	pthread_barrier_wait(&filled);
	while (!__atomic_load_n(&stop, __ATOMIC_ACQUIRE)) {
		unsigned k = (seed = seed * 1103515245u + 12345u) >> 8;
		void **p = &live[k % LIVE];

		if (*p && k & 0x10000) {
			*p = realloc(*p, k % 5000 + 1);
		} else {
			free(*p);
			*p = get(k >> 11 & 3, k % 2000 ? k % 900 + 1 : 200000);
		}
		EXPECT_THAT(*p);
		memset(*p, 1, 1);
	}
	for (int i = 0; i < LIVE; i++)
		free(live[i]);
	return NULL;
}

int main(void)
{
	pthread_t t[THREADS];
	char c;

	pthread_barrier_init(&filled, NULL, THREADS + 1);
	for (size_t i = 0; i < THREADS; i++)
		EXPECT_THAT(!pthread_create(&t[i], NULL, work, (void *)i));
	pthread_barrier_wait(&filled);
	EXPECT_THAT(write(1, "ready\n", 6) == 6);
	EXPECT_THAT(read(0, &c, 1) == 1);
	__atomic_store_n(&stop, 1, __ATOMIC_RELEASE);
	for (int i = 0; i < THREADS; i++)
		EXPECT_THAT(!pthread_join(t[i], NULL));
	/* A vector for each thread's variables stays with its stack. */
	expect("open_blocks <=", THREADS);
	expect("before_attach.blocks >=", THREADS);
	expect("error_count", 0); /* nothing was missing */
	expect("unseen_releases", 0); /* and nothing was too many */
	expect("failed", 0);
	EXPECT_THAT(write(1, "released\n", 9) == 9);
	EXPECT_THAT(read(0, &c, 1) == 1);
	return 6;
}
