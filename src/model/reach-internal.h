/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What reach.c (the pass over memory) and reach-solve.c (the classes) share. */
#ifndef MTRACE_SRC_MODEL_REACH_INTERNAL_H
#define MTRACE_SRC_MODEL_REACH_INTERNAL_H

#include "base/hash.h"
#include "base/vec.h"
#include "model/reach.h"

#define INTERIOR 0x80000000u /* of an edge: an offset into the target follows */

enum mark { UNREACHED, INDIRECT, POSSIBLE, REACHABLE };

/* Blocks lie in a few clusters (the break, the mmap area); a word that is in
 * none of them is no pointer to a block. */
#define MAX_CLUSTERS 8
#define GRANULE_SHIFT 9

struct cluster {
	taddr_t lo, hi;
	/* For each granule the first block that ends behind its start. */
	uint32_t *granule;
	size_t ngranules;
};

struct root_hit {
	taddr_t at;
	uint32_t target, offset; /* offset UINT32_MAX: that much or more */
	uint8_t kind;            /* enum root_kind */
};

struct reach {
	struct reach_opts opts;
	uint32_t n;
	taddr_t *addr;
	uint32_t *size;          /* HUGE_SIZE: in `huge` */
	uint32_t *stack;
	uint8_t *mark;
	struct u64map huge;      /* index → size */
	bool nested;             /* some blocks lie inside others */
	struct cluster cluster[MAX_CLUSTERS];
	unsigned nclusters;
	uint32_t *edge_start;    /* n + 1 of them */
	VEC(uint32_t) edges;
	size_t max_edges;
	uint32_t kept;           /* edges of blocks from here on were not kept */
	uint32_t cursor;         /* block at or behind the word fed last */
	taddr_t outer_end;       /* the furthest end of those before it */
	VEC(struct root_hit) roots;
	uint32_t *leader;        /* from reach_solve on: union-find */
	uint32_t *parent;        /* from the first reach_why on */
	size_t peak;
};

#define HUGE_SIZE UINT32_MAX

static inline uint64_t block_size(const struct reach *r, uint32_t i)
{
	return r->size[i] != HUGE_SIZE ? r->size[i] : *u64map_get(&r->huge, i);
}

/* Its end for look-ups: a block of no bytes has one, and one that holds others
 * ends for us where the first of them begins. */
static inline taddr_t block_end(const struct reach *r, uint32_t i)
{
	uint64_t size = block_size(r, i);
	taddr_t end = r->addr[i] + (size ? size : 1);

	return r->nested && i + 1 < r->n && end > r->addr[i + 1] ? r->addr[i + 1] : end;
}

/* One edge of a block. */
struct edge {
	uint32_t target;
	uint32_t offset;
	bool interior;
	taddr_t at; /* of the pointer; of kept edges unknown: 0 */
};

/* Calls fn for each edge of block i, reading its memory when they were not
 * kept.  Stops when fn returns false. */
void reach_edges(struct reach *r, uint32_t i, bool (*fn)(void *arg, const struct edge *), void *arg);
/* The same, from memory in any case. */
void reach_read_edges(struct reach *r, uint32_t i, bool (*fn)(void *arg, const struct edge *),
		      void *arg);
/* No more words come. */
void reach_finish(struct reach *r);
/* Counts memory that is only needed for a while. */
void reach_note_memory(struct reach *r, size_t more);

#endif
