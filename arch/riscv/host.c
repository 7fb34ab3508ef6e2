/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <elf.h>
#include <errno.h>
#include <sys/ptrace.h>
#include <sys/uio.h>

#include "arch/host.h"
#include "riscv.h"

#define RV_TP 4

_Static_assert(RV_NREGS <= ABI_MAX_REGS, "room in regs.w");

int host_get_regs(pid_t tid, struct regs *regs)
{
	struct iovec iov = { regs->w, RV_NREGS * sizeof regs->w[0] };

	if (ptrace(PTRACE_GETREGSET, tid, (void *)NT_PRSTATUS, &iov) < 0)
		return -errno;
	regs->abi = &abi_riscv64;
	return 0;
}

int host_set_regs(pid_t tid, const struct regs *regs)
{
	struct iovec iov = { (void *)regs->w, RV_NREGS * sizeof regs->w[0] };

	return ptrace(PTRACE_SETREGSET, tid, (void *)NT_PRSTATUS, &iov) < 0 ? -errno : 0;
}

/* pc is the first of the registers: it can be written alone. */
int host_set_pc(pid_t tid, struct regs *regs, taddr_t code)
{
	struct iovec iov = { &regs->w[RV_PC], sizeof regs->w[RV_PC] };

	regs->w[RV_PC] = code;
	return ptrace(PTRACE_SETREGSET, tid, (void *)NT_PRSTATUS, &iov) < 0 ? -errno : 0;
}

/* The kernel restarts a call only if the pc is still where it set it to
 * (arch/riscv/kernel/signal.c). */
void host_no_restart(struct regs *regs)
{
	(void)regs;
}

int host_set_syscall(pid_t tid, int nr)
{
	(void)tid, (void)nr;
	return -ENOTSUP;
}

bool host_has_shadow_stack(pid_t tid)
{
	(void)tid;
	return false;
}

bool host_tags_memory(pid_t tid)
{
	(void)tid;
	return false;
}

int host_thread_pointer(pid_t tid, const struct regs *regs, taddr_t *tp)
{
	(void)tid;
	*tp = regs->w[RV_TP];
	return 0;
}

uint64_t host_code_mask(pid_t tid, const struct abi *abi)
{
	(void)tid, (void)abi;
	return UINT64_MAX;
}

bool host_supports(const struct abi *abi)
{
	return abi == &abi_riscv64;
}
