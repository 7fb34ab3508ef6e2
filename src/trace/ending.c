/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <signal.h>

#include "base/clock.h"
#include "trace/cpu.h"
#include "trace/ending.h"
#include "trace/heaps.h"
#include "trace/ptrace.h"
#include "trace/redzone.h"
#include "trace/scan.h"
#include "trace/step.h"
#include "trace/tracer.h"

/* A task in an uninterruptible call ends late; the others are not held longer
 * than this for its registers. */
#define HOLD_NS ((uint64_t)1000000000)

/* Does the whole process end with it?  The message is the status as wait(2) has
 * it.  A thread that others end, by exit_group or a fatal signal, has theirs;
 * one that ends by itself has called exit.  SIGKILL says nothing: the threads
 * of a process that executes another program die of it too. */
static bool ends_all(struct task *t)
{
	const struct abi *abi = t->proc->abi;
	unsigned long status;
	int sig, nr;

	if (pt_event_message(t->tid, &status) || task_get_regs(t))
		return false;
	sig = (int)(status & 0x7f);
	if (sig)
		return sig != SIGKILL;
	nr = abi->orig_syscall >= 0 ? abi->orig_syscall : abi->syscall_nr;
	return (int64_t)t->regs.w[nr] != abi->nr_exit;
}

static bool all_here(const struct proc *p)
{
	for (size_t i = 0; i < p->tasks.n; i++)
		if (!p->tasks.v[i]->ending && !p->tasks.v[i]->borrowed)
			return false;
	return true;
}

static void finish(struct proc *p)
{
	if (p->held_since)
		p->session->holding--;
	p->held_since = 0;
	p->scanned = true;
	if (heaps_wanted(p))
		heaps_tell_last(p);
	if (scan_wanted(p))
		scan_proc(p, 0, true);
	else
		redzone_check(p);
	for (size_t i = 0; i < p->tasks.n; i++) {
		struct task *t = p->tasks.v[i];

		if (!t->held)
			continue;
		t->held = false;
		task_continue(t, 0);
	}
}

/* Threads come and go by the thousands, on few stacks. */
#define MAX_ENDED 1024

static void note_stack(struct task *t)
{
	struct proc *p = t->proc;
	taddr_t sp;

	if (task_get_regs(t))
		return;
	sp = regs_sp(&t->regs);
	for (size_t i = 0; i < p->ended_stacks.n; i++)
		if (p->ended_stacks.v[i] == sp) {
			vec_remove(&p->ended_stacks, i);
			break;
		}
	if (p->ended_stacks.n == MAX_ENDED)
		vec_remove(&p->ended_stacks, 0);
	vec_push(&p->ended_stacks, sp);
}

void task_ends(struct task *t)
{
	struct proc *p = t->proc;

	step_end(t);
	t->ending = true;
	if (t->borrowed || p->scanned || !(scan_wanted(p) || redzone_wanted(p) || heaps_wanted(p))) {
		task_continue(t, 0);
		return;
	}
	p->exiting |= ends_all(t);
	if (!p->exiting)
		note_stack(t);
	t->held = p->exiting || all_here(p);
	if (!t->held) {
		task_continue(t, 0);
	} else if (all_here(p)) {
		finish(p);
	} else if (!p->held_since) {
		p->held_since = clock_ns();
		p->session->holding++;
	}
}

void ending_recheck(struct proc *p)
{
	if (p->held_since && all_here(p))
		finish(p);
}

void ending_check(struct session *s)
{
	for (size_t i = 0; i < s->procs.n; i++)
		if (s->procs.v[i]->held_since &&
		    clock_ns() - s->procs.v[i]->held_since > HOLD_NS)
			finish(s->procs.v[i]);
}
