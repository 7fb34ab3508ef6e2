/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/xalloc.h"
#include "ledger-internal.h"

#define MAX_NOTES 10000

/* A stack's value: which probe, and whether it is one of l->older. */
#define OLDER_SHIFT 16

static void add_probe(struct ledger *l, const struct event *ev)
{
	size_t id = ev->u.probe.id;

	vec_reserve(&l->ops, id + 1);
	while (l->ops.n <= id)
		l->ops.v[l->ops.n++] = NO_OP;
	if (l->ops.v[id] == NO_OP)
		l->ops.v[id] = (uint8_t)ev->u.probe.op;
}

static void add_stack(struct ledger *l, const struct event *ev)
{
	if (ev->u.stack.id && !ledger_knows(l, ev->u.stack.id))
		u64map_set(&l->stacks, ev->u.stack.id, ev->u.stack.probe);
}

static void add_note(struct ledger *l, const struct event *ev)
{
	struct heap_note note = { ev->pid, ev->u.note.bad, NULL };

	if (!ev->u.note.text || l->notes.n == MAX_NOTES)
		return;
	note.text = xstrdup(ev->u.note.text);
	vec_push(&l->notes, note);
}

/* Events that only a process we know of can have. */
static void proc_event(struct ledger *l, struct heap_proc *p, const struct event *ev)
{
	switch (ev->type) {
	case EV_PROC_END:     proc_finish(p, ev); break;
	case EV_TASK:         p->tasks++; break;
	case EV_MODULE:       p->modules++; break;
	case EV_MODULE_GONE:  p->modules -= MIN(p->modules, 1u); break;
	case EV_ALLOC:        count_alloc(l, p, ev); break;
	case EV_RELEASE:      count_release(l, p, ev); break;
	case EV_RELEASE_UNDO: count_undo(l, p, ev); break;
	case EV_REALLOC:      count_realloc(l, p, ev); break;
	case EV_FAILED:       count_failed(l, p, ev); break;
	case EV_MAP:          mapping_map(l, p, ev); break;
	case EV_UNMAP:        mapping_unmap(l, p, ev); break;
	case EV_REMAP:        mapping_remap(l, p, ev); break;
	case EV_BRK:          mapping_brk(l, p, ev); break;
	case EV_SCAN_BEGIN:   leaks_begin(p); break;
	case EV_LEAK:         leaks_add(l, p, ev); break;
	case EV_LEAK_BLOCK:   leaks_add_block(p, ev); break;
	case EV_LEAK_WHY:     leaks_add_why(p, ev); break;
	case EV_SCAN:         leaks_finish(p, ev); break;
	case EV_CENSUS:       census_found(l, p, ev); break;
	case EV_ERROR:        error_add(p, ev); break;
	case EV_WHY:          leaks_add_asked(p, ev); break;
	case EV_STATE_PROC:
	case EV_STATE_COUNT:
	case EV_STATE_REGION:
	case EV_STATE_AGED:
	case EV_STATE_ERROR:
	case EV_STATE_REFUSED:
	case EV_STATE_SUSPECT: state_take(l, p, ev); break;
	case EV_OOM:          refused_why(p, ev); break;
	case EV_RESET:        proc_reset(p); break;
	case EV_TARGET:         proc_target(p, ev); break;
	default:
		/* EV_REALLOC_BEGIN: the block counts as open until EV_REALLOC
		 * says what became of it, so that realloc is one step. */
		break;
	}
}

int ledger_take(struct ledger *l, const struct event *ev)
{
	struct heap_proc *p;

	switch (ev->type) {
	case EV_PROC:        proc_begin(l, ev); return EMIT_GO;
	case EV_PROBE:       add_probe(l, ev); return EMIT_GO;
	case EV_STACK:       add_stack(l, ev); return EMIT_GO;
	case EV_NOTE:        add_note(l, ev); return EMIT_GO;
	case EV_MARK:        marks_add(l, ev); return EMIT_GO;
	case EV_STATE_OLDER: state_take(l, NULL, ev); return EMIT_GO;
	default:             break;
	}
	p = proc_live(l, ev->pid);
	if (!p)
		return EMIT_GO;
	p->end_ns = ev->time_ns;
	proc_event(l, p, ev);
	return EMIT_GO;
}

