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

/* A call that is made for us, and what it is made amid. */
struct injection {
	struct task *task;
	struct regs saved;
	struct missed missed;
	bool rest; /* the task was about to go on with the rest of a call */
};

static int run_to_syscall(struct injection *in)
{
	return run_to(in->task, pt_syscall, is_syscall_stop, &in->missed);
}

/* To a stop in which the kernel looks whether an interrupted call goes on. */
static int run_to_event(struct injection *in)
{
	int err = pt_interrupt(in->task->tid);

	return err ? err : run_to(in->task, pt_cont, is_event_stop, &in->missed);
}

static void set_arguments(struct regs *regs, const uint64_t arg[6])
{
	for (int i = 0; i < 6; i++)
		regs->w[regs->abi->syscall_arg[i]] = arg[i];
}

/* To the entry of the call, made somewhere else. */
static int enter_elsewhere(struct injection *in, int nr, const uint64_t arg[6])
{
	struct regs regs = in->saved;
	int err;

	host_no_restart(&regs);
	regs_set_code(&regs, in->task->proc->syscall_insn);
	regs.w[regs.abi->syscall_nr] = (uint64_t)nr;
	set_arguments(&regs, arg);
	err = host_set_regs(in->task->tid, &regs);
	return err ? err : run_to_syscall(in);
}

/* Has the kernel, perhaps, put the task back to make an interrupted call again? */
static bool is_put_back(const struct injection *in)
{
	const struct proc *p = in->task->proc;
	taddr_t pc = regs_pc(&in->saved);
	uint8_t b[4];
	ssize_t n;

	if (p->abi->nr_restart < 0 || in->saved.abi != p->abi || bp_find(p, pc))
		return false;
	n = memory_read(&p->mem, pc, b, sizeof b);
	return n > 0 && is_syscall_insn(p->abi, regs_code(&in->saved), b, (size_t)n);
}

/* The task enters that call, and which that is tells how it would have gone on.
 * Nothing is done of it: it is made ours. */
static int enter_instead(struct injection *in, int nr, const uint64_t arg[6])
{
	int err = run_to_syscall(in), restart = in->saved.abi->nr_restart;
	struct regs regs;
	uint64_t was;
	bool rest;

	if (err)
		return err;
	rest = !pt_syscall_number(in->task->tid, &was) && was == (uint64_t)restart;
	err = host_set_syscall(in->task->tid, nr);
	if (err)
		return err;
	in->rest = rest;
	err = host_get_regs(in->task->tid, &regs);
	if (err)
		return err;
	set_arguments(&regs, arg);
	return host_set_regs(in->task->tid, &regs);
}

/* The call of before is entered, made a restart_syscall(2), whose state no call of
 * ours has touched, and interrupted again: then all is as it was.  If its time has
 * come meanwhile it has returned. */
static int go_on_with_rest(struct injection *in)
{
	int err = run_to_syscall(in);

	if (!err)
		err = host_set_syscall(in->task->tid, in->saved.abi->nr_restart);
	return err ? err : run_to_event(in);
}

static int run_syscall(struct injection *in, int nr, const uint64_t arg[6], int64_t *result)
{
	int err = is_put_back(in) ? enter_instead(in, nr, arg) : enter_elsewhere(in, nr, arg);
	struct regs after;

	if (!err)
		err = run_to_syscall(in); /* exit */
	if (!err)
		err = host_get_regs(in->task->tid, &after);
	if (!err)
		*result = regs_syscall_result(&after);
	return err;
}

/* As it was, but for the mask. */
static int go_back(struct injection *in)
{
	int err = run_to_event(in);

	/* With the registers of before, the kernel makes an interrupted call
	 * again. */
	if (!err)
		err = host_set_regs(in->task->tid, &in->saved);
	return err || !in->rest ? err : go_on_with_rest(in);
}

int inject_syscall(struct task *t, int nr, const uint64_t arg[6], int64_t *result)
{
	struct injection in = { .task = t };
	uint64_t mask;
	int err, back;

	/* Filters come at any time, and kill for a call they do not know. */
	if (proc_status_number(t->tid, "Seccomp", 10, 0))
		return -EPERM;
	err = host_get_regs(t->tid, &in.saved);
	if (!err && find_syscall_insn(t->proc, regs_pc(&in.saved)) <= 1)
		return -ENOEXEC;
	if (!err)
		err = pt_get_sigmask(t->tid, &mask);
	if (!err)
		err = pt_set_sigmask(t->tid, ~(uint64_t)0);
	if (err)
		return err;
	err = run_syscall(&in, nr, arg, result);
	if (err == -ESRCH)
		return err;
	back = go_back(&in);
	if (!back)
		back = pt_set_sigmask(t->tid, mask);
	make_up(t, &in.missed);
	if (back)
		pt_complain("restoring the registers", t->tid, regs_pc(&in.saved), back);
	return err ? err : back;
}
