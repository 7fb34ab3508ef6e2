/* SPDX-License-Identifier: GPL-2.0-or-later */
/* An allocator like valgrind's with an endless list of released blocks: it never
 * hands out memory twice, so no pointer leads to a block but those that the
 * program means, and what is released wrongly is left alone. */
#include <errno.h>
#include <malloc.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define ROOM ((size_t)1 << (sizeof(void *) > 4 ? 36 : 29))
/* Out of the way: Python's own allocator keeps a tree of addresses, and how much
 * of it depends on how far apart its mappings are. */
#define WHERE ((void *)(sizeof(void *) > 4 ? (uintptr_t)1 << 44 : 0))
/* That of two lines of the cache, to which the dynamic linker rounds the address of
 * a table: it points to the start of the block or into it, as it happens. */
#define ALIGN ((size_t)128)

static char *room;
static size_t used;

__attribute__((constructor)) static void make_room(void)
{
	void *p, *none = NULL;

	if (__atomic_load_n(&room, __ATOMIC_ACQUIRE))
		return;
	p = mmap(WHERE, ROOM, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (p == MAP_FAILED)
		_Exit(98);
	if (!__atomic_compare_exchange_n(&room, (char **)&none, p, 0, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
		munmap(p, ROOM);
}

/* Before each block, in room of its own. */
struct header {
	size_t size;
	uintptr_t check; /* 0: released */
};

static struct header *header_of(const void *p)
{
	return (struct header *)p - 1;
}

static uintptr_t check_of(const void *p)
{
	return (uintptr_t)p ^ (uintptr_t)0x5ca1ab1e;
}

static int is_block(const void *p)
{
	return room && (uintptr_t)p - (uintptr_t)room < ROOM && !((uintptr_t)p % ALIGN) &&
	       header_of(p)->check == check_of(p);
}

/* Room for an alignment and for a byte between a block's end and the next. */
static void *take(size_t size, size_t align)
{
	size_t at;
	char *p;

	make_room();
	if (align < ALIGN)
		align = ALIGN;
	if (size > ROOM / 2 || align > ROOM / 4) {
		errno = ENOMEM;
		return NULL;
	}
	at = __atomic_fetch_add(&used, (size + align + 2 * ALIGN) & -ALIGN, __ATOMIC_RELAXED);
	if (at > ROOM - size - align - 2 * ALIGN) {
		errno = ENOMEM;
		return NULL;
	}
	p = (char *)(((uintptr_t)room + at + ALIGN + align - 1) & -align);
	header_of(p)->size = size;
	header_of(p)->check = check_of(p);
	return p;
}

static void drop(void *p)
{
	if (is_block(p))
		header_of(p)->check = 0;
}

void *malloc(size_t size)
{
	return take(size, ALIGN);
}

void *calloc(size_t n, size_t size)
{
	size_t all;

	if (__builtin_mul_overflow(n, size, &all)) {
		errno = ENOMEM;
		return NULL;
	}
	return take(all, ALIGN);
}

void free(void *p)
{
	drop(p);
}

void *realloc(void *old, size_t size)
{
	void *p;

	if (old && !size)
		drop(old);
	if (old && (!size || !is_block(old)))
		return NULL;
	p = take(size, ALIGN);
	if (p && old) {
		memcpy(p, old, size < header_of(old)->size ? size : header_of(old)->size);
		drop(old);
	}
	return p;
}

void *memalign(size_t align, size_t size)
{
	size_t power = ALIGN;

	while (power < align && power < ROOM)
		power *= 2;
	return take(size, power);
}

void *aligned_alloc(size_t align, size_t size)
{
	return take(size, align);
}

int posix_memalign(void **out, size_t align, size_t size)
{
	void *p;

	if (!align || align & (align - 1) || align % sizeof p)
		return EINVAL;
	p = take(size, align);
	if (!p)
		return ENOMEM;
	*out = p;
	return 0;
}

void *valloc(size_t size)
{
	return take(size, 4096);
}

void *pvalloc(size_t size)
{
	return take((size + 4095) & ~(size_t)4095, 4096);
}

size_t malloc_usable_size(void *p)
{
	return is_block(p) ? header_of(p)->size : 0;
}
