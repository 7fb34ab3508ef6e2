/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Single pieces of the text report, for the console. */
#include <stdlib.h>

#include "text.h"

static void add_process(struct text *t, const struct view_proc *p, enum report_piece piece)
{
	switch (piece) {
	case REPORT_LEAKS:
		if (p->now.proc->scan.done)
			text_leaks(t, &p->now);
		break;
	case REPORT_TOP:
		text_in_use(t, &p->now);
		break;
	case REPORT_GROWN:
		text_grown(t, &p->now);
		break;
	case REPORT_ERRORS:
		text_errors(t, p);
		break;
	case REPORT_SUMMARY:
		text_summary(t, p);
		break;
	case REPORT_PROCS: /* all in one table */
		break;
	}
}

/* Of several processes each says whose it is, those of which there is nothing to
 * tell excepted. */
static void add_named(struct text *t, const struct view_proc *p, enum report_piece piece)
{
	size_t before = t->out->n, after;
	bool begun = t->begun;

	text_section(t);
	view_who(t->out, p->now.proc);
	strbuf_addc(t->out, '\n');
	after = t->out->n;
	add_process(t, p, piece);
	if (t->out->n > after)
		return;
	t->out->n = before;
	t->begun = begun;
}

void report_piece(const struct heap *heap, const struct report_opts *opts,
		  const struct report_page *page, enum report_piece piece, struct strbuf *out)
{
	struct view_procs vp;
	struct text t;

	text_open(&t, &vp, heap, opts, page);
	if (piece == REPORT_ERRORS)
		t.to_file = true; /* a terminal has only a line of each at the end */
	if (piece == REPORT_PROCS)
		text_proclist(&t, &vp);
	for (size_t i = 0; i < vp.v.n; i++) {
		const struct view_proc *p = &vp.v.v[t.to_file ? i : vp.v.n - 1 - i];

		if (vp.v.n > 1 && piece <= REPORT_GROWN)
			add_named(&t, p, piece);
		else
			add_process(&t, p, piece);
	}
	text_close(&t, &vp, out);
}

/* -- what has a number ------------------------------------------------------------ */

static bool numbered_leak(const struct report_opts *opts, const struct view *v, size_t n,
			  struct report_numbered *out)
{
	for (size_t i = 0; i < v->leaks.n; i++) {
		const struct view_leak *l = &v->leaks.v[i];

		if (!view_lists_leak(opts, l) || --n)
			continue;
		out->stack = l->row->stack ? l->row->stack->id : 0;
		out->largest = l->sample->largest;
		return true;
	}
	return false;
}

static bool numbered_row(const struct report_opts *opts, const struct view *v, size_t n,
			 struct report_numbered *out)
{
	const struct view_stack **list;
	size_t all = view_select(v, VIEW_HEAP, opts->sort, &list);

	if (n <= all) {
		out->stack = list[n - 1]->stack ? list[n - 1]->stack->id : 0;
		out->largest = 0;
	}
	free(list);
	return n <= all;
}

bool report_numbered(const struct heap *heap, const struct report_opts *opts, enum report_piece piece,
		     size_t n, struct report_numbered *out)
{
	const struct report_page page = { 0 };
	struct strbuf none = STRBUF_INIT;
	struct view_procs vp;
	struct text t;
	bool found = false;

	text_open(&t, &vp, heap, opts, &page);
	if (vp.v.n && n) {
		const struct view *v = &vp.v.v[0].now;

		out->pid = v->proc->pid;
		found = piece == REPORT_LEAKS ? numbered_leak(opts, v, n, out) :
						numbered_row(opts, v, n, out);
	}
	text_close(&t, &vp, &none);
	strbuf_release(&none);
	return found;
}

/* The row that stands for a stack; NULL: none does. */
static const struct view_stack *row_of(const struct view *v, const struct heap_stack *s)
{
	for (size_t i = 0; i < v->stacks.n; i++) {
		const struct heap_stack *there = v->stacks.v[i].stack;

		if (there == s || (s && there && !s->older && !there->older &&
				   report_caller_hash(v->heap, there->id) ==
					   report_caller_hash(v->heap, s->id)))
			return &v->stacks.v[i];
	}
	return NULL;
}

bool report_stack(const struct heap *heap, const struct report_opts *opts,
		  const struct report_page *page, uint32_t stack, struct strbuf *out)
{
	const struct view_stack *row = NULL;
	struct view_procs vp;
	struct text t;

	text_open(&t, &vp, heap, opts, page);
	for (size_t i = 0; i < vp.v.n && !row; i++) {
		const struct view *v = &vp.v.v[i].now;

		row = row_of(v, heap_stack(heap, stack));
		if (!row)
			continue;
		text_row(&t, v, row);
		for (size_t k = 0; k < v->leaks.n; k++)
			if (v->leaks.v[k].row == row && v->leaks.v[k].kind != LEAK_REACHABLE)
				text_leak(&t, v, &v->leaks.v[k]);
	}
	text_close(&t, &vp, out);
	return row;
}

/* -- what points to a block -------------------------------------------------------- */

static bool covers(taddr_t block, uint64_t size, taddr_t addr)
{
	return addr >= block && addr - block < MAX(size, 1u);
}

static bool why_in(struct text *t, const struct view *v, taddr_t addr)
{
	const struct heap_scan *scan = &v->proc->scan;

	for (size_t i = 0; i < scan->asked.n; i++)
		if (scan->asked.v[i].addr == addr ||
		    (scan->asked.v[i].found &&
		     covers(scan->asked.v[i].block, scan->asked.v[i].size, addr))) {
			text_asked(t, &scan->asked.v[i]);
			return true;
		}
	for (size_t i = 0; i < v->leaks.n; i++) {
		const struct view_leak *l = &v->leaks.v[i];

		if (!covers(l->sample->largest, l->sample->largest_size, addr) ||
		    (!l->sample->why.n && l->kind != LEAK_DEFINITE))
			continue;
		text_leak(t, v, l);
		return true;
	}
	return false;
}

bool report_why(const struct heap *heap, const struct report_opts *opts,
		const struct report_page *page, taddr_t addr, struct strbuf *out)
{
	struct view_procs vp;
	struct text t;
	bool found = false;

	text_open(&t, &vp, heap, opts, page);
	for (size_t i = 0; i < vp.v.n && !found; i++)
		found = why_in(&t, &vp.v.v[i].now, addr);
	text_close(&t, &vp, out);
	return found;
}
