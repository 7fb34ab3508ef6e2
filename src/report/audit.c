/* SPDX-License-Identifier: GPL-2.0-or-later */
/* --audit: how the heap stands after each operation, what that changed, and who did it.
 *
 *       blocks        bytes     address    change
 *       3     1,204 used  0x20003240       +50  malloc(50)  read_line leaky.c:12
 *       2     1,154 used  0x20003240       -50  free
 *       2     1,154 used         0x0            free: of NULL
 *
 * With thresholds "heap_allocated (1154 bytes) - delta with heap_threshold (894 bytes)" follows.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/msg.h"
#include "base/xalloc.h"
#include "report/audit.h"
#include "text.h"

#define BUFFER (1 << 15)
#define BLOCKS_WIDTH 8
#define BYTES_WIDTH 13
#define CHANGE_WIDTH 10

struct audit {
	struct event_sink sink;
	struct event_sink *next;
	const struct heap *heap;
	const struct report_opts *opts;
	const struct thresholds *thresholds;
	struct symbolizer *sym;
	struct u64map callers; /* stack → char *: "read_line leaky.c:12" */
	struct strbuf line, out;
	bool color, patient, lost;
	int fd;
	enum error_kind error; /* of the operation that comes */
	taddr_t error_addr;    /* 0: none */
};

/* What the operation did, for its line. */
struct entry {
	const struct heap_proc *p;
	taddr_t addr;
	bool changes;
	uint64_t more, less;   /* bytes */
	const struct heap_probe *probe;
	const struct heap_product *product;
	bool has_size;
	uint64_t size;
	uint32_t caller;       /* stack; 0: not known */
	enum style style;
	const char *remark;    /* NULL: nothing is to be said */
};

static struct text text_for(struct audit *a)
{
	return (struct text){ .out = &a->line, .heap = a->heap, .opts = a->opts, .sym = a->sym,
			      .color = a->color };
}

/* -- columns ---------------------------------------------------------------------- */

static void add_right(struct strbuf *sb, const char *s, size_t width)
{
	text_pad(sb, strlen(s), width);
	strbuf_adds(sb, s);
}

static void add_grouped_right(struct strbuf *sb, uint64_t v, size_t width)
{
	struct strbuf number = STRBUF_INIT;

	strbuf_add_grouped(&number, v);
	add_right(sb, number.s, width);
	strbuf_release(&number);
}

/* What is free is known where the target has said how large its heap is. */
static void add_bytes(struct strbuf *sb, const struct heap_proc *p)
{
	const struct heap_target *h = &p->target;
	uint64_t used = p->total.open_bytes + p->total.open_blocks * h->header;

	if (h->said & TARGET_BOUNDS && used <= h->size) {
		add_grouped_right(sb, h->size - used, BYTES_WIDTH);
		strbuf_adds(sb, " free");
	} else {
		add_grouped_right(sb, p->total.open_bytes, BYTES_WIDTH);
		strbuf_adds(sb, " used");
	}
}

static void add_change(struct strbuf *sb, const struct entry *e)
{
	struct strbuf change = STRBUF_INIT;

	if (e->changes) {
		strbuf_addc(&change, e->more >= e->less ? '+' : '-');
		strbuf_add_grouped(&change, e->more >= e->less ? e->more - e->less : e->less - e->more);
	}
	add_right(sb, change.s ? change.s : "", CHANGE_WIDTH);
	strbuf_release(&change);
}

static void add_operation(struct strbuf *sb, const struct entry *e)
{
	view_op_name(sb, e->probe);
	if (e->product && e->product->any)
		strbuf_addf(sb, "(%llu, %llu)", (unsigned long long)e->product->min_count,
			    (unsigned long long)e->product->min_each);
	else if (e->has_size)
		strbuf_addf(sb, "(%llu)", (unsigned long long)e->size);
	if (e->remark)
		strbuf_addf(sb, ": %s", e->remark);
}

static const char *caller(struct audit *a, uint32_t stack)
{
	const struct heap_stack *s = heap_stack(a->heap, stack);
	const char *known = u64map_getp(&a->callers, stack);
	struct strbuf sb = STRBUF_INIT;
	struct text t = text_for(a);

	if (!s || known)
		return known ? known : "";
	text_caller(&t, &sb, s);
	vec_release(&t.nameless);
	known = strbuf_detach(&sb);
	u64map_set(&a->callers, stack, (uintptr_t)known);
	return known;
}

