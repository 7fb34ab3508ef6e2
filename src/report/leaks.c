/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The paragraphs of leaks: what was lost, what it holds on to, and what points
 * to the rest. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "paragraph.h"

/* Callers of held blocks that are named one by one. */
#define MAX_HELD 3

/* -- the way to a block --------------------------------------------------------- */

static void add_module(struct strbuf *sb, const struct heap_module *m)
{
	strbuf_adds(sb, m && m->path[0] ? last_part(m->path) : "anonymous memory");
}

/* cursor (leaky .bss), the stack of thread 17, … */
static void add_root(struct text *t, struct strbuf *sb, const struct heap_link *l, bool offset)
{
	const struct heap_module *m = heap_module(t->heap, l->module);
	struct symbol_data d = symbolize_data(t->sym, l->at, l->module);

	if (l->from == FROM_REGISTER) {
		strbuf_addf(sb, "a register of thread %d", (int)l->tid);
		return;
	}
	if (l->from == FROM_STACK) {
		strbuf_addf(sb, "the stack of thread %d", (int)l->tid);
		return;
	}
	if (d.name) {
		strbuf_addf(sb, "%s (", d.name);
		add_module(sb, m);
		strbuf_addf(sb, "%s%s)", d.section ? " " : "", d.section ? d.section : "");
		if (offset && d.offset)
			strbuf_addf(sb, " → +%llu", (unsigned long long)d.offset);
		return;
	}
	add_module(sb, m);
	if (m)
		strbuf_addf(sb, "+0x%llx%s%s", (unsigned long long)(l->at - m->bias),
			    d.section ? " " : "", d.section ? d.section : "");
	else
		strbuf_addf(sb, " 0x%llx", (unsigned long long)l->at);
}

/* Blocks older than the attach have none. */
static void add_caller(struct text *t, struct strbuf *sb, const char *before,
		       const struct heap_stack *s)
{
	struct strbuf caller = STRBUF_INIT;

	text_caller(t, &caller, s);
	if (caller.n)
		strbuf_addf(sb, "%s%s", before, caller.s);
	strbuf_release(&caller);
}

static void add_link(struct text *t, struct strbuf *sb, const struct heap_link *l, bool first)
{
	const struct heap_stack *s = heap_stack(t->heap, l->block_stack);

	if (first || l->from != FROM_BLOCK)
		add_root(t, sb, l, true);
	else
		strbuf_addf(sb, " → +%llu", (unsigned long long)l->at);
	strbuf_adds(sb, " → ");
	text_count(sb, l->size, "byte");
	strbuf_adds(sb, ", ");
	view_op_name(sb, s ? heap_probe(t->heap, s->probe) : NULL);
	add_caller(t, sb, " in ", s);
	if (l->offset)
		strbuf_addf(sb, ", to +%llu of it", (unsigned long long)l->offset);
}

/* "only +16 is pointed to: cursor (leaky .bss)" */
static char *only_inside(struct text *t, const struct heap_leak *l)
{
	const struct heap_link *last = l->why.n ? &l->why.v[l->why.n - 1] : NULL;
	struct strbuf sb = STRBUF_INIT;

	if (!last || !last->offset)
		return last ? xstrdup("pointed to by what is possibly lost") : xstrdup("");
	strbuf_addf(&sb, "only +%llu is pointed to: ", (unsigned long long)last->offset);
	if (last->from == FROM_BLOCK)
		strbuf_adds(&sb, "a block");
	else
		add_root(t, &sb, last, false);
	return strbuf_detach(&sb);
}

/* A line for each link:
 *
 *	└─ config (.bss of ./prog) → +16 → 48 bytes, malloc in parse parse.c:40
 *	   → +8 → 256 bytes, … */
static void add_why(struct text *t, struct paragraph *p, const struct heap_way *way)
{
	for (size_t i = 0; i < way->n; i++) {
		const struct heap_link *link = &way->v[i];
		struct strbuf sb = STRBUF_INIT;
		uint32_t left_out = i ? link->step - way->v[i - 1].step - 1 : 0;

		strbuf_adds(&sb, i ? "  " : "└─ ");
		if (left_out)
			strbuf_addf(&sb, " → … %u more …", left_out);
		add_link(t, &sb, link, i == 0);
		paragraph_line(p, strbuf_detach(&sb), xstrdup(""), PLAIN, PLAIN);
	}
}

/* -- what hangs on it -------------------------------------------------------------- */

static void add_held(struct text *t, struct paragraph *p, const struct view_leak *l)
{
	for (size_t i = 0; i < l->held.n; i++) {
		struct strbuf sb = STRBUF_INIT;
		uint64_t bytes = l->held.v[i].bytes, blocks = l->held.v[i].blocks;
		size_t rest = l->held.n - i;

		strbuf_adds(&sb, i ? "   and " : "└─ and with it ");
		if (i == MAX_HELD && rest > 1) { /* all others in one line */
			for (size_t k = i + 1; k < l->held.n; k++) {
				bytes += l->held.v[k].bytes;
				blocks += l->held.v[k].blocks;
			}
			text_amount(&sb, bytes, blocks, "block");
			strbuf_addf(&sb, " of %zu more callers", rest);
			i = l->held.n;
		} else {
			text_amount(&sb, bytes, blocks, "block");
			add_caller(t, &sb, ": ", l->held.v[i].row->stack);
		}
		paragraph_line(p, strbuf_detach(&sb), xstrdup(""), PLAIN, PLAIN);
	}
}

