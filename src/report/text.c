/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The text report as a whole.  On a terminal what matters most comes last,
 * where the eye is; in a file it comes first. */
#include "base/xalloc.h"
#include "text.h"

static void print_proc(struct text *t, const struct view_proc *p, const struct diff *d)
{
	if (t->to_file)
		text_summary(t, p);
	if (t->to_file)
		text_errors(t, p);
	text_stacks(t, &p->now, d);
	if (!t->to_file)
		text_errors(t, p);
	text_heap(t, p->now.proc);
	if (!t->to_file)
		text_summary(t, p);
}

/* Of several processes only those that have something to say are printed, and
 * the first one always: it is the one that was launched. */
static void print_procs(struct text *t, const struct view_procs *vp)
{
	size_t n = vp->v.n;

	if (t->to_file)
		text_table(t, vp);
	for (size_t k = 0; k < n; k++) {
		size_t i = t->to_file ? k : n - 1 - k;

		if (i == 0 || text_proc_speaks(t, &vp->v.v[i]))
			print_proc(t, &vp->v.v[i], vp->diff);
	}
	if (!t->to_file)
		text_table(t, vp);
}

/* -q: requests that failed, errors, what --fail-if names, and what else went
 * wrong. */
static bool anything_wrong(const struct heap *heap, const struct report_opts *opts,
			   const struct view_procs *vp)
{
	if (view_fails(vp, opts))
		return true;
	for (size_t i = 0; i < vp->v.n; i++) {
		const struct view *v = &vp->v.v[i].now;

		if (v->errors || v->proc->total.failed || v->proc->maps.failed || v->proc->killed.cause)
			return true;
	}
	for (size_t i = 0; i < heap_nnotes(heap); i++)
		if (heap_note_at(heap, i)->bad)
			return true;
	return false;
}

static void print_wrong(struct text *t, const struct view_procs *vp)
{
	if (!anything_wrong(t->heap, t->opts, vp))
		return;
	text_out_of_memory(t, vp);
	for (size_t i = 0; i < vp->v.n; i++)
		text_failed(t, &vp->v.v[i].now);
	if (t->begun)
		strbuf_addc(t->out, '\n');
	text_notes(t, true);
	text_failures(t, vp);
	text_verdict(t, vp);
}

static void print_all(struct text *t, const struct view_procs *vp)
{
	if (t->opts->list_blocks && !t->to_file)
		text_open_blocks(t);
	text_out_of_memory(t, vp);
	print_procs(t, vp);
	if (t->opts->list_blocks && t->to_file)
		text_open_blocks(t);
	if (t->opts->gen_suppressions)
		text_suppressions(t, vp);
	if (t->begun)
		strbuf_addc(t->out, '\n');
	text_hints(t, vp);
	text_notes(t, false);
	text_diff_notes(t, vp->diff);
	text_failures(t, vp);
	text_verdict(t, vp);
}

void text_open(struct text *t, struct view_procs *vp, const struct heap *heap,
	       const struct report_opts *opts, const struct report_page *page)
{
	*t = (struct text){ .heap = heap, .opts = opts, .to_file = page->to_file,
			    .color = page->color, .utf8 = page->utf8, .width = page->width,
			    .whole = page->to_file || opts->long_form };
	t->out = xcalloc(1, sizeof *t->out);
	t->sym = symbolizer_new(heap, opts);
	view_procs_build(vp, heap);
	if (opts->pid)
		view_procs_keep(vp, opts->pid);
	view_suppress(vp, opts, t->sym);
	for (size_t i = 0; i < vp->v.n; i++)
		view_ignore(&vp->v.v[i].now, t->sym, opts);
}

void text_close(struct text *t, struct view_procs *vp, struct strbuf *out)
{
	text_finish(t, out);
	strbuf_release(t->out);
	free(t->out);
	view_procs_release(vp);
	vec_release(&t->nameless);
	symbolizer_free(t->sym);
}

void report_text(const struct heap *heap, const struct report_opts *opts, bool to_file, bool color,
		 unsigned width, struct strbuf *out)
{
	const struct report_page page = { .to_file = to_file, .color = color, .width = width };

	report_text_page(heap, opts, &page, out);
}

void report_text_page(const struct heap *heap, const struct report_opts *opts,
		      const struct report_page *page, struct strbuf *out)
{
	struct view_procs vp;
	struct text t;

	text_open(&t, &vp, heap, opts, page);
	view_diff_build(&vp, opts, t.sym);
	if (opts->quiet)
		print_wrong(&t, &vp);
	else
		print_all(&t, &vp);
	text_close(&t, &vp, out);
}
