/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>

#include "trace/breakpoint.h"
#include "trace/engine.h"
#include "trace/image.h"
#include "trace/pause.h"
#include "trace/sigtrap.h"

static bool must_see_all(const struct trace_opts *o)
{
	return o->change.redzone || o->change.fail.n || o->change.malloc_fill.on ||
	       o->change.free_fill.on;
}

/* A released block's address may be handed out again unseen. */
static void forget_freed(struct proc *p)
{
	freed_free(p->freed);
	p->freed = freed_new(p->session->opts->freed_volume, FREED_MAX);
}

int pause_begin(struct proc *p)
{
	if (p->paused)
		return 0;
	if (p->stepper)
		return -EAGAIN;
	if (must_see_all(p->session->opts))
		return -EOPNOTSUPP;
	/* Who runs in a slot leaves it at its end. */
	for (size_t i = 0; i < p->tasks.n; i++)
		calls_abandon(p->tasks.v[i]);
	bp_remove_all(p);
	forget_freed(p);
	p->table_complete = false;
	p->paused = true;
	openset_free(p->doubtful);
	p->doubtful = openset_clone(p->open);
	return 0;
}

void pause_end(struct proc *p)
{
	if (!p->paused)
		return;
	/* What the masks are, nobody has looked at meanwhile. */
	sigtrap_look_again(p);
	for (size_t i = 0; i < p->tasks.n; i++) {
		struct task *t = p->tasks.v[i];

		t->mask_frames.n = 0;
		t->mask_site = 0;
		sigtrap_begin_task(t);
	}
	/* First the modules: other code may be where breakpoints were. */
	image_sync(p, proc_stopped_task(p));
	bp_plant_again(p);
	p->paused = false;
}

bool pause_doubts(const struct proc *p, const struct open_block *b)
{
	struct open_block then;

	return p->doubtful && openset_find(p->doubtful, b->addr, &then) &&
	       then.stack == b->stack && then.size == b->size && then.mark == b->mark;
}

void pause_forget(struct proc *p)
{
	openset_free(p->doubtful);
	p->doubtful = NULL;
	p->paused = false;
}

void pause_copy(struct proc *child, const struct proc *parent)
{
	child->paused = parent->paused;
	if (parent->doubtful)
		child->doubtful = openset_clone(parent->doubtful);
}
