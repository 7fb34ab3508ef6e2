/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The leak scan of one process: reads the memory of a stopped address space
 * and tells the classes of its blocks (EV_SCAN_BEGIN … EV_SCAN). */
#ifndef TRACE_SCAN_H
#define TRACE_SCAN_H

#include "trace/proc.h"

/* Shall this process be scanned at its end, or when we leave it? */
bool scan_wanted(const struct proc *p);
/* Scans; its tasks are stopped (world.h, at their exit, or before they are let
 * go).  `since_ns`: when the first of them stopped; 0: they end anyway.
 * `final`: no other scan of it will come.  0, or -errno after a message. */
int scan_proc(struct proc *p, uint64_t since_ns, bool final);
/* Stops one process, scans it with these options and lets it go on, the same way.
 * 0, -EAGAIN: it cannot be stopped just now, or -errno. */
int scan_now(struct proc *p, const struct scan_opts *opts);
/* Stops everything, scans each process and lets it go on; says in one line what
 * was found and how long it took.  Processes that cannot be stopped just now
 * (single-steps) are left out: false, try again. */
bool scan_running(struct session *s);

#endif
