/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A ledger told to one that is empty, and taken.
 *
 * A process is told by EV_PROC; then come its last scan by the events that told it
 * first, EV_STATE_PROC, EV_STATE_… and, of one that has ended, EV_PROC_END.  Each
 * of these has the time of the process's last event, the scan its own.  They are
 * told in the order in which they began, so that forks find their parents, and the
 * lists of each in its own order, so that what is appended later comes to the same
 * places. */
#include <stddef.h>

#include "ledger-internal.h"
#include "model/regions.h"

/* -- figures ------------------------------------------------------------------- */

/* A member of a structure: 1 byte is a bool, 8 may have a sign. */
struct figure {
	uint16_t offset;
	uint8_t size;
};

#define FIGURE(type, member) { offsetof(struct type, member), sizeof(((struct type *)0)->member) }
#define PROC(member) FIGURE(heap_proc, member)
#define COUNT(member) FIGURE(heap_count, member)

/* The order is part of the wire's format: append. */
static const struct figure of_proc[] = {
	PROC(tasks), PROC(modules),
	PROC(total.allocs), PROC(total.frees), PROC(total.bytes_allocated),
	PROC(total.open_blocks), PROC(total.open_bytes),
	PROC(total.peak_bytes), PROC(total.peak_blocks), PROC(total.peak_ns),
	PROC(total.failed), PROC(total.unknown_releases), PROC(total.shutdown_releases),
	PROC(total.unseen_releases),
	PROC(maps.maps), PROC(maps.unmaps), PROC(maps.remaps), PROC(maps.bytes_mapped),
	PROC(maps.open_regions), PROC(maps.open_bytes), PROC(maps.peak_bytes), PROC(maps.failed),
	PROC(maps.brk_calls), PROC(maps.brk_grown), PROC(maps.brk_current),
	PROC(inherited.blocks), PROC(inherited.bytes),
	PROC(inherited.regions), PROC(inherited.region_bytes),
	PROC(before_attach.known), PROC(before_attach.blocks), PROC(before_attach.bytes),
	PROC(before_attach.released), PROC(before_attach.released_bytes),
	PROC(nerrors), PROC(unknown_errors),
	PROC(told.tid), PROC(told.addr),
	PROC(scan.nth),
	PROC(total.null_releases),
};

static const struct figure of_count[] = {
	COUNT(stack), COUNT(older),
	COUNT(open_blocks), COUNT(open_bytes), COUNT(total_blocks), COUNT(total_bytes),
	COUNT(min_size), COUNT(max_size), COUNT(last_ns),
	COUNT(product.any), COUNT(product.min_count), COUNT(product.max_count),
	COUNT(product.min_each), COUNT(product.max_each),
	COUNT(failed), COUNT(failed_min), COUNT(failed_max),
	COUNT(failed_product.any), COUNT(failed_product.min_count),
	COUNT(failed_product.max_count), COUNT(failed_product.min_each),
	COUNT(failed_product.max_each),
};

_Static_assert(ARRAY_SIZE(of_proc) <= STATE_FIGURES, "more figures than an event has");

static void read_figures(uint64_t *v, const void *from, const struct figure *figures, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const char *member = (const char *)from + figures[i].offset;

		switch (figures[i].size) {
		case sizeof(bool):     v[i] = *(const bool *)member; break;
		case sizeof(uint32_t): v[i] = *(const uint32_t *)member; break;
		default:               v[i] = *(const uint64_t *)member; break;
		}
	}
}

static uint64_t figure_at(const struct event *ev, size_t i)
{
	return i < ev->u.figures.n ? ev->u.figures.v[i] : 0;
}

static void write_figures(void *to, const struct event *ev, const struct figure *figures, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		char *member = (char *)to + figures[i].offset;
		uint64_t v = figure_at(ev, i);

		switch (figures[i].size) {
		case sizeof(bool):     *(bool *)member = v != 0; break;
		case sizeof(uint32_t): *(uint32_t *)member = (uint32_t)v; break;
		default:               *(uint64_t *)member = v; break;
		}
	}
}

