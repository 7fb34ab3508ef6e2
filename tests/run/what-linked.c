/* SPDX-License-Identifier: GPL-2.0-or-later */
/* For every way to link a program: allocations from the earliest moment on
 * (preinit_array, constructors) to the last (atexit, destructors), and
 * requests that fail. */
#include <stdio.h>
#include "expect.h"

static void *early, *later;

__attribute__((noinline)) static void in_preinit(int argc, char **argv, char **envp)
{
	(void)argc, (void)argv, (void)envp;
	early = malloc(11);
	KEEP(early);
}

#ifdef __GLIBC__
__attribute__((section(".preinit_array"), used))
static void (*const preinit)(int, char **, char **) = in_preinit;
#define PREINIT 1
#else
#define PREINIT 0
#endif

__attribute__((constructor, noinline)) static void in_constructor(void)
{
	later = malloc(22);
	KEEP(later);
}

__attribute__((noinline)) static void in_atexit(void)
{
	void *p = malloc(33);

	KEEP(p);
	free(early);
}

__attribute__((destructor, noinline)) static void in_destructor(void)
{
	void *p = calloc(4, 11);

	KEEP(p);
	free(later);
}

__attribute__((noinline)) static void refused(size_t n)
{
	void *p;

	KEEP(n);
	p = malloc(n);
	KEEP(p);
	EXPECT_THAT(!p);
}

int main(void)
{
	if (!PREINIT)
		in_preinit(0, NULL, NULL);
	for (int i = 0; i < 5; i++)
		refused((size_t)-1 / 2 + 1);
	EXPECT_THAT(!atexit(in_atexit));
#ifndef STRIPPED
	expect_stack("in_preinit", "total_bytes", 11);
	expect_stack("in_preinit", "open_blocks", 0);
	expect_stack("in_constructor", "total_bytes", 22);
	expect_stack("in_constructor", "open_blocks", 0);
	expect_stack("in_atexit", "open_bytes", 33);
	expect_stack("in_destructor", "open_bytes", 44);
	expect_stack("refused", "failed", 5);
#endif
	expect("failed", 5);
	expect("open_bytes >=", 77);
	expect("unknown_releases", 0);
	expect("error_count", 0);
#ifndef LIBC_ALLOCATES
	expect("allocs", 4);
	expect("frees", 2);
	expect("bytes_allocated", 110);
#endif
	return 0;
}
