/* SPDX-License-Identifier: GPL-2.0-or-later */
/* All tasks of an address space stopped, for a look at its memory, and let go
 * on as if nothing had been.  What they report meanwhile is kept and told by
 * wait_next afterwards, in order. */
#ifndef TRACE_WORLD_H
#define TRACE_WORLD_H

#include "trace/proc.h"

struct world {
	struct proc *proc;
	VEC(struct parked) kept;
	uint64_t began_ns; /* when the first task was asked to stop */
};

/* Afterwards every task that can run is TASK_STOPPED, its registers may be
 * read (task_get_regs), and nothing of the program runs.  A stopped task may
 * stand at a stop that was not dispatched yet: its pc may be one past a
 * breakpoint, or in a slot.  0, -EAGAIN while a single-step is under way (try
 * again after the next stop), or -ESRCH: nobody is left. */
int world_stop(struct world *w, struct proc *p);
/* Lets them go on.  Returns how long they stood, in nanoseconds. */
uint64_t world_resume(struct world *w);


#endif
