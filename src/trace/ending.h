/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The end of a process, while its memory is still there: PTRACE_EVENT_EXIT of
 * its tasks.  When all of them have come, it is scanned for leaks, with all of
 * their registers; then they end. */
#ifndef TRACE_ENDING_H
#define TRACE_ENDING_H

#include "trace/proc.h"

/* A task stands at its exit; it is let go on, now or when all have come. */
void task_ends(struct task *t);
/* A task of p is gone: was it the one that the others waited for? */
void ending_recheck(struct proc *p);
/* Called now and then while session.holding: one that never comes is not waited
 * for much longer. */
void ending_check(struct session *s);

#endif