/* How far the threshold is: one of ours, or the target's own. */
static void add_threshold(struct audit *a, const struct heap_proc *p)
{
	uint64_t own = p->target.threshold;
	const struct thresholds told = { .v = { .v = &own, .n = p->target.said & TARGET_THRESHOLD ? 1 : 0 } };
	const struct thresholds *t = a->thresholds->v.n ? a->thresholds : &told;

	if (t->v.n)
		strbuf_adds(&a->line, "  ");
	report_threshold_text(&a->line, t, p->total.open_bytes);
}

/* -- lines ------------------------------------------------------------------------- */

static void flush_out(struct audit *a)
{
	int err = a->out.n && !a->lost ? write_patiently(a->fd, a->out.s, a->out.n) : 0;

	strbuf_reset(&a->out);
	if (!err)
		return;
	a->lost = true; /* nobody reads it: the report counts */
	if (err != -EPIPE)
		msg_error("cannot write the audit: %s", strerror(-err));
}

static void end_line(struct audit *a, struct text *t, enum style style)
{
	style_off(t, style);
	strbuf_addc(&a->line, '\n');
	text_finish(t, &a->out);
	strbuf_reset(&a->line);
	if (!a->patient || a->out.n > BUFFER)
		flush_out(a);
}

static void print_entry(struct audit *a, const struct entry *e)
{
	struct text t = text_for(a);
	char addr[24];

	style_on(&t, e->style);
	if (heap_nprocs(a->heap) > 1 && !e->p->log)
		strbuf_addf(&a->line, "[%d] ", (int)e->p->pid);
	add_grouped_right(&a->line, e->p->total.open_blocks, BLOCKS_WIDTH);
	add_bytes(&a->line, e->p);
	snprintf(addr, sizeof addr, "0x%llx", (unsigned long long)e->addr);
	strbuf_adds(&a->line, "  ");
	add_right(&a->line, addr, e->p->word == 8 ? 14 : 10);
	add_change(&a->line, e);
	strbuf_adds(&a->line, "  ");
	add_operation(&a->line, e);
	if (e->caller && *caller(a, e->caller))
		strbuf_addf(&a->line, "  %s", caller(a, e->caller));
	add_threshold(a, e->p);
	end_line(a, &t, e->style);
}

static PRINTF_LIKE(2, 3) void print_remark(struct audit *a, const char *fmt, ...)
{
	struct text t = text_for(a);
	va_list ap;

	style_on(&t, BOLD);
	va_start(ap, fmt);
	strbuf_vaddf(&a->line, fmt, ap);
	va_end(ap);
	end_line(a, &t, BOLD);
}

/* -- events ------------------------------------------------------------------------ */

static const struct heap_probe *probe_of(const struct audit *a, uint32_t stack)
{
	const struct heap_stack *s = heap_stack(a->heap, stack);

	return s ? heap_probe(a->heap, s->probe) : NULL;
}

static void print_request(struct audit *a, struct entry *e, const struct event *ev)
{
	const struct product *p = &ev->u.alloc.product;
	struct heap_product product = { 0 };

	heap_product_widen(&product, p);
	e->addr = ev->u.alloc.addr;
	e->probe = probe_of(a, ev->u.alloc.stack);
	e->caller = ev->u.alloc.stack;
	e->product = &product;
	e->has_size = true;
	e->size = ev->u.alloc.size;
	if (ev->type == EV_ALLOC) {
		e->changes = true;
		e->more = e->size;
	} else {
		e->style = RED;
		e->remark = "failed";
	}
	print_entry(a, e);
}

static void mark_error(struct audit *a, struct entry *e)
{
	if (!a->error_addr || a->error_addr != e->addr)
		return;
	e->style = RED;
	e->remark = error_kind_name(a->error);
}

