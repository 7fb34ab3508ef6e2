/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The trap engine: breakpoint hits become observed calls.  Two stops for an
 * allocation (entry, return site), one for a release. */
#ifndef TRACE_ENGINE_H
#define TRACE_ENGINE_H

#include "trace/proc.h"

/* The task stands at bp (its registers are read, the pc is bp->addr).  Resumes
 * it, then does the accounting. */
void engine_hit(struct task *t, struct breakpoint *bp);
/* A signal came before the instruction under bp was executed: if bp was where
 * the last call was entered, that call did not happen yet, and will be seen
 * again.  The address to go back to. */
taddr_t engine_take_back(struct task *t, const struct breakpoint *bp, taddr_t otherwise);
/* Calls that were entered through a site that is no more. */
void calls_forget_site(struct task *t, const struct probe_site *site);

/* Calls under way are not waited for any more. */
void calls_abandon(struct task *t);

#endif
