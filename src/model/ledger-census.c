/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Blocks older than the attach.  They are in use as others are, but what a
 * process has allocated and released counts from the attach on. */
#include "ledger-internal.h"

void census_found(struct ledger *l, struct heap_proc *p, const struct event *ev)
{
	uint64_t blocks = ev->u.census.blocks, bytes = ev->u.census.bytes;
	struct heap_count *c;

	p->before_attach.known = true;
	if (!blocks || !ledger_knows(l, ev->u.census.stack))
		return;
	ledger_set_older(l, ev->u.census.stack, ev->u.census.word, ev->u.census.module);
	c = count_of(l, p, ev->u.census.stack);
	c->open_blocks += (int64_t)blocks;
	c->open_bytes = (int64_t)((uint64_t)c->open_bytes + bytes);
	c->total_blocks += blocks;
	c->total_bytes += bytes;
	c->min_size = MIN(c->min_size, ev->u.census.min_size);
	c->max_size = MAX(c->max_size, ev->u.census.max_size);
	c->older = true;
	p->before_attach.blocks += blocks;
	p->before_attach.bytes += bytes;
	p->total.open_blocks += blocks;
	p->total.open_bytes += bytes;
	note_peak(&p->total, ev->time_ns);
}

void census_released(struct heap_proc *p, uint64_t size)
{
	p->before_attach.released++;
	p->before_attach.released_bytes += size;
}

void census_undo(struct heap_proc *p, uint64_t size)
{
	p->before_attach.released -= MIN(p->before_attach.released, 1u);
	p->before_attach.released_bytes -= MIN(p->before_attach.released_bytes, size);
}
