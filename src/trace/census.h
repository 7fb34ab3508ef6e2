/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The census: blocks that are older than the attach are found in glibc's heap,
 * from outside, and put into the table of open blocks, each with a stack that
 * stands for all of its size and, where that tells, of its first word. */
#ifndef TRACE_CENSUS_H
#define TRACE_CENSUS_H

#include "trace/proc.h"

/* Is a census wanted of what is attached to? */
bool census_wanted(const struct trace_opts *opts);
/* All breakpoints are in.  Stops all tasks, takes the blocks in and says so; when
 * a thread is just inside the allocator, census_continue tries again. */
void census_begin(struct proc *p);
/* Tries again what is due.  Call it now and then while s->census_due. */
void census_continue(struct session *s);
/* The process is let go, or has ended. */
void census_forget(struct proc *p);

#endif
