/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What bench/attach attaches to: attach-target THREADS LIBRARY...
 *
 * Loads the libraries and starts threads that each look at the clock, sleep a millisecond and
 * look again; one more only looks at the clock.  A thread that a tracer has stopped sees a gap.
 * Each line on stdin is answered by the longest gaps since the last line, in microseconds, less
 * the millisecond: of the sleepers, and of the one that never sleeps. */
#include <dlfcn.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define NAP_NS 1000000

static _Atomic int64_t longest_nap, longest_busy;

static int64_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
}

static void note(_Atomic int64_t *longest, int64_t gap)
{
	int64_t known = atomic_load(longest);

	while (gap > known && !atomic_compare_exchange_weak(longest, &known, gap))
		;
}

static void *sleeper(void *arg)
{
	(void)arg;
	for (;;) {
		struct timespec nap = { 0, NAP_NS };
		int64_t begin = now();

		/* An interrupted sleep ends early, which is no stall. */
		nanosleep(&nap, NULL);
		note(&longest_nap, now() - begin - NAP_NS);
	}
	return NULL;
}

static void *busy(void *arg)
{
	int64_t last = now();

	(void)arg;
	for (;;) {
		int64_t t = now();

		note(&longest_busy, t - last);
		last = t;
	}
	return NULL;
}

int main(int argc, char **argv)
{
	int threads = argc > 1 ? atoi(argv[1]) : 100, i;
	char line[64];
	pthread_t id;

	for (i = 2; i < argc; i++)
		if (!dlopen(argv[i], RTLD_NOW)) {
			fprintf(stderr, "attach-target: %s\n", dlerror());
			return 1;
		}
	/* The main thread is one of them, and so is the busy one. */
	for (i = 0; i < threads - 1; i++)
		if (pthread_create(&id, NULL, i ? sleeper : busy, NULL)) {
			perror("pthread_create");
			return 1;
		}
	printf("ready\n");
	fflush(stdout);
	while (fgets(line, sizeof line, stdin)) {
		printf("%lld %lld\n", (long long)atomic_exchange(&longest_nap, 0) / 1000,
			(long long)atomic_exchange(&longest_busy, 0) / 1000);
		fflush(stdout);
	}
	_Exit(0);
}
