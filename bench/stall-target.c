/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What bench/stall traces: stall-target THREADS BLOCKS
 *
 * Holds BLOCKS blocks, then lets THREADS threads allocate and release as fast as they can.  Each
 * line on stdin is answered by the longest time, in microseconds, that one malloc and free took
 * any of them since the last line.  The end of stdin ends it. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static _Atomic int64_t longest;
static _Atomic int stop;

static int64_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
}

static void *storm(void *arg)
{
	while (!stop) {
		int64_t begin = now(), took, known;
		void *volatile p = malloc(64);

		free(p);
		took = now() - begin;
		known = atomic_load(&longest);
		while (took > known && !atomic_compare_exchange_weak(&longest, &known, took))
			;
	}
	return arg;
}

int main(int argc, char **argv)
{
	int threads = argc > 1 ? atoi(argv[1]) : 4, blocks = argc > 2 ? atoi(argv[2]) : 100000;
	pthread_t t[64];
	void *volatile keep;

	for (int i = 0; i < blocks; i++)
		keep = malloc(16);
	(void)keep;
	for (int i = 0; i < threads && i < 64; i++)
		pthread_create(&t[i], NULL, storm, NULL);
	puts("ready");
	fflush(stdout);
	for (int c; (c = getchar()) != EOF;)
		if (c == '\n') {
			printf("%lld\n", (long long)atomic_exchange(&longest, 0) / 1000);
			fflush(stdout);
		}
	stop = 1;
	for (int i = 0; i < threads && i < 64; i++)
		pthread_join(t[i], NULL);
	return 0;
}
