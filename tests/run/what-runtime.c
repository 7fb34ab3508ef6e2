/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A library whose allocation functions are indirect functions and have two
 * versions each: all are observed, the default and the old one. */
#include "expect.h"

#define N 25

void *mi_malloc(size_t n);         /* indirect */
void mi_free(void *p);
void *mi_calloc(size_t n, size_t size);
void *old_calloc(size_t n, size_t size);
__asm__(".symver old_calloc, mi_calloc@OLD_1");

__attribute__((noinline)) static void indirect(void)
{
	void *p = mi_malloc(30);

	KEEP(p);
	mi_free(p);
}

__attribute__((noinline)) static void versions(void)
{
	void *p = mi_calloc(2, 40), *q = old_calloc(2, 50);

	KEEP(p);
	KEEP(q);
	mi_free(p);
	mi_free(q);
}

int main(void)
{
	for (int i = 0; i < N; i++) {
		indirect();
		versions();
	}
	expect_stack("indirect", "total_blocks", N);
	expect_stack("indirect", "total_bytes", N * 30);
	expect_stack("versions", "total_blocks", 2 * N);
	expect_stack("versions", "total_bytes", N * 180);
	expect("open_blocks", 0);
	expect("unknown_releases", 0);
	return 0;
}
