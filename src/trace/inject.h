/* SPDX-License-Identifier: GPL-2.0-or-later */
/* System calls made by a stopped task on our behalf, without writing code. */
#ifndef TRACE_INJECT_H
#define TRACE_INJECT_H

#include "trace/proc.h"

/* Runs one system call in the task, which must be stopped with no signal to
 * deliver.  All registers, the interrupted system call and the signal mask are
 * as before afterwards; but a call whose time has come meanwhile has returned.
 * *result is what the kernel returned (−errno as a negative number).  0 or
 * -errno: -EPERM under a seccomp filter, -ESRCH when the task died. */
int inject_syscall(struct task *t, int nr, const uint64_t arg[6], int64_t *result);

#endif
