/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Why memory ran out: limits of the process (setrlimit(2)), and what the kernel counts
 * of processes that it kills (cgroups(7)). */
#ifndef MTRACE_SRC_TRACE_MEMLIMIT_H
#define MTRACE_SRC_TRACE_MEMLIMIT_H

#include "trace/proc.h"

/* An image begins: which group it is in.  A forked child is in its parent's. */
void memlimit_begin(struct proc *p);
/* A request was refused: tells EV_OOM when a limit is the reason. */
void memlimit_refused(struct task *t, uint64_t size);
/* It has died of SIGKILL: tells EV_OOM when the kernel did that for want of memory. */
void memlimit_killed(struct proc *p);
void memlimit_end(struct session *s);

#endif
