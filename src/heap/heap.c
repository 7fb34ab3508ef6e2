/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/xalloc.h"
#include "priv.h"

/* Events of which more is kept than what the ledger does.  Apart, so that all others
 * are handed on without a frame of their own. */
__attribute__((noinline)) static int take_names(struct heap *h, const struct event *ev)
{
	ledger_take(h->ledger, ev);
	switch (ev->type) {
	case EV_PROBE:  session_add_probe(h, ev); break;
	case EV_STACK:  session_add_stack(h, ev); break;
	case EV_MODULE: session_add_module(h, ev); break;
	case EV_PLACE:  session_add_place(h, ev); break;
	case EV_CENSUS: session_mark_older(h, ev->u.census.stack); break;
	case EV_STATE_OLDER:
		if (ev->u.figures.n)
			session_mark_older(h, (uint32_t)ev->u.figures.v[0]);
		break;
	default:
		break;
	}
	return EMIT_GO;
}

static int take(struct event_sink *sink, const struct event *ev)
{
	struct heap *h = container_of(sink, struct heap, sink);

	switch (ev->type) {
	case EV_PROBE:
	case EV_STACK:
	case EV_MODULE:
	case EV_PLACE:
	case EV_CENSUS:
	case EV_STATE_OLDER:
		return take_names(h, ev);
	default:
		return ledger_take(h->ledger, ev);
	}
}

struct heap *heap_new(void)
{
	struct heap *h = xcalloc(1, sizeof *h);

	h->sink = (struct event_sink){ take, sink_keeps_nothing, sink_is_owned };
	h->ledger = ledger_new();
	return h;
}

static void forget(struct heap *h)
{
	ledger_free(h->ledger);
	session_release(h);
}

void heap_free(struct heap *h)
{
	if (!h)
		return;
	forget(h);
	free(h);
}

void heap_reset(struct heap *h)
{
	struct event_sink sink = h->sink;

	forget(h);
	memset(h, 0, sizeof *h);
	h->sink = sink;
	h->ledger = ledger_new();
}

struct event_sink *heap_sink(struct heap *h)
{
	return &h->sink;
}

const struct heap_module *heap_module(const struct heap *h, uint32_t id)
{
	return id ? u64map_getp(&h->modules, id) : NULL;
}

const struct heap_probe *heap_probe(const struct heap *h, uint16_t id)
{
	return id < h->probes.n ? h->probes.v[id] : NULL;
}

const struct heap_stack *heap_stack(const struct heap *h, uint32_t id)
{
	return id ? u64map_getp(&h->stacks, id) : NULL;
}

const struct heap_place *heap_place(const struct heap *h, uint32_t module, taddr_t vaddr)
{
	const struct heap_place *p = u64map_getp(&h->places, session_place_key(module, vaddr));

	return p && p->module == module && p->vaddr == vaddr ? p : NULL;
}

size_t heap_nstacks(const struct heap *h)
{
	return h->stacks.n;
}

/* -- the books --------------------------------------------------------------- */

size_t heap_nprocs(const struct heap *h)
{
	return ledger_nprocs(h->ledger);
}

const struct heap_proc *heap_proc_at(const struct heap *h, size_t i)
{
	return ledger_proc_at(h->ledger, i);
}

const struct heap_proc *heap_proc_find(const struct heap *h, pid_t pid)
{
	return ledger_proc_find(h->ledger, pid);
}

size_t heap_nnotes(const struct heap *h)
{
	return ledger_nnotes(h->ledger);
}

const struct heap_note *heap_note_at(const struct heap *h, size_t i)
{
	return ledger_note_at(h->ledger, i);
}

uint32_t heap_nmarks(const struct heap *h)
{
	return ledger_nmarks(h->ledger);
}

uint64_t heap_mark_ns(const struct heap *h, uint32_t nr)
{
	return ledger_mark_ns(h->ledger, nr);
}

void heap_inherited_open(const struct heap *h, const struct heap_proc *p, uint64_t *blocks,
			 uint64_t *bytes)
{
	ledger_inherited_open(h->ledger, p, blocks, bytes);
}

size_t heap_memory(const struct heap *h)
{
	return sizeof *h + h->stack_memory + u64map_memory(&h->stacks) + u64map_memory(&h->modules) +
	       h->modules.n * sizeof(struct heap_module) + ledger_memory(h->ledger);
}
