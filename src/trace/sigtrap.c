/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "arch/host.h"
#include "base/msg.h"
#include "base/xalloc.h"
#include "trace/breakpoint.h"
#include "trace/inject.h"
#include "trace/ptrace.h"
#include "trace/redzone.h"
#include "trace/sigtrap.h"
#include "trace/wait.h"

#define TRAP_BIT ((uint64_t)1 << (SIGTRAP - 1))
#define SCAN_MAX (16u << 20) /* bytes of text that are searched */
#define SITE_MAX 48          /* longest stretch from number to call */

/* What is known of a signal's handler, two bits each in handler_mask. */
enum { HANDLER_UNKNOWN = 0, HANDLER_PLAIN = 1, HANDLER_BLOCKS = 2 };

static unsigned handler_state(const struct proc *p, int sig)
{
	return (p->handler_mask[(sig - 1) / 32] >> 2 * ((sig - 1) % 32)) & 3;
}

static void set_handler_state(struct proc *p, int sig, unsigned state)
{
	uint64_t *w = &p->handler_mask[(sig - 1) / 32];
	unsigned shift = 2 * (unsigned)((sig - 1) % 32);

	*w = (*w & ~((uint64_t)3 << shift)) | (uint64_t)state << shift;
}

static bool in_status(const struct proc *p, const char *key, int sig)
{
	return proc_status_number(p->pid, key, 16, 0) >> (sig - 1) & 1;
}

bool proc_handles(const struct proc *p, int sig)
{
	if (sig == SIGTRAP && p->trap.lost)
		return p->trap.handled;
	return in_status(p, "SigCgt", sig);
}

bool proc_ignores(const struct proc *p, int sig)
{
	if (sig == SIGTRAP && p->trap.lost)
		return p->trap.ignored;
	return in_status(p, "SigIgn", sig);
}

/* Bytes of the kernel's struct sigaction: the mask is behind these words. */
static size_t sigaction_size(const struct abi *abi)
{
	return (size_t)abi->word * abi->sigaction_words + 8;
}

/* The kernel's sigset_t: words of the program's, the low signals first. */
static uint64_t load_sigset(const struct abi *abi, const uint8_t b[8])
{
	if (abi->word == 8)
		return abi_load(abi, b, 8);
	return abi_load(abi, b, 4) | abi_load(abi, b + 4, 4) << 32;
}

static void note_action(struct proc *p, const uint8_t *act)
{
	uint64_t handler = abi_load(p->abi, act, p->abi->word);

	p->trap.known = true;
	p->trap.lost = false;
	p->trap.len = sigaction_size(p->abi);
	memcpy(p->trap.act, act, p->trap.len);
	p->trap.ignored = handler == 1;
	p->trap.handled = handler > 1;
}

void sigtrap_begin(struct proc *p)
{
	bool lost = p->trap.lost && p->trap.ignored;

	memset(p->handler_mask, p->how == PROC_ATTACHED ? 0 : 0x55, sizeof p->handler_mask);
	/* Over an exec an ignored signal stays ignored, a handled one does not. */
	memset(&p->trap, 0, sizeof p->trap);
	p->trap.ignored = lost || in_status(p, "SigIgn", SIGTRAP);
	p->trap.handled = in_status(p, "SigCgt", SIGTRAP);
	p->trap.lost = lost;
}

void sigtrap_look_again(struct proc *p)
{
	memset(p->handler_mask, 0, sizeof p->handler_mask);
	if (p->trap.lost) /* what it was is still to be put back */
		return;
	memset(&p->trap, 0, sizeof p->trap);
	p->trap.ignored = in_status(p, "SigIgn", SIGTRAP);
	p->trap.handled = in_status(p, "SigCgt", SIGTRAP);
}

void sigtrap_begin_task(struct task *t)
{
	t->trap_blocked = proc_status_number(t->tid, "SigBlk", 16, 0) & TRAP_BIT;
}

/* -- finding the calls ---------------------------------------------------------------- */

