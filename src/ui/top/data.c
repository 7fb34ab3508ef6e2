/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Figures, and their change from second to second. */
#include <stdlib.h>

#include "base/clock.h"
#include "top.h"

/* -- numbers ---------------------------------------------------------------------- */

uint64_t top_rate(uint64_t before, uint64_t now, uint64_t ns)
{
	if (now <= before || !ns)
		return 0; /* counts began anew */
	return (uint64_t)((double)(now - before) * (double)NS_PER_S / (double)ns + 0.5);
}

void top_human(struct strbuf *sb, uint64_t v, unsigned unit)
{
	static const char letters[] = "kMGTPE";
	double scaled = (double)v;
	int i = -1;

	if (v < 10000) {
		strbuf_addf(sb, "%u", (unsigned)v);
		return;
	}
	/* 999.95 would be written as 1000.0, which is a column too many. */
	while (scaled >= (i < 0 ? unit : 999.95) && letters[i + 1]) {
		scaled /= unit;
		i++;
	}
	strbuf_addf(sb, "%.1f%c", scaled, letters[i]);
}

/* -- the graph -------------------------------------------------------------------- */

void top_history_add(struct top_history *h, uint64_t v)
{
	h->v[h->n++ % TOP_HISTORY] = v;
}

unsigned top_per_column(const struct top_history *h, unsigned columns)
{
	uint64_t have = MIN(h->n, (uint64_t)TOP_HISTORY);

	return have <= columns || !columns ? 1 : (unsigned)((have + columns - 1) / columns);
}

/* Sample i is always in a column with the same others, so that bars do not flicker as
 * they move to the left; the oldest one may be shown in part. */
unsigned top_columns(const struct top_history *h, unsigned columns, uint64_t *out)
{
	uint64_t oldest = h->n - MIN(h->n, (uint64_t)TOP_HISTORY);
	unsigned per = top_per_column(h, columns), n = 0;
	uint64_t end, from;

	if (!h->n || !columns)
		return 0;
	end = (h->n - 1) / per + 1; /* column behind the last */
	from = end - MIN(end, (uint64_t)columns);
	for (uint64_t c = MAX(from, oldest / per); c < end; c++) {
		uint64_t max = 0;

		for (uint64_t i = MAX(c * per, oldest); i < MIN((c + 1) * per, h->n); i++)
			max = MAX(max, h->v[i % TOP_HISTORY]);
		out[n++] = max;
	}
	return n;
}

unsigned top_eighths(uint64_t v, uint64_t max, unsigned lines)
{
	unsigned n;

	if (!v || !max)
		return 0;
	n = (unsigned)((double)MIN(v, max) / (double)max * (lines * 8) + 0.5);
	return MAX(n, 1u);
}

/* -- rows ------------------------------------------------------------------------- */

uint64_t top_value(const struct top_row *row, enum top_key key)
{
	switch (key) {
	case TOP_BYTES:     return row->is.open_bytes;
	case TOP_BLOCKS:    return row->is.open_blocks;
	case TOP_BYTE_RATE: return row->byte_rate;
	case TOP_CALL_RATE: return row->call_rate;
	case TOP_FAILED:    return row->is.failed;
	case TOP_LOST:      return row->is.lost_bytes;
	case TOP_KEYS:      break;
	}
	return 0;
}

/* What is equal stays in the order of first use, or lines would jump. */
static int compare(const void *pa, const void *pb, void *arg)
{
	const struct top_row *a = pa, *b = pb;
	enum top_key keys[] = { *(const enum top_key *)arg, TOP_BYTES, TOP_BLOCKS };

	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		uint64_t x = top_value(a, keys[i]), y = top_value(b, keys[i]);

		if (x != y)
			return x < y ? 1 : -1;
	}
	return a->is.stack < b->is.stack ? -1 : a->is.stack > b->is.stack;
}

