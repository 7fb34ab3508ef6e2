/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The malloc family, with what this C library lacks defined by the program
 * itself; what they call in turn is not counted. */
#include <malloc.h>
#include "expect.h"

#define N 20

/* Not as jumps, so that the inner call is one of its own. */
__attribute__((noinline)) void cfree(void *p)
{
	free(p);
	KEEP(p);
}

__attribute__((noinline)) void free_sized(void *p, size_t n)
{
	free(p);
	KEEP(n);
}

__attribute__((noinline)) void free_aligned_sized(void *p, size_t align, size_t n)
{
	cfree(p);
	KEEP(align);
	KEEP(n);
}

__attribute__((noinline)) static void arrays(void)
{
	void *p = reallocarray(NULL, 10, 20), *q;
	size_t huge = (size_t)-1 / 2;

	KEEP(p);
	KEEP(huge);
	p = reallocarray(p, 30, 20);
	KEEP(p);
	q = reallocarray(p, huge, 20);
	KEEP(q);
	EXPECT_THAT(p && !q);
	free_sized(p, 600);
}

__attribute__((noinline)) static void aligned(void)
{
	void *p = NULL;

	EXPECT_THAT(!posix_memalign(&p, 64, 100));
	KEEP(p);
	cfree(p);
	p = aligned_alloc(64, 128);
	KEEP(p);
	free_aligned_sized(p, 64, 128);
	p = memalign(256, 300);
	KEEP(p);
	free(p);
	p = valloc(10);
	KEEP(p);
	free(p);
#ifdef __GLIBC__
	p = pvalloc(10);
#else
	p = malloc(10);
#endif
	KEEP(p);
	cfree(NULL);
	cfree(p);
}

__attribute__((noinline)) static void refused(size_t huge)
{
	void *p = NULL;

	KEEP(huge);
	EXPECT_THAT(!malloc(huge));
	EXPECT_THAT(posix_memalign(&p, 64, huge));
	EXPECT_THAT(!aligned_alloc(64, huge));
}

int main(void)
{
	for (int i = 0; i < N; i++) {
		arrays();
		aligned();
	}
	refused((size_t)-1 / 2 + 1);
	expect_stack("arrays", "total_blocks", 2 * N);
	expect_stack("arrays", "total_bytes", (200 + 600) * N);
	expect_stack("arrays", "failed", N);
	expect_stack("aligned", "total_blocks", 5 * N);
	expect_stack("aligned", "total_bytes", (100 + 128 + 300 + 10 + 10) * N);
	expect_stack("refused", "failed", 3);
	expect("failed", 3 + N);
#ifndef LIBC_ALLOCATES
	expect("allocs", 7 * N);
	expect("frees", 7 * N);
	expect("open_blocks", 0);
#endif
	expect("unknown_releases", 0);
	expect("error_count", 0);
	return 0;
}
