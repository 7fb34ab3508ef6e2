/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The workload that tracers are measured by.
 *
 * Every thread holds a ring of up to 1024 live blocks of 8 to 512 bytes and goes round it; one
 * operation is one call of the allocator, made through ten nested frames:
 *
 *      at an empty slot   allocate                        42 % malloc, 6 % calloc (each 8th slot)
 *      at a full slot     release, come again: 16 of 17   48 % free
 *                         or resize and go on:  1 of 17    3 % realloc
 *
 * The file that includes this says what the four are, as static inline functions
 *
 *      void *take(size_t size)         void *take_zeroed(size_t size)
 *      void *resize(void *p, size_t size), or NULL when nothing can be resized
 *      void drop(void *p, bool zeroed)
 *
 * and calls bench_main().  The program prints what one operation took by its own clock:
 *
 *      allocbench: 200000 operations, 1 threads: 41.8 ns/operation
 */
#ifndef BENCH_WORKLOAD_H
#define BENCH_WORKLOAD_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define RING 1024
#define MAX_THREADS 256
#define FRAME static __attribute__((noinline))

struct ring {
	uint64_t random;
	uint64_t operations;
	unsigned at;
	long sum; /* so that no frame's result is useless */
	void *slot[RING];
};

static uint64_t next_random(struct ring *r)
{
	r->random ^= r->random << 13;
	r->random ^= r->random >> 7;
	r->random ^= r->random << 17;
	return r->random;
}

/* The tenth frame: one operation. */
FRAME long frame10(struct ring *r, uint64_t x)
{
	size_t size = 8 + (x >> 40) % 505;
	void **slot = &r->slot[r->at];
	bool zeroed = r->at % 8 == 0;

	if (!*slot) {
		/* Each call returns to an instruction of its own, which no other path leads to:
		 * a breakpoint there is hit by that call's return alone. */
		if (zeroed) {
			char *p = (char *)take_zeroed(size);

			*(volatile char *)p = 1;
			*slot = p;
		} else {
			char *p = (char *)take(size);

			*(volatile char *)p = 2;
			*slot = p;
		}
		r->at = (r->at + 1) % RING;
		return 1;
	}
	if ((x >> 20) % 17 == 0) {
		char *p = (char *)resize(*slot, size);

		if (p) {
			*(volatile char *)p = 3;
			*slot = p;
			r->at = (r->at + 1) % RING;
			return 2;
		}
	}
	drop(*slot, zeroed);
	*slot = NULL;
	return 3;
}

/* What follows the call keeps it from being a tail call. */
#define NESTED(OUTER, INNER, LOCALS) \
	FRAME long OUTER(struct ring *r, uint64_t x) \
	{ \
		volatile char local[LOCALS]; \
		long result; \
		local[0] = (char)x; \
		result = INNER(r, x + 1); \
		return result + local[0] + (long)r->operations; \
	}
NESTED(frame9, frame10, 24)
NESTED(frame8, frame9, 40)
NESTED(frame7, frame8, 8)
NESTED(frame6, frame7, 100)
NESTED(frame5, frame6, 16)
NESTED(frame4, frame5, 64)
NESTED(frame3, frame4, 8)
NESTED(frame2, frame3, 32)
NESTED(frame1, frame2, 16)

static pthread_barrier_t bench_start;
static uint64_t bench_operations;
static struct ring bench_rings[MAX_THREADS];

static void *bench_thread(void *arg)
{
	struct ring *r = (struct ring *)arg;
	long sum = 0;

	pthread_barrier_wait(&bench_start);
	for (r->operations = 0; r->operations < bench_operations; r->operations++)
		sum += frame1(r, next_random(r));
	r->sum = sum;
	return NULL;
}

static double bench_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1e9 + t.tv_nsec;
}

static int bench_main(const char *name, int argc, char **argv)
{
	uint64_t total = argc > 1 ? strtoull(argv[1], NULL, 0) : 1000000;
	unsigned threads = argc > 2 ? (unsigned)atoi(argv[2]) : 1;
	pthread_t ids[MAX_THREADS];
	double begin, end;
	unsigned i;

	if (!threads || threads > MAX_THREADS || total < threads) {
		fprintf(stderr, "usage: %s [OPERATIONS [THREADS]]\n", name);
		return 2;
	}
	bench_operations = total / threads;
	pthread_barrier_init(&bench_start, NULL, threads);
	for (i = 0; i < threads; i++)
		bench_rings[i].random = UINT64_C(0x9e3779b97f4a7c15) * (i + 1);

	/* The main thread is one of them: a single-threaded run has no other. */
	begin = bench_now();
	for (i = 1; i < threads; i++)
		if (pthread_create(&ids[i], NULL, bench_thread, &bench_rings[i])) {
			perror("pthread_create");
			return 1;
		}
	bench_thread(&bench_rings[0]);
	for (i = 1; i < threads; i++)
		pthread_join(ids[i], NULL);
	end = bench_now();

	for (i = 0; i < threads * RING; i++) {
		void *p = bench_rings[i / RING].slot[i % RING];

		if (p)
			drop(p, i % 8 == 0);
	}
	printf("%s: %llu operations, %u threads: %.1f ns/operation\n", name,
		(unsigned long long)(bench_operations * threads), threads,
		(end - begin) / (double)(bench_operations * threads));
	return 0;
}

#endif
