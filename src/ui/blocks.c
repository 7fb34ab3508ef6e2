/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdlib.h>

#include "base/vec.h"
#include "ui/blocks.h"

/* Between the two events of a realloc the old block is in the allocator's hands,
 * and still counts as open; its address may be another thread's already. */
struct moving {
	pid_t tid;
	struct known_block block;
};

struct entry {
	struct known_block block;
	uint32_t told; /* proc->round when it was told last */
};

struct proc_blocks {
	pid_t pid;
	uint32_t round;        /* counts blocks_begin() */
	VEC(struct entry) entries; /* in no order */
	struct u64map by_addr; /* → index */
	VEC(struct moving) moving;
};

struct blocks {
	struct event_sink sink;
	struct event_sink *next;
	VEC(struct proc_blocks *) procs;
	struct u64map by_pid;
};

/* -- one process ------------------------------------------------------------------ */

static void add(struct proc_blocks *p, const struct known_block *b)
{
	uint64_t *at = u64map_get(&p->by_addr, b->addr);
	struct entry e = { *b, p->round };

	if (at) {
		p->entries.v[*at] = e;
		return;
	}
	u64map_set(&p->by_addr, b->addr, p->entries.n);
	vec_push(&p->entries, e);
}

static void remove_at(struct proc_blocks *p, size_t i)
{
	u64map_del(&p->by_addr, p->entries.v[i].block.addr);
	vec_remove_swap(&p->entries, i);
	if (i < p->entries.n)
		u64map_set(&p->by_addr, p->entries.v[i].block.addr, i);
}

static bool take(struct proc_blocks *p, taddr_t addr, struct known_block *out)
{
	uint64_t *at = u64map_get(&p->by_addr, addr);

	if (!at)
		return false;
	*out = p->entries.v[*at].block;
	remove_at(p, *at);
	return true;
}

/* A block that is told because somebody asked is known with its age, or is not. */
static void told(struct proc_blocks *p, const struct event *ev)
{
	uint64_t *at = u64map_get(&p->by_addr, ev->u.alloc.addr);
	struct known_block b = { ev->u.alloc.addr, ev->u.alloc.size, 0, ev->u.alloc.stack,
				 ev->u.alloc.mark };
	const struct known_block *there = at ? &p->entries.v[*at].block : NULL;

	if (there && there->stack == b.stack && there->size == b.size)
		b.born_ns = there->born_ns;
	add(p, &b);
}

static void move_begins(struct proc_blocks *p, const struct event *ev)
{
	struct moving m = { .tid = ev->tid };

	if (take(p, ev->u.release.addr, &m.block))
		vec_push(&p->moving, m);
}

static void move_ends(struct proc_blocks *p, const struct event *ev)
{
	struct known_block old, now = { ev->u.realloc.addr, ev->u.realloc.size, ev->time_ns,
					ev->u.realloc.stack, ev->u.realloc.mark };
	size_t i = 0;

	while (i < p->moving.n && p->moving.v[i].tid != ev->tid)
		i++;
	if (i < p->moving.n) {
		old = p->moving.v[i].block;
		vec_remove(&p->moving, i);
		if (ev->u.realloc.failed)
			add(p, &old);
	}
	if (!ev->u.realloc.failed && now.addr)
		add(p, &now);
}

static void clear(struct proc_blocks *p)
{
	vec_release(&p->entries);
	u64map_release(&p->by_addr);
	vec_release(&p->moving);
}

/* -- events ------------------------------------------------------------------------ */

static struct proc_blocks *proc_of(const struct blocks *b, pid_t pid)
{
	return u64map_getp(&b->by_pid, (uint32_t)pid);
}

static void begin_proc(struct blocks *b, const struct event *ev)
{
	struct proc_blocks *p = proc_of(b, ev->pid), *parent = NULL;

	if (!p) {
		p = xcalloc(1, sizeof *p);
		p->pid = ev->pid;
		u64map_set(&b->by_pid, (uint32_t)ev->pid, (uintptr_t)p);
		vec_push(&b->procs, p);
	}
	clear(p);
	if (ev->u.proc.how == PROC_FORKED)
		parent = proc_of(b, ev->u.proc.ppid);
	for (size_t i = 0; parent && i < parent->entries.n; i++)
		add(p, &parent->entries.v[i].block);
	for (size_t i = 0; parent && i < parent->moving.n; i++)
		add(p, &parent->moving.v[i].block);
}

