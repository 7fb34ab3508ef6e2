/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Calls whose sizes are the same on every machine: its own call sites, with what each
 * asked for and released, must be the same there, too.  Build: -pthread. */
#include <malloc.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/mman.h>
#include "expect.h"

#define NOINLINE __attribute__((noinline))

static void *volatile kept[16];

NOINLINE static void *wrapped(size_t size)
{
	return malloc(size);
}

NOINLINE static void deep(int n)
{
	if (n)
		deep(n - 1);
	else
		kept[0] = wrapped(100);
}

NOINLINE static void grown(void)
{
	char *p = NULL;

	for (size_t n = 1; n <= 4096; n *= 4)
		p = realloc(p, n);
	p = realloc(p, 77);
	kept[1] = p;
}

NOINLINE static void aligned(void)
{
	void *p = NULL;

	if (!posix_memalign(&p, 256, 300))
		kept[2] = p;
	kept[3] = aligned_alloc(64, 640);
	kept[4] = memalign(4096, 5000);
	free(kept[3]);
}

NOINLINE static void arrays(void)
{
	for (size_t i = 1; i <= 10; i++) {
		void *a = calloc(i, 12), *b = reallocarray(NULL, i, 7);

		KEEP(a);
		free(i % 2 ? a : b);
		kept[5] = i % 2 ? b : a;
	}
}

NOINLINE static void refused(void)
{
	static volatile size_t much = SIZE_MAX / 2 + 1;

	kept[6] = malloc(much);
	kept[7] = calloc(much, 3);
}

NOINLINE static void mapped(void)
{
	char *p = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	EXPECT_THAT(p != MAP_FAILED);
	EXPECT_THAT(!munmap(p, 1 << 19));
}

static void *thread(void *arg)
{
	for (size_t i = 0; i < 50; i++) {
		void *p = wrapped(10 + i + (uintptr_t)arg * 100);

		KEEP(p);
		free(p);
	}
	return malloc(500);
}

int main(void)
{
	pthread_t t[4];

	deep(5);
	grown();
	aligned();
	arrays();
	refused();
	mapped();
	for (size_t i = 0; i < 4; i++)
		EXPECT_THAT(!pthread_create(&t[i], NULL, thread, (void *)i));
	for (size_t i = 0; i < 4; i++)
		EXPECT_THAT(!pthread_join(t[i], NULL));
	expect_stack("deep", "total_bytes", 100);
	expect_stack("grown", "open_bytes", 77);
	expect_stack("refused", "failed", 2);
	expect_stack("thread", "total_blocks", 4 * 51);
	expect_region("mapped", "open_bytes", 1 << 19);
	return 0;
}
