/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The mapped ranges of one address space: an ordered tree of ranges that do
 * not overlap, each with the stack that mapped it. */
#ifndef MTRACE_MODEL_REGIONS_H
#define MTRACE_MODEL_REGIONS_H

#include "base/types.h"

struct region {
	taddr_t start, end;
	uint32_t stack;
};

struct regions;

struct regions *regions_new(void);
struct regions *regions_copy(const struct regions *);
void regions_free(struct regions *);
/* Adds a range; the caller has cut out whatever was there. */
void regions_add(struct regions *, const struct region *r);
/* Takes [start, end) out.  For each range that loses something fn is told its
 * stack, by how much the number of ranges changes (−1 gone, 0 trimmed, +1
 * split in two) and how many bytes went; fn may be NULL. */
void regions_cut(struct regions *, taddr_t start, taddr_t end,
		 void (*fn)(void *arg, uint32_t stack, int ranges, uint64_t bytes), void *arg);
/* The range that covers addr, or else the first one behind it.  False: none. */
bool regions_next(const struct regions *, taddr_t addr, struct region *out);
/* In ascending order. */
void regions_each(const struct regions *, void (*fn)(void *arg, const struct region *), void *arg);
size_t regions_count(const struct regions *);

#endif
