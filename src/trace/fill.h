/* SPDX-License-Identifier: GPL-2.0-or-later */
/* --malloc-fill and --free-fill: the contents of blocks that are handed out and
 * released.  The task is stopped. */
#ifndef TRACE_FILL_H
#define TRACE_FILL_H

#include "trace/proc.h"

/* Is the memory that the call hands out zeroed? */
bool call_zeroes(const struct call *c);
/* The call returned the block at `addr`, for which the program asked. */
void fill_new(struct task *t, const struct call *c, taddr_t addr);
/* The block is about to be released. */
void fill_freed(struct task *t, const struct probe *pr, const struct open_block *b);

#endif
