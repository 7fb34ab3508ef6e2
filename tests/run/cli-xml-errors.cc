/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A mismatched release, three times from one place, and at last one of what is no
 * block, at which the C library gives up. */
#include <cstdlib>

#include "expect.h"

__attribute__((noinline)) static void mismatch()
{
	int *p = new int(7);

	KEEP(p);
	free(p);
}

__attribute__((noinline)) static void inside()
{
	char *p = static_cast<char *>(malloc(40)) + 16;

	KEEP(p);
	free(p);
}

int main()
{
	for (volatile int i = 0; i < 3; i = i + 1)
		mismatch();
	inside();
	return 0;
}
