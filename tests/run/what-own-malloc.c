/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The program brings an allocator of its own, over brk or mmap: the C library's
 * calls go there too, and what it gets from the system is not the program's. */
#include <sys/mman.h>
#include "expect.h"

#define ROOM (4u << 20)
#define N 50

static char *room;
static size_t used;

/* A bump allocator; the size stands in front of each block. */
__attribute__((noinline)) static void *take(size_t size)
{
	size_t *p;

	if (!room) {
		room = mmap(NULL, ROOM, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		if (room == MAP_FAILED)
			_exit(96);
	}
	size = (size + 31) & ~(size_t)15;
	if (size > ROOM - used)
		return NULL;
	p = (size_t *)(room + used + 16);
	used += size;
	p[-1] = size - 16;
	return p;
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

	if (p && old) {
		memcpy(p, old, size < was[-1] ? size : was[-1]);
		free(old);
	}
	return p;
}

__attribute__((noinline)) static void use(void)
{
	char *p = malloc(100), *q = calloc(2, 30), *s = strdup("123456789");

	KEEP(p);
	KEEP(q);
	p = realloc(p, 200);
	KEEP(p);
	KEEP(s);
	free(p);
	free(q);
	free(s);
}

int main(void)
{
	size_t huge = ROOM;

	KEEP(huge);
	for (int i = 0; i < N; i++)
		use();
	EXPECT_THAT(!malloc(huge));
	free(room + ROOM - 64); /* no block; told though all is in one file */
	expect_stack("use", "total_blocks", 4 * N);
	expect_stack("use", "total_bytes", (100 + 60 + 200 + 10) * N);
	expect_stack("use", "open_blocks", 0);
	expect_stack("main", "failed", 1);
	expect("unknown_releases", 1);
	expect("error_count", 1);
	expect("mappings.maps", 0);
	return 0;
}
