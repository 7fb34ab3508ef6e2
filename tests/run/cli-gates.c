/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Loses or keeps memory and ends, as its arguments say:
 *
 *	lose N · keep N · status N · abort · wait: says ready, until standard input ends
 */
#include "expect.h"

#define NOINLINE __attribute__((noinline, noclone))

static void *volatile kept[8];

NOINLINE static void *make(size_t n)
{
	void *p = calloc(1, n);

	KEEP(p);
	return p;
}

NOINLINE static void lose_some(size_t n)
{
	make(n);
}

NOINLINE static void keep_some(size_t n)
{
	static unsigned i;

	kept[i++ % 8] = make(n);
}

/* What calls left on the stack is not to be found there. */
NOINLINE static void wipe(void)
{
	char stack[4096];

	char *p = memset(stack, 0, sizeof stack);

	KEEP(p);
}

static int wait_for_end(void)
{
	char c;

	if (write(1, "ready\n", 6) != 6)
		return 99;
	while (read(0, &c, 1) > 0)
		;
	return 0;
}

int main(int argc, char **argv)
{
	int status = 0;

	for (int i = 1; i < argc; i++) {
		size_t n = i + 1 < argc ? strtoul(argv[i + 1], NULL, 10) : 0;

		if (!strcmp(argv[i], "lose"))
			lose_some(n);
		else if (!strcmp(argv[i], "keep"))
			keep_some(n);
		else if (!strcmp(argv[i], "status"))
			status = (int)n;
		else if (!strcmp(argv[i], "abort"))
			abort();
		else if (!strcmp(argv[i], "wait"))
			status = wait_for_end();
		wipe();
	}
	return status;
}
