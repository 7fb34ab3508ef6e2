/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What was allocated between two marks and is still open, by caller. */
#include <stdlib.h>

#include "base/xalloc.h"
#include "paragraph.h"

struct grown {
	const struct view_stack *row;
	uint64_t blocks, bytes;
};

struct list {
	VEC(struct grown) v;
	uint32_t from, to;
};

static int compare(const void *pa, const void *pb)
{
	const struct grown *a = pa, *b = pb;

	if (a->bytes != b->bytes)
		return a->bytes < b->bytes ? 1 : -1;
	if (a->blocks != b->blocks)
		return a->blocks < b->blocks ? 1 : -1;
	return a->row->order < b->row->order ? -1 : a->row->order > b->row->order;
}

static void collect(struct list *l, const struct view *v)
{
	for (size_t i = 0; i < v->stacks.n; i++) {
		struct grown g = { .row = &v->stacks.v[i] };

		if (g.row->ignored || g.row->mapping)
			continue;
		view_row_between(v, i, l->from, l->to, &g.blocks, &g.bytes);
		if (g.blocks)
			vec_push(&l->v, g);
	}
	if (l->v.n)
		qsort(l->v.v, l->v.n, sizeof l->v.v[0], compare);
}

static char *between(const struct list *l)
{
	if (l->to == UINT32_MAX)
		return l->from ? xasprintf("since mark %u", l->from) : xstrdup("since the beginning");
	if (!l->from)
		return xasprintf("before mark %u", l->to);
	return xasprintf("between mark %u and %u", l->from, l->to);
}

static void print_grown(struct text *t, const struct list *l, const struct grown *g)
{
	struct paragraph p = { .label = "grown", .hint = between(l) };
	struct strbuf sb = STRBUF_INIT;

	text_amount(&sb, g->bytes, g->blocks, "block");
	p.amount = strbuf_detach(&sb);
	paragraph_operation(&p, g->row, g->row->min_size, g->row->max_size, &g->row->product,
			    paragraph_fate(g->row));
	paragraph_frames(t, &p, g->row);
	paragraph_print(t, &p);
	paragraph_release(&p);
}

static void print_rest(struct text *t, const struct list *l, size_t from)
{
	uint64_t bytes = 0;

	for (size_t i = from; i < l->v.n; i++)
		bytes += l->v.v[i].bytes;
	paragraph_rest(t, l->v.n - from, "grew by", bytes, 0);
}

void text_grown(struct text *t, const struct view *v)
{
	struct list l = { .from = 0 };
	size_t shown;

	if (!view_between(v->heap, t->opts, &l.from, &l.to))
		return;
	collect(&l, v);
	shown = MIN(l.v.n, paragraph_limit(t));
	if (shown < l.v.n && !t->to_file)
		print_rest(t, &l, shown);
	for (size_t k = 0; k < shown; k++)
		print_grown(t, &l, &l.v.v[t->to_file ? k : shown - 1 - k]);
	if (shown < l.v.n && t->to_file)
		print_rest(t, &l, shown);
	vec_release(&l.v);
}
