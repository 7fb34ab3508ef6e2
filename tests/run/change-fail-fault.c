/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Run with -d 5 and caller=chosen: a rule goes by the frames that a request is
 * told with, five, also where it was looked farther for whether a realloc of an
 * unknown block is the allocator's own. */
#include <stdlib.h>

#include "expect.h"

static void *volatile freed;

__attribute__((noipa)) static void *ask(int deeper, int again)
{
	void *p;

	if (deeper)
		p = ask(deeper - 1, again);
	else
		p = again ? realloc(freed, 100) : malloc(100);
	KEEP(p);
	return p;
}

__attribute__((noipa)) static void *chosen(int deeper, int again)
{
	void *p = ask(deeper, again);

	KEEP(p);
	return p;
}

int main(void)
{
	EXPECT_THAT(!chosen(0, 0));
	freed = chosen(10, 0);
	EXPECT_THAT(freed);
	free(freed);
	EXPECT_THAT(chosen(10, 1));
	expect_error("invalid_free", 1);
	expect("failed", 1);
	return 0;
}
