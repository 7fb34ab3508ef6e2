/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A picture of a heap: where its blocks lie in the memory it has, and what is free
 * between them.  Made from addresses alone, so that it is the same for the heap of a
 * process and for one of which a log tells. */
#ifndef MTRACE_REPORT_HEAPMAP_H
#define MTRACE_REPORT_HEAPMAP_H

#include "base/types.h"

struct report_opts;
struct report_page;
struct strbuf;

/* What an allocator takes for a block:
 *
 *   addr - header  addr                 addr + size
 *        ┌────────┬────────────────────┬───────────┐
 *        │ header │ data                 rounding  │  a multiple of `align` in all,
 *        └────────┴────────────────────────────────┘  and at least `min`
 *
 * The rounding is drawn and counted as data: nobody else can have it. */
struct heapmap_layout {
	uint32_t header;       /* 0: unknown, none is drawn */
	uint32_t align;        /* 0 or 1: sizes are as they are */
	uint32_t min;
};

struct heapmap_range {
	taddr_t start, end;
};

/* A stretch of memory that a heap has.  Strings and ranges stay the caller's, and live
 * as long as the map. */
struct heapmap_region {
	taddr_t start;
	uint64_t size;
	const char *name;      /* "brk heap", "arena 2" */
	struct heapmap_layout layout;
	uint64_t lead;         /* its first bytes are the allocator's own */
	bool fixed;            /* it cannot grow: what finds no room fails */
	bool brief;            /* one of many: not drawn while all of it is in use, or when
				  more is free in others */
	bool resident_known;
	const struct heapmap_range *resident; /* what of it is in memory: ascending, none
				  on another */
	size_t nresident;
};

struct heapmap_block {
	taddr_t addr;
	uint64_t size;         /* as requested */
};

/* Of a region, or of all. */
struct heapmap_figures {
	uint64_t size, free;
	uint64_t pieces;       /* free ones */
	uint64_t largest;      /* of them */
	uint64_t request;      /* the largest that finds room there: less header and
				  rounding */
	uint64_t blocks;
	uint64_t resident;     /* bytes in memory … */
	bool resident_known;   /* … when that is known */
};

struct heapmap;

/* Regions and blocks in any order.  Of regions that overlap the later one loses what
 * is common. */
struct heapmap *heapmap_new(const struct heapmap_region *regions, size_t nregions,
			    const struct heapmap_block *blocks, size_t nblocks);
void heapmap_free(struct heapmap *);

/* By address. */
size_t heapmap_nregions(const struct heapmap *);
const struct heapmap_region *heapmap_region(const struct heapmap *, size_t i);
const struct heapmap_figures *heapmap_figures(const struct heapmap *, size_t i);
/* Of all regions together. */
const struct heapmap_figures *heapmap_total(const struct heapmap *);
/* 1 - largest / free; 0 where nothing is free. */
double heapmap_fragmentation(const struct heapmap_figures *);
/* Blocks that are in no region, or reach out of theirs; that overlap one before them. */
uint64_t heapmap_outside(const struct heapmap *);
uint64_t heapmap_overlapping(const struct heapmap *);

/* "1,204 bytes free in 17 pieces, the largest 96: a request for 128 cannot succeed".
 * No line end.  Appended, as all that follow. */
void heapmap_failure(const struct heapmap *, uint64_t request, struct strbuf *out);

/* Reads "START:SIZE[:HEADER]": 0x20000000:20K:4.  NULL; or what is wrong with it, to
 * follow the text. */
const char *heapmap_region_parse(const char *text, struct heapmap_region *out);

#define HEAPMAP_ALL SIZE_MAX

/* The picture of one region or of all, each with its free pieces, largest first, as
 * many as opts->max_stacks says, and its figures. */
void report_heapmap(const struct heapmap *, size_t region, const struct report_opts *,
		    const struct report_page *, struct strbuf *out);

#endif
