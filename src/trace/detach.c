/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/wait.h>

#include "arch/host.h"
#include "base/clock.h"
#include "base/msg.h"
#include "trace/breakpoint.h"
#include "trace/heaps.h"
#include "trace/image.h"
#include "trace/ptrace.h"
#include "trace/recorder.h"
#include "trace/redzone.h"
#include "trace/scan.h"
#include "trace/scratch.h"
#include "trace/sigtrap.h"
#include "trace/step.h"
#include "trace/tracer.h"

/* Told again (wait_recover), a hit may have been dealt with already, and the pc
 * be elsewhere than behind an int3: nothing is left to deliver. */
static bool was_dealt_with(struct proc *p, taddr_t code)
{
	uint8_t now[4];
	unsigned len;
	const uint8_t *insn = abi_bp(p->abi, code, &len);

	return p->session->midway &&
	       (memory_read(&p->mem, abi_code_addr(p->abi, code), now, len) != (ssize_t)len ||
		memcmp(now, insn, len));
}

/* A trap of ours that was in flight: the pc goes back to the instruction that
 * is there again.  False: the signal is the program's. */
static bool swallow_trap(struct task *t)
{
	struct proc *p = t->proc;
	taddr_t pc;

	if (!p->abi || task_get_regs(t))
		return true;
	pc = regs_pc(&t->regs) - p->abi->bp_pc_adjust;
	if (bp_ends_slot(p, pc)) {
		sigtrap_after_hit(t);
		return true;
	}
	if (!bp_find(p, pc) && !bp_was(p, pc))
		return was_dealt_with(p, pc | (regs_code(&t->regs) & p->abi->code_bit));
	t->regs.w[p->abi->pc] = pc;
	host_set_pc(t->tid, &t->regs, regs_code(&t->regs));
	sigtrap_after_hit(t);
	return true;
}

/* A child that was born while we were leaving: a copy with our breakpoints, or
 * one more task.  Either way it is let go at its first stop. */
static void release_newborn(struct task *parent)
{
	struct session *s = parent->proc->session;
	unsigned long tid;
	struct task *t;
	int status;

	if (pt_event_message(parent->tid, &tid) || task_find(s, (pid_t)tid))
		return;
	for (size_t i = 0; i < s->parked.n; i++)
		if (s->parked.v[i].tid == (pid_t)tid) {
			vec_remove_swap(&s->parked, i);
			release_copy(parent->proc, (pid_t)tid);
			return;
		}
	t = task_new(parent->proc, (pid_t)tid);
	if (!wait_for_stop(t, &status))
		release_copy(parent->proc, (pid_t)tid);
	task_free(t);
}

/* What a stop means for a task that is about to be let go: the signal it is to
 * get, or 0. */
static int settle_stop(struct task *t, int status)
{
	struct stop st = stop_decode(t->tid, status);

	t->state = TASK_STOPPED;
	switch (st.kind) {
	case STOP_TRAP:
		return swallow_trap(t) ? 0 : SIGTRAP;
	case STOP_SIGNAL:
		return st.sig;
	case STOP_CLONE:
	case STOP_FORK:
	case STOP_VFORK:
		release_newborn(t);
		return 0;
	case STOP_EXEC:
		/* Nothing of ours is in the new image, and nothing is to be
		 * written there. */
		if (!t->borrowed && t->proc->abi) {
			image_end(t->proc);
			t->proc->abi = NULL;
		}
		t->gone = true;
		return 0;
	default:
		return 0;
	}
}

/* The signal of a breakpoint instruction: SI_KERNEL on x86, TRAP_BRKPT elsewhere. */
static bool is_of_trap(const siginfo_t *si)
{
	return si->si_code == SI_KERNEL || si->si_code == TRAP_BRKPT;
}

/* Brings a task to a stop in which nothing of ours is under way: no trap
 * queued, no slot under the pc.  The signal to hand over, or -errno. */
static int quiesce(struct task *t)
{
	bool in_flight = false;
	siginfo_t si;
	int status, sig = 0;

	for (int tries = 0; tries < 64; tries++) {
		int err;

		if (t->state != TASK_STOPPED) {
			/* A queued trap makes it stop by itself.  Interrupted
			 * it would stop before the trap is taken, each time. */
			if (t->state != TASK_NEW && !in_flight) {
				err = pt_interrupt(t->tid);
				if (err)
					return err;
			}
			err = wait_for_stop(t, &status);
			if (err)
				return err;
			sig = settle_stop(t, status);
		}
		/* Detaching with its signal still in the queue kills. */
		if (sig || !pt_queued(t->tid, SIGTRAP, &si) || !is_of_trap(&si))
			break;
		in_flight = true;
		task_continue(t, 0);
	}
	return sig;
}

