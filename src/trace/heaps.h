/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tells what memory the heap of a process has (EV_HEAP): of glibc its arenas, as they
 * describe themselves, and the mappings of single blocks; else the anonymous memory in
 * which open blocks lie. */
#ifndef TRACE_HEAPS_H
#define TRACE_HEAPS_H

#include "trace/proc.h"

/* Is it to be told when the process ends, or is left? */
bool heaps_wanted(const struct proc *p);
/* It ends, or is left; its tasks are stopped.  Blocks that nobody was seen to allocate are
 * told, too (EV_BLOCK). */
void heaps_tell_last(struct proc *p);
/* Stops it for that.  0, -EAGAIN: it cannot be stopped just now, or -errno. */
int heaps_now(struct proc *p);

#endif
