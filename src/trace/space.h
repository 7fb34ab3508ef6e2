/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The writable memory of a stopped address space, by what a leak scan takes it
 * for. */
#ifndef TRACE_SPACE_H
#define TRACE_SPACE_H

#include "model/reach.h"
#include "trace/proc.h"

enum space_kind {
	SPACE_ROOT = 1, /* what lies here is a root, but for blocks */
	SPACE_HEAP,     /* an allocator's: only the blocks in it count */
	SPACE_RELRO,    /* a root: data that was made read-only after relocation, and
			   only its pages that were written */
	SPACE_DEAD,     /* below a stack pointer, an allocator's own data, or what a file
			   has before a module's data */
};

struct space {
	struct proc *proc;
	pid_t tid;             /* of a task that lives: its /proc tells */
	struct maps maps;
	struct regions *parts; /* enum space_kind as their "stack" */
	uint64_t refused;      /* bytes of device and userfaultfd memory */
};

/* Of a process whose tasks are stopped, their registers in task->regs; `tid` is
 * one of them.  0 or -errno. */
int space_build(struct space *sp, struct proc *p, pid_t tid, const struct reach *blocks);
void space_release(struct space *sp);

/* The kind of the memory at addr, 0: none of it. */
unsigned space_kind_at(const struct space *sp, taddr_t addr);

#endif
