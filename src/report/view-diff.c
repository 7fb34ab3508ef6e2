/* SPDX-License-Identifier: GPL-2.0-or-later */
/* --diff: processes and callers of two runs matched, and what became of each. */
#include <stdlib.h>
#include <string.h>

#include "base/strbuf.h"
#include "base/xalloc.h"
#include "diff-key.h"
#include "symbolize.h"

struct diff {
	struct view_procs old;
	struct symbolizer *sym; /* the old run's */
	const char *missing; /* without names only there */
	VEC(struct view_diff) v;
};

/* What is collected: of one of the two runs, into a list. */
struct collect {
	struct diff_list *list;
	struct u64map *keys; /* of callers → rows */
	const struct view *v;
	struct symbolizer *sym;
	const struct report_opts *opts;
	const char **nameless;
	bool old;
};

/* -- callers ------------------------------------------------------------------- */

/* Of several places in one function the one that holds most is shown. */
static void add_counts(struct view_stack *to, const struct view_stack *row)
{
	struct view_stack sum = *row;

	if (!to->total_blocks && !to->probe) {
		*to = *row;
		return;
	}
	if (row->open_bytes <= to->open_bytes) {
		sum.stack = to->stack;
		sum.order = to->order;
	}
	sum.open_blocks += to->open_blocks;
	sum.open_bytes += to->open_bytes;
	sum.total_blocks += to->total_blocks;
	sum.total_bytes += to->total_bytes;
	sum.released += to->released;
	sum.min_size = MIN(sum.min_size, to->min_size);
	sum.max_size = MAX(sum.max_size, to->max_size);
	sum.failed += to->failed;
	heap_product_add(&sum.product, &to->product);
	sum.last_ns = MAX(sum.last_ns, to->last_ns);
	sum.mismatched += to->mismatched;
	sum.badfree += to->badfree;
	sum.errors += to->errors;
	*to = sum;
}

/* A key has 64 bits of hash: two callers of one program do not share one. */
static struct diff_row *row_of(const struct collect *c, uint64_t key)
{
	uint64_t *at = u64map_get(c->keys, key);
	size_t n = c->list->v.n;

	if (at)
		return &c->list->v.v[*at];
	u64map_set(c->keys, key, n);
	vec_push(&c->list->v, ((struct diff_row){ .nth = n }));
	return &c->list->v.v[n];
}

static struct diff_row *add(const struct collect *c, uint64_t key, const struct view_stack *row,
			    uint64_t blocks, uint64_t bytes)
{
	struct diff_row *r = row_of(c, key);

	*(c->old ? &r->old_blocks : &r->blocks) += blocks;
	*(c->old ? &r->old_bytes : &r->bytes) += bytes;
	add_counts(c->old ? &r->was : &r->is, row);
	return r;
}

static void add_use(const struct collect *c, size_t i)
{
	const struct view_stack *row = &c->v->stacks.v[i];
	bool all = c->opts->sort && (c->opts->sort->all || c->opts->sort->some);
	uint64_t blocks = row->open_blocks, bytes = row->open_bytes;

	if (row->ignored || row->mapping || row->release || !view_counts(row))
		return;
	if (c->opts->between)
		view_row_between(c->v, i, c->opts->from, c->opts->to, &blocks, &bytes);
	if (blocks || all)
		add(c, diff_key(c->sym, c->v, row, c->nameless), row, blocks, bytes);
}

static void collect_use(const struct collect *c)
{
	uint64_t blocks = c->v->own_blocks, bytes = c->v->own_bytes;

	for (size_t i = 0; i < c->v->stacks.n; i++)
		add_use(c, i);
	if (c->opts->between)
		view_all_between(c->v, c->opts->from, c->opts->to, &blocks, &bytes);
	*(c->old ? &c->list->old_blocks : &c->list->blocks) = blocks;
	*(c->old ? &c->list->old_bytes : &c->list->bytes) = bytes;
}

