/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>

#include "base/clock.h"
#include "trace/ptrace.h"
#include "trace/wait.h"
#include "trace/world.h"

/* One that waits for its vfork child, or has died, runs nothing and reports
 * nothing; a new one stops by itself before it runs anything. */
static bool must_be_asked(const struct task *t)
{
	return (t->state == TASK_RUNNING || t->state == TASK_LISTENING) && !t->absent &&
	       !wait_has(t->tid);
}

static void collect(struct world *w, struct task *t)
{
	int status;

	if (t->state == TASK_STOPPED || t->absent || wait_for_stop(t, &status))
		return;
	vec_push(&w->kept, ((struct parked){ t->tid, status }));
	t->state = TASK_STOPPED;
}

int world_stop(struct world *w, struct proc *p)
{
	*w = (struct world){ .proc = p, .began_ns = clock_ns() };
	if (p->stepper)
		return -EAGAIN;
	/* Asked all at once, they come to their stops together. */
	for (size_t i = 0; i < p->tasks.n; i++) {
		struct task *t = p->tasks.v[i];

		if (must_be_asked(t) && pt_interrupt(t->tid))
			t->absent = true;
	}
	for (size_t i = 0; i < p->tasks.n; i++)
		collect(w, p->tasks.v[i]);
	if (proc_stopped_task(p))
		return 0;
	world_resume(w);
	return -ESRCH;
}

uint64_t world_resume(struct world *w)
{
	for (size_t i = 0; i < w->kept.n; i++) {
		struct task *t = task_find(w->proc->session, w->kept.v[i].tid);

		if (!t)
			continue;
		t->state = TASK_RUNNING; /* until it is dispatched */
		wait_put_back(t->tid, w->kept.v[i].status);
	}
	vec_release(&w->kept);
	return clock_ns() - w->began_ns;
}
