/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Operators of the program's own that do more than allocate: what the C library
 * allocates for itself meanwhile, and what they release, are blocks like others. */
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "expect.h"

static char *note;

__attribute__((noinline)) static void *get(size_t size)
{
	return malloc(size);
}

void *operator new[](size_t size)
{
	void *p = get(size);

	KEEP(p);
	printf("%zu bytes\n", size);
	free(note);
	note = strdup("what was allocated last");
	memset(p, 0xff, size);
	return p;
}

void operator delete[](void *p) noexcept
{
	free(p);
}

void operator delete[](void *p, size_t) noexcept
{
	free(p);
}

__attribute__((noinline)) static char *make(size_t size)
{
	char *p = new char[size];

	KEEP(p);
	return p;
}

int main()
{
	char *p[3];

	for (size_t i = 0; i < 3; i++)
		p[i] = make(20 * i + 20);
	for (char *one : p)
		delete[] one;
	free(note);
	fclose(stdout); /* releases its buffer */
	expect("error_count", 0);
	expect("unknown_releases", 0);
	expect("unseen_releases", 0);
	/* Three arrays, three notes, a buffer. */
	expect_stack("make", "total_blocks", 7);
	expect_stack("make", "open_blocks", 0);
	return 0;
}