static void collect_leaks(const struct collect *c)
{
	for (size_t i = 0; i < c->v->leaks.n; i++) {
		const struct view_leak *l = &c->v->leaks.v[i];
		uint64_t key;

		if (!view_lists_leak(c->opts, l) || l->row->mapping)
			continue;
		key = hash_u64(diff_key(c->sym, c->v, l->row, c->nameless) + l->kind);
		add(c, key, l->row, l->blocks, l->bytes)->kind = l->kind;
	}
	for (unsigned k = 0; k < LEAK_KINDS; k++)
		if (c->opts->leak_kinds >> k & 1) {
			*(c->old ? &c->list->old_blocks : &c->list->blocks) += c->v->kind_blocks[k];
			*(c->old ? &c->list->old_bytes : &c->list->bytes) += c->v->kind_bytes[k];
		}
}

/* -- what became of them ---------------------------------------------------------- */

enum diff_change diff_change(const struct diff_row *r)
{
	if (r->blocks == r->old_blocks && r->bytes == r->old_bytes)
		return DIFF_SAME;
	if (!r->old_blocks)
		return DIFF_NEW;
	if (!r->blocks)
		return DIFF_GONE;
	if (r->bytes != r->old_bytes)
		return r->bytes > r->old_bytes ? DIFF_GROWN : DIFF_SHRUNK;
	return r->blocks > r->old_blocks ? DIFF_GROWN : DIFF_SHRUNK;
}

static uint64_t apart(uint64_t a, uint64_t b)
{
	return a > b ? a - b : b - a;
}

/* By how much they differ in what the user sorts by. */
static uint64_t sort_value(const struct diff_row *r, const struct report_sort *sort)
{
	if (!sort)
		return apart(r->bytes, r->old_bytes);
	if (sort->moment)
		return sort->value(r->blocks || !r->old_blocks ? &r->is : &r->was);
	return apart(sort->value(&r->is), sort->value(&r->was));
}

static int descending(uint64_t a, uint64_t b)
{
	return a < b ? 1 : a > b ? -1 : 0;
}

static int compare(const void *pa, const void *pb, void *sort)
{
	const struct diff_row *a = pa, *b = pb;
	int c = descending(sort_value(a, sort), sort_value(b, sort));

	if (!c)
		c = descending(apart(a->bytes, a->old_bytes), apart(b->bytes, b->old_bytes));
	if (!c)
		c = descending(apart(a->blocks, a->old_blocks), apart(b->blocks, b->old_blocks));
	if (!c)
		c = (int)diff_change(a) - (int)diff_change(b);
	return c ? c : descending(b->nth, a->nth);
}

static void finish(struct diff_list *l, const struct report_sort *sort)
{
	for (size_t i = 0; i < l->v.n; i++)
		l->n[diff_change(&l->v.v[i])] += l->v.v[i].blocks || l->v.v[i].old_blocks;
	if (l->v.n)
		qsort_r(l->v.v, l->v.n, sizeof l->v.v[0], compare, (void *)(uintptr_t)sort);
}

/* -- processes -------------------------------------------------------------------- */

/* The older run's processes that have no counterpart yet, by program. */
struct untaken {
	struct u64map first; /* of a program → index … */
	size_t *next;        /* … and after each: the next; 0: none */
	bool *taken;
};

static uint64_t program_of(const struct view_proc *p)
{
	const char *name = last_part(p->now.proc->exe);

	return hash_bytes(name, strlen(name), 0);
}

static void untaken_init(struct untaken *u, const struct view_procs *old)
{
	*u = (struct untaken){ .first = U64MAP_INIT };
	u->next = xcalloc(old->v.n + 1, sizeof *u->next);
	u->taken = xcalloc(old->v.n + 1, sizeof *u->taken);
	for (size_t i = old->v.n; i-- > 1;) {
		uint64_t program = program_of(&old->v.v[i]), *at = u64map_get(&u->first, program);

		u->next[i] = at ? *at : 0;
		u64map_set(&u->first, program, i);
	}
}

static void untaken_release(struct untaken *u)
{
	u64map_release(&u->first);
	free(u->next);
	free(u->taken);
}

/* The next of the same program; the first ones belong together whatever they are
 * called. */
