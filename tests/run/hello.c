/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Each of the C functions once or twice, with counts by memcheck's rules. */
#include "expect.h"

static void *leaf(size_t n)
{
	void *p = malloc(n);

	KEEP(p);
	return p;
}

int main(void)
{
	char *a, *b, *c, *d, *e;
	size_t huge = (size_t)-1 / 2 + 1; /* more than PTRDIFF_MAX: refused */
	void *none;

	KEEP(huge);
	a = leaf(100);
	b = leaf(0);
	c = calloc(3, 50);
	KEEP(c);
	a = realloc(a, 1000);     /* one allocation and one release */
	KEEP(a);
	d = realloc(NULL, 77);    /* an allocation */
	KEEP(d);
	free(b);
	free(NULL);               /* not counted */
	for (int i = 0; i < 10; i++)
		free(leaf(10));
#ifdef __GLIBC__
	e = strdup("hello");      /* malloc inside the C library */
#else
	e = malloc(6);            /* musl comes without call-frame information */
#endif
	KEEP(e);
	none = malloc(huge);
	KEEP(none);
	EXPECT_THAT(!none);
	none = calloc(huge, 16);
	KEEP(none);
	EXPECT_THAT(!none);
	none = realloc(d, huge);  /* d stays */
	KEEP(none);
	EXPECT_THAT(!none);

	expect_stack("main", "total_blocks", 2 + 1 + 1 + 1 + 10 + 1);
	expect_stack("main", "total_bytes", 100 + 0 + 150 + 1000 + 77 + 100 + 6);
	expect_stack("main", "open_blocks", 4);
	expect_stack("main", "open_bytes", 1000 + 150 + 77 + 6);
	expect("failed", 3);
	expect("exit_code", 0);
#ifndef LIBC_ALLOCATES /* before main, as static glibc does */
	expect("allocs", 16);
	expect("frees", 1 + 1 + 10);
	expect("bytes_allocated", 1433);
	expect("open_blocks", 4);
	expect("open_bytes", 1233);
	expect("peak_blocks", 4);
	expect("peak_bytes", 1237);
#endif
	expect_stack("leaf", "total_blocks", 12);
	expect_stack("leaf", "total_bytes", 200);
	expect_stack("leaf", "open_blocks", 0);
	return 0;
}
