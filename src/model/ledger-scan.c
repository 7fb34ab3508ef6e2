/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What leak scans found.  The results of one are kept apart until it has told
 * all, so that a report in the middle, or a log that ends there, has those of
 * the one before. */
#include <string.h>

#include "base/xalloc.h"
#include "ledger-internal.h"

/* What strange events may make us keep. */
#define MAX_LINKS 64
#define MAX_ASKED 1000

void leaks_release(struct heap_scan *s)
{
	for (size_t i = 0; i < s->leaks.n; i++)
		vec_release(&s->leaks.v[i].why);
	vec_release(&s->leaks);
	for (size_t i = 0; i < s->asked.n; i++)
		vec_release(&s->asked.v[i].why);
	vec_release(&s->asked);
	vec_release(&s->each);
	*s = (struct heap_scan){ 0 };
}

void leaks_begin(struct heap_proc *p)
{
	leaks_release(&p->incoming);
}

static bool known_kind(unsigned kind)
{
	return kind < LEAK_KINDS;
}

void leaks_add(const struct ledger *l, struct heap_proc *p, const struct event *ev)
{
	struct heap_scan *s = &p->incoming;
	struct heap_leak leak = {
		.stack = ev->u.leak.stack, .under = ev->u.leak.under,
		.kind = (enum leak_kind)ev->u.leak.kind, .blocks = ev->u.leak.blocks,
		.bytes = ev->u.leak.bytes, .largest = ev->u.leak.largest,
		.largest_size = ev->u.leak.largest_size,
	};

	if (!known_kind(ev->u.leak.kind))
		return;
	if (ev->u.leak.data) {
		leak.ndata = (uint8_t)MIN(ev->u.leak.ndata, HEAP_LEAK_DATA);
		memcpy(leak.data, ev->u.leak.data, leak.ndata);
	}
	vec_push(&s->leaks, leak);
	if (ledger_stack_maps(l, leak.stack)) {
		s->map_blocks[leak.kind] += leak.blocks;
		s->map_bytes[leak.kind] += leak.bytes;
		return;
	}
	s->kind_blocks[leak.kind] += leak.blocks;
	s->kind_bytes[leak.kind] += leak.bytes;
}

void leaks_add_block(struct heap_proc *p, const struct event *ev)
{
	if (known_kind(ev->u.leak.kind))
		vec_push(&p->incoming.each,
			 ((struct heap_leak_block){ ev->u.leak.largest, ev->u.leak.largest_size,
						    ev->u.leak.stack,
						    (enum leak_kind)ev->u.leak.kind }));
}

void leaks_add_asked(struct heap_proc *p, const struct event *ev)
{
	if (known_kind(ev->u.asked.kind) && p->incoming.asked.n < MAX_ASKED)
		vec_push(&p->incoming.asked,
			 ((struct heap_asked){ .addr = ev->u.asked.addr,
					       .found = ev->u.asked.found != 0,
					       .kind = (enum leak_kind)ev->u.asked.kind,
					       .block = ev->u.asked.block,
					       .holder = ev->u.asked.holder,
					       .size = ev->u.asked.size,
					       .stack = ev->u.asked.stack }));
}

/* The links of a leak, or of what was asked about, follow it at once. */
static struct heap_way *way_of(struct heap_scan *s, uint32_t stack, uint8_t kind)
{
	struct heap_asked *a = s->asked.n ? &s->asked.v[s->asked.n - 1] : NULL;
	struct heap_leak *l = s->leaks.n ? &s->leaks.v[s->leaks.n - 1] : NULL;

	if (a)
		return a->stack == stack && a->kind == (enum leak_kind)kind ? &a->why : NULL;
	return l && l->stack == stack && l->kind == (enum leak_kind)kind ? &l->why : NULL;
}

void leaks_add_why(struct heap_proc *p, const struct event *ev)
{
	struct heap_way *way = way_of(&p->incoming, ev->u.why.stack, ev->u.why.kind);
	struct heap_link link = {
		.step = ev->u.why.step, .steps = ev->u.why.steps,
		.from = (enum leak_from)ev->u.why.from, .at = ev->u.why.at,
		.module = ev->u.why.module, .tid = ev->u.why.tid, .block = ev->u.why.block,
		.size = ev->u.why.size, .offset = ev->u.why.offset,
		.block_stack = ev->u.why.block_stack,
	};

	if (way && ev->u.why.from <= FROM_BLOCK && way->n < MAX_LINKS)
		vec_push(way, link);
}

void leaks_finish(struct heap_proc *p, const struct event *ev)
{
	struct heap_scan *s = &p->incoming;
	unsigned nth = p->scan.nth + 1;

	s->done = true;
	s->nth = nth;
	s->references = ev->u.scan.references != 0;
	s->final = ev->u.scan.final != 0;
	s->mappings = ev->u.scan.mappings != 0;
	s->blocks = ev->u.scan.blocks;
	s->bytes = ev->u.scan.bytes;
	s->unread = ev->u.scan.unread;
	s->pause_ns = ev->u.scan.pause_ns;
	s->at_ns = ev->time_ns;
	leaks_release(&p->scan);
	p->scan = *s;
	*s = (struct heap_scan){ 0 };
}