void top_sort(struct top_data *d)
{
	if (d->rows.n)
		qsort_r(d->rows.v, d->rows.n, sizeof *d->rows.v, compare, &d->key);
}

static struct top_row row_since(const struct top_data *d, const struct report_row *is, uint64_t ns)
{
	const uint64_t *at = u64map_get(&d->stacks, is->stack);
	const struct report_row *was = at ? &d->before.v[*at] : NULL;

	return (struct top_row){ *is, top_rate(was ? was->total_bytes : 0, is->total_bytes, ns),
				 top_rate(was ? was->total_blocks : 0, is->total_blocks, ns) };
}

static void remember_rows(struct top_data *d, const struct report_row *rows, size_t n)
{
	u64map_release(&d->stacks);
	d->before.n = 0;
	for (size_t i = 0; i < n; i++) {
		u64map_set(&d->stacks, rows[i].stack, i);
		vec_push(&d->before, rows[i]);
	}
}

static void sample_rows(struct top_data *d, const struct heap *heap, uint64_t ns)
{
	struct report_row *rows;
	size_t n = report_rows(heap, d->proc, &rows);

	d->rows.n = 0;
	for (size_t i = 0; i < n; i++)
		vec_push(&d->rows, row_since(d, &rows[i], ns));
	remember_rows(d, rows, n);
	free(rows);
	top_sort(d);
}

static void sample_totals(struct top_data *d, uint64_t ns)
{
	const struct heap_totals *t = &d->proc->total;

	d->alloc_rate = top_rate(d->allocs, t->allocs, ns);
	d->free_rate = top_rate(d->frees, t->frees, ns);
	d->byte_rate = top_rate(d->bytes, t->bytes_allocated, ns);
	d->allocs = t->allocs;
	d->frees = t->frees;
	d->bytes = t->bytes_allocated;
}

/* -- processes -------------------------------------------------------------------- */

/* Is it what the pid is now? */
static bool is_present(const struct heap *heap, const struct heap_proc *p)
{
	return heap_proc_find(heap, p->pid) == p;
}

static const struct heap_proc *choose(const struct top_data *d, const struct heap *heap)
{
	const struct heap_proc *any = NULL, *p;

	if (d->pid && (p = heap_proc_find(heap, d->pid)))
		return p;
	for (size_t i = 0; i < heap_nprocs(heap); i++) {
		p = heap_proc_at(heap, i);
		if (!is_present(heap, p))
			continue;
		if (!p->ended)
			return p;
		any = any ? any : p;
	}
	return any;
}

void top_next_process(struct top_data *d, const struct heap *heap)
{
	size_t n = heap_nprocs(heap), at = 0;

	while (at < n && heap_proc_at(heap, at) != d->proc)
		at++;
	for (size_t k = 1; k <= n; k++) {
		const struct heap_proc *p = heap_proc_at(heap, (at + k) % n);

		if (!is_present(heap, p))
			continue;
		d->pid = p->pid;
		return;
	}
}

/* Another image: what was before says nothing of it. */
static void begin_anew(struct top_data *d)
{
	d->nth = d->proc->nth;
	d->at_ns = 0;
	d->history.n = 0;
	remember_rows(d, NULL, 0);
}

void top_sample(struct top_data *d, const struct heap *heap, uint64_t now_ns)
{
	uint64_t ns;

	d->proc = choose(d, heap);
	d->rows.n = 0;
	if (!d->proc)
		return;
	d->pid = d->proc->pid;
	if (!d->at_ns || d->nth != d->proc->nth)
		begin_anew(d);
	/* Of the first sample nothing is known but what there is: no rates. */
	ns = d->at_ns ? now_ns - d->at_ns : 0;
	sample_totals(d, ns);
	sample_rows(d, heap, ns);
	top_history_add(&d->history, d->proc->total.open_bytes);
	d->at_ns = now_ns;
}

void top_data_release(struct top_data *d)
{
	vec_release(&d->rows);
	vec_release(&d->before);
	u64map_release(&d->stacks);
}
