/* SPDX-License-Identifier: GPL-2.0-or-later */
/* int3 must not damage SIGTRAP.  At a breakpoint hit with SIGTRAP blocked the
 * kernel unblocks it and resets its handler; ignored, it becomes SIG_DFL
 * (force_sig_info in kernel/signal.c).  So the mask is known before a hit, by
 * breakpoints at the C library's own rt_sigprocmask and rt_sigaction system
 * calls and by a look at handlers' masks, and what a hit broke is mended. */
#ifndef TRACE_SIGTRAP_H
#define TRACE_SIGTRAP_H

#include "trace/proc.h"

/* What the process has set now (attach, exec), … */
void sigtrap_begin(struct proc *p);
/* The same after a time in which nobody looked, … */
void sigtrap_look_again(struct proc *p);
/* … and one of its tasks, which need not be stopped. */
void sigtrap_begin_task(struct task *t);
/* Of a process that was attached to, before breakpoints are planted, whose hits
 * change it: what its tasks block; and where a hit would lose the handler for
 * SIGTRAP, that is asked for. */
void sigtrap_learn(struct proc *p);
/* Plants BP_SIGMASK where a C library changes masks and dispositions, and BP_EXEC,
 * where there are red zones, at its execs. */
void sigtrap_scan_module(struct proc *p, struct task *stopped, struct module *m);
/* The task stands at such a call, its arguments in the registers. */
void sigtrap_syscall(struct task *t, struct breakpoint *bp);
/* At the next stop: was the call made?  A signal may have come before it. */
void sigtrap_settle(struct task *t);
/* After a hit, before the task is resumed. */
void sigtrap_after_hit(struct task *t);
/* A signal is about to be delivered; true: look at the mask inside its
 * handler (a stop that the caller must ask for). */
bool sigtrap_before_handler(struct task *t, int sig);
/* That stop. */
void sigtrap_in_handler(struct task *t);
/* Puts a lost disposition back: before detach and release, after exec.  The
 * task is stopped without a signal to deliver. */
void sigtrap_restore(struct task *t);
/* A SIGTRAP of the program's own: false when it is to be swallowed, because
 * the program ignores it. */
bool sigtrap_own(struct task *t);

/* Does the process handle, or ignore, this signal? (SigCgt, SigIgn) */
bool proc_handles(const struct proc *p, int sig);
bool proc_ignores(const struct proc *p, int sig);

#endif
