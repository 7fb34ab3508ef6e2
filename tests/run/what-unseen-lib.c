/* SPDX-License-Identifier: GPL-2.0-or-later */
/* An allocator with two ways in of its own: one to hand out, one to take back. */
#include <stddef.h>

static char room[1 << 20] __attribute__((aligned(16)));
static size_t used;
static void *cached;

void *quick_take(size_t size)
{
	void *p = cached ? cached : room + used;

	if (!cached)
		used += (size + 31) & ~(size_t)15;
	cached = NULL;
	return p;
}

void quick_give(void *p)
{
	cached = p;
}

void *malloc(size_t size)
{
	return quick_take(size);
}

void free(void *p)
{
	(void)p;
}