static uint8_t role_of(const struct proc *p, int nr)
{
	const struct abi *abi = p->abi;

	if (nr < 0)
		return 0;
	if (nr == abi->nr_rt_sigprocmask || nr == abi->nr_rt_sigaction)
		return BP_SIGMASK;
	return redzone_wanted(p) && (nr == abi->nr_execve || nr == abi->nr_execveat) ? BP_EXEC : 0;
}

/* Where such code may begin, from i on; NULL: nowhere before end. */
static const uint8_t *next_candidate(const struct abi *abi, const uint8_t *b, const uint8_t *i,
				     const uint8_t *end)
{
	size_t align = abi->insn_align;

	if (align == 1)
		return memchr(i, abi->nr_load_byte, (size_t)(end - i));
	i = b + ((size_t)(i - b) + align - 1) / align * align;
	return i < end ? i : NULL;
}

static void scan_block(struct proc *p, struct task *stopped, taddr_t at, const uint8_t *b, size_t len)
{
	const uint8_t *end = b + len - 8, *i = b;

	for (; i < end && (i = next_candidate(p->abi, b, i, end)); i++) {
		unsigned off;
		int nr = p->abi->syscall_site(p->abi, i, MIN((size_t)(b + len - i), (size_t)SITE_MAX),
					      &off);
		uint8_t role = role_of(p, nr);
		struct breakpoint *bp;

		if (role && (bp = bp_plant(p, stopped, at + (taddr_t)(i - b) + off, role)))
			bp->syscall = (int16_t)nr;
	}
}

static void mark_found(void *arg, size_t index, const struct elf_symbol *sym)
{
	(void)index, (void)sym;
	*(bool *)arg = true;
}

void sigtrap_scan_module(struct proc *p, struct task *stopped, struct module *m)
{
	static const char *const names[] = { "sigprocmask", "__libc_sigaction", "sigaction" };
	/* They intercept these, and the leak checker makes the calls in a task
	 * that nobody may trace (CLONE_UNTRACED) and a breakpoint would kill;
	 * the program would wait for it for ever. */
	static const char *const sanitizer[] = { "__sanitizer_set_report_path" };
	const size_t step = 256u << 10;
	bool is_libc = !elf_file_ident(m->file)->has_dynamic, is_sanitizer = false;
	uint8_t *buf;

	if (!p->abi->syscall_site)
		return;
	if (!is_libc)
		elf_file_find_functions(m->file, names, ARRAY_SIZE(names), SYMS_OWN, mark_found, &is_libc);
	if (is_libc)
		elf_file_find_functions(m->file, sanitizer, ARRAY_SIZE(sanitizer), SYMS_OWN, mark_found,
					&is_sanitizer);
	if (!is_libc || is_sanitizer)
		return;
	buf = xmalloc(step + SITE_MAX);
	for (taddr_t at = m->text_start; at < m->text_end && at - m->text_start < SCAN_MAX; at += step) {
		ssize_t n = proc_read(p, at, buf, MIN(step + SITE_MAX, m->text_end - at));

		if (n > 8)
			scan_block(p, stopped, at, buf, (size_t)n);
	}
	free(buf);
}

/* -- at the calls ------------------------------------------------------------------------- */

static bool handler_unknown(const struct proc *p)
{
	return p->trap.handled && !p->trap.known && !p->trap.lost;
}

static void on_sigprocmask(struct task *t, taddr_t site, uint64_t how, taddr_t set)
{
	bool next = t->trap_blocked;
	uint8_t b[8];
	uint64_t mask;

	if (!set || proc_read(t->proc, set, b, sizeof b) != sizeof b)
		return;
	mask = load_sigset(t->proc->abi, b);
	if (how == SIG_BLOCK)
		next |= (mask & TRAP_BIT) != 0;
	else if (how == SIG_UNBLOCK)
		next &= !(mask & TRAP_BIT);
	else if (how == SIG_SETMASK)
		next = (mask & TRAP_BIT) != 0;
	/* A SIGTRAP that waits is delivered now: to the handler that was set.  And
	 * with it blocked a hit loses the handler, which may not be known yet. */
	if (!next || handler_unknown(t->proc))
		sigtrap_restore(t);
	t->mask_site = site;
	t->mask_next = next;
}

