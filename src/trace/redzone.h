/* SPDX-License-Identifier: GPL-2.0-or-later */
/* --redzone-size: requests are enlarged, and a pattern behind the block that the
 * program asked for tells whether it wrote there.  The program is told the size
 * that it asked for, and what it tells the allocator is enlarged too.
 *
 *	asked for                      red zone   what the allocator adds
 *	┌─────────────────────────────┬──────────┬ ─ ─ ─ ┐
 *	│                             │ pattern  │
 *	└─────────────────────────────┴──────────┴ ─ ─ ─ ┘
 *
 * All tasks named here are stopped. */
#ifndef TRACE_REDZONE_H
#define TRACE_REDZONE_H

#include "trace/errors.h"
#include "trace/proc.h"

/* Is there any, and is it to be looked at when the process ends? */
bool redzone_wanted(const struct proc *p);

/* At the entry of an allocation or realloc: enlarges what is asked for. */
void redzone_request(struct task *t, struct call *c);
/* It returned, with *addr as result (of xallocx: a size, and the program's new
 * view of it). */
void redzone_returned(struct task *t, struct call *c, taddr_t *addr, bool failed);
/* It was not entered, after all. */
void redzone_take_back(struct task *t, const struct call *c);
/* It will not return; the block that it was to change is still there. */
void redzone_abandoned(struct proc *p, const struct call *c);

/* Was something written behind an open block?  Told once for each block. */
bool redzone_overrun(struct proc *p, const struct open_block *b, struct fault *f);
/* At the entry of its release: takes it out, and enlarges the size that the
 * release is told. */
void redzone_released(struct task *t, const struct probe_site *site, const struct open_block *b);
void redzone_release_undone(struct task *t, const struct probe_site *site);

/* Looks at all of a process's blocks, and tells. */
void redzone_check(struct proc *p);
/* The task is about to execute another program, after which the memory is gone: at
 * the kernel's own event for it (PTRACE_EVENT_EXEC) it is. */
void redzone_exec(struct task *t);
/* It runs on without us: what of ours stays. */
void redzone_leave(struct proc *p);

/* A function that tells how large a block is begins, and has returned. */
void redzone_usable(struct task *t, struct call *c);
void redzone_usable_returned(struct task *t, const struct call *c);

#endif
