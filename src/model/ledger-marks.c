/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is open by the mark after which it was allocated.  Blocks that are older
 * than the first mark are not kept here: they are all the others.  So nothing is
 * kept while there are no marks, and afterwards one entry for each stack and
 * mark of which something is open. */
#include "ledger-internal.h"

void marks_add(struct ledger *l, const struct event *ev)
{
	if (ev->u.mark.nr == l->marks.n + 1)
		vec_push(&l->marks, ev->time_ns);
}

static uint64_t key_of(uint32_t stack, uint32_t mark)
{
	return (uint64_t)stack << 32 | mark;
}

static void remove_entry(struct heap_proc *p, size_t i)
{
	struct heap_aged *last = &p->aged.v[--p->aged.n];

	u64map_del(&p->by_mark, key_of(p->aged.v[i].stack, p->aged.v[i].mark));
	if (i == p->aged.n)
		return;
	p->aged.v[i] = *last;
	u64map_set(&p->by_mark, key_of(last->stack, last->mark), i);
}

/* Below zero is what a forked child released of what it had inherited. */
void marks_count(struct heap_proc *p, uint32_t stack, uint32_t mark, int64_t blocks,
		 uint64_t bytes)
{
	uint64_t *at = u64map_get(&p->by_mark, key_of(stack, mark));
	struct heap_aged *a;

	if (!at) {
		u64map_set(&p->by_mark, key_of(stack, mark), p->aged.n);
		vec_push(&p->aged, ((struct heap_aged){ .stack = stack, .mark = mark }));
		a = &p->aged.v[p->aged.n - 1];
	} else {
		a = &p->aged.v[*at];
	}
	a->blocks = (int64_t)((uint64_t)a->blocks + (uint64_t)blocks);
	a->bytes = (int64_t)((uint64_t)a->bytes + bytes);
	if (!a->blocks && !a->bytes)
		remove_entry(p, (size_t)(a - p->aged.v));
}

void marks_release(struct heap_proc *p)
{
	vec_release(&p->aged);
	u64map_release(&p->by_mark);
}
