/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdlib.h>
#include <string.h>

#include "base/strbuf.h"
#include "base/vec.h"
#include "report/report.h"
#include "ui/heaps.h"

struct told {
	struct heapmap_region r;
	uint32_t nr;
	uint64_t page;
	taddr_t at;            /* runs go on here … */
	bool present;          /* … with pages that have content */
	VEC(struct heapmap_range) resident;
};

/* Of targets that ask in vain all the time not every refusal has its reason looked for: so
 * many blocks are looked at. */
#define MAX_LOOKED 20000000

struct proc_heaps {
	pid_t pid;
	VEC(struct told) regions;
	VEC(char *) names;
	struct heapinfo *info;
	struct report_refusal refusal; /* why NULL: none, or not known */
	char *why;
};

struct heaps {
	struct event_sink sink;
	struct event_sink *next;
	const struct blocks *blocks;
	VEC(struct proc_heaps *) procs;
	struct u64map by_pid;
	const struct heapmap_region *given; /* --heap */
	size_t ngiven;
	uint64_t looked;       /* blocks, for the reasons of refusals */
};

/* glibc's, of which the peaks are counted before it is known who the allocator is. */
static const struct heapmap_layout *layout_of(const struct event *ev)
{
	static const struct heapmap_layout layout_64 = { 8, 16, 32 }, layout_32 = { 4, 16, 16 },
					   layout_arm = { 4, 8, 16 };

	if (ev->u.proc.word != 4)
		return &layout_64;
	return ev->u.proc.abi && !strcmp(ev->u.proc.abi, "ARM") ? &layout_arm : &layout_32;
}

/* -- regions ----------------------------------------------------------------------------- */

static void forget_regions(struct proc_heaps *p)
{
	for (size_t i = 0; i < p->regions.n; i++)
		vec_release(&p->regions.v[i].resident);
	vec_release(&p->regions);
	for (size_t i = 0; i < p->names.n; i++)
		free(p->names.v[i]);
	vec_release(&p->names);
}

static void forget_refusal(struct proc_heaps *p)
{
	free(p->why);
	p->why = NULL;
	p->refusal = (struct report_refusal){ 0 };
}

static const char *name_of(struct proc_heaps *p, const struct event *ev)
{
	char *name;

	if (ev->u.heap.kind == HEAP_BREAK)
		return "brk heap";
	if (ev->u.heap.kind == HEAP_FIXED)
		return "heap";
	if (ev->u.heap.kind != HEAP_ARENA)
		return "mapping";
	name = xasprintf("arena %u", ev->u.heap.arena);
	vec_push(&p->names, name);
	return name;
}

/* Pages that are half of this region count with it alone. */
static void add_runs(struct told *t, const struct event *ev)
{
	taddr_t end = t->r.start + t->r.size;

	for (uint32_t i = 0; i < ev->u.heap.nruns && t->at < end; i++) {
		uint64_t pages = MIN(ev->u.heap.runs[i], (end - t->at) / t->page + 1);
		taddr_t to = MIN(t->at + pages * t->page, end);

		if (to < t->at) /* at the end of the address space */
			to = end;
		if (t->present && to > MAX(t->at, t->r.start))
			vec_push(&t->resident, (struct heapmap_range){ MAX(t->at, t->r.start), to });
		t->at = to;
		t->present = !t->present;
	}
}

static void add_region(struct proc_heaps *p, const struct event *ev)
{
	uint64_t page = ev->u.heap.page;
	struct told t = { .nr = ev->u.heap.nr, .page = page };

	t.r = (struct heapmap_region){
		.start = ev->u.heap.start,
		.size = MIN(ev->u.heap.size, UINT64_MAX - ev->u.heap.start),
		.name = name_of(p, ev), .lead = ev->u.heap.lead,
		.layout = { ev->u.heap.header, ev->u.heap.align, ev->u.heap.min },
		.fixed = ev->u.heap.kind == HEAP_FIXED,
		.brief = ev->u.heap.kind != HEAP_BREAK && ev->u.heap.kind != HEAP_ARENA &&
			 ev->u.heap.kind != HEAP_FIXED,
		.resident_known = page && !(page & (page - 1)),
	};
	t.at = page ? t.r.start & -page : 0;
	if (t.r.resident_known)
		add_runs(&t, ev);
	if (t.r.fixed)
		heapinfo_add_region(p->info, t.r.start, t.r.size, &t.r.layout);
	vec_push(&p->regions, t);
}

