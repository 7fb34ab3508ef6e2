/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A mismatched release, three times from one place, one of an array, and a second
 * release that glibc does not notice, because there is another in between; with an
 * argument at last a realloc of what is no block, at which it gives up. */
#include <cstdlib>

#include "expect.h"

#define NOINLINE __attribute__((noinline, noclone))

NOINLINE static void mismatch()
{
	int *p = new int(7);

	KEEP(p);
	free(p);
}

NOINLINE static void one_of_many()
{
	char *p = new char[30];

	KEEP(p);
	delete p;
}

/* Into the lists that threads share: those of the thread hold seven. */
NOINLINE static void twice()
{
	void *p[10];

	for (void *&one : p) {
		one = malloc(24);
		KEEP(one);
	}
	for (void *one : p)
		free(one);
	free(p[8]);
}

NOINLINE static void inside()
{
	char *p = static_cast<char *>(malloc(40)) + 16;

	KEEP(p);
	p = static_cast<char *>(realloc(p, 50));
	KEEP(p);
}

int main(int argc, char **)
{
	for (volatile int i = 0; i < 3; i = i + 1)
		mismatch();
	one_of_many();
	twice();
	if (argc > 1)
		inside();
	return 0;
}
