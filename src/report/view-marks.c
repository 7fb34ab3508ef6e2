/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is open by the marks between which it was allocated. */
#include <stdlib.h>

#include "view.h"

static int compare(const void *pa, const void *pb)
{
	const struct view_aged *a = pa, *b = pb;

	if (a->row != b->row)
		return a->row < b->row ? -1 : 1;
	return a->mark < b->mark ? -1 : a->mark > b->mark;
}

/* Stacks that are one row become one entry. */
static void merge(struct view *v)
{
	size_t n = 0;

	for (size_t i = 0; i < v->aged.n; i++) {
		struct view_aged *last = n ? &v->aged.v[n - 1] : NULL;

		if (last && !compare(last, &v->aged.v[i])) {
			last->blocks += v->aged.v[i].blocks;
			last->bytes += v->aged.v[i].bytes;
		} else {
			v->aged.v[n++] = v->aged.v[i];
		}
	}
	v->aged.n = n;
}

void view_marks_build(struct view *v, struct u64map *rows)
{
	for (size_t i = 0; i < v->proc->aged.n; i++) {
		const struct heap_aged *a = &v->proc->aged.v[i];

		if (a->blocks <= 0)
			continue;
		vec_push(&v->aged,
			 ((struct view_aged){ view_row(v, rows, heap_stack(v->heap, a->stack)), a->mark,
					      (uint64_t)a->blocks, (uint64_t)MAX(a->bytes, 0) }));
	}
	if (v->aged.n)
		qsort(v->aged.v, v->aged.n, sizeof v->aged.v[0], compare);
	merge(v);
}

size_t view_first_aged(const struct view *v, size_t row)
{
	size_t lo = 0, hi = v->aged.n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (v->aged.v[mid].row < row)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

/* Without --between: from the first mark to the last, so that what the program
 * needs to get going is left out, and what has only just been allocated too;
 * from the only one until now. */
bool view_between(const struct heap *heap, const struct report_opts *opts, uint32_t *from,
		  uint32_t *to)
{
	uint32_t n = heap_nmarks(heap);

	if (!n)
		return false;
	*from = opts->between ? opts->from : 1;
	*to = opts->between ? opts->to : n > 1 ? n : UINT32_MAX;
	return true;
}

/* What is in v->aged is not older than the first mark; the rest is. */
static void add_older(uint64_t open_blocks, uint64_t open_bytes, uint64_t marked_blocks,
		      uint64_t marked_bytes, uint64_t *blocks, uint64_t *bytes)
{
	*blocks += open_blocks - MIN(marked_blocks, open_blocks);
	*bytes += open_bytes - MIN(marked_bytes, open_bytes);
}

void view_row_between(const struct view *v, size_t row, uint32_t from, uint32_t to,
		      uint64_t *blocks, uint64_t *bytes)
{
	uint64_t all_blocks = 0, all_bytes = 0;

	*blocks = *bytes = 0;
	for (size_t i = view_first_aged(v, row); i < v->aged.n && v->aged.v[i].row == row; i++) {
		const struct view_aged *a = &v->aged.v[i];
		bool in = a->mark >= from && a->mark < to;

		all_blocks += a->blocks;
		all_bytes += a->bytes;
		*blocks += in ? a->blocks : 0;
		*bytes += in ? a->bytes : 0;
	}
	if (!from && to)
		add_older(v->stacks.v[row].open_blocks, v->stacks.v[row].open_bytes, all_blocks,
			  all_bytes, blocks, bytes);
}

void view_all_between(const struct view *v, uint32_t from, uint32_t to, uint64_t *blocks,
		      uint64_t *bytes)
{
	uint64_t all_blocks = 0, all_bytes = 0;

	*blocks = *bytes = 0;
	for (size_t i = 0; i < v->aged.n; i++) {
		const struct view_aged *a = &v->aged.v[i];
		bool in = a->mark >= from && a->mark < to;

		all_blocks += a->blocks;
		all_bytes += a->bytes;
		*blocks += in ? a->blocks : 0;
		*bytes += in ? a->bytes : 0;
	}
	if (!from && to)
		add_older(v->own_blocks, v->own_bytes, all_blocks, all_bytes, blocks, bytes);
}
