/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "arch/host.h"
#include "base/msg.h"
#include "trace/breakpoint.h"
#include "trace/inject.h"
#include "trace/ptrace.h"
#include "trace/wait.h"

/* Does a system call instruction begin there?  Those of the first instruction set
 * of two are as aligned as they are long. */
static bool is_syscall_insn(const struct abi *abi, taddr_t code, const uint8_t *b, size_t len)
{
	bool alt = code & abi->code_bit;
	const uint8_t *insn = alt ? abi->syscall_alt_insn : abi->syscall_insn;
	unsigned n = alt ? abi->syscall_alt_len : abi->syscall_insn_len;

	if (abi->code_bit && !alt && code % n)
		return false;
	return n <= len && !__builtin_memcmp(b, insn, n);
}

/* A code pointer to an existing instruction in text that nobody can have changed:
 * the vdso's fall-back, else any library's.  Not the one that the task stands at:
 * with the pc unchanged the kernel would restart the call that it interrupted. */
static taddr_t search_text(struct proc *p, const struct module *m, taddr_t not_at)
{
	uint8_t buf[4096 + 4];
	taddr_t end = MIN(m->text_end, m->text_start + (8u << 20));

	for (taddr_t at = m->text_start; at < end; at += 4096) {
		ssize_t n = proc_read(p, at, buf, sizeof buf);

		for (ssize_t i = 0; i < n; i += p->abi->insn_align) {
			taddr_t here = at + (taddr_t)i, code = here;
			bool found = is_syscall_insn(p->abi, here, buf + i, (size_t)(n - i));

			if (!found && p->abi->code_bit) {
				code |= p->abi->code_bit;
				found = is_syscall_insn(p->abi, code, buf + i, (size_t)(n - i));
			}
			if (found && here != not_at && !bp_find(p, here))
				return code;
		}
	}
	return 1;
}

static taddr_t find_syscall_insn(struct proc *p, taddr_t not_at)
{
	if (p->syscall_insn > 1) {
		struct module *m = modules_find(&p->modules, p->syscall_insn);

		if (m && abi_code_addr(p->abi, p->syscall_insn) != not_at)
			return p->syscall_insn;
		p->syscall_insn = 0; /* its library went */
	}
	for (int pass = 0; pass < 2 && p->syscall_insn <= 1; pass++)
		for (size_t i = 0; i < p->modules.v.n && p->syscall_insn <= 1; i++)
			if (p->modules.v.v[i]->is_vdso == !pass)
				p->syscall_insn = search_text(p, p->modules.v.v[i], not_at);
	return p->syscall_insn;
}

/* What came in between and has to be made up for. */
struct missed {
	int sig;     /* SIGSTOP, which cannot be blocked; 0: none */
	bool group;  /* the process was stopped */
};

/* Lets the task run to its next stop of the kind asked for.  With all signals
 * blocked only a SIGSTOP and group stops can come in between. */
static int run_to(struct task *t, int (*resume)(pid_t, int), bool (*is)(int status),
		  struct missed *missed)
{
	for (int tries = 0; tries < 16; tries++) {
		int status, err = resume(t->tid, 0);
		struct stop st;

		if (!err)
			err = wait_for_stop(t, &status);
		if (err)
			return err;
		st = stop_decode(t->tid, status);
		if (st.kind == STOP_GROUP)
			missed->group = true;
		else if (st.kind == STOP_SIGNAL)
			missed->sig = st.sig;
		if (is(status))
			return 0;
	}
	return -EBUSY;
}

static void make_up(struct task *t, const struct missed *missed)
{
	if (missed->sig)
		syscall(SYS_tgkill, t->proc->pid, t->tid, missed->sig);
	if (missed->group) /* once more, now for the dispatcher */
		pt_interrupt(t->tid);
}

static bool is_syscall_stop(int status)
{
	return status >> 8 == (SIGTRAP | 0x80);
}

static bool is_event_stop(int status)
{
	return status >> 16 == PTRACE_EVENT_STOP;
}

static int run_syscall(struct task *t, struct regs *regs, int64_t *result,
		       struct missed *missed)
{
	int err = host_set_regs(t->tid, regs);
	struct regs after;

	if (!err)
		err = run_to(t, pt_syscall, is_syscall_stop, missed); /* entry */
	if (!err)
		err = run_to(t, pt_syscall, is_syscall_stop, missed); /* exit */
	if (!err)
		err = host_get_regs(t->tid, &after);
	if (!err)
		*result = regs_syscall_result(&after);
	return err;
}

int inject_syscall(struct task *t, int nr, const uint64_t arg[6], int64_t *result)
{
	struct proc *p = t->proc;
	const struct abi *abi = p->abi;
	struct missed missed = { 0 };
	struct regs saved, regs;
	uint64_t mask;
	int err, back;

	/* Filters come at any time, and kill for a call they do not know. */
	if (proc_status_number(t->tid, "Seccomp", 10, 0))
		return -EPERM;
	err = host_get_regs(t->tid, &saved);
	if (!err && find_syscall_insn(p, regs_pc(&saved)) <= 1)
		return -ENOEXEC;
	if (!err)
		err = pt_get_sigmask(t->tid, &mask);
	if (!err)
		err = pt_set_sigmask(t->tid, ~(uint64_t)0);
	if (err)
		return err;
	regs = saved;
	host_no_restart(&regs);
	regs_set_code(&regs, p->syscall_insn);
	regs.w[abi->syscall_nr] = (uint64_t)nr;
	for (int i = 0; i < 6; i++)
		regs.w[abi->syscall_arg[i]] = arg[i];
	err = run_syscall(t, &regs, result, &missed);
	if (err == -ESRCH)
		return err;
	/* Back to a stop in which the kernel still looks whether a system call
	 * is to be restarted: with the registers of before, it is. */
	back = pt_interrupt(t->tid);
	if (!back)
		back = run_to(t, pt_cont, is_event_stop, &missed);
	if (!back)
		back = host_set_regs(t->tid, &saved);
	if (!back)
		back = pt_set_sigmask(t->tid, mask);
	make_up(t, &missed);
	if (back)
		pt_complain("restoring the registers", t->tid, regs_pc(&saved), back);
	return err ? err : back;
}
