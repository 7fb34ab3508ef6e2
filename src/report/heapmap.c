/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From regions and blocks, sorted, to spans that are in use and pieces that are free,
 * in one pass.  Nothing of what is given is trusted: sizes may wrap around, blocks lie
 * on one another or nowhere. */
#include <stdlib.h>
#include <string.h>

#include "heapmap-internal.h"

/* One region while it is filled. */
struct filling {
	struct heapmap *map;
	struct heapmap_part *part;
	taddr_t start, end;    /* of the region */
	taddr_t solid;         /* up to here blocks are, rounding apart */
};

static taddr_t add_saturated(taddr_t a, uint64_t b)
{
	return a + b < a ? UINT64_MAX : a + b;
}

static uint64_t round_up(uint64_t v, uint32_t to)
{
	uint64_t rest = to > 1 ? v % to : 0;

	return rest ? add_saturated(v, to - rest) : v;
}

/* -- spans ------------------------------------------------------------------------- */

static void add_span(struct filling *f, taddr_t start, taddr_t end, bool header)
{
	if (start < end)
		vec_push(&f->map->spans, (struct heapmap_span){ start, end, header });
}

/* A block begins here, so what the one before was rounded up by ends here. */
static void trim_rounding(struct filling *f, taddr_t at)
{
	struct heapmap *m = f->map;
	struct heapmap_span *last = m->spans.n > f->part->span ? &m->spans.v[m->spans.n - 1] : NULL;

	if (!last || last->end <= at)
		return;
	last->end = MAX(at, MIN(f->solid, last->end));
	if (last->end <= last->start)
		m->spans.n--;
}

static void add_block(struct filling *f, const struct heapmap_block *b)
{
	const struct heapmap_layout *l = &f->part->r.layout;
	uint32_t header = (uint32_t)MIN((uint64_t)l->header, b->addr - f->start);
	uint64_t room = round_up(add_saturated(b->size, header), l->align);
	taddr_t from = b->addr - header, true_end = add_saturated(b->addr, b->size);
	taddr_t to = add_saturated(from, MAX(room, (uint64_t)l->min));

	f->map->outside += b->size > f->end - b->addr;
	f->map->overlapping += from < f->solid;
	trim_rounding(f, from);
	from = MAX(from, f->solid);
	to = MIN(to, f->end);
	add_span(f, from, MIN(b->addr, f->end), true);
	add_span(f, MAX(from, b->addr), to, false);
	f->solid = MAX(f->solid, MIN(true_end, f->end));
	f->part->f.blocks++;
}

/* -- what is free ------------------------------------------------------------------- */

/* The largest request for which there is room in a free piece: its block must lie at
 * a multiple of the alignment. */
static uint64_t request_of(const struct heapmap_layout *l, taddr_t start, uint64_t size)
{
	uint64_t pad = round_up(add_saturated(start, l->header), l->align) - start - l->header;
	uint64_t room = size - MIN(pad, size);

	if (l->align > 1)
		room -= room % l->align;
	return room >= l->min && room > l->header ? room - l->header : 0;
}

static void add_piece(struct filling *f, taddr_t start, taddr_t end)
{
	struct heapmap_figures *of = &f->part->f;
	uint64_t size = end - start;

	if (start >= end)
		return;
	vec_push(&f->map->pieces, (struct heapmap_piece){ start, size });
	of->free += size;
	of->pieces++;
	of->largest = MAX(of->largest, size);
	of->request = MAX(of->request, request_of(&f->part->r.layout, start, size));
}

static void add_pieces(struct filling *f)
{
	const struct heapmap *m = f->map;
	taddr_t at = f->start;

	for (size_t i = f->part->span; i < m->spans.n; i++) {
		add_piece(f, at, m->spans.v[i].start);
		at = m->spans.v[i].end;
	}
	add_piece(f, at, f->end);
}

/* -- residency ----------------------------------------------------------------------- */

/* The first range that ends behind `at`. */
static size_t range_behind(const struct heapmap_region *r, taddr_t at)
{
	size_t lo = 0, hi = r->nresident;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (r->resident[mid].end > at)
			hi = mid;
		else
			lo = mid + 1;
	}
	return lo;
}

bool heapmap_is_resident(const struct heapmap_region *r, taddr_t start, taddr_t end)
{
	size_t i = r->resident_known ? range_behind(r, start) : 0;

	return !r->resident_known || (i < r->nresident && r->resident[i].start < end);
}

static void count_resident(struct heapmap_part *part)
{
	const struct heapmap_region *r = &part->r;
	taddr_t end = r->start + r->size;

	part->f.resident_known = r->resident_known;
	for (size_t i = range_behind(r, r->start); i < r->nresident && r->resident[i].start < end; i++)
		part->f.resident += MIN(r->resident[i].end, end) - MAX(r->resident[i].start, r->start);
}

