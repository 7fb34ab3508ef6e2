/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/msg.h"
#include "trace/glibc-view.h"
#include "trace/heaps.h"
#include "trace/pages.h"
#include "trace/recorder.h"
#include "trace/tracer.h"
#include "trace/world.h"

struct mapping {
	taddr_t start, end;
	uint64_t lead; /* in front of that, for its alignment */
};

/* One process while it is told. */
struct heaps {
	struct proc *p;
	struct pages pages;
	struct maps maps;
	bool *holds;           /* for each line: blocks are in it, and nothing else says so */
	struct glibc_heap glibc; /* its regions; none: another allocator, or not understood */
	VEC(struct mapping) mappings; /* of glibc's blocks that have one each */
	/* the region that is told */
	struct event ev;
	uint64_t runs[HEAP_RUNS];
	taddr_t at;            /* up to here it is known what is in memory */
};

/* -- telling ------------------------------------------------------------------------------ */

static void flush_runs(struct heaps *h)
{
	h->ev.u.heap.runs = h->runs;
	record_event(h->p, &h->ev);
	h->ev.u.heap.nruns = 0;
}

static void add_run(struct heaps *h, taddr_t end)
{
	h->runs[h->ev.u.heap.nruns++] = (end - h->at) / h->pages.page;
	h->at = end;
}

/* A full event ends with pages that have content, and so the next begins with those
 * that have not. */
static void add_present(void *arg, taddr_t start, taddr_t end)
{
	struct heaps *h = arg;

	if (h->ev.u.heap.nruns == HEAP_RUNS)
		flush_runs(h);
	add_run(h, start);
	add_run(h, end);
}

static void tell_region(struct heaps *h, enum heap_kind kind, taddr_t start, taddr_t end,
			uint64_t lead)
{
	uint64_t page = h->pages.page;

	h->ev.u.heap.kind = kind;
	h->ev.u.heap.start = start;
	h->ev.u.heap.size = end - start;
	h->ev.u.heap.lead = lead;
	h->ev.u.heap.page = h->pages.fd >= 0 ? (uint32_t)page : 0;
	h->at = start & -page;
	if (h->pages.fd >= 0)
		pages_each(&h->pages, h->at, (end + page - 1) & -page, false, add_present, h);
	flush_runs(h);
	h->ev.u.heap.nr++;
}

/* -- blocks that are elsewhere ---------------------------------------------------------------- */

static bool is_known(const struct heaps *h, taddr_t addr)
{
	for (size_t i = 0; i < h->glibc.regions.n; i++)
		if (addr >= h->glibc.regions.v[i].start && addr < h->glibc.regions.v[i].end)
			return true;
	return false;
}

/* Before the block in a chunk with a mapping of its own: prev_size and size, and what its
 * alignment wants. */
static uint32_t mapped_header(const struct heaps *h)
{
	return MAX(2u * h->p->abi->word, (uint32_t)h->p->abi->malloc_align);
}

/* Of glibc's heap they are chunks with mappings of their own; neighbours may be one line
 * of the maps, together with what is none of the heap's. */
static void add_mapping(struct heaps *h, const struct open_block *b)
{
	uint64_t page = h->pages.page;
	taddr_t header = b->addr - mapped_header(h), start = header & -page;

	vec_push(&h->mappings, (struct mapping){ start, (b->addr + b->size + page - 1) & -page,
						 header - start });
}

static int take_block(void *arg, const struct open_block *b)
{
	struct heaps *h = arg;
	const struct map_line *l;

	if (is_known(h, b->addr))
		return 0;
	l = maps_find(&h->maps, b->addr);
	if (!l || !glibc_is_anonymous(l))
		return 0;
	if (h->glibc.regions.n)
		add_mapping(h, b);
	else
		h->holds[l - h->maps.lines.v] = true;
	return 0;
}

static int by_start(const void *pa, const void *pb)
{
	const struct mapping *a = pa, *b = pb;

	return a->start < b->start ? -1 : a->start > b->start;
}