static void take_heap(struct proc_heaps *p, const struct event *ev)
{
	struct told *last = p->regions.n ? &p->regions.v[p->regions.n - 1] : NULL;

	if (last && last->nr == ev->u.heap.nr && last->r.start == ev->u.heap.start) {
		if (last->r.resident_known)
			add_runs(last, ev);
		return;
	}
	if (!ev->u.heap.nr)
		forget_regions(p);
	if (ev->u.heap.kind != HEAP_NONE)
		add_region(p, ev);
}

/* --heap: nobody need tell. */
static void add_given(const struct heaps *h, struct proc_heaps *p)
{
	for (size_t i = 0; i < h->ngiven; i++) {
		vec_push(&p->regions, (struct told){ .nr = (uint32_t)i, .r = h->given[i] });
		heapinfo_add_region(p->info, h->given[i].start, h->given[i].size,
				    &h->given[i].layout);
	}
}

void heaps_give(struct heaps *h, const struct heapmap_region *regions, size_t n)
{
	h->given = regions;
	h->ngiven = n;
}

/* -- processes ------------------------------------------------------------------------------ */

static struct proc_heaps *proc_of(const struct heaps *h, pid_t pid)
{
	return u64map_getp(&h->by_pid, (uint32_t)pid);
}

static void begin_proc(struct heaps *h, const struct event *ev)
{
	struct proc_heaps *p = proc_of(h, ev->pid), *parent = NULL;

	if (!p) {
		p = xcalloc(1, sizeof *p);
		p->pid = ev->pid;
		u64map_set(&h->by_pid, (uint32_t)ev->pid, (uintptr_t)p);
		vec_push(&h->procs, p);
	}
	forget_regions(p);
	forget_refusal(p);
	if (ev->u.proc.how == PROC_FORKED && ev->u.proc.ppid != ev->pid)
		parent = proc_of(h, ev->u.proc.ppid);
	heapinfo_free(p->info);
	p->info = parent ? heapinfo_copy(parent->info) :
			   heapinfo_new(ev->u.proc.word, layout_of(ev));
	add_given(h, p);
}

/* -- refusals ------------------------------------------------------------------------------- */

static bool is_fixed(const struct proc_heaps *p)
{
	for (size_t i = 0; i < p->regions.n; i++)
		if (!p->regions.v[i].r.fixed)
			return false;
	return p->regions.n;
}

static void explain(struct heaps *h, struct proc_heaps *p, const struct event *ev)
{
	uint64_t size = ev->type == EV_FAILED ? ev->u.alloc.size : ev->u.realloc.size;
	struct strbuf why = STRBUF_INIT;
	struct heapmap *m;

	forget_refusal(p);
	if (!is_fixed(p) || h->looked > MAX_LOOKED)
		return;
	m = heaps_map(h, ev->pid);
	h->looked += heapmap_total(m)->blocks + heapmap_outside(m) + 1;
	p->refusal.no_room = heapmap_total(m)->request < size;
	heapmap_failure(m, size, &why);
	p->refusal.why = p->why = strbuf_detach(&why);
	heapmap_free(m);
}

static int heaps_emit(struct event_sink *sink, const struct event *ev)
{
	struct heaps *h = container_of(sink, struct heaps, sink);
	struct proc_heaps *p;
	int r;

	if (ev->type == EV_PROC)
		begin_proc(h, ev);
	p = proc_of(h, ev->pid);
	if (p && ev->type == EV_HEAP && !h->ngiven)
		take_heap(p, ev);
	else if (p)
		heapinfo_event(p->info, ev);
	r = h->next->emit(h->next, ev);
	if (p && (ev->type == EV_FAILED || (ev->type == EV_REALLOC && ev->u.realloc.failed)))
		explain(h, p, ev);
	return r;
}