static const struct view_proc *counterpart(struct untaken *u, const struct view_procs *old,
					   const struct view_proc *p, bool first)
{
	uint64_t *at = first ? NULL : u64map_get(&u->first, program_of(p));
	size_t i = at ? (size_t)*at : 0;

	if (!old->v.n || (!first && !i))
		return NULL;
	u->taken[i] = true;
	if (at)
		*at = u->next[i];
	return &old->v.v[i];
}

static void pair(struct diff *d, struct view_procs *vp)
{
	const struct view_procs *old = &d->old;
	struct untaken u;

	untaken_init(&u, old);
	for (size_t i = 0; i < vp->v.n; i++) {
		const struct view_proc *is = &vp->v.v[i];

		vec_push(&d->v, ((struct view_diff){ .is = is, .was = counterpart(&u, old, is, !i) }));
	}
	for (size_t i = 0; i < old->v.n; i++)
		if (!u.taken[i])
			vec_push(&d->v, ((struct view_diff){ .was = &old->v.v[i] }));
	untaken_release(&u);
	for (size_t i = 0; i < vp->v.n; i++) /* they stay where they are now */
		vp->v.v[i].now.diff = &d->v.v[i];
}

static bool has_scan(const struct view_proc *p)
{
	return !p || p->now.proc->scan.done;
}

static void compare_procs(struct diff *d, struct view_diff *vd, const struct report_opts *opts,
			  struct symbolizer *sym)
{
	const char *nameless = NULL;
	struct u64map keys = U64MAP_INIT;
	struct collect is = { .list = &vd->use, .keys = &keys, .sym = sym, .opts = opts,
			      .v = vd->is ? &vd->is->now : NULL, .nameless = &nameless };
	struct collect was = { .list = &vd->use, .keys = &keys, .sym = d->sym, .opts = opts,
			       .v = vd->was ? &vd->was->now : NULL, .nameless = &d->missing,
			       .old = true };

	if (is.v)
		collect_use(&is);
	if (was.v)
		collect_use(&was);
	u64map_release(&keys);
	finish(&vd->use, opts->sort);
	if (nameless) /* so it is without names in both */
		d->missing = NULL;
	vd->scanned = has_scan(vd->is) && has_scan(vd->was);
	if (!vd->scanned)
		return;
	keys = (struct u64map)U64MAP_INIT;
	is.list = was.list = &vd->leaks;
	if (is.v)
		collect_leaks(&is);
	if (was.v)
		collect_leaks(&was);
	u64map_release(&keys);
	finish(&vd->leaks, NULL);
}

void view_diff_build(struct view_procs *vp, const struct report_opts *opts,
		     struct symbolizer *sym)
{
	struct diff *d;

	if (!opts->diff)
		return;
	vp->diff = d = xcalloc(1, sizeof *d);
	d->sym = symbolizer_new(opts->diff, opts);
	view_procs_build(&d->old, opts->diff);
	view_suppress(&d->old, opts, d->sym);
	for (size_t i = 0; i < d->old.v.n; i++)
		view_ignore(&d->old.v.v[i].now, d->sym, opts);
	pair(d, vp);
	for (size_t i = 0; i < d->v.n; i++)
		compare_procs(d, &d->v.v[i], opts, sym);
}

void diff_free(struct diff *d)
{
	if (!d)
		return;
	for (size_t i = 0; i < d->v.n; i++) {
		vec_release(&d->v.v[i].use.v);
		vec_release(&d->v.v[i].leaks.v);
	}
	vec_release(&d->v);
	view_procs_release(&d->old);
	symbolizer_free(d->sym);
	free(d);
}

size_t diff_count(const struct diff *d)
{
	return d->v.n;
}

const struct view_diff *diff_at(const struct diff *d, size_t i)
{
	return &d->v.v[i];
}

struct symbolizer *diff_symbolizer(const struct diff *d)
{
	return d->sym;
}

const char *diff_missing(const struct diff *d)
{
	return d->missing;
}

const struct diff_list *diff_listed(const struct view_diff *d, const struct report_opts *opts)
{
	return opts->list_leaks && d->scanned ? &d->leaks : &d->use;
}