static void let_task_go(struct task *t, int sig)
{
	struct proc *p = t->proc;

	if (p->abi && !t->gone) {
		if (t->stepping)
			t->stepping->planted = false;
		task_undisturb(t);
		if (!sig)
			sigtrap_restore(t);
	}
	pt_detach(t->tid, sig);
}

/* A vfork child holds its parent up until it execs or exits, and the parent
 * cannot stop before that. */
static void release_borrowers(struct proc *p)
{
	for (size_t i = p->tasks.n; i--;) {
		struct task *t = p->tasks.v[i];
		int sig;

		if (!t->borrowed)
			continue;
		sig = quiesce(t);
		if (sig >= 0 && t->state == TASK_STOPPED)
			let_task_go(t, sig);
		task_free(t);
	}
}

void detach_proc(struct proc *p)
{
	uint64_t since = clock_ns();
	bool dead = false;

	step_give_up(p);
	if (p->abi)
		bp_remove_all(p);
	release_borrowers(p);
	/* Asked all at once, they come to their stops together: a thread that
	 * waits for a CPU among many takes its time. */
	for (size_t i = 0; i < p->tasks.n; i++)
		if (p->tasks.v[i]->state == TASK_RUNNING || p->tasks.v[i]->state == TASK_LISTENING)
			pt_interrupt(p->tasks.v[i]->tid);
	/* First all of them, since a disposition is restored by one for all. */
	for (size_t i = 0; i < p->tasks.n; i++)
		p->tasks.v[i]->deliver = quiesce(p->tasks.v[i]);
	if (!p->session->crashed && !p->scanned && heaps_wanted(p))
		heaps_tell_last(p);
	if (!p->session->crashed && !p->scanned && scan_wanted(p))
		scan_proc(p, since, true);
	else if (!p->session->crashed && !p->scanned)
		redzone_check(p);
	redzone_leave(p);
	record_proc_end(p, END_DETACHED, 0);
	/* With every task stopped nobody stands in the padding, or comes there. */
	for (size_t i = 0; i < p->tasks.n; i++)
		if (p->abi && p->tasks.v[i]->state == TASK_STOPPED)
			task_undisturb(p->tasks.v[i]);
	if (p->abi)
		scratch_clean(p);
	while (p->tasks.n) {
		struct task *t = p->tasks.v[p->tasks.n - 1];

		if (t->deliver >= 0 && t->state == TASK_STOPPED)
			let_task_go(t, t->deliver);
		dead |= t->deliver == -ESRCH;
		task_free(t);
	}
	if (dead)
		adopt_orphans(p);
}

/* Children whose birth is half told: the event came and the first stop did
 * not, or the other way round.  They are copies with breakpoints in them. */
static void release_half_born(struct session *s)
{
	for (size_t i = 0; i < s->expected.n; i++) {
		struct expected e = s->expected.v[i];

		for (size_t k = 0; k < s->procs.n; k++) {
			struct proc *p = s->procs.v[k];
			struct task *t;
			int status;

			if (p->pid != e.pid)
				continue;
			t = task_new(p, e.tid);
			if (!wait_for_stop(t, &status))
				release_copy(p, e.tid);
			task_free(t);
			break;
		}
	}
	s->expected.n = 0;
	/* Whose child a parked one is, nobody said: its parent's breakpoints
	 * are the ones that are found in it. */
	for (size_t i = 0; i < s->parked.n; i++) {
		pid_t ppid = (pid_t)proc_status_number(s->parked.v[i].tid, "PPid", 10, 0);
		struct proc *parent = NULL;

		for (size_t k = 0; k < s->procs.n; k++)
			if (s->procs.v[k]->pid == ppid)
				parent = s->procs.v[k];
		if (parent)
			release_copy(parent, s->parked.v[i].tid);
		else
			pt_detach(s->parked.v[i].tid, 0);
	}
	s->parked.n = 0;
}

void detach_all(struct session *s)
{
	s->leaving = true;
	release_half_born(s);
	while (s->procs.n) {
		struct proc *p = s->procs.v[s->procs.n - 1];

		detach_proc(p);
		proc_free(p);
	}
}

void release_copy(struct proc *parent, pid_t child)
{
	struct memory copy;

	if (parent->abi) {
		memory_open(&copy, child);
		bp_clean_copy(parent, &copy);
		memory_close(&copy);
	}
	/* An ignored SIGTRAP that a hit made default, the child inherited. */
	if (parent->abi && parent->trap.lost) {
		struct task *t = task_new(parent, child);

		t->state = TASK_STOPPED;
		sigtrap_restore(t);
		parent->trap.lost = true; /* the parent's own is still */
		task_free(t);
	}
	pt_detach(child, 0);
}