static int heaps_flush(struct event_sink *sink)
{
	struct heaps *h = container_of(sink, struct heaps, sink);

	return h->next->flush(h->next);
}

struct heaps *heaps_new(struct event_sink *next, const struct blocks *blocks)
{
	struct heaps *h = xcalloc(1, sizeof *h);

	h->sink = (struct event_sink){ heaps_emit, heaps_flush, sink_is_owned };
	h->next = next;
	h->blocks = blocks;
	return h;
}

void heaps_forget(struct heaps *h)
{
	for (size_t i = 0; i < h->procs.n; i++) {
		forget_regions(h->procs.v[i]);
		forget_refusal(h->procs.v[i]);
		heapinfo_free(h->procs.v[i]->info);
		free(h->procs.v[i]);
	}
	vec_release(&h->procs);
	u64map_release(&h->by_pid);
}

void heaps_free(struct heaps *h)
{
	if (!h)
		return;
	heaps_forget(h);
	free(h);
}

struct event_sink *heaps_sink(struct heaps *h)
{
	return &h->sink;
}

/* -- questions ---------------------------------------------------------------------------------- */

/* What is known now corrects what was counted. */
static void correct(struct proc_heaps *p, const struct heapmap *m)
{
	for (size_t i = 0; i < heapmap_nregions(m); i++) {
		const struct heapmap_figures *f = heapmap_figures(m, i);

		if (!heapmap_region(m, i)->brief)
			heapinfo_seen(p->info, heapmap_region(m, i), f->size - f->free);
	}
}

struct heapmap *heaps_map(struct heaps *h, pid_t pid)
{
	struct proc_heaps *p = proc_of(h, pid);
	VEC(struct heapmap_region) regions = { 0 };
	VEC(struct heapmap_block) blocks = { 0 };
	struct known_block *known;
	struct heapmap *m;
	size_t n;

	if (!p || !p->regions.n)
		return NULL;
	for (size_t i = 0; i < p->regions.n; i++) {
		const struct told *t = &p->regions.v[i];

		vec_push(&regions, t->r);
		regions.v[i].resident = t->resident.v;
		regions.v[i].nresident = t->resident.n;
	}
	n = blocks_of(h->blocks, pid, &known);
	for (size_t i = 0; i < n; i++)
		vec_push(&blocks, (struct heapmap_block){ known[i].addr, known[i].size });
	m = heapmap_new(regions.v, regions.n, blocks.v, blocks.n);
	correct(p, m);
	free(known);
	vec_release(&regions);
	vec_release(&blocks);
	return m;
}

const struct heapinfo *heaps_info(const struct heaps *h, pid_t pid)
{
	const struct proc_heaps *p = proc_of(h, pid);

	return p ? p->info : NULL;
}

bool heaps_failure(struct heaps *h, pid_t pid, const struct report_opts *opts,
		   const struct report_page *page, struct strbuf *out)
{
	struct proc_heaps *p = proc_of(h, pid);
	struct heapmap *m = p && p->why ? heaps_map(h, pid) : NULL;

	if (!m)
		return false;
	report_heapmap(m, HEAPMAP_ALL, opts, page, out);
	strbuf_addf(out, "%s\n", p->why);
	p->refusal.told = true;
	heapmap_free(m);
	return true;
}

const struct report_refusal *heaps_refusal(void *heaps, pid_t pid)
{
	const struct proc_heaps *p = proc_of(heaps, pid);

	return p && p->why ? &p->refusal : NULL;
}

static struct heapmap *map_of(void *arg, pid_t pid)
{
	return heaps_map(arg, pid);
}

static const struct heapinfo *info_of(void *arg, pid_t pid)
{
	return heaps_info(arg, pid);
}

struct report_heaps heaps_report(struct heaps *h)
{
	return (struct report_heaps){ map_of, info_of, h };
}
