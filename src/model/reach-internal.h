/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What reach.c (the pass over memory) and reach-solve.c (the classes) share. */
#ifndef MTRACE_SRC_MODEL_REACH_INTERNAL_H
#define MTRACE_SRC_MODEL_REACH_INTERNAL_H

#include "base/hash.h"
#include "base/vec.h"
#include "model/reach.h"

/* A block; as small as a look-up that touches one line of the cache wants it. */
struct rblock {
	taddr_t addr;
	uint32_t size;  /* HUGE_SIZE: in `huge` */
	uint32_t stack;
};

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

/* One edge of a block. */
struct edge {
	uint32_t target;
	uint32_t offset;
	bool interior;
	taddr_t at; /* of the pointer; of kept edges unknown: 0 */
};

struct reach {
	struct reach_opts opts;
	uint32_t n;
	struct rblock *block;
	uint8_t *mark;
	struct u64map huge;      /* index → size */
	bool nested;             /* some blocks lie inside others */
	struct cluster cluster[MAX_CLUSTERS];
	unsigned nclusters;
	/* Edges of a block, each as a varint of twice the zigzag of target less
	 * source, plus one when it is interior; then its offset follows. */
	uint32_t *edge_start;    /* n + 1 of them: bytes */
	VEC(uint8_t) edges;
	size_t max_edges;        /* bytes */
	uint32_t kept;           /* edges of blocks from here on were not kept */
	uint32_t cursor;         /* block at or behind the word fed last */
	taddr_t outer_end;       /* the furthest end of those before it */
	VEC(struct root_hit) roots;
	uint8_t *seen[MAX_CLUSTERS]; /* references: a bit for each word that was
				      pointed to */
	size_t seen_bytes[MAX_CLUSTERS];
	uint32_t *leader;        /* from reach_solve on: union-find */
	uint32_t *parent;        /* from the first reach_why on */
	VEC(struct edge) loaded; /* edges of a block whose edges were not kept */
	size_t peak;
};

#define HUGE_SIZE UINT32_MAX

static inline uint64_t block_size(const struct reach *r, uint32_t i)
{
	return r->block[i].size != HUGE_SIZE ? r->block[i].size : *u64map_get(&r->huge, i);
}

/* Its end for look-ups: a block of no bytes has one, and one that holds others
 * ends for us where the first of them begins. */
static inline taddr_t block_end(const struct reach *r, uint32_t i)
{
	uint64_t size = block_size(r, i);
	taddr_t end = r->block[i].addr + (size ? size : 1);

	return r->nested && i + 1 < r->n && end > r->block[i + 1].addr ? r->block[i + 1].addr : end;
}

/* The edges of one block, one after the other:
 *
 *	for (reach_edges(r, i, &it); reach_next(&it, &e);)
 *
 * When they were not kept, its memory is read.  One walk at a time. */
struct edge_walk {
	const uint8_t *p, *end;         /* kept ones, … */
	uint32_t from;
	const struct edge *read, *last; /* … or those read now */
};

/* Reads the edges of a block from memory in any case; they are in r->loaded. */
void reach_load(struct reach *r, uint32_t i);

static inline void reach_edges(struct reach *r, uint32_t i, struct edge_walk *it)
{
	*it = (struct edge_walk){ .from = i };
	if (i < r->kept) {
		if (r->edges.n) {
			it->p = r->edges.v + r->edge_start[i];
			it->end = r->edges.v + r->edge_start[i + 1];
		}
		return;
	}
	reach_load(r, i);
	if (r->loaded.n) {
		it->read = r->loaded.v;
		it->last = r->loaded.v + r->loaded.n;
	}
}

static inline uint64_t get_varint(const uint8_t **p)
{
	uint64_t v = 0;
	unsigned shift = 0;
	uint8_t b;

	do {
		b = *(*p)++;
		v |= (uint64_t)(b & 0x7f) << shift;
		shift += 7;
	} while (b & 0x80);
	return v;
}

static inline bool reach_next(struct edge_walk *it, struct edge *e)
{
	uint64_t v, zigzag;

	if (it->p == it->end) {
		if (it->read == it->last)
			return false;
		*e = *it->read++;
		return true;
	}
	v = get_varint(&it->p);
	zigzag = v >> 1;
	e->target = it->from + (uint32_t)(zigzag >> 1 ^ -(zigzag & 1));
	e->interior = v & 1;
	e->offset = e->interior ? (uint32_t)get_varint(&it->p) : 0;
	e->at = 0;
	return true;
}

/* No more words come. */
void reach_finish(struct reach *r);
/* Counts memory that is only needed for a while. */
void reach_note_memory(struct reach *r, size_t more);

#endif
