/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <asm/ptrace.h>
#include <errno.h>
#include <sys/ptrace.h>
#include "arch/host.h"
#include "arch/powerpc/powerpc.h"

/* The kernel's struct pt_regs is an array of words, in the order of regs.w. */
_Static_assert(PPC_NIP == PT_NIP && PPC_ORIG_R3 == PT_ORIG_R3 && PPC_LR == PT_LNK &&
	       PPC_CCR == PT_CCR && PPC_TRAP == PT_TRAP && PPC_RESULT == PT_RESULT,
	       "order of regs.w");
_Static_assert(PPC_NREGS == sizeof(struct pt_regs) / 4 && PPC_NREGS <= ABI_MAX_REGS,
	       "room in regs.w");

int host_get_regs(pid_t tid, struct regs *regs)
{
	uint32_t w[PPC_NREGS];

	if (ptrace(PTRACE_GETREGS, tid, NULL, w) < 0)
		return -errno;
	regs->abi = &abi_powerpc;
	for (unsigned i = 0; i < PPC_NREGS; i++)
		regs->w[i] = w[i];
	return 0;
}

int host_set_regs(pid_t tid, const struct regs *regs)
{
	uint32_t w[PPC_NREGS];

	for (unsigned i = 0; i < PPC_NREGS; i++)
		w[i] = (uint32_t)regs->w[i];
	return ptrace(PTRACE_SETREGS, tid, NULL, w) < 0 ? -errno : 0;
}

int host_set_pc(pid_t tid, struct regs *regs, taddr_t code)
{
	regs->w[PPC_NIP] = (uint32_t)code;
	return ptrace(PTRACE_POKEUSER, tid, (void *)(PT_NIP * sizeof(long)),
		      (void *)(uintptr_t)code) < 0 ? -errno : 0;
}

/* The kernel restarts what the trap number says was a system call (0xc00;
 * arch/powerpc/kernel/signal.c, check_syscall_restart). */
void host_no_restart(struct regs *regs)
{
	regs->w[PPC_TRAP] = 0;
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

/* r2 is 0x7000 behind the beginning of the thread-local variables, libc's own data
 * of the thread end there (glibc, sysdeps/powerpc/nptl/tls.h). */
int host_thread_pointer(pid_t tid, const struct regs *regs, taddr_t *tp)
{
	(void)tid;
	*tp = (uint32_t)(regs->w[PPC_R2] - 0x7000);
	return 0;
}

bool host_supports(const struct abi *abi)
{
	return abi == &abi_powerpc;
}

uint64_t host_code_mask(pid_t tid, const struct abi *abi)
{
	(void)tid, (void)abi;
	return UINT64_MAX;
}