void sigtrap_settle(struct task *t)
{
	taddr_t pc, site = t->mask_site;

	if (!site || task_get_regs(t))
		return;
	pc = regs_pc(&t->regs);
	if (pc == site || pc == site + t->proc->abi->bp_pc_adjust)
		t->mask_site = 0; /* not made; it will be hit again */
	if (!t->mask_site)
		return;
	t->trap_blocked = t->mask_next;
	t->mask_site = 0;
}

static void on_sigaction(struct task *t, int sig, taddr_t act)
{
	struct proc *p = t->proc;
	uint8_t b[32];
	size_t len = sigaction_size(p->abi);
	uint64_t mask;

	if (sig < 1 || sig > 64)
		return;
	if (sig == SIGTRAP)
		sigtrap_restore(t); /* it may ask for the old one */
	if (!act || proc_read(p, act, b, len) != (ssize_t)len)
		return;
	if (sig == SIGTRAP)
		note_action(p, b);
	mask = load_sigset(p->abi, b + len - 8);
	set_handler_state(p, sig, mask & TRAP_BIT || sig == SIGTRAP ? HANDLER_BLOCKS : HANDLER_PLAIN);
}

void sigtrap_syscall(struct task *t, struct breakpoint *bp)
{
	const struct abi *abi = t->proc->abi;
	int nr = bp->syscall; /* the register may have it only later */

	if (nr == abi->nr_rt_sigprocmask)
		on_sigprocmask(t, bp->addr, (uint32_t)t->regs.w[abi->syscall_arg[0]],
			       t->regs.w[abi->syscall_arg[1]]);
	else if (nr == abi->nr_rt_sigaction)
		on_sigaction(t, (int)t->regs.w[abi->syscall_arg[0]],
			     t->regs.w[abi->syscall_arg[1]]);
}

/* -- after hits ------------------------------------------------------------------------------ */

/* Is the task still in the handler in which we saw this mask? */
static void leave_handlers(struct task *t, uint64_t mask)
{
	while (t->mask_frames.n) {
		struct mask_frame *f = &t->mask_frames.v[t->mask_frames.n - 1];

		if ((mask | TRAP_BIT) == f->mask)
			return;
		t->trap_blocked = f->was_blocked;
		t->mask_frames.n--;
	}
}

/* Sends the program's own SIGTRAP again; its siginfo is put right when it is
 * delivered. */
static void send_again(struct task *t, const siginfo_t *si)
{
	if (!t->has_own_trap) /* else it is the one that we sent */
		t->own_trap = *si;
	t->has_own_trap = true;
	syscall(SYS_tgkill, t->proc->pid, t->tid, SIGTRAP);
}

/* Two signals of one number do not queue: a SIGTRAP that the program has
 * pending swallowed the one of our breakpoint, and must stay pending. */
static void keep_pending(struct task *t)
{
	siginfo_t si;

	if (!pt_get_siginfo(t->tid, &si) && si.si_signo == SIGTRAP && si.si_code <= 0)
		send_again(t, &si);
}

void sigtrap_after_hit(struct task *t)
{
	struct proc *p = t->proc;
	uint64_t mask;

	if (p->trap.ignored)
		p->trap.lost = true;
	if (!t->trap_blocked || pt_get_sigmask(t->tid, &mask))
		return;
	if (t->mask_frames.n)
		leave_handlers(t, mask);
	if (!t->trap_blocked)
		return;
	if (!(mask & TRAP_BIT)) {
		pt_set_sigmask(t->tid, mask | TRAP_BIT);
		keep_pending(t);
		if (p->trap.handled)
			p->trap.lost = true;
	}
}

bool sigtrap_before_handler(struct task *t, int sig)
{
	return sig <= 64 && handler_state(t->proc, sig) != HANDLER_PLAIN &&
	       proc_handles(t->proc, sig);
}

void sigtrap_in_handler(struct task *t)
{
	uint64_t mask;

	if (pt_get_sigmask(t->tid, &mask))
		return;
	if ((mask & TRAP_BIT) && !t->trap_blocked) {
		struct mask_frame f = { mask | TRAP_BIT, t->trap_blocked };

		vec_push(&t->mask_frames, f);
		t->trap_blocked = true;
		if (handler_unknown(t->proc))
			sigtrap_restore(t);
	}
}

