/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Leaks that suppressions match: taken out of the classes' figures, and counted
 * by themselves. */
#include <stdlib.h>
#include <string.h>

#include "frames.h"
#include "view.h"

struct taking {
	struct view *v;
	struct symbolizer *sym;
	struct suppressions *s;
	struct u64map indirect; /* row → index of its indirectly lost ones */
};

static struct suppress_frame as_seen(const struct frame *f)
{
	return (struct suppress_frame){ .function = f->function, .symbol = f->symbol,
					.alias = f->alias, .file = f->file, .line = f->line,
					.object = f->module ? f->module->path : NULL };
}

/* Where new[] jumps to new (libstdc++), which of them was called is not always
 * known. */
static char *other_new(const char *symbol)
{
	char *other;

	if (!symbol || (strncmp(symbol, "_Znw", 4) && strncmp(symbol, "_Zna", 4)))
		return NULL;
	other = xstrdup(symbol);
	other[3] = symbol[3] == 'w' ? 'a' : 'w';
	return other;
}

/* The innermost frame is the operation itself, as memcheck has it. */
static int look_up(struct taking *t, const struct heap_stack *s, unsigned kind)
{
	const struct heap_probe *probe = heap_probe(t->v->heap, s->probe);
	char *alias = other_new(probe ? probe->symbol : NULL);
	VEC(struct suppress_frame) list = { 0 };
	struct frames frames;
	int found;

	vec_push(&list, ((struct suppress_frame){ .function = probe ? probe->name : NULL,
						  .symbol = probe ? probe->symbol : NULL,
						  .alias = alias }));
	frames_of(&frames, t->sym, t->v->heap, s, true);
	for (size_t i = 0; i < frames.v.n; i++)
		vec_push(&list, as_seen(&frames.v.v[i]));
	found = suppressions_find(t->s, kind, list.v, list.n);
	vec_release(&frames.v);
	vec_release(&list);
	free(alias);
	return found;
}

static int find(struct taking *t, const struct heap_stack *s, unsigned kind)
{
	int found = s ? suppressions_known(t->s, s->id, kind) : -1;

	if (found != -2)
		return found;
	found = look_up(t, s, kind);
	suppressions_keep(t->s, s->id, kind, found);
	return found;
}

static struct view_suppressed *entry_of(struct view *v, size_t rule)
{
	for (size_t i = 0; i < v->suppressed.n; i++)
		if (v->suppressed.v[i].rule == rule)
			return &v->suppressed.v[i];
	vec_push(&v->suppressed, ((struct view_suppressed){ .rule = rule }));
	return &v->suppressed.v[v->suppressed.n - 1];
}

static void take(struct view *v, struct view_leak *l, uint64_t blocks, uint64_t bytes, size_t rule)
{
	struct view_suppressed *e = entry_of(v, rule);

	blocks = MIN(blocks, l->blocks);
	bytes = MIN(bytes, l->bytes);
	l->blocks -= blocks;
	l->bytes -= bytes;
	l->suppressed |= !l->blocks;
	if (!l->row->mapping) { /* those are in no class */
		v->kind_blocks[l->kind] -= blocks;
		v->kind_bytes[l->kind] -= bytes;
	}
	v->suppressed_blocks += blocks;
	v->suppressed_bytes += bytes;
	e->blocks += blocks;
	e->bytes += bytes;
}

static void index_indirect(struct taking *t)
{
	const struct view *v = t->v;

	for (size_t i = 0; i < v->leaks.n; i++)
		if (v->leaks.v[i].kind == LEAK_INDIRECT)
			u64map_set(&t->indirect, (uintptr_t)v->leaks.v[i].row, i);
}

/* What hangs on it is in the rows of its own callers. */
static void take_held(struct taking *t, const struct view_leak *l, size_t rule)
{
	if (l->held.n && !t->indirect.n)
		index_indirect(t);
	for (size_t i = 0; i < l->held.n; i++) {
		const struct view_held *h = &l->held.v[i];
		uint64_t *at = u64map_get(&t->indirect, (uintptr_t)h->row);

		if (at)
			take(t->v, &t->v->leaks.v[*at], h->blocks, h->bytes, rule);
	}
}

/* Definitely lost ones come first: what is left of the indirectly lost ones is
 * looked at after that. */
static void suppress(struct taking *t)
{
	struct view *v = t->v;

	for (size_t i = 0; i < v->leaks.n; i++) {
		struct view_leak *l = &v->leaks.v[i];
		int rule = l->suppressed ? -1 : find(t, l->row->stack, l->kind);

		if (rule < 0)
			continue;
		take(v, l, l->blocks, l->bytes, (size_t)rule);
		entry_of(v, (size_t)rule)->leaks++;
		if (suppression_takes_held(t->s, (size_t)rule))
			take_held(t, l, (size_t)rule);
	}
}

static int by_bytes(const void *pa, const void *pb)
{
	const struct view_suppressed *a = pa, *b = pb;

	if (a->bytes != b->bytes)
		return a->bytes < b->bytes ? 1 : -1;
	return a->rule < b->rule ? -1 : a->rule > b->rule;
}

void view_suppress(struct view_procs *vp, const struct report_opts *opts, struct symbolizer *sym)
{
	struct taking t = { .sym = sym, .s = opts->suppressions };

	for (size_t i = 0; t.s && suppressions_count(t.s) && i < vp->v.n; i++) {
		t.v = &vp->v.v[i].now;
		t.indirect = (struct u64map)U64MAP_INIT;
		suppress(&t);
		u64map_release(&t.indirect);
		if (t.v->suppressed.n)
			qsort(t.v->suppressed.v, t.v->suppressed.n, sizeof t.v->suppressed.v[0],
			      by_bytes);
	}
}
