/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The open blocks of one address space: address → size, stack id, mark.
 *
 *   index: 1 << bits uint32_t, linear probing          pool: chunks of 4096
 *   ┌────┬────┬────┬────┬────┐                         ┌──────────────────┐
 *   │  0 │ 17 │  0 │  3 │ 90 │ ──── entry number ────► │ addr  size stack │ 24 → 16 bytes
 *   └────┴────┴────┴────┴────┘                         └──────────────────┘
 *
 * An entry is 16 bytes: 48 bits of address, 32 of size (larger ones in a side
 * table), 32 of stack, 15 of mark, and the index adds 4 to 8: at most 24 bytes a
 * block.
 * Growth of the index is incremental: no insertion moves more than a few
 * entries, so no stop of the tracee is long because the table grew. */
#ifndef MTRACE_MODEL_OPENSET_H
#define MTRACE_MODEL_OPENSET_H

#include "base/types.h"

struct open_block {
	taddr_t addr;
	uint64_t size;
	uint32_t stack;
	uint32_t mark; /* the last one that was set when it was allocated; 0: none */
};

#define OPENSET_MAX_MARK 32767u

struct openset;

struct openset *openset_new(void);
/* Shares the content with `of` until either changes (fork). */
struct openset *openset_clone(struct openset *of);
void openset_free(struct openset *);
/* Inserts; when addr is there already, replaces it and tells the old one in
 * *old (may be NULL).  True when one was replaced. */
bool openset_add(struct openset *, const struct open_block *b, struct open_block *old);
/* Takes the block out.  False: not there. */
bool openset_take(struct openset *, taddr_t addr, struct open_block *out);
bool openset_find(const struct openset *, taddr_t addr, struct open_block *out);
/* The block that addr lies inside of, not at its beginning.  Looks at all of them. */
bool openset_around(const struct openset *, taddr_t addr, struct open_block *out);
size_t openset_count(const struct openset *);
/* In no order; stops when fn returns non-zero and returns that. */
int openset_each(const struct openset *, int (*fn)(void *, const struct open_block *), void *arg);
/* The same, some places of the table at a time: *at, 0 at first, is where it goes on.
 * What is added meanwhile may be told or not; what stays is told once.  False: that was
 * all. */
bool openset_each_some(const struct openset *, uint32_t *at, uint32_t places,
		       int (*fn)(void *, const struct open_block *), void *arg);
/* Bytes of memory in use, for bench and tests. */
size_t openset_memory(const struct openset *);

#endif
