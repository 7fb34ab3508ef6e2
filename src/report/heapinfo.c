/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "heapmap-internal.h"
#include "report/heapinfo.h"

/* HEAP_MAX_SIZE of glibc (malloc/arena.c) for words of 8 and of 4 bytes. */
enum { SHIFT_64 = 26, SHIFT_32 = 20 };

struct use {
	taddr_t start, end;    /* of a region; a window's are not kept */
	struct heapmap_layout layout;
	uint64_t now, peak;
};

struct heapinfo {
	unsigned shift;
	struct heapmap_layout layout;
	VEC(struct use) regions;
	VEC(struct use) windows;
	struct u64map by_window; /* → index */
};

/* -- what is in use -------------------------------------------------------------------- */

static struct use *region_of(struct heapinfo *h, taddr_t addr)
{
	for (size_t i = 0; i < h->regions.n; i++)
		if (addr >= h->regions.v[i].start && addr < h->regions.v[i].end)
			return &h->regions.v[i];
	return NULL;
}

static struct use *window_of(struct heapinfo *h, taddr_t addr)
{
	uint64_t *at = u64map_get(&h->by_window, addr >> h->shift);

	if (at)
		return &h->windows.v[*at];
	u64map_set(&h->by_window, addr >> h->shift, h->windows.n);
	vec_push(&h->windows, (struct use){ .layout = h->layout });
	return &h->windows.v[h->windows.n - 1];
}

static struct use *use_of(struct heapinfo *h, taddr_t addr)
{
	struct use *u = region_of(h, addr);

	return u ? u : window_of(h, addr);
}

static uint64_t taken(const struct heapmap_layout *l, uint64_t size)
{
	uint64_t n = size + l->header, rest = l->align > 1 ? n % l->align : 0;

	n += rest ? l->align - rest : 0;
	return n < size ? size : MAX(n, (uint64_t)l->min);
}

static void take(struct heapinfo *h, taddr_t addr, uint64_t size)
{
	struct use *u = use_of(h, addr);

	u->now += taken(&u->layout, size);
	u->peak = MAX(u->peak, u->now);
}

/* It may be older than what was seen. */
static void give_back(struct heapinfo *h, taddr_t addr, uint64_t size)
{
	struct use *u = use_of(h, addr);

	u->now -= MIN(taken(&u->layout, size), u->now);
}

/* The old block and the new one may be the same memory: it is given back first. */
static void move(struct heapinfo *h, const struct event *ev)
{
	if (ev->u.realloc.failed)
		return;
	if (ev->u.realloc.old_stack)
		give_back(h, ev->u.realloc.old_addr, ev->u.realloc.old_size);
	if (ev->u.realloc.addr)
		take(h, ev->u.realloc.addr, ev->u.realloc.size);
}

static void forget(struct heapinfo *h)
{
	for (size_t i = 0; i < h->regions.n; i++)
		h->regions.v[i].now = h->regions.v[i].peak = 0;
	vec_release(&h->windows);
	u64map_release(&h->by_window);
}

void heapinfo_event(struct heapinfo *h, const struct event *ev)
{
	switch (ev->type) {
	case EV_ALLOC:
		take(h, ev->u.alloc.addr, ev->u.alloc.size);
		break;
	case EV_RELEASE:
		if (ev->u.release.known == RELEASE_KNOWN || ev->u.release.known == RELEASE_UNSEEN)
			give_back(h, ev->u.release.addr, ev->u.release.size);
		break;
	case EV_RELEASE_UNDO:
		if (ev->u.release.known == RELEASE_KNOWN)
			take(h, ev->u.release.addr, ev->u.release.size);
		break;
	case EV_REALLOC:
		move(h, ev);
		break;
	case EV_RESET:
		forget(h);
		break;
	default:
		break;
	}
}

/* -- windows and regions -------------------------------------------------------------------- */

static struct use *known_region(const struct heapinfo *h, const struct heapmap_region *r)
{
	for (size_t i = 0; i < h->regions.n; i++)
		if (h->regions.v[i].start == r->start && h->regions.v[i].end == r->start + r->size)
			return &h->regions.v[i];
	return NULL;
}

static bool in_one_window(const struct heapinfo *h, const struct heapmap_region *r)
{
	return r->start >> h->shift == (r->start + r->size - 1) >> h->shift;
}