/* -- dispositions ------------------------------------------------------------------------------- */

/* An attached program's handler: asked for once, before it can be lost. */
static void query_action(struct task *t)
{
	struct proc *p = t->proc;
	taddr_t at;
	uint8_t act[32], saved[32];
	size_t len = sigaction_size(p->abi);
	int64_t result;

	if (task_get_regs(t))
		return;
	at = (regs_sp(&t->regs) - 1024) & ~(taddr_t)15; /* below the red zone */
	if (proc_read(p, at, saved, len) != (ssize_t)len)
		return;
	if (!inject_syscall(t, p->abi->nr_rt_sigaction, (uint64_t[6]){ SIGTRAP, 0, at, 8 }, &result) &&
	    !result && proc_read(p, at, act, len) == (ssize_t)len)
		note_action(p, act);
	proc_write(p, t, at, saved, len);
}

/* Stops one task between two instructions of its own to ask there.  What it was
 * stopped by instead is left to be dealt with. */
static void learn_from(struct task *t)
{
	int status;

	if (pt_interrupt(t->tid) || wait_for_stop(t, &status))
		return;
	if (stop_decode(t->tid, status).kind != STOP_EVENT) {
		wait_put_back(t->tid, status);
		return;
	}
	t->state = TASK_STOPPED;
	query_action(t);
	t->state = TASK_RUNNING;
	pt_cont(t->tid, 0);
}

void sigtrap_learn(struct proc *p)
{
	for (size_t i = 0; i < p->tasks.n; i++) {
		struct task *t = p->tasks.v[i];

		sigtrap_begin_task(t);
		if (t->trap_blocked && handler_unknown(p))
			learn_from(t);
	}
}

/* Setting a signal to SIG_IGN throws away those that are queued, in all threads
 * (kernel/signal.c, do_sigaction): also the one of an int3 that another thread
 * has just executed, which then goes on in the middle of an instruction.  So
 * only when no other thread runs. */
static bool may_ignore_now(const struct task *t)
{
	for (size_t i = 0; i < t->proc->tasks.n; i++) {
		const struct task *u = t->proc->tasks.v[i];

		if (u != t && u->state != TASK_STOPPED)
			return false;
	}
	return true;
}

void sigtrap_restore(struct task *t)
{
	struct proc *p = t->proc;
	struct regs keep = t->regs;
	uint8_t saved[32];
	int64_t result;
	taddr_t at;

	if (handler_unknown(p))
		query_action(t);
	if (!p->trap.lost || (p->trap.ignored && !may_ignore_now(t)) || task_get_regs(t))
		goto out;
	if (!p->trap.known) {
		memset(p->trap.act, 0, sizeof p->trap.act);
		abi_store(p->abi, p->trap.act, p->abi->word, p->trap.ignored ? 1 : 0);
		p->trap.len = sigaction_size(p->abi);
	}
	at = (regs_sp(&t->regs) - 1024) & ~(taddr_t)15;
	if (proc_read(p, at, saved, p->trap.len) != (ssize_t)p->trap.len ||
	    proc_write(p, t, at, p->trap.act, p->trap.len))
		goto out;
	if (!inject_syscall(t, p->abi->nr_rt_sigaction, (uint64_t[6]){ SIGTRAP, at, 0, 8 }, &result) &&
	    !result)
		p->trap.lost = false;
	proc_write(p, t, at, saved, p->trap.len);
out:
	t->regs = keep;
}

bool sigtrap_own(struct task *t)
{
	struct proc *p = t->proc;
	siginfo_t si;

	if (t->has_own_trap) { /* the one that was sent again */
		t->has_own_trap = false;
		pt_set_siginfo(t->tid, &t->own_trap);
		return true;
	}
	if (!p->trap.lost)
		return true;
	if (p->trap.ignored)
		return false;
	/* Its handler is not in place: put it there, and send the signal again
	 * with the siginfo that it had. */
	if (pt_get_siginfo(t->tid, &si))
		return true;
	sigtrap_restore(t);
	if (p->trap.lost)
		return true;
	send_again(t, &si);
	return false;
}
