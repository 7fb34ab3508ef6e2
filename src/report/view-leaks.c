/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The last leak scan's results with identical backtraces merged. */
#include <stdlib.h>
#include <string.h>

#include "view.h"

const char *view_leak_name(enum leak_kind kind)
{
	static const char *const names[] = {
		[LEAK_DEFINITE] = "definitely lost", [LEAK_INDIRECT] = "indirectly lost",
		[LEAK_POSSIBLE] = "possibly lost", [LEAK_REACHABLE] = "still reachable",
	};

	return names[kind];
}

/* Rows move while they are collected: until then they are indices. */
struct pending_held {
	size_t leak, row;
	uint64_t blocks, bytes;
};

struct collect {
	struct view *v;
	struct u64map *rows;
	struct u64map by_key; /* row << 2 | kind → leak */
	VEC(size_t) row_of_leak;
	VEC(struct pending_held) held;
};

static size_t row_of(struct collect *c, uint32_t stack)
{
	return view_row(c->v, c->rows, heap_stack(c->v->heap, stack));
}

static size_t leak_of(struct collect *c, size_t row, enum leak_kind kind)
{
	uint64_t key = (uint64_t)row << 2 | kind, *at = u64map_get(&c->by_key, key);

	if (at)
		return *at;
	u64map_set(&c->by_key, key, c->v->leaks.n);
	vec_push(&c->v->leaks, ((struct view_leak){ .kind = kind, .id = c->v->leaks.n }));
	vec_push(&c->row_of_leak, row);
	return c->v->leaks.n - 1;
}

static void collect_leak(struct collect *c, const struct heap_leak *l)
{
	size_t row = row_of(c, l->stack), at = leak_of(c, row, l->kind);
	struct view_leak *to = &c->v->leaks.v[at];

	u64map_set(&c->v->leak_ids, (uint64_t)l->stack << 2 | l->kind, at);
	to->blocks += l->blocks;
	to->bytes += l->bytes;
	if (!to->sample || l->largest_size > to->sample->largest_size)
		to->sample = l;
	if (l->kind != LEAK_REACHABLE) {
		c->v->stacks.v[row].lost_blocks += l->blocks;
		c->v->stacks.v[row].lost_bytes += l->bytes;
	}
	if (l->kind != LEAK_INDIRECT)
		return;
	vec_push(&c->held, ((struct pending_held){ leak_of(c, row_of(c, l->under), LEAK_DEFINITE),
						   row, l->blocks, l->bytes }));
}

static void add_held(struct view *v, const struct pending_held *p)
{
	struct view_leak *l = &v->leaks.v[p->leak];
	const struct view_stack *row = &v->stacks.v[p->row];

	l->held_blocks += p->blocks;
	l->held_bytes += p->bytes;
	for (size_t i = 0; i < l->held.n; i++)
		if (l->held.v[i].row == row) {
			l->held.v[i].blocks += p->blocks;
			l->held.v[i].bytes += p->bytes;
			return;
		}
	vec_push(&l->held, ((struct view_held){ row, p->blocks, p->bytes }));
}

static int descending(uint64_t a, uint64_t b)
{
	return a < b ? 1 : a > b ? -1 : 0;
}

static int compare_held(const void *pa, const void *pb)
{
	const struct view_held *a = pa, *b = pb;
	int c = descending(a->bytes, b->bytes);

	return c ? c : descending(b->row->order, a->row->order);
}

/* First what is lost for certain; then what is most. */
static int compare(const void *pa, const void *pb)
{
	static const uint8_t rank[] = { [LEAK_DEFINITE] = 0, [LEAK_POSSIBLE] = 1,
					[LEAK_INDIRECT] = 2, [LEAK_REACHABLE] = 3 };
	const struct view_leak *a = pa, *b = pb;
	int c = rank[a->kind] - rank[b->kind];

	if (!c)
		c = descending(a->bytes + a->held_bytes, b->bytes + b->held_bytes);
	if (!c)
		c = descending(a->blocks, b->blocks);
	return c ? c : descending(b->row->order, a->row->order);
}

/* Of a holder that the scan should have told and did not: events may come from
 * anywhere. */
static const struct heap_leak untold;

void view_leaks_build(struct view *v, struct u64map *rows)
{
	const struct heap_scan *s = &v->proc->scan;
	struct collect c = { .v = v, .rows = rows };

	memcpy(v->kind_blocks, s->kind_blocks, sizeof v->kind_blocks);
	memcpy(v->kind_bytes, s->kind_bytes, sizeof v->kind_bytes);
	for (size_t i = 0; i < s->leaks.n; i++)
		collect_leak(&c, &s->leaks.v[i]);
	for (size_t i = 0; i < v->leaks.n; i++) {
		v->leaks.v[i].row = &v->stacks.v[c.row_of_leak.v[i]];
		if (!v->leaks.v[i].sample)
			v->leaks.v[i].sample = &untold;
	}
	for (size_t i = 0; i < c.held.n; i++)
		add_held(v, &c.held.v[i]);
	for (size_t i = 0; i < v->leaks.n; i++)
		if (v->leaks.v[i].held.n)
			qsort(v->leaks.v[i].held.v, v->leaks.v[i].held.n,
			      sizeof v->leaks.v[i].held.v[0], compare_held);
	if (v->leaks.n)
		qsort(v->leaks.v, v->leaks.n, sizeof v->leaks.v[0], compare);
	u64map_release(&c.by_key);
	vec_release(&c.row_of_leak);
	vec_release(&c.held);
}

void view_leaks_release(struct view *v)
{
	for (size_t i = 0; i < v->leaks.n; i++)
		vec_release(&v->leaks.v[i].held);
	vec_release(&v->leaks);
	vec_release(&v->suppressed);
	u64map_release(&v->leak_ids);
}

bool view_lists_leak(const struct report_opts *opts, const struct view_leak *l)
{
	return opts->leak_kinds >> l->kind & 1 && !l->row->ignored && !l->suppressed;
}
