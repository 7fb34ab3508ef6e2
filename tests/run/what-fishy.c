/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Sizes below zero: refused, told with -v, and no error. */
#include "expect.h"

int main(void)
{
	size_t below_zero = (size_t)-8;
	void *p = malloc(below_zero), *q = malloc(10), *r;

	EXPECT_THAT(!p);
	r = realloc(q, below_zero);
	EXPECT_THAT(!r);
	free(q);
	expect("failed", 2);
	expect("error_count", 0);
	return 0;
}
