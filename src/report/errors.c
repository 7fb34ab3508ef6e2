/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Heap errors: a paragraph when one happens for the first time, one line each
 * at the end.
 *
 *	mtrace: double free of 0x55d0c2a0 (80 bytes)
 *	    free
 *	    main           leaky.c:40
 *	  allocated by
 *	    malloc
 *	    read_line      leaky.c:12
 */
#include <ctype.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/msg.h"
#include "text.h"

#define INDENT 4
#define COUNT_COLUMN 24
#define CALLER_COLUMN 34
/* More different ones than anybody reads; the rest is in the report. */
#define MAX_PARAGRAPHS 100

const char *error_kind_name(enum error_kind kind)
{
	static const char *const names[] = {
		[ERROR_MISMATCHED_FREE] = "mismatched free", [ERROR_DOUBLE_FREE] = "double free",
		[ERROR_INVALID_FREE] = "invalid free",       [ERROR_SIZE_MISMATCH] = "size mismatch",
		[ERROR_MISALIGNED] = "misaligned request",   [ERROR_OVERRUN] = "overrun",
		[ERROR_FISHY_SIZE] = "fishy size",
	};

	return (size_t)kind < ARRAY_SIZE(names) ? names[kind] : "error";
}

/* -- what happened ----------------------------------------------------------- */

static const struct heap_probe *probe_of(const struct heap *heap, uint32_t stack)
{
	const struct heap_stack *s = heap_stack(heap, stack);

	return s ? heap_probe(heap, s->probe) : NULL;
}

static void add_op(struct strbuf *sb, const struct heap *heap, uint32_t stack)
{
	view_op_name(sb, probe_of(heap, stack));
}

static void add_variable(struct strbuf *sb, struct symbolizer *sym, const struct heap *heap,
			 const struct heap_error *e)
{
	const struct heap_module *m = heap_module(heap, e->module);
	const char *path = m && m->path[0] ? last_part(m->path) : "a module";
	struct symbol_data d = symbolize_data(sym, e->addr, e->module);

	if (!d.name)
		strbuf_addf(sb, "in %s, at 0x%llx", path, (unsigned long long)e->offset);
	else if (d.offset)
		strbuf_addf(sb, "%llu bytes into %s, a variable of %s",
			    (unsigned long long)d.offset, d.name, path);
	else
		strbuf_addf(sb, "%s, a variable of %s", d.name, path);
}

static void add_inside(struct strbuf *sb, const struct heap_error *e)
{
	strbuf_add_grouped(sb, e->offset);
	strbuf_addf(sb, " byte%s inside a %sblock of ", e->offset == 1 ? "" : "s",
		    e->place == PLACE_FREED ? "released " : "");
	strbuf_add_grouped(sb, e->size);
}

/* What is there, of an address that is no block; nothing when nobody looked. */
void error_place(struct strbuf *sb, struct symbolizer *sym, const struct heap *heap,
		 const struct heap_error *e)
{
	switch (e->place) {
	case PLACE_UNKNOWN:
		break;
	case PLACE_BLOCK:
	case PLACE_FREED:
		add_inside(sb, e);
		break;
	case PLACE_STACK:
		strbuf_adds(sb, "on a stack");
		break;
	case PLACE_MODULE:
		add_variable(sb, sym, heap, e);
		break;
	case PLACE_FILE:
		strbuf_addf(sb, "in the mapped file %s, at 0x%llx", e->path ? e->path : "?",
			    (unsigned long long)e->offset);
		break;
	case PLACE_HEAP:
		strbuf_adds(sb, "in the heap, but no observed function allocated it");
		break;
	case PLACE_MAPPED:
		strbuf_adds(sb, "in mapped memory, but no observed function allocated it");
		break;
	case PLACE_NOWHERE:
		strbuf_adds(sb, "not mapped");
		break;
	}
}

static void add_bytes(struct strbuf *sb, uint64_t size)
{
	strbuf_add_grouped(sb, size);
	strbuf_adds(sb, size == 1 ? " byte" : " bytes");
}

static void add_request(struct strbuf *sb, const struct heap *heap, const struct heap_error *e)
{
	strbuf_addf(sb, "%s: ", error_kind_name(e->kind));
	add_op(sb, heap, e->at);
	strbuf_adds(sb, " asks for ");
	add_bytes(sb, e->size);
	if (e->kind == ERROR_MISALIGNED)
		strbuf_addf(sb, " aligned to %llu", (unsigned long long)e->given);
}

