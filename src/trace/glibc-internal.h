/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What glibc-find.c, glibc-walk.c and glibc-free.c share. */
#ifndef TRACE_GLIBC_INTERNAL_H
#define TRACE_GLIBC_INTERNAL_H

#include "trace/glibc.h"

enum { PREV_INUSE = 1, IS_MMAPPED = 2, NON_MAIN_ARENA = 4, SIZE_BITS = 7 };
enum { NONCONTIGUOUS = 2 }; /* in an arena's flags */

#define NBINS 127
#define MAX_FASTBINS 11
#define TCACHE_BINS 64

/* Sizes and places for one word size and alignment. */
struct glibc_layout {
	unsigned word, align; /* MALLOC_ALIGNMENT */
	unsigned nfastbins;
	unsigned fastbins, top, bins, next, system_mem, max_system_mem, arena_size;
	unsigned heap_info_size;
	uint64_t heap_max;    /* HEAP_MAX_SIZE, to whose multiples heaps are aligned */
	uint64_t tcache_size; /* of the chunk that holds a thread's cache */
	uint64_t min_size;    /* MINSIZE */
};

/* malloc_state */
struct arena {
	taddr_t addr;
	uint32_t flags;
	taddr_t fastbin[MAX_FASTBINS];
	taddr_t top;
	taddr_t next;
	uint64_t system_mem;
	bool used; /* malloc was called in it */
	unsigned bad; /* bins that are no rings */
};

/* malloc_par */
struct mparams {
	uint64_t n_mmaps, mmapped_mem;
	taddr_t sbrk_base;
	uint64_t tcache_count;
};

struct gwalk {
	const struct glibc_view *v;
	const struct glibc_layout *l;
	struct glibc_heap *out;
	VEC(struct arena) arenas; /* the main one first */
	VEC(struct addr_range) heaps; /* parts of arenas, as found */
	struct mparams mp;
	uint64_t budget; /* steps left, of everything */
	/* What was read last. */
	taddr_t win_at;
	size_t win_len;
	uint8_t win[65536];
};

/* -- reading: false: it cannot be read -- */
/* Where more is wanted of what follows. */
bool gw_bytes(struct gwalk *g, taddr_t addr, void *buf, size_t len);
/* Here and there: nothing else is touched. */
bool gw_peek(struct gwalk *g, taddr_t addr, void *buf, size_t len);
bool gw_word(struct gwalk *g, taddr_t addr, uint64_t *out);
/* The range of `anon` that covers [addr, addr + len); NULL: none. */
const struct addr_range *gw_anon(const struct gwalk *g, taddr_t addr, uint64_t len);
/* A word in bytes that were read. */
uint64_t gw_get(const struct gwalk *g, const uint8_t *p, unsigned len);

/* Notes what does not add up, once.  Always -EINVAL. */
int gw_doubt(struct gwalk *g, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* What of a chunk is not its block's: the block has the next one's prev_size, but where
 * memory has tags. */
static inline unsigned glibc_block_head(const struct glibc_view *v)
{
	return (v->tagged ? 2 : 1) * v->word;
}

static inline taddr_t gw_chunk2mem(const struct gwalk *g, taddr_t chunk)
{
	return chunk + 2 * g->l->word;
}

/* Where the first chunk lies whose memory begins at `start`. */
static inline taddr_t gw_first_chunk(const struct gwalk *g, taddr_t start)
{
	return start + (-gw_chunk2mem(g, start) & (g->l->align - 1));
}

/* glibc-find.c: the main arena alone; false: none. */
bool gw_find_main(struct gwalk *g);
/* The main arena, the ring of arenas, mp_.  0 or -ENOTSUP. */
int gw_find(struct gwalk *g);
/* glibc-walk.c: all chunks that look used, sorted.  0 or -EINVAL. */
int gw_walk(struct gwalk *g);
/* The regions of the arenas alone.  0 or -EINVAL. */
int gw_outline(struct gwalk *g);
/* glibc-free.c: takes out what is free all the same, and the caches. */
void gw_drop_free(struct gwalk *g);

#endif