/* -- telling ------------------------------------------------------------------- */

struct telling {
	struct event_sink *sink;
	const struct heap_proc *p; /* whose; NULL: nobody's */
	int err;                   /* the first one of the sink */
};

static void say_at(struct telling *t, uint64_t time_ns, struct event *ev)
{
	int said;

	ev->time_ns = time_ns;
	if (t->p)
		ev->pid = ev->tid = t->p->pid;
	said = t->err ? 0 : t->sink->emit(t->sink, ev);
	if (said < 0)
		t->err = said;
}

static void say_figures(struct telling *t, enum event_type type, const uint64_t *v, size_t n)
{
	struct event ev = { .type = type, .u.figures = { v, (uint32_t)n } };

	say_at(t, t->p ? t->p->end_ns : 0, &ev);
}

#define SAY_FIGURES(t, type, ...)                                          \
	say_figures(t, type, (const uint64_t[]){ __VA_ARGS__ },            \
		    ARRAY_SIZE(((const uint64_t[]){ __VA_ARGS__ })))

#define SAY_AT(t, time_ns, ...) say_at(t, time_ns, &(struct event){ __VA_ARGS__ })

static void tell_way(struct telling *t, uint64_t now, uint32_t stack, enum leak_kind kind,
		     const struct heap_way *way)
{
	for (size_t i = 0; i < way->n; i++) {
		const struct heap_link *link = &way->v[i];

		SAY_AT(t, now, .type = EV_LEAK_WHY,
		       .u.why = { .stack = stack, .kind = (uint8_t)kind, .step = link->step,
				  .steps = link->steps, .from = (uint8_t)link->from,
				  .at = link->at, .module = link->module, .tid = link->tid,
				  .block = link->block, .size = link->size,
				  .block_stack = link->block_stack, .offset = link->offset });
	}
}

static void tell_leaks(struct telling *t, uint64_t now, const struct heap_scan *s)
{
	for (size_t i = 0; i < s->leaks.n; i++) {
		const struct heap_leak *leak = &s->leaks.v[i];

		SAY_AT(t, now, .type = EV_LEAK,
		       .u.leak = { .stack = leak->stack, .kind = (uint8_t)leak->kind,
				   .under = leak->under, .blocks = leak->blocks,
				   .bytes = leak->bytes, .largest = leak->largest,
				   .largest_size = leak->largest_size,
				   .data = leak->ndata ? leak->data : NULL,
				   .ndata = leak->ndata });
		tell_way(t, now, leak->stack, leak->kind, &leak->why);
	}
	for (size_t i = 0; i < s->each.n; i++) {
		const struct heap_leak_block *b = &s->each.v[i];

		SAY_AT(t, now, .type = EV_LEAK_BLOCK,
		       .u.leak = { .stack = b->stack, .kind = (uint8_t)b->kind, .blocks = 1,
				   .bytes = b->size, .largest = b->addr, .largest_size = b->size });
	}
}

static void tell_asked(struct telling *t, uint64_t now, const struct heap_scan *s)
{
	for (size_t i = 0; i < s->asked.n; i++) {
		const struct heap_asked *a = &s->asked.v[i];

		SAY_AT(t, now, .type = EV_WHY,
		       .u.asked = { .addr = a->addr, .found = a->found, .kind = (uint8_t)a->kind,
				    .block = a->block, .size = a->size, .stack = a->stack,
				    .holder = a->holder });
		tell_way(t, now, a->stack, a->kind, &a->why);
	}
}

static void tell_findings(struct telling *t, uint64_t now, const struct heap_scan *s)
{
	SAY_AT(t, now, .type = EV_SCAN_BEGIN);
	tell_leaks(t, now, s);
	tell_asked(t, now, s);
}

static void tell_scan(struct telling *t)
{
	const struct heap_scan *s = &t->p->scan;

	if (!s->done)
		return;
	tell_findings(t, s->at_ns, s);
	SAY_AT(t, s->at_ns, .type = EV_SCAN,
	       .u.scan = { .references = s->references, .final = s->final,
			   .mappings = s->mappings, .blocks = s->blocks, .bytes = s->bytes,
			   .unread = s->unread, .pause_ns = s->pause_ns });
}

