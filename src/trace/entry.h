/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A launched program that is held at its entry until somebody says `start`
 * (trace_opts.hold).  That is: its libraries are mapped and the probes are in, and
 * nothing of it or of them has run.  The run-time linker tells such a moment, before
 * the constructors; where it does not, or there is none, it is AT_ENTRY. */
#ifndef TRACE_ENTRY_H
#define TRACE_ENTRY_H

#include "trace/tracer.h"

/* Is it to be held, and has not come there? */
bool entry_awaited(const struct proc *p);
/* A task has hit a breakpoint of BP_LINKMAP or BP_START, and the modules are known:
 * true, and it stays there, when this is the entry. */
bool entry_hold(struct task *t, struct breakpoint *bp);
/* It begins. */
void entry_let_begin(struct proc *p);
/* Nothing of it has run, and nothing will. */
int entry_abandon(struct proc *p);

#endif