/* ": 2 bytes at +80: 41 42  "AB"" */
static void add_overrun(struct strbuf *sb, const struct heap_error *e)
{
	strbuf_addf(sb, ": %llu byte%s at +%llu:", (unsigned long long)e->given,
		    e->given == 1 ? "" : "s", (unsigned long long)e->offset);
	for (unsigned i = 0; i < e->ndata; i++)
		strbuf_addf(sb, " %02x", e->data[i]);
	strbuf_adds(sb, e->given > e->ndata ? " …  \"" : "  \"");
	for (unsigned i = 0; i < e->ndata; i++)
		strbuf_addc(sb, e->data[i] < 127 && isprint(e->data[i]) ? (char)e->data[i] : '.');
	strbuf_addc(sb, '"');
}

static void add_detail(struct strbuf *sb, struct symbolizer *sym, const struct heap *heap,
		       const struct heap_error *e)
{
	struct strbuf place = STRBUF_INIT;

	if (e->kind == ERROR_MISMATCHED_FREE) {
		strbuf_adds(sb, ": ");
		add_op(sb, heap, e->stack);
		strbuf_adds(sb, " made it, ");
		add_op(sb, heap, e->at);
		strbuf_adds(sb, " releases it");
	} else if (e->kind == ERROR_SIZE_MISMATCH) {
		strbuf_adds(sb, ": ");
		add_op(sb, heap, e->at);
		strbuf_adds(sb, " is told ");
		strbuf_add_grouped(sb, e->given);
	} else if (e->kind == ERROR_OVERRUN) {
		add_overrun(sb, e);
	} else if (e->kind == ERROR_INVALID_FREE) {
		error_place(&place, sym, heap, e);
		if (place.n)
			strbuf_addf(sb, ": %s", place.s);
		strbuf_release(&place);
	}
}

void error_what(struct strbuf *sb, struct symbolizer *sym, const struct heap *heap,
		const struct heap_error *e)
{
	const struct heap_probe *probe = probe_of(heap, e->at);

	if (e->kind == ERROR_MISALIGNED || e->kind == ERROR_FISHY_SIZE) {
		add_request(sb, heap, e);
		return;
	}
	strbuf_addf(sb, "%s of 0x%llx", error_kind_name(e->kind), (unsigned long long)e->addr);
	if (e->kind != ERROR_INVALID_FREE) {
		strbuf_adds(sb, " (");
		add_bytes(sb, e->size);
		strbuf_addc(sb, ')');
	}
	if (probe && probe->op == OP_REALLOC && e->kind != ERROR_MISMATCHED_FREE)
		strbuf_adds(sb, " by realloc");
	add_detail(sb, sym, heap, e);
}

/* -- paragraphs -------------------------------------------------------------- */

static void add_stack(struct text *t, const char *title, uint32_t id)
{
	struct strbuf sb = STRBUF_INIT;

	if (!id)
		return;
	if (title)
		strbuf_addf(t->out, "  %s\n", title);
	add_op(&sb, t->heap, id);
	text_backtrace(t, heap_stack(t->heap, id), strbuf_detach(&sb), xstrdup(""));
}

static void add_paragraph(struct text *t, const struct heap_proc *p, const struct heap_error *e)
{
	strbuf_addf(t->out, "%s: ", msg_program());
	style_on(t, RED);
	error_what(t->out, t->sym, t->heap, e);
	style_off(t, RED);
	if (heap_nprocs(t->heap) > 1)
		strbuf_addf(t->out, ", in %s (%d)", p->name, (int)p->pid);
	strbuf_addc(t->out, '\n');
	if (e->kind == ERROR_OVERRUN)
		strbuf_adds(t->out, e->at ? "  found when the block was released by\n" :
					    "  found when all blocks were looked at\n");
	add_stack(t, NULL, e->at);
	add_stack(t, "the block was allocated by", e->stack);
	add_stack(t, "and released by", e->freed);
	strbuf_addc(t->out, '\n');
}

/* -- at the end --------------------------------------------------------------- */

static void error_line(struct text *t, const struct heap_error *e)
{
	struct strbuf sb = STRBUF_INIT;
	size_t start = t->out->n;

	text_pad(t->out, 0, INDENT);
	strbuf_adds(t->out, error_kind_name(e->kind));
	text_pad(t->out, t->out->n - start, COUNT_COLUMN);
	strbuf_add_grouped(t->out, e->count);
	strbuf_adds(t->out, e->count == 1 ? " time" : " times");
	text_caller(t, &sb, heap_stack(t->heap, e->at ? e->at : e->stack));
	if (sb.n) {
		text_pad(t->out, t->out->n - start, CALLER_COLUMN);
		strbuf_addf(t->out, "  %s", sb.s);
	}
	strbuf_addc(t->out, '\n');
	strbuf_release(&sb);
}

