/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the report says of requests: both factors of a product, as they were
 * passed, also of one that was refused. */
#define _GNU_SOURCE
#include <stdlib.h>

#include "expect.h"

__attribute__((noipa)) void *mine(size_t each, size_t n)
{
	static char memory[100];

	return n * each <= sizeof memory ? memory : NULL;
}

int main(void)
{
	size_t huge = (size_t)-1 / 4;
	void *p;

	KEEP(huge);
	for (size_t n = 1; n <= 3; n++) {
		p = calloc(n, 16);
		KEEP(p);
	}
	p = NULL;
	KEEP(p);
	p = reallocarray(p, 4, 10);
	KEEP(p);
	p = calloc(huge, 24);
	EXPECT_THAT(!p);
	p = mine(8, 5);
	KEEP(p);
	p = malloc(7);
	KEEP(p);
	expect("failed", 1);
	return 0;
}
