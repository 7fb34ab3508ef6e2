/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Blocks of a census sorted into groups: of one size, or of one size and one
 * first word, when that is a vtable's address or is shared by several. */
#ifndef TRACE_CENSUS_GROUP_H
#define TRACE_CENSUS_GROUP_H

#include "trace/glibc.h"
#include "trace/proc.h"

/* Puts the blocks into the table of open blocks of p, but for those that are in
 * it and those that `skip` holds, and tells of each group.  How many blocks; *bytes
 * is their size. */
uint64_t census_take_in(struct proc *p, const struct glibc_heap *h, const struct u64map *skip,
			uint64_t *bytes);

#endif
