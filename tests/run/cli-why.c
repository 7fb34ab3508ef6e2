/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A chain of three blocks, a lost block that holds another, and one that is pointed
 * into; says where they are, and waits. */
#include <stdio.h>

#include "expect.h"

struct link {
	void *unused[2];
	void *next;
	char rest[40];
};

static struct link *chain;
static char *volatile inside;

__attribute__((noinline)) static void *make(size_t size)
{
	return calloc(1, size);
}

__attribute__((noinline)) static void build(void)
{
	struct link *a = make(sizeof *a), *b = make(sizeof *b), *lost = make(sizeof *lost);

	a->next = b;
	b->next = make(100);
	lost->next = make(30);
	inside = (char *)make(200) + 50;
	chain = a;
	printf("first %p\nlast %p\nlost %p\nheld %p\ninto %p\nnone %p\n", (void *)a, b->next,
	       (void *)lost, lost->next, (void *)(inside - 50), (void *)&chain);
}

__attribute__((noinline)) static void wipe(void)
{
	char stack[8192];
	void *p = memset(stack, 0, sizeof stack);

	KEEP(p);
}

int main(void)
{
	char c;

	setvbuf(stdout, NULL, _IONBF, 0);
	build();
	wipe();
	printf("ready\n");
	return read(0, &c, 1) == 1 ? 0 : 1;
}
