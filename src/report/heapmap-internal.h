/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What heapmap.c makes and heapmap-draw.c draws. */
#ifndef MTRACE_SRC_REPORT_HEAPMAP_INTERNAL_H
#define MTRACE_SRC_REPORT_HEAPMAP_INTERNAL_H

#include "base/vec.h"
#include "report/heapmap.h"
#include "text.h"

/* What is not free, in ascending order; no two overlap. */
struct heapmap_span {
	taddr_t start, end;
	bool header;
};

struct heapmap_piece {
	taddr_t start;
	uint64_t size;
};

struct heapmap_part {
	struct heapmap_region r;
	struct heapmap_figures f;
	size_t span, nspans;   /* of the map's spans */
	size_t piece;          /* of the map's pieces: f.pieces of them, by address */
};

struct heapmap {
	VEC(struct heapmap_part) parts;
	VEC(struct heapmap_span) spans;
	VEC(struct heapmap_piece) pieces;
	struct heapmap_figures total;
	uint64_t outside, overlapping;
};

/* In a report; all regions. */
void text_heapmap(struct text *t, const struct heapmap *map);
/* heapinfo.c: the table of their figures. */
struct heapinfo;
void text_heapinfo(struct text *t, const struct heapmap *map, const struct heapinfo *info);
void heapmap_add_figures(struct heapmap_figures *sum, const struct heapmap_figures *f);
/* Has any page of [start, end) content?  True where that is not known. */
bool heapmap_is_resident(const struct heapmap_region *r, taddr_t start, taddr_t end);

#endif
