/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The kernel's OOM killer, which kills a process when memory runs out: whom it
 * chooses /proc/PID/oom_score_adj decides (proc(5)), which children inherit. */
#ifndef MTRACE_BASE_OOM_H
#define MTRACE_BASE_OOM_H

/* From now on it never chooses us, or as late as we may ask for, when we are root.
 * For a process whose end would take others with it. */
void oom_protect(void);
/* In a child after fork(), before it gives up root: the value that we were started
 * with.  Leaves errno alone, and makes system calls only. */
void oom_unprotect(void);

#endif
