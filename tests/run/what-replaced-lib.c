/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdlib.h>

void *library_get(size_t n);

__attribute__((noinline)) void *library_get(size_t n)
{
	void *p = malloc(n + 1);

	__asm__ volatile("" : "+r"(p) : : "memory");
	return p;
}