static void merge_mappings(struct heaps *h)
{
	size_t n = 0;

	if (h->mappings.n)
		qsort(h->mappings.v, h->mappings.n, sizeof h->mappings.v[0], by_start);
	for (size_t i = 0; i < h->mappings.n; i++) {
		const struct mapping *r = &h->mappings.v[i];

		if (n && r->start <= h->mappings.v[n - 1].end)
			h->mappings.v[n - 1].end = MAX(r->end, h->mappings.v[n - 1].end);
		else
			h->mappings.v[n++] = *r;
	}
	h->mappings.n = n;
}

/* -- all of it --------------------------------------------------------------------------------- */

static void find_regions(struct heaps *h, pid_t tid)
{
	struct glibc_program g = { .module = NULL };
	char why[100] = "";
	int err = glibc_program_build(&g, h->p, tid, why, sizeof why);

	if (!err && glibc_outline(&g.v, &h->glibc))
		memset(&h->glibc, 0, sizeof h->glibc);
	else if (!err)
		glibc_block_layout(&g.v, &h->ev.u.heap.header, &h->ev.u.heap.align, &h->ev.u.heap.min);
	glibc_program_release(&g);
	openset_each(h->p->open, take_block, h);
	merge_mappings(h);
}

static void tell_glibc(struct heaps *h)
{
	for (size_t i = 0; i < h->glibc.regions.n; i++) {
		const struct glibc_region *r = &h->glibc.regions.v[i];

		h->ev.u.heap.arena = r->arena;
		tell_region(h, r->arena ? HEAP_ARENA : HEAP_BREAK, r->start, r->end, r->lead);
	}
	/* Whole pages belong to these. */
	h->ev.u.heap.arena = 0;
	h->ev.u.heap.header = mapped_header(h);
	h->ev.u.heap.align = (uint32_t)h->pages.page;
	h->ev.u.heap.min = 0;
	for (size_t i = 0; i < h->mappings.n; i++)
		tell_region(h, HEAP_MAPPING, h->mappings.v[i].start, h->mappings.v[i].end,
			    h->mappings.v[i].lead);
}

static void tell_lines(struct heaps *h)
{
	for (size_t i = 0; i < h->maps.lines.n; i++) {
		const struct map_line *l = &h->maps.lines.v[i];

		if (h->holds[i])
			tell_region(h, strcmp(l->path, "[heap]") ? HEAP_MAPPING : HEAP_BREAK, l->start,
				    l->end, 0);
	}
}

static void tell(struct heaps *h)
{
	if (h->glibc.regions.n)
		tell_glibc(h);
	else
		tell_lines(h);
	if (!h->ev.u.heap.nr)
		flush_runs(h); /* HEAP_NONE */
}

/* With its tasks stopped. */
static void tell_now(struct proc *p)
{
	const struct task *t = proc_stopped_task(p);
	struct heaps h = { .p = p, .ev.type = EV_HEAP };

	if (!t || maps_read(&h.maps, t->tid))
		return;
	pages_open(&h.pages, t->tid);
	h.holds = xcalloc(h.maps.lines.n + 1, sizeof *h.holds);
	find_regions(&h, t->tid);
	tell(&h);
	free(h.holds);
	pages_close(&h.pages);
	maps_release(&h.maps);
	glibc_heap_release(&h.glibc);
	vec_release(&h.mappings);
}

/* Those of a census have been told as sums only. */
void heaps_tell_last(struct proc *p)
{
	uint32_t at = 0;
	bool hold;

	while (!p->from_launch && record_blocks(p, &at, &hold))
		;
	tell_now(p);
}

bool heaps_wanted(const struct proc *p)
{
	return p->session->opts->heaps && p->abi && p->open && p->state == PROC_TRACING;
}

int heaps_now(struct proc *p)
{
	struct world w;
	int err = world_stop(&w, p);

	if (err)
		return err;
	tell_now(p);
	world_resume(&w);
	return 0;
}
