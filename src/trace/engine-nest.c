/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The pending calls of a task: which of them the call that begins now is part of,
 * and which were left behind. */
#include "trace/engine-internal.h"
#include "trace/image.h"
#include "trace/recorder.h"
#include "trace/redzone.h"

void calls_forget_site(struct task *t, const struct probe_site *site)
{
	for (size_t i = t->calls.n; i--;)
		if (t->calls.v[i].site == site) {
			if (t->calls.v[i].ret && t->calls.v[i].ret->pending)
				t->calls.v[i].ret->pending--;
			vec_remove(&t->calls, i);
		}
}

void calls_forget_oldest(struct task *t)
{
	struct breakpoint *bp = t->calls.v[0].ret;

	if (bp && bp->pending)
		bp->pending--;
	vec_remove(&t->calls, 0);
}

/* Left behind by longjmp or an exception. */
static void drop_dead(struct task *t)
{
	struct call *c = &t->calls.v[t->calls.n - 1];

	redzone_abandoned(t->proc, c);
	if (c->had_old) /* its realloc came to nothing */
		record_realloc(t, c, c->old.addr, &c->old, 0, c->size, true);
	call_drop(t);
}

void calls_abandon(struct task *t)
{
	while (t->calls.n)
		drop_dead(t);
	t->last.what = LAST_NONE;
}

/* Without call-frame information: is its return address still where it was? */
static bool return_slot_stands(struct task *t, const struct call *c)
{
	uint64_t word;

	if (t->proc->abi->link >= 0)
		return true;
	return !proc_read_word(t->proc, c->sp, &word) && word == c->return_addr;
}

enum ancestor { IS_ANCESTOR, IS_INTERRUPTED, IS_DEAD };

/* Looks for the frame that call c returns to in the backtrace.  A signal frame
 * on the way means that a handler interrupted c: its calls are its own. */
static enum ancestor find_ancestor(struct task *t, const struct call *c)
{
	taddr_t after = c->sp + t->proc->abi->ret_pops;

	for (uint32_t i = 0; i < look.bt.n; i++) {
		if (i && look.bt.exact[i])
			return IS_INTERRUPTED;
		if (look.bt.cfa[i] == after && look.bt.pc[i] == c->return_addr)
			return IS_ANCESTOR;
		if (look.bt.origin[i] == FROM_FP)
			break; /* a guess, which may leave frames out */
		if (i + 1 == look.bt.n && look.bt.end == STACK_COMPLETE)
			return IS_DEAD;
	}
	return return_slot_stands(t, c) ? IS_ANCESTOR : IS_DEAD;
}

bool calls_nested(struct task *t, const struct probe *pr, taddr_t sp, taddr_t ra)
{
	bool unwound = false;

	while (t->calls.n) {
		struct call *c = &t->calls.v[t->calls.n - 1];

		if (c->sp == sp) {
			/* A jump from one into the next (realloc(NULL, n) into
			 * malloc), or the same call again, whose first try a
			 * longjmp ended. */
			if (c->return_addr == ra && c->site && c->site->probe != pr)
				return true;
			drop_dead(t);
			continue;
		}
		if (!unwound)
			look_unwind(t, 64);
		unwound = true;
		switch (find_ancestor(t, c)) {
		case IS_ANCESTOR:
			return true;
		case IS_INTERRUPTED:
			return false;
		case IS_DEAD:
			break;
		}
		if (!task_same_stack(t, sp, c->sp))
			return false; /* it may go on when we have switched back */
		drop_dead(t);
	}
	return false;
}

bool site_is_new(const struct probe_site *site)
{
	return site && (site->probe->family == FAMILY_NEW || site->probe->family == FAMILY_NEW_ARRAY ||
			site->probe->flags & PROBE_NEW);
}

bool calls_in_own_function(const struct task *t)
{
	const struct probe_site *site = t->calls.v[t->calls.n - 1].site;

	return site && site->module && !image_has_malloc(site->module) &&
	       (site_is_new(site) || site->probe->family == FAMILY_CUSTOM);
}

bool calls_for_library(const struct task *t, taddr_t ra)
{
	const struct module *m = calls_in_own_function(t) ? modules_find(&t->proc->modules, ra) : NULL;

	return m && m != t->calls.v[t->calls.n - 1].site->module && image_c_library(m) &&
	       !image_in_allocator(t->proc, ra);
}

static bool in_fixed_text(const struct breakpoint *bp)
{
	const struct module *m = bp->module;

	return m && m->file && !m->is_vdso && bp->addr >= m->text_start && bp->addr < m->text_end;
}

struct breakpoint *calls_plant_return(struct task *t, taddr_t ra)
{
	struct proc *p = t->proc;
	struct breakpoint *bp = bp_find(p, ra);

	if (!bp || !(bp->roles & BP_RETURN)) {
		bp = bp_plant(p, t, look_return_code(t), BP_RETURN);
		if (!bp)
			return NULL;
		bp->transient = !in_fixed_text(bp);
	} else if (!bp->planted || bp->transient) {
		bp_replant(p, bp);
	}
	bp->pending++;
	return bp;
}
