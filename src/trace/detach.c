/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/wait.h>

#include "arch/host.h"
#include "base/msg.h"
#include "trace/breakpoint.h"
#include "trace/ptrace.h"
#include "trace/recorder.h"
#include "trace/scratch.h"
#include "trace/sigtrap.h"
#include "trace/tracer.h"

/* A trap of ours that was in flight: the pc goes back to the instruction that
 * is there again.  False: the signal is the program's. */
static bool swallow_trap(struct task *t)
{
	struct proc *p = t->proc;
	taddr_t pc;

	if (!p->abi || task_get_regs(t))
		return true;
	pc = regs_pc(&t->regs) - p->abi->bp_pc_adjust;
	if (!bp_find(p, pc) && !bp_was(p, pc))
		return false;
	t->regs.w[p->abi->pc] = pc;
	host_set_pc(t->tid, t->regs.abi, pc);
	sigtrap_after_hit(t);
	return true;
}

/* What a stop means for a task that is about to be let go: the signal it is to
 * get, or −1 when it must run on to the next stop first. */
static int settle_stop(struct task *t, int status)
{
	struct stop st = stop_decode(t->tid, status);

	t->state = TASK_STOPPED;
	switch (st.kind) {
	case STOP_TRAP:
		return swallow_trap(t) ? 0 : SIGTRAP;
	case STOP_SIGNAL:
		return st.sig;
	default:
		return 0;
	}
}

/* Brings a task to a stop in which nothing of ours is under way: no trap
 * queued, no slot under the pc.  The signal to hand over, or -errno. */
static int quiesce(struct task *t)
{
	siginfo_t si;
	int status, sig = 0;

	for (int tries = 0; tries < 64; tries++) {
		int err;

		if (t->state != TASK_STOPPED) {
			if (t->state != TASK_NEW) {
				err = pt_interrupt(t->tid);
				if (err)
					return err;
			}
			err = wait_for_stop(t, &status);
			if (err)
				return err;
			sig = settle_stop(t, status);
		}
		/* Detaching with an int3's signal still in the queue kills. */
		if (sig || !pt_queued(t->tid, SIGTRAP, &si) || si.si_code != SI_KERNEL)
			break;
		task_continue(t, 0);
	}
	return sig;
}

static void let_task_go(struct task *t, int sig)
{
	struct proc *p = t->proc;

	if (p->abi) {
		if (t->stepping)
			t->stepping->planted = false;
		task_undisturb(t);
		if (!sig)
			sigtrap_restore(t);
	}
	pt_detach(t->tid, sig);
}

void detach_proc(struct proc *p)
{
	int sig;

	record_proc_end(p, END_DETACHED, 0);
	if (p->abi)
		bp_remove_all(p);
	/* First all of them, since a disposition is restored by one for all. */
	for (size_t i = 0; i < p->tasks.n; i++) {
		struct task *t = p->tasks.v[i];

		sig = quiesce(t);
		t->deliver = sig;
	}
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
		task_free(t);
	}
}

void detach_all(struct session *s)
{
	s->leaving = true;
	/* Children whose birth is half told are copies, too. */
	for (size_t i = 0; i < s->parked.n; i++) {
		struct proc *any = s->procs.n ? s->procs.v[0] : NULL;

		if (any)
			release_copy(any, s->parked.v[i].tid);
	}
	s->parked.n = 0;
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
