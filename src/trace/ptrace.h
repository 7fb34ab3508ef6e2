/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The only callers of ptrace(2), but for registers (arch/host.h).  0 or
 * -errno; -ESRCH is never worth a message: the task died under us, and wait
 * will tell. */
#ifndef TRACE_PTRACE_H
#define TRACE_PTRACE_H

#include <signal.h>

#include "base/types.h"

int pt_seize(pid_t tid, unsigned long options);
int pt_interrupt(pid_t tid);
int pt_cont(pid_t tid, int sig);
/* Runs to the next entry to or exit from a system call. */
int pt_syscall(pid_t tid, int sig);
int pt_step(pid_t tid, int sig);
/* Leaves a task in its group stop and waits for what ends that. */
int pt_listen(pid_t tid);
int pt_detach(pid_t tid, int sig);
/* The number of the system call at whose entry the task stands.  -EIO before Linux 5.3. */
int pt_syscall_number(pid_t tid, uint64_t *out);
int pt_event_message(pid_t tid, unsigned long *out);
int pt_get_siginfo(pid_t tid, siginfo_t *out);
int pt_set_siginfo(pid_t tid, const siginfo_t *in);
/* Blocked signals: bit n−1 is signal n. */
int pt_get_sigmask(pid_t tid, uint64_t *out);
int pt_set_sigmask(pid_t tid, uint64_t mask);
/* Is a signal of that number in the task's own queue?  Its siginfo in *out.
 * False on errors too. */
bool pt_queued(pid_t tid, int sig, siginfo_t *out);

/* What to say of an errno from a request that is not ESRCH. */
void pt_complain(const char *request, pid_t tid, taddr_t addr, int err);

#endif
