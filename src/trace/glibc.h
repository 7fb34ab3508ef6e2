/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The blocks in use in a stopped program's glibc heap, found from outside.
 *
 * Layouts of glibc 2.36 (malloc/malloc.c, malloc/arena.c); another version passes
 * when it has the same.  w is the size of a word:
 *
 *   chunk      ┌───────────────┬──────────────────────┬──────────────┐
 *              │ prev_size   w │ size | A M P       w │ the block …  │
 *              └───────────────┴──────────────────────┴──────────────┘
 *              P: the chunk before is in use (else prev_size is its size)
 *              M: it has a mapping of its own, prev_size bytes behind its start
 *              A: it belongs to another arena than the main one
 *   arena      lock, flags, fastbins, top, bins, next arena, system_mem
 *   heap_info  at a multiple of HEAP_MAX_SIZE: its arena, the heap before, size;
 *              behind the first heap's comes the arena itself
 *   mp_        what all arenas share: mapped chunks, the first break
 *
 * A chunk whose successor has P clear is free and in a bin.  Those in a thread's
 * cache (tcache) and in fastbins look used; their lists tell them.  The links of
 * these are xored with their own place >> 12.
 *
 * Nothing of it is trusted: every address is read only when it lies in a
 * readable range, and every list and walk is bounded. */
#ifndef TRACE_GLIBC_H
#define TRACE_GLIBC_H

#include "base/vec.h"
#include "elf/elf_file.h"

struct addr_range {
	taddr_t start, end;
};

/* What is known of the program.  Ranges are in ascending order. */
struct glibc_view {
	const struct mem_reader *mem;
	unsigned word;  /* 4 or 8 */
	unsigned align; /* of blocks: abi->malloc_align */
	bool big_endian;
	bool tagged;    /* memory has tags (glibc.mem.tagging): a block ends where its
			   chunk does */
	unsigned page;
	/* Where the C library's variables are. */
	const struct addr_range *data;
	size_t ndata;
	/* Private memory that can be written and is no file's. */
	const struct addr_range *anon;
	size_t nanon;
	/* Thread pointers: thread-local variables lie below or above. */
	const taddr_t *tp;
	size_t ntp;
	/* The first page that is present or swapped at or behind `from`, below
	 * `end`, or `end`: the others hold zeros.  NULL: all are taken. */
	taddr_t (*present)(void *arg, taddr_t from, taddr_t end);
	void *arg;
};

struct glibc_block {
	taddr_t addr;
	uint64_t usable; /* as malloc_usable_size(3) says */
	uint64_t first;  /* its first word */
};

/* A stretch of memory that an arena has. */
struct glibc_region {
	taddr_t start, end;
	unsigned arena; /* 0: the main one */
	uint64_t lead;  /* at its start: what the allocator keeps for itself, and
			   what comes before the head of the first block */
};

struct glibc_heap {
	VEC(struct glibc_block) blocks; /* ascending */
	/* What the allocator has of memory; may overlap. */
	VEC(struct addr_range) parts;
	VEC(struct glibc_region) regions; /* glibc_outline() */
	unsigned arenas, mapped, caches;
	/* "": all adds up, so these are exactly the blocks in use.  Else what
	 * does not: a thread was stopped inside malloc, as a rule. */
	char doubt[100];
};

/* 0; -ENOTSUP: it is not laid out so; -EINVAL: it is, but cannot be followed.
 * Then `doubt` says why. */
int glibc_census(const struct glibc_view *v, struct glibc_heap *out);
void glibc_heap_release(struct glibc_heap *h);

/* Only out->regions, from what the arenas say of themselves: no chunk is looked at but
 * the first.  Returns as glibc_census() does. */
int glibc_outline(const struct glibc_view *v, struct glibc_heap *out);
/* What a block has before it, what the size with that is a multiple of, and at
 * least.  Of *v this needs word, align and tagged. */
void glibc_block_layout(const struct glibc_view *v, uint32_t *header, uint32_t *align, uint32_t *min);

/* Where the main arena is in v->data, but for the ring of arenas: its bins and its
 * top point into the last blocks before free memory.  Of *v this needs mem, word,
 * align, page and data.  The layout is that of glibc 2.27 to 2.41.  False: not found. */
bool glibc_main_arena(const struct glibc_view *v, struct addr_range *out);

#endif