/* -v: how the largest one begins */
static void add_data(struct paragraph *p, const struct heap_leak *l)
{
	for (unsigned i = 0; i < l->ndata; i += 16) {
		struct strbuf hex = STRBUF_INIT, chars = STRBUF_INIT;

		for (unsigned k = i; k < i + 16u && k < l->ndata; k++) {
			strbuf_addf(&hex, "%02x ", l->data[k]);
			strbuf_addc(&chars, l->data[k] < 127 && isprint(l->data[k]) ?
						    (char)l->data[k] : '.');
		}
		paragraph_line(p, strbuf_detach(&hex), strbuf_detach(&chars), DIM, DIM);
	}
}

/* -- paragraphs ------------------------------------------------------------------------ */

static enum style style_of(enum leak_kind kind)
{
	return kind == LEAK_DEFINITE ? RED : kind == LEAK_POSSIBLE ? YELLOW : PLAIN;
}

static void print_leak(struct text *t, const struct view *v, const struct view_leak *l,
		       size_t number)
{
	struct paragraph p = { .label = view_leak_name(l->kind), .label_style = style_of(l->kind),
			       .number = number };
	const struct view_stack *s = l->row;
	struct strbuf sb = STRBUF_INIT;
	bool known = s->min_size <= s->max_size;

	text_amount(&sb, l->bytes, l->blocks, s->mapping ? "region" : "block");
	p.amount = strbuf_detach(&sb);
	if (!s->mapping)
		p.hint = paragraph_share(l->bytes, v->proc->total.open_bytes);
	if (s->older)
		paragraph_older(t, &p, s);
	else
		paragraph_operation(&p, s, known ? s->min_size : l->sample->largest_size,
			    known ? s->max_size : l->sample->largest_size, &s->product,
			    l->kind == LEAK_POSSIBLE ? only_inside(t, l->sample) : paragraph_fate(s));
	if (!s->older)
		paragraph_frames(t, &p, s);
	if (l->kind == LEAK_DEFINITE)
		add_held(t, &p, l);
	if (l->sample->why.n && (l->kind == LEAK_REACHABLE || l->sample->why.n > 1))
		add_why(t, &p, &l->sample->why);
	if (t->opts->verbose > 0)
		add_data(&p, l->sample);
	paragraph_print(t, &p);
	paragraph_release(&p);
}

static void print_rest(struct text *t, const struct view_leak **list, size_t n)
{
	uint64_t bytes = 0;

	for (size_t i = 0; i < n; i++)
		bytes += list[i]->bytes;
	paragraph_rest(t, n, n == 1 ? "has lost" : "have lost", bytes, 0);
}

bool text_wants_leak(const struct text *t, const struct view_leak *l)
{
	return view_lists_leak(t->opts, l);
}

/* Nothing but lost memory points to it, or nothing at all. */
static char *no_way(const struct heap_asked *a)
{
	if (a->holder)
		return xasprintf("└─ held by the lost block at 0x%llx", (unsigned long long)a->holder);
	return xstrdup(a->kind == LEAK_DEFINITE ? "└─ nothing points to it" : "");
}

void text_leak(struct text *t, const struct view *v, const struct view_leak *l)
{
	print_leak(t, v, l, 0);
}

/* --why=ADDR */
void text_asked(struct text *t, const struct heap_asked *a)
{
	const struct heap_stack *s = heap_stack(t->heap, a->stack);
	struct view_stack row = { .stack = s, .probe = s ? heap_probe(t->heap, s->probe) : NULL };
	struct paragraph p = { .label = a->found ? view_leak_name(a->kind) : "no block" };
	struct strbuf sb = STRBUF_INIT;

	if (a->found)
		text_count(&sb, a->size, "byte");
	strbuf_addf(&sb, "%s0x%llx", a->found ? " at " : "covers ",
		    (unsigned long long)(a->found ? a->block : a->addr));
	p.amount = strbuf_detach(&sb);
	if (a->found && a->addr != a->block)
		p.hint = xasprintf("+%llu was asked for", (unsigned long long)(a->addr - a->block));
	if (s && !s->older) {
		paragraph_operation(&p, &row, a->size, a->size, NULL, xstrdup(""));
		paragraph_frames(t, &p, &row);
	}
	add_why(t, &p, &a->why);
	if (a->found && !a->why.n)
		paragraph_line(&p, no_way(a), xstrdup(""), PLAIN, PLAIN);
	paragraph_print(t, &p);
	paragraph_release(&p);
}

void text_leaks(struct text *t, const struct view *v)
{
	const struct heap_scan *scan = &v->proc->scan;
	const struct view_leak **list = xcalloc(v->leaks.n + 1, sizeof *list);
	size_t n = 0, shown;

	for (size_t i = 0; i < v->leaks.n; i++)
		if (text_wants_leak(t, &v->leaks.v[i]))
			list[n++] = &v->leaks.v[i];
	shown = MIN(n, paragraph_limit(t));
	if (shown < n && !t->to_file)
		print_rest(t, list + shown, n - shown);
	for (size_t k = 0; k < shown; k++) {
		size_t i = t->to_file ? k : shown - 1 - k;

		print_leak(t, v, list[i], i + 1);
	}
	if (shown < n && t->to_file)
		print_rest(t, list + shown, n - shown);
	for (size_t i = 0; i < scan->asked.n; i++)
		text_asked(t, &scan->asked.v[i]);
	free(list);
}
