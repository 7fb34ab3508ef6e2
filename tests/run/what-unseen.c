/* SPDX-License-Identifier: GPL-2.0-or-later */
/* An allocator whose release is inlined into its callers: the address comes back
 * and nobody saw it go.  A program that gets blocks through a way in of its own and
 * releases them the usual way. */
#include "expect.h"

#define N 20

static char room[1 << 20] __attribute__((aligned(16)));
static size_t used;
static void *cached;

__attribute__((noinline)) static void *take(size_t size)
{
	void *p = cached ? cached : room + used;

	if (!cached)
		used += (size + 31) & ~(size_t)15;
	cached = NULL;
	return p;
}

void *malloc(size_t size)
{
	void *p = take(size);

	KEEP(p);
	return p;
}

void free(void *p)
{
	KEEP(p);
}

static inline __attribute__((always_inline)) void quick_free(void *p)
{
	cached = p;
}

__attribute__((noinline)) static void use(void)
{
	char *p = malloc(100);

	KEEP(p);
	quick_free(p);
}

int main(void)
{
	for (int i = 0; i < N; i++)
		use();
	expect("allocs >=", N);
	expect("unseen_releases", N - 1);
	expect("error_count", 0);
	expect_stack("use", "open_blocks", 1);
	return 0;
}
