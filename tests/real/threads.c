/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Threads that allocate, hand blocks to each other and come and go, but whose numbers do not
 * depend on who runs when. */
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define THREADS 8
#define ROUNDS 4
#define BLOCKS 400

static void *handed[THREADS][BLOCKS];
static pthread_barrier_t barrier;

/* Each thread releases what its neighbour took: the barrier is between. */
static void *work(void *arg)
{
	unsigned self = (unsigned)(size_t)arg, i;
	unsigned *seed = malloc(sizeof *seed);
	time_t epoch = 86400;
	struct tm tm;
	char *name;

	if (!seed)
		return NULL;
	*seed = self + 1;
	for (i = 0; i < BLOCKS; i++) {
		size_t size = (*seed = *seed * 1103515245u + 12345) >> 22;

		switch (i % 5) {
		case 0: handed[self][i] = calloc(size % 16 + 1, 24); break;
		case 1: handed[self][i] = realloc(malloc(size + 1), size * 2 + 1); break;
		case 2: handed[self][i] = aligned_alloc(64, (size / 64 + 1) * 64); break;
		case 3: if (posix_memalign(&handed[self][i], 256, size + 1)) handed[self][i] = NULL; break;
		default: handed[self][i] = malloc(size + 1);
		}
		errno = 0;
	}
	/* Storage of the thread's own: strerror(), and a buffer of stdio. */
	name = strdup(strerror(1000 + (int)self));
	gmtime_r(&epoch, &tm);
	pthread_barrier_wait(&barrier);
	for (i = 0; i < BLOCKS; i++) {
		free(handed[(self + 1) % THREADS][i]);
		free(NULL);
	}
	free(name);
	if (self % 4)
		free(seed);
	return NULL;
}

int main(void)
{
	pthread_t ids[THREADS];
	unsigned round, i;

	pthread_barrier_init(&barrier, NULL, THREADS);
	for (round = 0; round < ROUNDS; round++) {
		for (i = 0; i < THREADS; i++)
			if (pthread_create(&ids[i], NULL, work, (void *)(size_t)i))
				return 1;
		for (i = 0; i < THREADS; i++)
			pthread_join(ids[i], NULL);
	}
	puts("threads: done");
	return 0;
}
