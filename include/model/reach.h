/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which blocks the program can still reach: the classes of memcheck's leak
 * check ("Memory leak detection" in Valgrind's manual), from a list of blocks
 * and the words of memory.  Pure: memory is handed in, no process is needed.
 *
 *   blocks, sorted     reach_feed(): one pass over memory,      reach_solve()
 *   by address    ──►  ascending; each word that points     ──► classes
 *                      into a block becomes a root hit or
 *                      an edge from the block it lies in
 *
 *   edges: varints, in one array; edge_start[i]…edge_start[i+1] are block i's
 *
 * Memory: at most 80 bytes a block when there are many; edges beyond that are
 * not kept, the blocks they belong to are read again when they are marked. */
#ifndef MTRACE_MODEL_REACH_H
#define MTRACE_MODEL_REACH_H

#include "base/types.h"
#include "model/event.h"
#include "model/openset.h"

#define REACH_NONE UINT32_MAX

struct reach_opts {
	uint8_t word;     /* bytes of a pointer, 4 or 8, in our byte order */
	uint64_t mask;    /* bits of a pointer that are its address; 0: all */
	bool references;  /* no reachability: is a block's address anywhere? */
	/* Memory of the program: bytes read, may be short; 0 or less: none.
	 * Used for the heuristics and for edges that were not kept. */
	ssize_t (*read)(void *arg, taddr_t addr, void *buf, size_t len);
	/* Does a file-backed table of functions lie there (a C++ vtable)? */
	bool (*is_vtable)(void *arg, taddr_t addr);
	void *arg;
};

/* Where a pointer was found that lies in no block. */
struct reach_root {
	enum root_kind { ROOT_MEMORY, ROOT_REGISTER } kind;
	taddr_t at;       /* of the word; ROOT_REGISTER: tid << 8 | index */
};

/* One step of the way from a root to a block. */
struct reach_link {
	uint32_t block;   /* where the step leads */
	uint64_t offset;  /* … and how far into it */
	uint32_t from;    /* block that holds the pointer; REACH_NONE: a root */
	struct reach_root root;
	uint64_t at;      /* of the pointer, in `from` */
};

struct reach;

/* Takes over nothing; `open` is read now.  At most UINT32_MAX / 2 blocks;
 * NULL: more. */
struct reach *reach_new(const struct openset *open, const struct reach_opts *opts);
void reach_free(struct reach *r);

/* The words of one piece of memory, pieces in ascending order of address.
 * `root`: words outside blocks are roots, else they are left out.  `addr` is a
 * multiple of the word. */
void reach_feed(struct reach *r, taddr_t addr, const void *bytes, size_t len, bool root);
/* A register. */
void reach_feed_register(struct reach *r, pid_t tid, unsigned index, uint64_t value);
/* Sorts the blocks into classes. */
void reach_solve(struct reach *r);

size_t reach_count(const struct reach *r);
struct open_block reach_block(const struct reach *r, uint32_t i);
/* Calls fn for every block in ascending order of address.  leader: of an
 * indirectly lost block, the definitely lost one that holds it, else the
 * block itself. */
void reach_each(struct reach *r,
		void (*fn)(void *arg, uint32_t i, enum leak_kind kind, uint32_t leader), void *arg);
/* The class and the leader of one block. */
enum leak_kind reach_kind(struct reach *r, uint32_t i, uint32_t *leader);
/* The shortest way from a root to block i, the root's link first.  Of a way
 * that has more than `max` links (at least 2) those in the middle are left out.
 * Number of links of the whole way; 0: there is none. */
size_t reach_why(struct reach *r, uint32_t i, struct reach_link *links, size_t max);
/* The block that covers addr, or REACH_NONE. */
uint32_t reach_find(const struct reach *r, taddr_t addr);
/* Where the last block that begins at or below addr ends (0: there is none),
 * and where the first one above it begins (UINT64_MAX). */
void reach_around(const struct reach *r, taddr_t addr, taddr_t *end, taddr_t *start);
/* Bytes of memory in use, and at most so far. */
size_t reach_memory(const struct reach *r);

#endif
