/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What needs the host's CPU: registers of a stopped task, through ptrace. */
#ifndef MTRACE_ARCH_HOST_H
#define MTRACE_ARCH_HOST_H

#include "arch/abi.h"

/* All return 0 or -errno; the task must be stopped.  -ESRCH: it died. */

/* Reads the registers; regs->abi becomes that of the thread's present mode.
 * Those of a 32-bit thread are zero-extended (see regs_syscall_result). */
int host_get_regs(pid_t tid, struct regs *regs);
/* Writes all of them, the number of an interrupted system call included. */
int host_set_regs(pid_t tid, const struct regs *regs);
/* Moves the thread, and `regs`, to a code pointer.  Writes the program counter
 * only, and what tells the instruction set when that changes: a third of the
 * price. */
int host_set_pc(pid_t tid, struct regs *regs, taddr_t code);
/* Makes sure that the kernel restarts no system call when registers that were
 * changed by hand are run (x86: orig_rax = −1). */
void host_no_restart(struct regs *regs);

/* Changes the number of the system call at whose entry the task stands, whatever
 * registers say.  -ENOTSUP where abi->nr_restart is −1. */
int host_set_syscall(pid_t tid, int nr);

/* Does the kernel keep a shadow stack for it (x86: CET, Linux 6.6)?  Then a call
 * must be executed in its place. */
bool host_has_shadow_stack(pid_t tid);

/* Does the stopped task use tags of memory (AArch64: MTE; prctl(2), PR_SET_TAGGED_ADDR_CTRL)?
 * glibc's heap has another layout then. */
bool host_tags_memory(pid_t tid);

/* Between its thread-local variables that the program began with and libc's own
 * data of the thread (abi->tls_above): from its registers.  -ENOTSUP: not of that
 * ABI. */
int host_thread_pointer(pid_t tid, const struct regs *regs, taddr_t *tp);

/* The bits of a code address; the others of a return address that was saved may be
 * its signature (AArch64 pointer authentication).  All bits where there is none. */
uint64_t host_code_mask(pid_t tid, const struct abi *abi);

/* Can this build trace programs of that ABI on this machine? */
bool host_supports(const struct abi *abi);

#endif