static bool listed(const struct text *t, const struct heap_error *e)
{
	return e->kind != ERROR_FISHY_SIZE || t->opts->verbose > 0;
}

void text_errors(struct text *t, const struct view_proc *p)
{
	bool begun = false;

	for (size_t i = 0; i < p->errors.n; i++) {
		const struct view_error *ve = &p->errors.v[i];

		if (!listed(t, ve->e))
			continue;
		if (!begun) {
			text_section(t);
			if (!t->to_file)
				strbuf_adds(t->out, "errors\n");
		}
		begun = true;
		if (t->to_file)
			add_paragraph(t, ve->image, ve->e);
		else
			error_line(t, ve->e);
	}
}

void text_error_kinds(struct strbuf *sb, const struct view_proc *p)
{
	uint64_t count[ERROR_FISHY_SIZE + 1] = { 0 };
	const char *separator = ": ";

	for (size_t i = 0; i < p->errors.n; i++) {
		const struct heap_error *e = p->errors.v[i].e;

		if ((size_t)e->kind < ARRAY_SIZE(count))
			count[e->kind] += e->count;
	}
	for (size_t kind = 0; kind < ERROR_FISHY_SIZE; kind++) {
		if (!count[kind])
			continue;
		strbuf_adds(sb, separator);
		strbuf_add_grouped(sb, count[kind]);
		strbuf_addf(sb, " %s%s", error_kind_name((enum error_kind)kind),
			    count[kind] == 1 ? "" : kind == ERROR_SIZE_MISMATCH ? "es" : "s");
		separator = ", ";
	}
}

/* -- when it happens ------------------------------------------------------------ */

struct errors {
	struct event_sink sink;
	struct event_sink *next;
	const struct heap *heap;
	const struct report_opts *opts;
	struct symbolizer *sym;
	size_t told;
};

static void tell(struct errors *s, const struct heap_proc *p, const struct heap_error *e)
{
	struct strbuf sb = STRBUF_INIT, out = STRBUF_INIT;
	int fd = msg_fd();
	struct text t = { .out = &sb, .heap = s->heap, .opts = s->opts, .sym = s->sym,
			  .color = report_use_color(s->opts, fd), .whole = s->opts->long_form,
			  .width = report_width(s->opts, fd) };

	if (!listed(&t, e) || s->told > MAX_PARAGRAPHS)
		return;
	if (s->told++ == MAX_PARAGRAPHS) {
		msg_warn("%d different errors were shown; the rest stands in the report",
			 MAX_PARAGRAPHS);
		return;
	}
	add_paragraph(&t, p, e);
	text_finish(&t, &out);
	write_patiently(fd, out.s, out.n); /* nobody may read it: the report counts */
	vec_release(&t.nameless);
	strbuf_release(&sb);
	strbuf_release(&out);
}

static size_t distinct(const struct heap *heap, pid_t pid)
{
	const struct heap_proc *p = heap_proc_find(heap, pid);

	return p ? p->errors.n : 0;
}

static bool is_suppressed(const struct errors *s, const struct event *ev)
{
	return error_is_of_free((enum error_kind)ev->u.error.kind) &&
	       suppression_of(s->heap, s->opts, s->sym, ev->u.error.at, SUPPRESS_FREE) >= 0;
}

static int errors_emit(struct event_sink *sink, const struct event *ev)
{
	struct errors *s = container_of(sink, struct errors, sink);
	const struct heap_proc *p;
	size_t before;
	int r;

	if (ev->type != EV_ERROR)
		return s->next->emit(s->next, ev);
	before = distinct(s->heap, ev->pid);
	r = s->next->emit(s->next, ev);
	if (is_suppressed(s, ev))
		return r < 0 ? r : EMIT_SUPPRESSED;
	p = heap_proc_find(s->heap, ev->pid);
	if (p && p->errors.n > before)
		tell(s, p, &p->errors.v[before]);
	return r;
}

static int errors_flush(struct event_sink *sink)
{
	struct errors *s = container_of(sink, struct errors, sink);

	return s->next->flush(s->next);
}

static void errors_free(struct event_sink *sink)
{
	struct errors *s = container_of(sink, struct errors, sink);

	symbolizer_free(s->sym);
	free(s);
}

struct event_sink *errors_sink_new(struct event_sink *next, const struct heap *heap,
				   const struct report_opts *opts)
{
	struct errors *s = xcalloc(1, sizeof *s);

	s->sink = (struct event_sink){ errors_emit, errors_flush, errors_free };
	s->next = next;
	s->heap = heap;
	s->opts = opts;
	s->sym = symbolizer_new(heap, opts);
	return &s->sink;
}