void heapinfo_seen(struct heapinfo *h, const struct heapmap_region *r, uint64_t used)
{
	struct use *u = known_region(h, r);

	if (!u && !in_one_window(h, r))
		return;
	u = u ? u : window_of(h, r->start);
	u->now = used - MIN(r->lead, used);
	u->peak = MAX(u->peak, u->now);
}

/* The peaks of several windows need not have been at one time: then more may have been
 * free. */
static uint64_t peak_of(const struct heapinfo *h, const struct heapmap_region *r)
{
	uint64_t sum = 0, first = r->start >> h->shift, last = (r->start + r->size - 1) >> h->shift;

	u64map_for_each(&h->by_window, s)
		if (s->key >= first && s->key <= last)
			sum += h->windows.v[s->value].peak;
	return sum;
}

bool heapinfo_low(const struct heapinfo *h, const struct heapmap_region *r, uint64_t *low,
		  bool *exact)
{
	const struct use *u = known_region(h, r);
	uint64_t peak;

	if (r->brief || !r->size || (!u && memcmp(&r->layout, &h->layout, sizeof r->layout)))
		return false;
	peak = (u ? u->peak : peak_of(h, r)) + r->lead;
	*low = r->size - MIN(peak, r->size);
	*exact = u || in_one_window(h, r);
	return true;
}

/* -- life --------------------------------------------------------------------------------------- */

struct heapinfo *heapinfo_new(unsigned word, const struct heapmap_layout *layout)
{
	struct heapinfo *h = xcalloc(1, sizeof *h);

	h->shift = word == 4 ? SHIFT_32 : SHIFT_64;
	h->layout = *layout;
	return h;
}

void heapinfo_free(struct heapinfo *h)
{
	if (!h)
		return;
	forget(h);
	vec_release(&h->regions);
	free(h);
}

struct heapinfo *heapinfo_copy(const struct heapinfo *of)
{
	struct heapinfo *h = heapinfo_new(of->shift == SHIFT_32 ? 4 : 8, &of->layout);

	for (size_t k = 0; k < of->regions.n; k++)
		vec_push(&h->regions, of->regions.v[k]);
	for (size_t k = 0; k < of->windows.n; k++)
		vec_push(&h->windows, of->windows.v[k]);
	for (size_t k = 0; k < h->regions.n; k++)
		h->regions.v[k].peak = h->regions.v[k].now;
	for (size_t k = 0; k < h->windows.n; k++)
		h->windows.v[k].peak = h->windows.v[k].now;
	u64map_for_each(&of->by_window, s)
		u64map_set(&h->by_window, s->key, s->value);
	return h;
}

void heapinfo_add_region(struct heapinfo *h, taddr_t start, uint64_t size,
			 const struct heapmap_layout *layout)
{
	for (size_t i = 0; i < h->regions.n; i++)
		if (h->regions.v[i].start == start && h->regions.v[i].end == start + size)
			return; /* told again: the heap was reset */
	vec_push(&h->regions, (struct use){ .start = start, .end = start + size, .layout = *layout });
}

/* -- the table ------------------------------------------------------------------------------------ */

enum column { TOTAL, FREE_BYTES, LARGEST, LOW, PIECES, BLOCKS, RESIDENT, COLUMNS };

static const char *const headings[COLUMNS] = {
	"total", "free", "largest", "low-water", "pieces", "blocks", "in memory",
};

struct line {
	char *name;
	char *cell[COLUMNS];
};

struct table {
	VEC(struct line) lines;
	size_t name_width, width[COLUMNS];
	bool resident;         /* is that known of any? */
};

static char *grouped(uint64_t v)
{
	struct strbuf sb = STRBUF_INIT;

	strbuf_add_grouped(&sb, v);
	return strbuf_detach(&sb);
}

static char *low_text(const struct text *t, const struct heapinfo *info, const struct heapmap_region *r)
{
	struct strbuf sb = STRBUF_INIT;
	uint64_t low;
	bool exact;

	if (!info || !r || !heapinfo_low(info, r, &low, &exact))
		return xstrdup("-");
	strbuf_adds(&sb, exact ? "" : t->utf8 ? "≥" : ">=");
	strbuf_add_grouped(&sb, low);
	return strbuf_detach(&sb);
}