static void tell_target(struct telling *t)
{
	const struct heap_target *h = &t->p->target;

	if (h->said || h->header)
		SAY_AT(t, t->p->end_ns, .type = EV_TARGET,
		       .u.target = { .said = h->said, .header = h->header, .start = h->start,
				   .size = h->size, .free = h->free, .used = h->used,
				   .threshold = h->threshold });
}

static void tell_counts(struct telling *t)
{
	const struct heap_proc *p = t->p;
	uint64_t v[ARRAY_SIZE(of_count)];

	for (size_t i = 0; i < p->counts.n; i++) {
		read_figures(v, &p->counts.v[i], of_count, ARRAY_SIZE(of_count));
		say_figures(t, EV_STATE_COUNT, v, ARRAY_SIZE(v));
	}
	for (size_t i = 0; i < p->aged.n; i++) {
		const struct heap_aged *a = &p->aged.v[i];

		SAY_FIGURES(t, EV_STATE_AGED, a->stack, a->mark, (uint64_t)a->blocks,
			    (uint64_t)a->bytes);
	}
}

static void tell_region(void *arg, const struct region *r)
{
	SAY_FIGURES(arg, EV_STATE_REGION, r->start, r->end, r->stack);
}

static void tell_suspects(struct telling *t, const struct heap_suspects *s, bool unseen)
{
	for (size_t i = 0; i < s->v.n; i++)
		SAY_FIGURES(t, EV_STATE_SUSPECT, unseen, s->v.v[i].stack, s->v.v[i].allocator,
			    s->v.v[i].count);
}

static void tell_refused(struct telling *t)
{
	const struct heap_proc *p = t->p;
	uint64_t v[REFUSED_FIGURES];

	if (p->refused.any)
		say_figures(t, EV_STATE_REFUSED, v, refused_read(&p->refused, v));
	if (p->killed.cause)
		SAY_AT(t, p->end_ns, .type = EV_OOM,
		       .u.oom = { (uint8_t)p->killed.cause, p->killed.limit, p->killed.used });
}

static void tell_error(struct telling *t, const struct heap_error *e)
{
	SAY_AT(t, e->first_ns, .type = EV_STATE_ERROR,
	       .u.error = { .kind = (uint8_t)e->kind, .place = (uint8_t)e->place,
			    .addr = e->addr, .size = e->size, .given = e->given,
			    .offset = e->offset, .at = e->at, .stack = e->stack,
			    .freed = e->freed, .module = e->module, .path = e->path,
			    .data = e->ndata ? e->data : NULL, .ndata = e->ndata,
			    .count = e->count });
}

static void tell_proc(struct telling *t)
{
	const struct heap_proc *p = t->p;
	uint64_t v[ARRAY_SIZE(of_proc)];

	SAY_AT(t, p->start_ns, .type = EV_PROC,
	       .u.proc = { .how = p->how, .ppid = p->ppid, .exe = p->exe, .name = p->name,
			   .word = p->word, .abi = p->abi, .log = (uint8_t)p->log });
	tell_target(t);
	tell_scan(t);
	for (size_t i = 0; i < p->errors.n; i++)
		tell_error(t, &p->errors.v[i]);
	read_figures(v, p, of_proc, ARRAY_SIZE(of_proc));
	say_figures(t, EV_STATE_PROC, v, ARRAY_SIZE(v));
	tell_counts(t);
	if (p->regions)
		regions_each(p->regions, tell_region, t);
	tell_suspects(t, &p->unseen, true);
	tell_suspects(t, &p->unknown, false);
	tell_refused(t);
	if (p->incoming.leaks.n || p->incoming.each.n || p->incoming.asked.n)
		tell_findings(t, p->end_ns, &p->incoming);
	if (p->ended)
		SAY_AT(t, p->end_ns, .type = EV_PROC_END, .u.end = { p->end_how, p->status });
}

