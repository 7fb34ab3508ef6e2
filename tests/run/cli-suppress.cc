/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Loses 11 bytes by new[] in a namespace, 22 by strdup, and a node of 32 bytes
 * that holds 44; keeps 55. */
#include "expect.h"

#define NOINLINE __attribute__((noinline, noclone))

struct node {
	void *child;
	char rest[32 - sizeof(void *)];
};

static void *volatile kept;

namespace space {
NOINLINE void lose(int n)
{
	char *p = new char[n]();

	KEEP(p);
}
}

NOINLINE static void *make_child(size_t n)
{
	void *p = calloc(1, n);

	KEEP(p);
	return p;
}

NOINLINE static void lose_plain(size_t n)
{
	char text[64] = "";
	void *p;

	memset(text, 'x', n - 1);
	p = strdup(text);
	KEEP(p);
}

NOINLINE static void lose_node(void)
{
	node *p = static_cast<node *>(calloc(1, sizeof *p));

	p->child = make_child(44);
	KEEP(p);
}

NOINLINE static void wipe(void)
{
	char stack[4096];
	void *p = memset(stack, 0, sizeof stack);

	KEEP(p);
}

int main()
{
	space::lose(11);
	wipe();
	lose_plain(22);
	wipe();
	lose_node();
	wipe();
	kept = make_child(55);
	wipe();
	return 0;
}