static void take_event(struct blocks *b, const struct event *ev)
{
	struct proc_blocks *p = proc_of(b, ev->pid);
	struct known_block gone, now = { ev->u.alloc.addr, ev->u.alloc.size, ev->time_ns,
					 ev->u.alloc.stack, ev->u.alloc.mark };

	if (!p)
		return;
	switch (ev->type) {
	case EV_ALLOC:
		add(p, &now);
		break;
	case EV_BLOCK:
		told(p, ev);
		break;
	case EV_RELEASE:
		take(p, ev->u.release.addr, &gone);
		break;
	case EV_RELEASE_UNDO:
		if (ev->u.release.known != RELEASE_KNOWN)
			break;
		add(p, &(struct known_block){ ev->u.release.addr, ev->u.release.size, 0,
					      ev->u.release.stack, ev->u.release.mark });
		break;
	case EV_REALLOC_BEGIN:
		move_begins(p, ev);
		break;
	case EV_REALLOC:
		move_ends(p, ev);
		break;
	default:
		break;
	}
}

static int blocks_emit(struct event_sink *sink, const struct event *ev)
{
	struct blocks *b = container_of(sink, struct blocks, sink);

	if (ev->type == EV_PROC)
		begin_proc(b, ev);
	else
		take_event(b, ev);
	return b->next->emit(b->next, ev);
}

static int blocks_flush(struct event_sink *sink)
{
	struct blocks *b = container_of(sink, struct blocks, sink);

	return b->next->flush(b->next);
}

struct blocks *blocks_new(struct event_sink *next)
{
	struct blocks *b = xcalloc(1, sizeof *b);

	b->sink = (struct event_sink){ blocks_emit, blocks_flush, sink_is_owned };
	b->next = next;
	return b;
}

void blocks_forget(struct blocks *b)
{
	for (size_t i = 0; i < b->procs.n; i++) {
		clear(b->procs.v[i]);
		free(b->procs.v[i]);
	}
	vec_release(&b->procs);
	u64map_release(&b->by_pid);
}

void blocks_free(struct blocks *b)
{
	if (!b)
		return;
	blocks_forget(b);
	free(b);
}

struct event_sink *blocks_sink(struct blocks *b)
{
	return &b->sink;
}

/* -- questions ----------------------------------------------------------------------- */

void blocks_begin(struct blocks *b, pid_t pid)
{
	for (size_t i = 0; i < b->procs.n; i++)
		if (!pid || b->procs.v[i]->pid == pid)
			b->procs.v[i]->round++;
}

void blocks_end(struct blocks *b, pid_t pid)
{
	for (size_t i = 0; i < b->procs.n; i++) {
		struct proc_blocks *p = b->procs.v[i];

		if (pid && p->pid != pid)
			continue;
		for (size_t k = p->entries.n; k-- > 0;)
			if (p->entries.v[k].told != p->round)
				remove_at(p, k);
	}
}

static int compare(const void *pa, const void *pb)
{
	const struct known_block *a = pa, *b = pb;

	return a->addr < b->addr ? -1 : a->addr > b->addr;
}

size_t blocks_of(const struct blocks *b, pid_t pid, struct known_block **out)
{
	const struct proc_blocks *p = proc_of(b, pid);
	VEC(struct known_block) list = { 0 };

	for (size_t i = 0; p && i < p->entries.n; i++)
		vec_push(&list, p->entries.v[i].block);
	for (size_t i = 0; p && i < p->moving.n; i++)
		vec_push(&list, p->moving.v[i].block);
	if (list.n)
		qsort(list.v, list.n, sizeof *list.v, compare);
	*out = list.v;
	return list.n;
}

bool blocks_find(const struct blocks *b, pid_t pid, taddr_t addr, struct known_block *out)
{
	const struct proc_blocks *p = proc_of(b, pid);
	const uint64_t *at = p ? u64map_get(&p->by_addr, addr) : NULL;

	if (at) {
		*out = p->entries.v[*at].block;
		return true;
	}
	for (size_t i = 0; p && i < p->entries.n; i++) {
		const struct known_block *k = &p->entries.v[i].block;

		if (addr < k->addr || addr - k->addr >= MAX(k->size, 1u))
			continue;
		*out = *k;
		return true;
	}
	return false;
}

/* -- for reports --------------------------------------------------------------------- */

/* A program that runs goes on getting older between two events. */
struct report_block blocks_report(const struct heap *heap, pid_t pid, const struct known_block *b)
{
	const struct heap_proc *p = heap_proc_find(heap, pid);

	return (struct report_block){ .pid = pid, .addr = b->addr, .size = b->size,
				      .stack = b->stack, .mark = b->mark, .born_ns = b->born_ns,
				      .now_ns = p ? p->end_ns : 0, .kind = -1 };
}

size_t blocks_for_report(void *arg, pid_t pid, struct report_block **out)
{
	const struct blocks_source *source = arg;
	struct known_block *known;
	size_t n = blocks_of(source->blocks, pid, &known);

	*out = xcalloc(n + 1, sizeof **out);
	for (size_t i = 0; i < n; i++)
		(*out)[i] = blocks_report(source->heap, pid, &known[i]);
	free(known);
	return n;
}
