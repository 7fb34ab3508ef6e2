/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Leaks and errors that suppressions match: taken out of the figures, and counted
 * by themselves. */
#include <stdlib.h>
#include <string.h>

#include "frames.h"
#include "view.h"

struct taking {
	struct view *v;
	struct symbolizer *sym;
	const struct report_opts *opts;
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
static int look_up(const struct heap *heap, const struct suppressions *list_of,
		   struct symbolizer *sym, const struct heap_stack *s, unsigned kind)
{
	const struct heap_probe *probe = heap_probe(heap, s->probe);
	char *alias = other_new(probe ? probe->symbol : NULL);
	VEC(struct suppress_frame) list = { 0 };
	struct frames frames;
	int found;

	vec_push(&list, ((struct suppress_frame){ .function = probe ? probe->name : NULL,
						  .symbol = probe ? probe->symbol : NULL,
						  .alias = alias }));
	frames_of(&frames, sym, heap, s, true);
	for (size_t i = 0; i < frames.v.n; i++)
		vec_push(&list, as_seen(&frames.v.v[i]));
	found = suppressions_find(list_of, kind, list.v, list.n);
	vec_release(&frames.v);
	vec_release(&list);
	free(alias);
	return found;
}

int suppression_of(const struct heap *heap, const struct report_opts *opts, struct symbolizer *sym,
		   uint32_t stack, unsigned kind)
{
	const struct heap_stack *s = heap_stack(heap, stack);
	bool keeps = heap != opts->diff; /* ids are those of the run that is reported */
	int found = !s || !opts->suppressions ? -1 :
		    keeps ? suppressions_known(opts->suppressions, stack, kind) : -2;

	if (found != -2)
		return found;
	found = look_up(heap, opts->suppressions, sym, s, kind);
	if (keeps)
		suppressions_keep(opts->suppressions, stack, kind, found);
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
		const struct heap_stack *s = l->suppressed ? NULL : l->row->stack;
		int rule = s ? suppression_of(v->heap, t->opts, t->sym, s->id, l->kind) : -1;

		if (rule < 0)
			continue;
		take(v, l, l->blocks, l->bytes, (size_t)rule);
		entry_of(v, (size_t)rule)->leaks++;
		if (suppression_takes_held(t->opts->suppressions, (size_t)rule))
			take_held(t, l, (size_t)rule);
	}
}

/* -- errors --------------------------------------------------------------------- */

bool error_is_of_free(enum error_kind kind)
{
	return kind == ERROR_MISMATCHED_FREE || kind == ERROR_DOUBLE_FREE ||
	       kind == ERROR_INVALID_FREE;
}

static void take_error(struct view *v, const struct view_error *ve, size_t rule)
{
	uint64_t n = ve->e->count;

	v->errors -= MIN(n, v->errors);
	v->suppressed_errors += n;
	entry_of(v, rule)->errors += n;
	if (ve->row != NO_ROW) {
		struct view_stack *row = &v->stacks.v[ve->row];

		row->errors -= n;
		*(ve->e->kind == ERROR_MISMATCHED_FREE ? &row->mismatched : &row->badfree) -= n;
	}
}

/* What matches is the faulty call's stack. */
static void suppress_errors(struct taking *t, struct view_proc *vp)
{
	size_t kept = 0;

	for (size_t i = 0; i < vp->errors.n; i++) {
		const struct view_error *ve = &vp->errors.v[i];
		int rule = !error_is_of_free(ve->e->kind) ? -1 :
			   suppression_of(t->v->heap, t->opts, t->sym, ve->e->at, SUPPRESS_FREE);

		if (rule >= 0)
			take_error(t->v, ve, (size_t)rule);
		else
			vp->errors.v[kept++] = *ve;
	}
	vp->errors.n = kept;
}

static int by_bytes(const void *pa, const void *pb)
{
	const struct view_suppressed *a = pa, *b = pb;

	if (a->bytes != b->bytes)
		return a->bytes < b->bytes ? 1 : -1;
	if (a->errors != b->errors)
		return a->errors < b->errors ? 1 : -1;
	return a->rule < b->rule ? -1 : a->rule > b->rule;
}

void view_suppress(struct view_procs *vp, const struct report_opts *opts, struct symbolizer *sym)
{
	struct taking t = { .sym = sym, .opts = opts };

	if (!opts->suppressions || !suppressions_count(opts->suppressions))
		return;
	for (size_t i = 0; i < vp->v.n; i++) {
		t.v = &vp->v.v[i].now;
		t.indirect = (struct u64map)U64MAP_INIT;
		suppress(&t);
		suppress_errors(&t, &vp->v.v[i]);
		u64map_release(&t.indirect);
		if (t.v->suppressed.n)
			qsort(t.v->suppressed.v, t.v->suppressed.n, sizeof t.v->suppressed.v[0],
			      by_bytes);
	}
}