static void tell_session(struct telling *t, const struct ledger *l)
{
	for (size_t i = 0; i < l->older.n; i++)
		SAY_FIGURES(t, EV_STATE_OLDER, l->older.v[i].stack, l->older.v[i].word,
			    l->older.v[i].module);
	for (size_t i = 0; i < l->marks.n; i++)
		SAY_AT(t, l->marks.v[i], .type = EV_MARK, .u.mark.nr = (uint32_t)(i + 1));
	for (size_t i = 0; i < l->notes.n; i++)
		SAY_AT(t, 0, .type = EV_NOTE, .pid = l->notes.v[i].pid, .tid = l->notes.v[i].pid,
		       .u.note = { l->notes.v[i].bad, l->notes.v[i].text });
}

int ledger_tell(const struct ledger *l, struct event_sink *sink)
{
	const struct heap_proc **began = xcalloc(MAX(l->procs.n, (size_t)1), sizeof *began);
	struct telling t = { sink, NULL, 0 };

	tell_session(&t, l);
	for (size_t i = 0; i < l->procs.n; i++)
		began[l->procs.v[i]->nth] = l->procs.v[i];
	for (size_t i = 0; i < l->procs.n; i++) {
		t.p = began[i];
		tell_proc(&t);
	}
	free(began);
	return t.err;
}

/* -- taking -------------------------------------------------------------------- */

static void take_proc(struct heap_proc *p, const struct event *ev)
{
	write_figures(p, ev, of_proc, ARRAY_SIZE(of_proc));
	/* A forked one's copy of those that its parent has mapped now. */
	regions_free(p->regions);
	p->regions = regions_new();
}

static void take_count(struct ledger *l, struct heap_proc *p, const struct event *ev)
{
	struct heap_count *c = count_of(l, p, (uint32_t)figure_at(ev, 0));
	uint32_t stack = c->stack;

	write_figures(c, ev, of_count, ARRAY_SIZE(of_count));
	c->stack = stack;
}

static void take_region(struct ledger *l, struct heap_proc *p, const struct event *ev)
{
	struct region r = { figure_at(ev, 0), figure_at(ev, 1), (uint32_t)figure_at(ev, 2) };

	if (r.start >= r.end)
		return;
	if (!ledger_knows(l, r.stack))
		r.stack = 0;
	regions_cut(p->regions, r.start, r.end, NULL, NULL);
	regions_add(p->regions, &r);
}

static void take_aged(struct ledger *l, struct heap_proc *p, const struct event *ev)
{
	uint32_t stack = (uint32_t)figure_at(ev, 0), mark = (uint32_t)figure_at(ev, 1);

	if (mark)
		marks_count(p, ledger_knows(l, stack) ? stack : 0, mark,
			    (int64_t)figure_at(ev, 2), figure_at(ev, 3));
}

static void take_suspect(struct heap_proc *p, const struct event *ev)
{
	struct heap_suspect s = { (uint32_t)figure_at(ev, 1), (uint32_t)figure_at(ev, 2),
				  figure_at(ev, 3) };

	suspect_restore(figure_at(ev, 0) ? &p->unseen : &p->unknown, &s);
}

static void take_older(struct ledger *l, const struct event *ev)
{
	uint32_t stack = (uint32_t)figure_at(ev, 0);

	if (ledger_knows(l, stack))
		ledger_set_older(l, stack, figure_at(ev, 1), (uint32_t)figure_at(ev, 2));
}

void state_take(struct ledger *l, struct heap_proc *p, const struct event *ev)
{
	switch (ev->type) {
	case EV_STATE_OLDER:   take_older(l, ev); break;
	case EV_STATE_PROC:    take_proc(p, ev); break;
	case EV_STATE_COUNT:   take_count(l, p, ev); break;
	case EV_STATE_REGION:  take_region(l, p, ev); break;
	case EV_STATE_AGED:    take_aged(l, p, ev); break;
	case EV_STATE_ERROR:   error_restore(p, ev); break;
	case EV_STATE_SUSPECT: take_suspect(p, ev); break;
	case EV_STATE_REFUSED: refused_restore(l, p, ev); break;
	default:               break;
	}
}
