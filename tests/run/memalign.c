/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The functions that take an alignment, and the array forms. */
#include <malloc.h>

#include "expect.h"

static void *kept;

static void aligned(void)
{
	void *p, *q = NULL;

	EXPECT_THAT(!posix_memalign(&q, 64, 100));
	KEEP(q);
	kept = q;
	p = aligned_alloc(32, 96);
	KEEP(p);
	free(p);
	p = memalign(256, 10);
	KEEP(p);
	free(p);
	p = valloc(30);
	KEEP(p);
	free(p);
}

static void arrays(void)
{
	void *p = reallocarray(NULL, 5, 20), *refused;
	size_t huge = (size_t)-1;

	KEEP(p);
	KEEP(huge);
	p = reallocarray(p, 10, 20); /* retires the old block */
	KEEP(p);
	refused = reallocarray(p, huge, 16);
	KEEP(refused);
	EXPECT_THAT(!refused);
	free(p);
}

static void bad_alignment(void)
{
	void *p = &p;
	size_t three = 3;

	KEEP(three);
	EXPECT_THAT(posix_memalign(&p, three, 100) == EINVAL);
	EXPECT_THAT(p == &p);
}

int main(void)
{
	aligned();
	arrays();
	bad_alignment();
	expect_stack("aligned", "total_blocks", 4);
	expect_stack("aligned", "total_bytes", 100 + 96 + 10 + 30);
	expect_stack("aligned", "open_blocks", 1);
	expect_stack("aligned", "open_bytes", 100);
	expect_stack("arrays", "total_blocks", 2);
	expect_stack("arrays", "total_bytes", 100 + 200);
	expect_stack("arrays", "open_blocks", 0);
	expect_stack("bad_alignment", "total_blocks", 0);
	expect("allocs", 6);
	expect("frees", 5);
	expect("failed", 2);
	expect("exit_code", 0);
	return 0;
}