/* name and low are taken over. */
static void add_line(struct table *tb, char *name, const struct heapmap_figures *f, char *low)
{
	struct line l = { .name = name, .cell = {
		[TOTAL] = grouped(f->size), [FREE_BYTES] = grouped(f->free),
		[LARGEST] = grouped(f->largest), [LOW] = low, [PIECES] = grouped(f->pieces),
		[BLOCKS] = grouped(f->blocks),
		[RESIDENT] = f->resident_known ? grouped(f->resident) : xstrdup("-"),
	} };

	tb->name_width = MAX(tb->name_width, text_columns(name) + 2);
	tb->resident |= f->resident_known;
	for (int i = 0; i < COLUMNS; i++)
		tb->width[i] = MAX(tb->width[i], MAX(text_columns(l.cell[i]), strlen(headings[i])));
	vec_push(&tb->lines, l);
}

static void add_parts(struct text *t, struct table *tb, const struct heapmap *m,
		      const struct heapinfo *info)
{
	struct heapmap_figures brief = { .resident_known = true };
	size_t nbrief = 0;

	for (size_t i = 0; i < m->parts.n; i++) {
		const struct heapmap_part *p = &m->parts.v[i];

		if (p->r.brief) {
			heapmap_add_figures(&brief, &p->f);
			nbrief++;
			continue;
		}
		add_line(tb, xstrdup(p->r.name ? p->r.name : "heap"), &p->f,
			 low_text(t, info, &p->r));
	}
	if (nbrief)
		add_line(tb, xasprintf("%zu mapping%s", nbrief, nbrief == 1 ? "" : "s"), &brief,
			 xstrdup("-"));
	if (tb->lines.n > 1)
		add_line(tb, xstrdup("in all"), &m->total, xstrdup("-"));
}

static void print_line(struct text *t, const struct table *tb, const char *name,
		       const char *const cell[COLUMNS])
{
	strbuf_adds(t->out, name);
	text_pad(t->out, text_columns(name), tb->name_width);
	for (int i = 0; i < COLUMNS; i++) {
		if (i == RESIDENT && !tb->resident)
			continue;
		text_pad(t->out, text_columns(cell[i]), tb->width[i]);
		strbuf_adds(t->out, cell[i]);
		strbuf_adds(t->out, i + 1 < COLUMNS - !tb->resident ? "  " : "\n");
	}
}

void text_heapinfo(struct text *t, const struct heapmap *m, const struct heapinfo *info)
{
	struct table tb = { .name_width = 8 };

	add_parts(t, &tb, m, info);
	if (!tb.lines.n)
		return;
	text_section(t);
	style_on(t, DIM);
	print_line(t, &tb, "region", headings);
	style_off(t, DIM);
	for (size_t i = 0; i < tb.lines.n; i++) {
		print_line(t, &tb, tb.lines.v[i].name, (const char *const *)tb.lines.v[i].cell);
		free(tb.lines.v[i].name);
		for (int k = 0; k < COLUMNS; k++)
			free(tb.lines.v[i].cell[k]);
	}
	vec_release(&tb.lines);
}

const char *report_heap_doubt(const struct heap_proc *p)
{
	return p->how == PROC_ATTACHED && !p->before_attach.known ?
		       "blocks older than the attach are not known, and look free" : NULL;
}

void text_heap(struct text *t, const struct heap_proc *p)
{
	const struct report_heaps *heaps = t->opts->heaps;
	const char *doubt = report_heap_doubt(p);
	struct heapmap *m;

	/* An image that another one has replaced took its heap with it. */
	if (!heaps || heap_proc_find(t->heap, p->pid) != p)
		return;
	m = heaps->map(heaps->arg, p->pid);
	if (m) {
		text_heapmap(t, m);
		text_heapinfo(t, m, heaps->info(heaps->arg, p->pid));
		style_on(t, doubt ? YELLOW : PLAIN);
		strbuf_adds(t->out, doubt ? doubt : "");
		style_off(t, doubt ? YELLOW : PLAIN);
		strbuf_adds(t->out, doubt ? "\n" : "");
	} else {
		text_section(t);
		strbuf_adds(t->out, "no heap map: it was not told what memory the heap has\n");
	}
	heapmap_free(m);
}

void report_heapinfo(const struct heapmap *m, const struct heapinfo *info,
		     const struct report_opts *opts, const struct report_page *page,
		     struct strbuf *out)
{
	struct strbuf sb = STRBUF_INIT;
	struct text t = { .out = &sb, .opts = opts, .to_file = page->to_file, .color = page->color,
			  .utf8 = page->utf8, .width = page->width };

	text_heapinfo(&t, m, info);
	text_finish(&t, out);
	strbuf_release(&sb);
}
