/* SPDX-License-Identifier: GPL-2.0-or-later */
/* AArch64 ignores the highest byte of a pointer, and allocators keep a tag there: a
 * block is the same whatever its tag, when it is released, reallocated and looked for
 * in memory.  Elsewhere the tag is zero. */
#include <stdint.h>
#include <sys/mman.h>
#include <sys/utsname.h>
#include "expect.h"

#define ROOM (1u << 20)
#define N 20

static char *room;
static size_t used;
static uintptr_t next_tag; /* 0: pointers are whole */

static void *tagged(void *p, uintptr_t tag)
{
	uintptr_t v = (uintptr_t)p;

	if (next_tag)
		v = (v << 8 >> 8) | tag << (8 * sizeof v - 8);
	return (void *)v;
}

/* A bump allocator; the size stands in front of each block. */
__attribute__((noinline)) static void *take(size_t size)
{
	size_t *p;

	if (!room)
		room = mmap(NULL, ROOM, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (room == MAP_FAILED || size > ROOM / 2)
		return NULL;
	p = (size_t *)(room + used + 16);
	used += (size + 31) & ~(size_t)15;
	p[-1] = size;
	if (next_tag)
		next_tag = next_tag % 255 + 1;
	return tagged(p, next_tag);
}

void *malloc(size_t size)
{
	void *p = take(size);

	KEEP(p);
	return p;
}

void free(void *p)
{
	KEEP(p);
}

void *calloc(size_t n, size_t size)
{
	void *p = malloc(n * size);

	KEEP(p);
	return p;
}

void *realloc(void *old, size_t size)
{
	size_t *p = malloc(size), *was = old;

	if (p && old)
		memcpy(p, old, size < was[-1] ? size : was[-1]);
	KEEP(p);
	return p;
}

struct node {
	struct node *next;
	char text[40];
};

static struct node *list;

__attribute__((noinline)) static void build(void)
{
	for (int i = 0; i < N; i++) {
		struct node *n = malloc(sizeof *n);

		n->next = list;
		list = n;
	}
	list->next = tagged(list->next, 0x7f); /* another tag than it was given */
}

__attribute__((noinline)) static void lose(void)
{
	for (int i = 0; i < 3; i++) {
		void *p = malloc(100);

		KEEP(p);
	}
}

/* What lose() had in its frame is no pointer to a block. */
__attribute__((noinline)) static void scrub(void)
{
	char room[16384];
	char *p = room;

	memset(p, 0, sizeof room);
	KEEP(p);
}

int main(void)
{
	struct utsname u;
	char *p;

	uname(&u);
	next_tag = !strcmp(u.machine, "aarch64") && sizeof p == 8;
	build();
	p = malloc(10);
	p = realloc(p, 1000);
	KEEP(p);
	free(tagged(p, 0));
	p = malloc(20);
	free(tagged(p, 0xff));
	lose();
	scrub();
	expect_stack("build", "open_blocks", N);
	expect("error_count", 0);
	expect("allocs", N + 3 + 3);
	expect("frees", 3);
	expect("open_blocks", N + 3);
	expect("leaks.reachable.blocks", N);
	expect("leaks.definite.blocks", 3);
	return 0;
}