/* -- regions --------------------------------------------------------------------------- */

static int by_start(const void *pa, const void *pb)
{
	const struct heapmap_part *a = pa, *b = pb;

	return a->r.start < b->r.start ? -1 : a->r.start > b->r.start;
}

static int by_address(const void *pa, const void *pb)
{
	const struct heapmap_block *a = pa, *b = pb;

	if (a->addr != b->addr)
		return a->addr < b->addr ? -1 : 1;
	return a->size < b->size ? -1 : a->size > b->size;
}

static void cut_front(struct heapmap_region *r, taddr_t start)
{
	uint64_t gone = start - r->start;

	r->lead -= MIN(r->lead, gone);
	r->size -= MIN(r->size, gone);
	r->start = start;
}

static void take_regions(struct heapmap *m, const struct heapmap_region *regions, size_t n)
{
	size_t kept = 0;

	for (size_t i = 0; i < n; i++) {
		struct heapmap_part part = { .r = regions[i] };

		part.r.size = MIN(part.r.size, UINT64_MAX - part.r.start);
		vec_push(&m->parts, part);
	}
	if (n)
		qsort(m->parts.v, n, sizeof m->parts.v[0], by_start);
	for (size_t i = 0; i < n; i++) {
		struct heapmap_region *r = &m->parts.v[i].r, *last = kept ? &m->parts.v[kept - 1].r : NULL;

		if (last && r->start < last->start + last->size)
			cut_front(r, last->start + last->size);
		if (r->size)
			m->parts.v[kept++] = m->parts.v[i];
	}
	m->parts.n = kept;
}

/* Fills a region with those of the sorted blocks from *at on that begin in it. */
static void fill(struct heapmap *m, struct heapmap_part *part, const struct heapmap_block *b,
		 size_t n, size_t *at)
{
	struct filling f = { .map = m, .part = part, .start = part->r.start,
			     .end = part->r.start + part->r.size, .solid = part->r.start };

	part->span = m->spans.n;
	part->piece = m->pieces.n;
	part->f.size = part->r.size;
	add_span(&f, f.start, f.start + MIN(part->r.lead, part->r.size), true);
	f.solid += MIN(part->r.lead, part->r.size);
	for (; *at < n && b[*at].addr < f.start; ++*at)
		m->outside++;
	for (; *at < n && b[*at].addr < f.end; ++*at)
		add_block(&f, &b[*at]);
	part->nspans = m->spans.n - part->span;
	add_pieces(&f);
	count_resident(part);
}

void heapmap_add_figures(struct heapmap_figures *sum, const struct heapmap_figures *f)
{
	sum->size += f->size;
	sum->free += f->free;
	sum->pieces += f->pieces;
	sum->blocks += f->blocks;
	sum->resident += f->resident;
	sum->resident_known &= f->resident_known;
	sum->largest = MAX(sum->largest, f->largest);
	sum->request = MAX(sum->request, f->request);
}

struct heapmap *heapmap_new(const struct heapmap_region *regions, size_t nregions,
			    const struct heapmap_block *blocks, size_t nblocks)
{
	struct heapmap_block *sorted = xcalloc(nblocks + 1, sizeof *sorted);
	struct heapmap *m = xcalloc(1, sizeof *m);
	size_t at = 0;

	if (nblocks)
		memcpy(sorted, blocks, nblocks * sizeof *sorted);
	qsort(sorted, nblocks, sizeof *sorted, by_address);
	take_regions(m, regions, nregions);
	m->total.resident_known = m->parts.n;
	for (size_t i = 0; i < m->parts.n; i++) {
		fill(m, &m->parts.v[i], sorted, nblocks, &at);
		heapmap_add_figures(&m->total, &m->parts.v[i].f);
	}
	m->outside += nblocks - at;
	free(sorted);
	return m;
}

void heapmap_free(struct heapmap *m)
{
	if (!m)
		return;
	vec_release(&m->parts);
	vec_release(&m->spans);
	vec_release(&m->pieces);
	free(m);
}

/* -- questions ---------------------------------------------------------------------------- */

size_t heapmap_nregions(const struct heapmap *m)
{
	return m->parts.n;
}

const struct heapmap_region *heapmap_region(const struct heapmap *m, size_t i)
{
	return &m->parts.v[i].r;
}

const struct heapmap_figures *heapmap_figures(const struct heapmap *m, size_t i)
{
	return &m->parts.v[i].f;
}

const struct heapmap_figures *heapmap_total(const struct heapmap *m)
{
	return &m->total;
}

double heapmap_fragmentation(const struct heapmap_figures *f)
{
	return f->free ? 1 - (double)f->largest / (double)f->free : 0;
}

uint64_t heapmap_outside(const struct heapmap *m)
{
	return m->outside;
}

uint64_t heapmap_overlapping(const struct heapmap *m)
{
	return m->overlapping;
}
