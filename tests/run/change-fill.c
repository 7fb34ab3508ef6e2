/* SPDX-License-Identifier: GPL-2.0-or-later */
/* With --malloc-fill=a5 --free-fill=0x5c: what is in blocks that were just handed
 * out, grown and released. */
#include <malloc.h>
#include <stdint.h>

#include "expect.h"

#define NEW 0xa5
#define FREED 0x5c

static int all(const unsigned char *p, size_t n, unsigned char byte)
{
	for (size_t i = 0; i < n; i++)
		if (p[i] != byte)
			return 0;
	return 1;
}

static void handed_out(size_t n)
{
	unsigned char *p = malloc(n), *q;
	void *a = NULL;

	KEEP(p);
	EXPECT_THAT(all(p, n, NEW));
	memset(p, 1, n);
	q = realloc(p, 2 * n);
	KEEP(q);
	EXPECT_THAT(all(q, n, 1) && all(q + n, n, NEW));
	q = realloc(q, n / 2);
	KEEP(q);
	EXPECT_THAT(all(q, n / 2, 1));
	free(q);
	q = realloc(NULL, n);
	KEEP(q);
	EXPECT_THAT(all(q, n, NEW));
	free(q);
	q = calloc(n, 1);
	KEEP(q);
	EXPECT_THAT(all(q, n, 0));
	free(q);
	EXPECT_THAT(!posix_memalign(&a, 64, n) && all(a, n, NEW));
	free(a);
	q = aligned_alloc(64, n);
	KEEP(q);
	EXPECT_THAT(all(q, n, NEW));
	free(q);
}

/* The allocator keeps its own words at a released block's beginning, and the
 * next block after it is in use, so that the rest stays mapped. */
static void released(size_t n)
{
	unsigned char *p = malloc(n), *next = malloc(n);

	KEEP(p);
	KEEP(next);
	memset(p, 1, n);
	memset(next, 2, n);
	free(p);
	KEEP(p);
	EXPECT_THAT(all(p + 64, n - 80, FREED));
	EXPECT_THAT(all(next, n, 2));
	free(next);
}

int main(void)
{
	expect("failed", 0);
	handed_out(24);
	handed_out(1000);
	handed_out(5000000);
	released(1000);
	return 0;
}
