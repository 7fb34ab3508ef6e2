/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The last resort: an instruction that has no slot is executed in its place,
 * with the breakpoint lifted.  Any other thread could pass it meanwhile, so all
 * that share the memory are stopped first, and what they report is kept until
 * the step is done. */
#ifndef TRACE_STEP_H
#define TRACE_STEP_H

#include "trace/wait.h"

/* Steps a stopped task over bp, at whose address its pc is, as soon as the
 * others have stopped. */
void step_over(struct task *t, struct breakpoint *bp);
/* Is this stop to be kept for later?  Then it was. */
bool step_keeps(struct task *t, const struct stop *st);
/* It was interrupted, perhaps while it had not begun to step: is that all?  Then
 * it was set going again; undoing the step, two tasks could interrupt each other
 * for ever. */
bool step_again(struct task *t);
/* The step is done, or something else came instead: the breakpoint is planted
 * again, and the others go on. */
void step_end(struct task *t);
/* A task is gone, or new: who was waited for may have changed. */
void step_recount(struct proc *p);
/* The memory is another's now (exec): nothing is written to it. */
void step_forget(struct proc *p);
/* What was kept goes to whoever waits: before a detach. */
void step_give_up(struct proc *p);
/* From time to time while session.holding: tasks that will not stop. */
void step_check(struct session *s);

#endif
