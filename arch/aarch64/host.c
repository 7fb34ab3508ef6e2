/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A 32-bit thread's registers are those of ARM (72 bytes), a 64-bit one's 34 words:
 * the length tells (ptrace(2), PTRACE_GETREGSET). */
#include <elf.h>
#include <errno.h>
#include <sys/ptrace.h>
#include <sys/uio.h>

#include "aarch64.h"
#include "arch/arm/arm.h"
#include "arch/host.h"

/* linux/elf.h */
#define ARM_TLS 0x401
#define ARM_SYSTEM_CALL 0x404
#define ARM_PAC_MASK 0x406
#define ARM_TAGGED_ADDR_CTRL 0x409
/* Which tags `irg` may make up (linux/prctl.h: PR_MTE_TAG_MASK): those who use none have none. */
#define MTE_TAGS ((uint64_t)0xffff << 3)

_Static_assert(A64_NREGS <= ABI_MAX_REGS, "room in regs.w");
_Static_assert(ARM_NREGS <= ABI_MAX_REGS, "room in regs.w");

union native {
	uint64_t w64[A64_NREGS];
	uint32_t w32[ARM_NREGS];
};

static int get_regset(pid_t tid, uintptr_t type, void *buf, size_t *len)
{
	struct iovec iov = { buf, *len };

	if (ptrace(PTRACE_GETREGSET, tid, (void *)type, &iov) < 0)
		return -errno;
	*len = iov.iov_len;
	return 0;
}

int host_get_regs(pid_t tid, struct regs *regs)
{
	size_t len = sizeof(uint64_t) * A64_NREGS;
	union native n;
	int err = get_regset(tid, NT_PRSTATUS, &n, &len);

	if (err)
		return err;
	if (len == sizeof n.w64) {
		regs->abi = &abi_aarch64;
		for (unsigned i = 0; i < A64_NREGS; i++)
			regs->w[i] = n.w64[i];
	} else if (len == sizeof n.w32) {
		regs->abi = &abi_arm;
		for (unsigned i = 0; i < ARM_NREGS; i++)
			regs->w[i] = n.w32[i];
	} else {
		return -EIO;
	}
	return 0;
}

int host_set_regs(pid_t tid, const struct regs *regs)
{
	union native n;
	struct iovec iov = { &n, 0 };

	if (regs->abi == &abi_aarch64) {
		iov.iov_len = sizeof n.w64;
		for (unsigned i = 0; i < A64_NREGS; i++)
			n.w64[i] = regs->w[i];
	} else {
		iov.iov_len = sizeof n.w32;
		for (unsigned i = 0; i < ARM_NREGS; i++)
			n.w32[i] = (uint32_t)regs->w[i];
	}
	return ptrace(PTRACE_SETREGSET, tid, (void *)NT_PRSTATUS, &iov) < 0 ? -errno : 0;
}

/* There is no way to write one register only.  What the task stands at need not be
 * a landing pad any more: the breakpoint was in its place. */
int host_set_pc(pid_t tid, struct regs *regs, taddr_t code)
{
	regs_set_code(regs, code);
	if (regs->abi == &abi_aarch64)
		regs->w[A64_PSTATE] &= ~(uint64_t)A64_BTYPE;
	return host_set_regs(tid, regs);
}

/* The kernel restarts a call only if the pc is still where it set it to
 * (arch/arm64/kernel/signal.c, do_signal). */
void host_no_restart(struct regs *regs)
{
	(void)regs;
}

int host_set_syscall(pid_t tid, int nr)
{
	struct iovec iov = { &nr, sizeof nr };

	return ptrace(PTRACE_SETREGSET, tid, (void *)ARM_SYSTEM_CALL, &iov) < 0 ? -errno : 0;
}

bool host_has_shadow_stack(pid_t tid)
{
	(void)tid;
	return false;
}

bool host_tags_memory(pid_t tid)
{
	uint64_t v = 0;
	size_t len = sizeof v;

	return !get_regset(tid, ARM_TAGGED_ADDR_CTRL, &v, &len) && len == sizeof v && v & MTE_TAGS;
}

int host_thread_pointer(pid_t tid, const struct regs *regs, taddr_t *tp)
{
	uint64_t v = 0;
	size_t len = regs->abi->word;
	int err = get_regset(tid, ARM_TLS, &v, &len);

	if (!err)
		*tp = v;
	return err;
}

/* struct user_pac_mask: of pointers to data, to code. */
uint64_t host_code_mask(pid_t tid, const struct abi *abi)
{
	uint64_t mask[2];
	size_t len = sizeof mask;

	if (abi != &abi_aarch64 || get_regset(tid, ARM_PAC_MASK, mask, &len) || len != sizeof mask)
		return UINT64_MAX;
	return ~mask[1];
}

bool host_supports(const struct abi *abi)
{
	return abi == &abi_aarch64 || abi == &abi_arm;
}
