/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/xalloc.h"
#include "priv.h"

/* Events that only a process we know of can have. */
static void proc_event(struct heap *h, struct heap_proc *p, const struct event *ev)
{
	switch (ev->type) {
	case EV_PROC_END:     proc_finish(p, ev); break;
	case EV_TASK:         p->tasks++; break;
	case EV_MODULE:       p->modules++; break;
	case EV_MODULE_GONE:  p->modules -= MIN(p->modules, 1u); break;
	case EV_ALLOC:        count_alloc(h, p, ev); break;
	case EV_RELEASE:      count_release(h, p, ev); break;
	case EV_RELEASE_UNDO: count_undo(h, p, ev); break;
	case EV_REALLOC:      count_realloc(h, p, ev); break;
	case EV_FAILED:       count_failed(h, p, ev); break;
	case EV_MAP:          mapping_map(h, p, ev); break;
	case EV_UNMAP:        mapping_unmap(h, p, ev); break;
	case EV_REMAP:        mapping_remap(h, p, ev); break;
	case EV_BRK:          mapping_brk(h, p, ev); break;
	case EV_SCAN_BEGIN:   leaks_begin(p); break;
	case EV_LEAK:         leaks_add(h, p, ev); break;
	case EV_LEAK_BLOCK:   leaks_add_block(p, ev); break;
	case EV_LEAK_WHY:     leaks_add_why(p, ev); break;
	case EV_SCAN:         leaks_finish(p, ev); break;
	case EV_CENSUS:       census_found(h, p, ev); break;
	case EV_ERROR:        error_add(p, ev); break;
	case EV_WHY:          leaks_add_asked(p, ev); break;
	default:
		/* EV_REALLOC_BEGIN: the block counts as open until EV_REALLOC
		 * says what became of it, so that realloc is one step. */
		break;
	}
}

static int take(struct event_sink *sink, const struct event *ev)
{
	struct heap *h = container_of(sink, struct heap, sink);
	struct heap_proc *p;

	switch (ev->type) {
	case EV_PROC:
		proc_begin(h, ev);
		return EMIT_GO;
	case EV_PROBE:
		session_add_probe(h, ev);
		return EMIT_GO;
	case EV_STACK:
		session_add_stack(h, ev);
		return EMIT_GO;
	case EV_NOTE:
		session_add_note(h, ev);
		return EMIT_GO;
	case EV_MARK:
		marks_add(h, ev);
		return EMIT_GO;
	case EV_MODULE:
		session_add_module(h, ev);
		break;
	default:
		break;
	}
	p = proc_live(h, ev->pid);
	if (!p)
		return EMIT_GO;
	p->end_ns = ev->time_ns;
	proc_event(h, p, ev);
	return EMIT_GO;
}

static int nothing_to_flush(struct event_sink *sink)
{
	(void)sink;
	return 0;
}

static void not_freed_alone(struct event_sink *sink)
{
	(void)sink;
}

struct heap *heap_new(void)
{
	struct heap *h = xcalloc(1, sizeof *h);

	h->sink = (struct event_sink){ take, nothing_to_flush, not_freed_alone };
	return h;
}

static void forget(struct heap *h)
{
	for (size_t i = 0; i < h->procs.n; i++)
		heap_proc_free(h->procs.v[i]);
	vec_release(&h->procs);
	u64map_release(&h->by_pid);
	vec_release(&h->marks);
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
}

struct event_sink *heap_sink(struct heap *h)
{
	return &h->sink;
}

size_t heap_nprocs(const struct heap *h)
{
	return h->procs.n;
}

const struct heap_proc *heap_proc_at(const struct heap *h, size_t i)
{
	return h->procs.v[i];
}

const struct heap_proc *heap_proc_find(const struct heap *h, pid_t pid)
{
	return u64map_getp(&h->by_pid, (uint32_t)pid);
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

size_t heap_nstacks(const struct heap *h)
{
	return h->stacks.n;
}

size_t heap_nnotes(const struct heap *h)
{
	return h->notes.n;
}

const struct heap_note *heap_note_at(const struct heap *h, size_t i)
{
	return &h->notes.v[i];
}

uint32_t heap_nmarks(const struct heap *h)
{
	return (uint32_t)h->marks.n;
}

uint64_t heap_mark_ns(const struct heap *h, uint32_t nr)
{
	return h->marks.v[nr - 1];
}

bool heap_stack_maps(const struct heap *h, uint32_t id)
{
	const struct heap_stack *s = heap_stack(h, id);
	const struct heap_probe *probe = s ? heap_probe(h, s->probe) : NULL;

	return probe && probe->op >= OP_MAP;
}

void heap_inherited_open(const struct heap *h, const struct heap_proc *p, uint64_t *blocks,
			 uint64_t *bytes)
{
	uint64_t own_blocks = 0, own_bytes = 0;

	*blocks = *bytes = 0;
	if (!p->inherited.blocks)
		return;
	for (size_t i = 0; i < p->counts.n; i++) {
		const struct heap_count *c = &p->counts.v[i];

		if (heap_stack_maps(h, c->stack))
			continue;
		own_blocks += (uint64_t)MAX(c->open_blocks, 0);
		own_bytes += (uint64_t)MAX(c->open_bytes, 0);
	}
	*blocks = p->total.open_blocks - MIN(own_blocks, p->total.open_blocks);
	*bytes = p->total.open_bytes - MIN(own_bytes, p->total.open_bytes);
}

static size_t map_memory(const struct u64map *m)
{
	return m->slot ? ((size_t)1 << m->bits) * (sizeof *m->slot + 1) : 0;
}

size_t heap_memory(const struct heap *h)
{
	size_t sum = sizeof *h + h->stack_memory + map_memory(&h->stacks) +
		     map_memory(&h->modules) + map_memory(&h->by_pid) +
		     h->modules.n * sizeof(struct heap_module);

	for (size_t i = 0; i < h->procs.n; i++) {
		const struct heap_proc *p = h->procs.v[i];

		sum += sizeof *p + map_memory(&p->by_stack) + p->counts.cap * sizeof *p->counts.v +
		       map_memory(&p->by_mark) + p->aged.cap * sizeof *p->aged.v +
		       map_memory(&p->by_error) + p->errors.cap * sizeof *p->errors.v;
	}
	return sum;
}
