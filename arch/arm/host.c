/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <sys/ptrace.h>
#include <sys/user.h>

#include "arch/host.h"
#include "arm.h"

/* arch/arm/include/uapi/asm/ptrace.h */
#ifndef PTRACE_GET_THREAD_AREA
#define PTRACE_GET_THREAD_AREA 22
#endif
#ifndef PTRACE_SET_SYSCALL
#define PTRACE_SET_SYSCALL 23
#endif

_Static_assert(sizeof(struct user_regs) == ARM_NREGS * 4, "order of regs.w");
_Static_assert(ARM_NREGS <= ABI_MAX_REGS, "room in regs.w");

int host_get_regs(pid_t tid, struct regs *regs)
{
	struct user_regs native;

	if (ptrace(PTRACE_GETREGS, tid, NULL, &native) < 0)
		return -errno;
	regs->abi = &abi_arm;
	for (unsigned i = 0; i < ARM_NREGS; i++)
		regs->w[i] = (uint32_t)native.uregs[i];
	return 0;
}

int host_set_regs(pid_t tid, const struct regs *regs)
{
	struct user_regs native;

	for (unsigned i = 0; i < ARM_NREGS; i++)
		native.uregs[i] = (unsigned long)regs->w[i];
	return ptrace(PTRACE_SETREGS, tid, NULL, &native) < 0 ? -errno : 0;
}

static int poke(pid_t tid, unsigned reg, uint64_t value)
{
	return ptrace(PTRACE_POKEUSER, tid, (void *)(uintptr_t)(reg * 4),
		      (void *)(uintptr_t)value) < 0 ? -errno : 0;
}

int host_set_pc(pid_t tid, struct regs *regs, taddr_t code)
{
	uint64_t psr = regs->w[ARM_CPSR];
	int err = 0;

	regs_set_code(regs, code);
	if (regs->w[ARM_CPSR] != psr)
		err = poke(tid, ARM_CPSR, regs->w[ARM_CPSR]);
	return err ? err : poke(tid, ARM_PC, regs->w[ARM_PC]);
}

/* The kernel restarts a call only if the pc is still where it set it to
 * (arch/arm/kernel/signal.c, do_signal). */
void host_no_restart(struct regs *regs)
{
	(void)regs;
}

int host_set_syscall(pid_t tid, int nr)
{
	return ptrace(PTRACE_SET_SYSCALL, tid, NULL, (void *)(intptr_t)nr) < 0 ? -errno : 0;
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
	uint32_t v;

	(void)regs;
	if (ptrace(PTRACE_GET_THREAD_AREA, tid, NULL, &v) < 0)
		return -errno;
	*tp = v;
	return 0;
}

bool host_supports(const struct abi *abi)
{
	return abi == &abi_arm;
}

uint64_t host_code_mask(pid_t tid, const struct abi *abi)
{
	(void)tid, (void)abi;
	return UINT64_MAX;
}