struct ledger *ledger_new(void)
{
	return xcalloc(1, sizeof(struct ledger));
}

void ledger_free(struct ledger *l)
{
	if (!l)
		return;
	for (size_t i = 0; i < l->procs.n; i++)
		heap_proc_free(l->procs.v[i]);
	for (size_t i = 0; i < l->notes.n; i++)
		free(l->notes.v[i].text);
	vec_release(&l->procs);
	u64map_release(&l->by_pid);
	u64map_release(&l->stacks);
	vec_release(&l->older);
	vec_release(&l->ops);
	vec_release(&l->notes);
	vec_release(&l->marks);
	free(l);
}

size_t ledger_nprocs(const struct ledger *l)
{
	return l->procs.n;
}

const struct heap_proc *ledger_proc_at(const struct ledger *l, size_t i)
{
	return l->procs.v[i];
}

const struct heap_proc *ledger_proc_find(const struct ledger *l, pid_t pid)
{
	return u64map_getp(&l->by_pid, (uint32_t)pid);
}

size_t ledger_nnotes(const struct ledger *l)
{
	return l->notes.n;
}

const struct heap_note *ledger_note_at(const struct ledger *l, size_t i)
{
	return &l->notes.v[i];
}

uint32_t ledger_nmarks(const struct ledger *l)
{
	return (uint32_t)l->marks.n;
}

uint64_t ledger_mark_ns(const struct ledger *l, uint32_t nr)
{
	return l->marks.v[nr - 1];
}

bool ledger_knows(const struct ledger *l, uint32_t stack)
{
	return u64map_get(&l->stacks, stack) != NULL;
}

bool ledger_stack_maps(const struct ledger *l, uint32_t stack)
{
	const uint64_t *s = stack ? u64map_get(&l->stacks, stack) : NULL;
	size_t probe = s ? (uint16_t)*s : 0;

	return s && probe < l->ops.n && l->ops.v[probe] != NO_OP && l->ops.v[probe] >= OP_MAP;
}

const struct ledger_older *ledger_older(const struct ledger *l, uint32_t stack)
{
	const uint64_t *s = stack ? u64map_get(&l->stacks, stack) : NULL;

	return s && *s >> OLDER_SHIFT ? &l->older.v[(*s >> OLDER_SHIFT) - 1] : NULL;
}

void ledger_set_older(struct ledger *l, uint32_t stack, taddr_t word, uint32_t module)
{
	uint64_t *s = u64map_get(&l->stacks, stack);
	struct ledger_older older = { stack, module, word };

	if (*s >> OLDER_SHIFT) {
		l->older.v[(*s >> OLDER_SHIFT) - 1] = older;
		return;
	}
	vec_push(&l->older, older);
	*s |= (uint64_t)l->older.n << OLDER_SHIFT;
}

void ledger_inherited_open(const struct ledger *l, const struct heap_proc *p, uint64_t *blocks,
			   uint64_t *bytes)
{
	uint64_t own_blocks = 0, own_bytes = 0;

	*blocks = *bytes = 0;
	if (!p->inherited.blocks)
		return;
	for (size_t i = 0; i < p->counts.n; i++) {
		const struct heap_count *c = &p->counts.v[i];

		if (ledger_stack_maps(l, c->stack))
			continue;
		own_blocks += (uint64_t)MAX(c->open_blocks, 0);
		own_bytes += (uint64_t)MAX(c->open_bytes, 0);
	}
	*blocks = p->total.open_blocks - MIN(own_blocks, p->total.open_blocks);
	*bytes = p->total.open_bytes - MIN(own_bytes, p->total.open_bytes);
}

static size_t proc_memory(const struct heap_proc *p)
{
	return sizeof *p + u64map_memory(&p->by_stack) + p->counts.cap * sizeof *p->counts.v +
	       u64map_memory(&p->by_mark) + p->aged.cap * sizeof *p->aged.v +
	       u64map_memory(&p->by_error) + p->errors.cap * sizeof *p->errors.v;
}

size_t ledger_memory(const struct ledger *l)
{
	size_t sum = sizeof *l + u64map_memory(&l->stacks) + u64map_memory(&l->by_pid) +
		     l->older.cap * sizeof *l->older.v;

	for (size_t i = 0; i < l->procs.n; i++)
		sum += proc_memory(l->procs.v[i]);
	return sum;
}
