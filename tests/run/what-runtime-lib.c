/* SPDX-License-Identifier: GPL-2.0-or-later */
/* An allocator of its own, not over malloc: indirect functions, two versions. */
#include <stddef.h>
#include <string.h>

static char room[1 << 20];
static size_t used;

static void *take(size_t n)
{
	char *p = room + used;

	used += (n + 31) & ~(size_t)15;
	return p;
}

static void *take_fast(size_t n)
{
	return take(n);
}

static void put(void *p)
{
	__asm__ volatile("" : "+r"(p) : : "memory");
}

static void *(*choose(void))(size_t)
{
	return take_fast;
}

static void (*choose_put(void))(void *)
{
	return put;
}

void *mi_malloc(size_t n) __attribute__((ifunc("choose")));
void mi_free(void *p) __attribute__((ifunc("choose_put")));

void *calloc_1(size_t n, size_t size);
void *calloc_2(size_t n, size_t size);

__attribute__((noinline)) void *calloc_1(size_t n, size_t size)
{
	return memset(take(n * size), 0, n * size);
}

__attribute__((noinline)) void *calloc_2(size_t n, size_t size)
{
	return memset(take(n * size), 0, n * size);
}

__asm__(".symver calloc_1, mi_calloc@OLD_1");
__asm__(".symver calloc_2, mi_calloc@@NEW_2");
