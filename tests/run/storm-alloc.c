/* SPDX-License-Identifier: GPL-2.0-or-later */
/* 16 threads allocate as fast as they can, hand blocks to each other, and find
 * every byte of theirs as they left it; the counts are exact.
 * Build: -pthread.  Run: traced from the start, no option needed. */
#include <pthread.h>
#include <stdint.h>
#include "expect.h"

#define THREADS 16
#define ROUNDS ROUNDS_OF(600, 30)
#define SLOTS 64
#define KEPT 3

static struct { pthread_mutex_t lock; unsigned char *block; size_t size; } shared[SLOTS];
static unsigned char *kept[THREADS][KEPT];
static long long bytes[THREADS], blocks[THREADS], reallocs[THREADS];

static unsigned char pattern(const unsigned char *p, size_t size)
{
	return (unsigned char)((uintptr_t)p >> 4 ^ size * 31);
}

static void check(const unsigned char *p, size_t size)
{
	for (size_t i = 0; i < size; i++)
		EXPECT_THAT(p[i] == (unsigned char)(pattern(p, size) + i));
}

static void fill(unsigned char *p, size_t size)
{
	for (size_t i = 0; i < size; i++)
		p[i] = (unsigned char)(pattern(p, size) + i);
}

__attribute__((noinline)) static unsigned char *storm_malloc(size_t size)
{
	unsigned char *p = malloc(size);

	KEEP(p);
	EXPECT_THAT(p);
	fill(p, size);
	return p;
}

__attribute__((noinline)) static unsigned char *storm_realloc(unsigned char *old, size_t was, size_t size)
{
	unsigned char first = old[0], last = old[was - 1], *p = realloc(old, size);

	KEEP(p);
	EXPECT_THAT(p && p[0] == first && (size < was || p[was - 1] == last));
	fill(p, size);
	return p;
}

__attribute__((noinline)) static unsigned char *storm_keep(size_t size)
{
	unsigned char *p = malloc(size);

	KEEP(p);
	fill(p, size);
	return p;
}

static void *storm(void *arg)
{
	unsigned me = (unsigned)(uintptr_t)arg, seed = me * 2654435761u + 1;

	for (int i = 0; i < ROUNDS; i++) {
		unsigned slot = (seed = seed * 1664525 + 1013904223) >> 16;
		size_t size = 1 + slot % 700, old_size;
		unsigned char *p = storm_malloc(size), *old;

		bytes[me] += (long long)size;
		blocks[me]++;
		if (i % 8 == 0) {
			p = storm_realloc(p, size, size + 100);
			size += 100;
			bytes[me] += (long long)size;
			reallocs[me]++;
		}
		slot %= SLOTS;
		pthread_mutex_lock(&shared[slot].lock);
		old = shared[slot].block;
		old_size = shared[slot].size;
		shared[slot].block = p;
		shared[slot].size = size;
		pthread_mutex_unlock(&shared[slot].lock);
		if (old)
			check(old, old_size);
		free(old);
	}
	for (int i = 0; i < KEPT; i++)
		kept[me][i] = storm_keep(100 + me);
	return NULL;
}

int main(void)
{
	long long n = 0, r = 0, sum = 0, open_bytes = 0;
	pthread_t t[THREADS];

	for (int i = 0; i < SLOTS; i++)
		pthread_mutex_init(&shared[i].lock, NULL);
	for (uintptr_t i = 0; i < THREADS; i++)
		EXPECT_THAT(!pthread_create(&t[i], NULL, storm, (void *)i));
	for (int i = 0; i < THREADS; i++) {
		pthread_join(t[i], NULL);
		n += blocks[i];
		r += reallocs[i];
		sum += bytes[i];
		for (int k = 0; k < KEPT; k++, open_bytes += 100 + i)
			check(kept[i][k], (size_t)(100 + i));
	}
	for (int i = 0; i < SLOTS; i++)
		free(shared[i].block);
	expect_stack("storm_malloc", "total_blocks", n);
	expect_stack("storm_realloc", "total_blocks", r);
	expect_stack("storm", "total_bytes", sum + open_bytes);
	expect_stack("storm_malloc", "open_blocks", 0);
	expect_stack("storm_realloc", "open_blocks", 0);
	expect_stack("storm_keep", "open_blocks", THREADS * KEPT);
	expect_stack("storm_keep", "open_bytes", open_bytes);
	return 0;
}
