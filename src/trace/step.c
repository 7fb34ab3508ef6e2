/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <string.h>

#include "trace/breakpoint.h"
#include "trace/ptrace.h"
#include "trace/step.h"

/* Could it execute the instruction?  An absent one is in a call that it leaves
 * through a stop (vfork), or is dead without having been reported. */
static bool runs(const struct task *t)
{
	return t->state != TASK_STOPPED && t->state != TASK_LISTENING && !t->absent;
}

/* The kernel cannot single-step. */
static void do_without(struct task *t, struct breakpoint *bp)
{
	bp_abandon(t->proc, bp);
	step_end(t);
	pt_cont(t->tid, 0);
}

static void begin(struct proc *p)
{
	struct task *t = p->stepper;
	struct breakpoint *bp = p->step_bp;

	for (size_t i = 0; i < p->tasks.n; i++)
		if (p->tasks.v[i] != t && runs(p->tasks.v[i]))
			return;
	bp_lift(p, bp);
	t->stepping = bp;
	t->state = TASK_RUNNING;
	if (pt_step(t->tid, 0) == -EIO)
		do_without(t, bp);
}

void step_over(struct task *t, struct breakpoint *bp)
{
	struct proc *p = t->proc;

	p->stepper = t;
	p->step_bp = bp;
	p->session->holding++;
	for (size_t i = 0; i < p->tasks.n; i++) {
		struct task *u = p->tasks.v[i];

		/* Interrupted while it is stopped, it would stop once more. */
		if (u != t && u->state == TASK_RUNNING && !wait_has(u->tid) &&
		    pt_interrupt(u->tid))
			u->absent = true;
	}
	begin(p);
}

void step_recount(struct proc *p)
{
	if (p->stepper && !p->stepper->stepping)
		begin(p);
}

bool step_keeps(struct task *t, const struct stop *st)
{
	struct proc *p = t->proc;

	if (!p->stepper || p->stepper == t)
		return false;
	t->state = TASK_STOPPED;
	vec_push(&p->kept, ((struct parked){ st->tid, st->raw }));
	step_recount(p);
	return true;
}

static void give_back_kept(struct proc *p)
{
	for (size_t i = 0; i < p->kept.n; i++) {
		struct task *u = task_find(p->session, p->kept.v[i].tid);

		if (!u)
			continue;
		u->state = TASK_RUNNING; /* until it is dispatched */
		wait_put_back(u->tid, p->kept.v[i].status);
	}
	p->kept.n = 0;
}

void step_give_up(struct proc *p)
{
	if (!p->stepper)
		return;
	give_back_kept(p);
	p->stepper = NULL;
	p->step_bp = NULL;
	p->session->holding--;
}

void step_forget(struct proc *p)
{
	if (p->stepper)
		p->stepper->stepping = NULL;
	p->kept.n = 0;
	step_give_up(p);
}

bool step_again(struct task *t)
{
	if (!t->stepping || task_get_regs(t) || regs_pc(&t->regs) != t->stepping->addr)
		return false;
	t->state = TASK_RUNNING;
	pt_step(t->tid, 0);
	return true;
}

void step_end(struct task *t)
{
	struct proc *p = t->proc;
	struct breakpoint *bp = t->stepping;

	t->stepping = NULL;
	if (bp && bp->roles && (!bp->transient || bp->pending) && !p->session->leaving)
		bp_replant(p, bp);
	if (p->stepper == t)
		step_give_up(p);
}

/* A leader that has exited before its threads is not reported, and a task in an
 * uninterruptible call stops before it returns to the program. */
static void check(struct proc *p)
{
	struct task *t = p->stepper;

	if (t->stepping) {
		/* A call that waits, perhaps for one of those that we hold. */
		if (proc_state_letter(t->tid) == 'S')
			step_give_up(p);
		return;
	}
	for (size_t i = 0; i < p->tasks.n; i++) {
		struct task *u = p->tasks.v[i];

		if (u != t && runs(u) && strchr("ZXD", proc_state_letter(u->tid)))
			u->absent = true;
	}
	begin(p);
}

void step_check(struct session *s)
{
	for (size_t i = 0; i < s->procs.n; i++)
		if (s->procs.v[i]->stepper)
			check(s->procs.v[i]);
}
