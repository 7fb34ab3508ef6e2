/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What points to a block, told as events while a scan's results are there: of the
 * blocks that it lists, and of any address that somebody asks about. */
#ifndef TRACE_WAYS_H
#define TRACE_WAYS_H

#include "model/reach.h"
#include "trace/proc.h"

struct ways {
	struct proc *p;
	struct reach *reach; /* solved */
	const struct maps *maps; /* as they were at the scan */
};

/* EV_LEAK_WHY for each link of the way to a block (its index), which the host puts
 * with the event told before. */
void ways_tell(const struct ways *w, uint32_t block, uint32_t stack, enum leak_kind kind);
/* EV_WHY: which block covers the place that a pointer (with a tag or without) means, and
 * what the scan found of it; then its way. */
void ways_answer(const struct ways *w, taddr_t ptr);

#endif
