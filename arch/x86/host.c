/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <asm/ldt.h>
#include <errno.h>
#include <stddef.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <asm/ldt.h>
#include "arch/host.h"
#include "x86.h"

#define LOW 0xffffffffu

#ifdef __x86_64__

/* The code segment of 64-bit mode.  Everything else is 32-bit: 0x23, or a
 * segment of the program's own (Wine). */
#define USER_CS 0x33

/* The kernel writes user_regs_struct straight into regs.w. */
_Static_assert(sizeof(struct user_regs_struct) == X86_NREGS * 8, "order of regs.w");
_Static_assert(X86_NREGS <= ABI_MAX_REGS, "room in regs.w");
#define SAME_PLACE(reg, field) \
	_Static_assert(offsetof(struct user_regs_struct, field) == (reg) * 8, "order of regs.w")
SAME_PLACE(X86_BP, rbp);
SAME_PLACE(X86_AX, rax);
SAME_PLACE(X86_DI, rdi);
SAME_PLACE(X86_ORIG_AX, orig_rax);
SAME_PLACE(X86_IP, rip);
SAME_PLACE(X86_FLAGS, eflags);
SAME_PLACE(X86_SP, rsp);
SAME_PLACE(X86_GS, gs);

static bool is_general(unsigned reg)
{
	return reg <= X86_DI || reg == X86_IP || reg == X86_SP;
}

int host_get_regs(pid_t tid, struct regs *regs)
{
	if (ptrace(PTRACE_GETREGS, tid, NULL, regs->w) < 0)
		return -errno;
	if (regs->w[X86_CS] == USER_CS) {
		regs->abi = &abi_x86_64;
		return 0;
	}
	regs->abi = &abi_i386;
	for (unsigned i = 0; i < X86_NREGS; i++)
		if (is_general(i))
			regs->w[i] &= LOW;
	return 0;
}

int host_set_regs(pid_t tid, const struct regs *regs)
{
	struct regs wide;

	/* A restart (−512…) is recognised by the kernel as a negative long, and
	 * it sign-extends eax itself only in the middle of a 32-bit call. */
	if (regs->abi->word == 4) {
		wide = *regs;
		wide.w[X86_AX] = (uint64_t)(int32_t)wide.w[X86_AX];
		wide.w[X86_ORIG_AX] = (uint64_t)(int32_t)wide.w[X86_ORIG_AX];
		regs = &wide;
	}
	return ptrace(PTRACE_SETREGS, tid, NULL, regs->w) < 0 ? -errno : 0;
}

bool host_supports(const struct abi *abi)
{
	return abi == &abi_x86_64 || abi == &abi_i386;
}

#define USER_PC offsetof(struct user, regs.rip)

#else /* a 32-bit build: i386 programs only */

#define REG(reg, field) [reg] = offsetof(struct user_regs_struct, field) / 4 + 1
/* Place in i386's user_regs_struct, from 1; 0: not there. */
static const uint8_t place[X86_NREGS] = {
	REG(X86_BX, ebx), REG(X86_CX, ecx), REG(X86_DX, edx), REG(X86_SI, esi),
	REG(X86_DI, edi), REG(X86_BP, ebp), REG(X86_AX, eax), REG(X86_DS, xds),
	REG(X86_ES, xes), REG(X86_FS, xfs), REG(X86_GS, xgs), REG(X86_ORIG_AX, orig_eax),
	REG(X86_IP, eip), REG(X86_CS, xcs), REG(X86_FLAGS, eflags), REG(X86_SP, esp),
	REG(X86_SS, xss),
};

union native {
	struct user_regs_struct regs;
	uint32_t w[sizeof(struct user_regs_struct) / 4];
};

int host_get_regs(pid_t tid, struct regs *regs)
{
	union native n;

	if (ptrace(PTRACE_GETREGS, tid, NULL, &n) < 0)
		return -errno;
	regs->abi = &abi_i386;
	for (unsigned i = 0; i < X86_NREGS; i++)
		regs->w[i] = place[i] ? n.w[place[i] - 1] : 0;
	regs->w[X86_ORIG_AX] = (uint64_t)(int32_t)regs->w[X86_ORIG_AX];
	return 0;
}

int host_set_regs(pid_t tid, const struct regs *regs)
{
	union native n;

	for (unsigned i = 0; i < X86_NREGS; i++)
		if (place[i])
			n.w[place[i] - 1] = (uint32_t)regs->w[i];
	return ptrace(PTRACE_SETREGS, tid, NULL, &n) < 0 ? -errno : 0;
}

bool host_supports(const struct abi *abi)
{
	return abi == &abi_i386;
}

#define USER_PC offsetof(struct user, regs.eip)

#endif

int host_set_pc(pid_t tid, struct regs *regs, taddr_t pc)
{
	if (regs->abi->word == 4)
		pc &= LOW;
	regs->w[X86_IP] = pc;
	return ptrace(PTRACE_POKEUSER, tid, (void *)USER_PC, (void *)(uintptr_t)pc) < 0 ? -errno
											: 0;
}

void host_no_restart(struct regs *regs)
{
	regs->w[X86_ORIG_AX] = (uint64_t)-1;
}

#ifndef PTRACE_GET_THREAD_AREA /* asm/ptrace-abi.h */
#define PTRACE_GET_THREAD_AREA 25
#endif

/* The register set of user-mode shadow stacks: linux/elf.h, arch/x86/shstk.rst. */
#define NT_X86_SHSTK 0x204

int host_set_syscall(pid_t tid, int nr)
{
	(void)tid, (void)nr;
	return -ENOTSUP;
}

bool host_has_shadow_stack(pid_t tid)
{
	uint64_t ssp;
	struct iovec iov = { &ssp, sizeof ssp };

	return !ptrace(PTRACE_GETREGSET, tid, (void *)NT_X86_SHSTK, &iov);
}

bool host_tags_memory(pid_t tid)
{
	(void)tid;
	return false;
}

/* x86-64: the base of fs.  i386: that of the segment which gs selects, an entry of
 * the thread's own in the descriptor table (set_thread_area(2)). */
int host_thread_pointer(pid_t tid, const struct regs *regs, taddr_t *tp)
{
	struct user_desc d = { 0 };

	if (regs->abi == &abi_x86_64) {
		*tp = regs->w[X86_FS_BASE];
		return 0;
	}
	if (ptrace(PTRACE_GET_THREAD_AREA, tid, (void *)(uintptr_t)(regs->w[X86_GS] >> 3), &d) < 0)
		return -errno;
	*tp = d.base_addr;
	return 0;
}

uint64_t host_code_mask(pid_t tid, const struct abi *abi)
{
	(void)tid, (void)abi;
	return UINT64_MAX;
}