static void print_release(struct audit *a, struct entry *e, const struct event *ev)
{
	static const char *const remarks[] = {
		[RELEASE_UNKNOWN] = "of no block that is known",
		[RELEASE_UNSEEN] = "was not seen, and the address is handed out again",
		[RELEASE_NULL] = "of NULL",
	};
	unsigned known = ev->u.release.known;

	e->addr = ev->u.release.addr;
	e->probe = heap_probe(a->heap, ev->u.release.probe);
	e->caller = ev->u.release.at;
	e->changes = known == RELEASE_KNOWN || known == RELEASE_UNSEEN;
	e->less = ev->u.release.size;
	e->remark = known < ARRAY_SIZE(remarks) ? remarks[known] : NULL;
	e->style = e->remark ? YELLOW : DIM;
	if (known == RELEASE_UNSEEN) {
		e->probe = probe_of(a, ev->u.release.stack);
		e->caller = ev->u.release.stack;
		e->remark = "its release was not seen, and the address is handed out again";
	}
	mark_error(a, e);
	print_entry(a, e);
}

static void print_realloc(struct audit *a, struct entry *e, const struct event *ev)
{
	char *from = NULL;

	e->addr = ev->u.realloc.addr;
	e->probe = probe_of(a, ev->u.realloc.stack);
	e->caller = ev->u.realloc.stack;
	e->has_size = true;
	e->size = ev->u.realloc.size;
	if (ev->u.realloc.failed) {
		e->style = RED;
		e->remark = "failed";
	} else {
		e->changes = true;
		e->more = ev->u.realloc.addr ? ev->u.realloc.size : 0;
		e->less = ev->u.realloc.old_size;
		e->remark = from = xasprintf("from 0x%llx", (unsigned long long)ev->u.realloc.old_addr);
		e->style = ev->u.realloc.old_stack ? PLAIN : YELLOW;
	}
	if (a->error_addr == ev->u.realloc.old_addr && a->error_addr) {
		e->style = RED;
		e->remark = error_kind_name(a->error);
	}
	print_entry(a, e);
	free(from);
}

/* A target that was reset: its figures begin anew. */
static void print_reset(struct audit *a, const struct heap_proc *was)
{
	struct strbuf sb = STRBUF_INIT;

	text_amount(&sb, was->total.open_bytes, was->total.open_blocks, "block");
	print_remark(a, "%s was reset: %s had been in use", was->name, sb.s);
	strbuf_release(&sb);
}

static void print_event(struct audit *a, const struct event *ev)
{
	struct entry e = { .p = heap_proc_find(a->heap, ev->pid), .style = PLAIN };

	if (!e.p)
		return;
	switch (ev->type) {
	case EV_ALLOC:
	case EV_FAILED:  print_request(a, &e, ev); break;
	case EV_RELEASE: print_release(a, &e, ev); break;
	case EV_REALLOC: print_realloc(a, &e, ev); break;
	default:         return;
	}
	a->error_addr = 0;
}

static int audit_emit(struct event_sink *sink, const struct event *ev)
{
	struct audit *a = container_of(sink, struct audit, sink);
	const struct heap_proc *p = ev->type == EV_PROC ? heap_proc_find(a->heap, ev->pid) : NULL;
	int r;

	if (p && p->log && ev->u.proc.how == PROC_EXECED)
		print_reset(a, p);
	if (ev->type == EV_ERROR) {
		a->error = (enum error_kind)ev->u.error.kind;
		a->error_addr = ev->u.error.addr;
	}
	r = a->next->emit(a->next, ev);
	if (ev->type == EV_MARK)
		print_remark(a, "mark %u", ev->u.mark.nr);
	else
		print_event(a, ev);
	return r;
}

static int audit_flush(struct event_sink *sink)
{
	struct audit *a = container_of(sink, struct audit, sink);

	flush_out(a);
	return a->next->flush(a->next);
}

static void audit_free(struct event_sink *sink)
{
	struct audit *a = container_of(sink, struct audit, sink);

	flush_out(a);
	u64map_for_each(&a->callers, s)
		free((void *)(uintptr_t)s->value);
	u64map_release(&a->callers);
	symbolizer_free(a->sym);
	strbuf_release(&a->line);
	strbuf_release(&a->out);
	free(a);
}

struct event_sink *audit_sink_new(struct event_sink *next, const struct audit_opts *o)
{
	struct audit *a = xcalloc(1, sizeof *a);

	a->sink = (struct event_sink){ audit_emit, audit_flush, audit_free };
	a->next = next;
	a->heap = o->heap;
	a->opts = o->report;
	a->thresholds = o->thresholds;
	a->sym = symbolizer_new(o->heap, o->report);
	a->fd = o->fd;
	a->color = report_use_color(o->report, o->fd);
	a->patient = o->patient;
	return &a->sink;
}
