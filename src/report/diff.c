/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is new, grown, shrunk or gone since an older run, in words. */
#include <stdlib.h>
#include <string.h>

#include "base/strbuf.h"
#include "base/msg.h"
#include "base/xalloc.h"
#include "paragraph.h"

static const char *const names[] = {
	[DIFF_NEW] = "new", [DIFF_GROWN] = "grown", [DIFF_SHRUNK] = "shrunk", [DIFF_GONE] = "gone",
	[DIFF_SAME] = "the same",
};

static uint64_t apart(uint64_t a, uint64_t b)
{
	return a > b ? a - b : b - a;
}

/* "+4,000", "−16", "0" */
static void add_signed(struct strbuf *sb, uint64_t is, uint64_t was)
{
	if (is != was)
		strbuf_adds(sb, is > was ? "+" : "−");
	strbuf_add_grouped(sb, apart(is, was));
}

static void add_step(struct strbuf *sb, uint64_t is, uint64_t was, const char *noun)
{
	strbuf_add_grouped(sb, was);
	strbuf_adds(sb, " → ");
	text_count(sb, is, noun);
}

/* -- paragraphs ------------------------------------------------------------------ */

/* Frames of the older run are named by its own files. */
static void add_frames(struct text *t, struct paragraph *p, const struct diff *d,
		       const struct view_stack *s, bool old)
{
	const struct heap *heap = t->heap;
	struct symbolizer *sym = t->sym;

	if (old) {
		t->heap = t->opts->diff;
		t->sym = diff_symbolizer(d);
	}
	if (s->older)
		paragraph_older(t, p, s);
	else
		paragraph_frames(t, p, s);
	t->heap = heap;
	t->sym = sym;
}

/* Beside the difference if it fits there, else below it. */
static void put_steps(const struct text *t, struct paragraph *p, char *steps)
{
	size_t room = paragraph_hint_room(t, p);

	if (text_columns(steps) <= room)
		p->hint = steps;
	else
		paragraph_line(p, steps, xstrdup(""), DIM, DIM);
}

static void print_row(struct text *t, const struct diff *d, const struct diff_row *r, bool leak)
{
	enum diff_change change = diff_change(r);
	bool old = !r->blocks;
	const struct view_stack *s = old ? &r->was : &r->is;
	struct paragraph p = { .label = names[change],
			       .label_style = change == DIFF_NEW || change == DIFF_GROWN ? YELLOW : PLAIN };
	struct strbuf sb = STRBUF_INIT;

	add_signed(&sb, r->bytes, r->old_bytes);
	strbuf_adds(&sb, apart(r->bytes, r->old_bytes) == 1 ? " byte in " : " bytes in ");
	add_signed(&sb, r->blocks, r->old_blocks);
	strbuf_adds(&sb, apart(r->blocks, r->old_blocks) == 1 ? " block" : " blocks");
	p.amount = strbuf_detach(&sb);
	add_step(&sb, r->bytes, r->old_bytes, "byte");
	strbuf_adds(&sb, ", ");
	add_step(&sb, r->blocks, r->old_blocks, "block");
	put_steps(t, &p, strbuf_detach(&sb));
	if (!s->older)
		paragraph_operation(&p, s, s->min_size, s->max_size, &s->product,
				    leak ? xstrdup(view_leak_name(r->kind)) : paragraph_fate(s));
	add_frames(t, &p, d, s, old);
	paragraph_print(t, &p);
	paragraph_release(&p);
}

static void print_rest(struct text *t, const struct diff_list *l, size_t shown, size_t n)
{
	uint64_t bytes = 0;

	for (size_t i = 0; i < l->v.n; i++)
		if (diff_change(&l->v.v[i]) != DIFF_SAME && shown && shown--)
			continue;
		else
			bytes += apart(l->v.v[i].bytes, l->v.v[i].old_bytes);
	paragraph_rest(t, n, n == 1 ? "differs by" : "differ by", bytes, 0);
}

void text_diff(struct text *t, const struct diff *d, const struct view_diff *vd)
{
	const struct diff_list *l = diff_listed(vd, t->opts);
	const struct diff_row **list = xcalloc(l->v.n + 1, sizeof *list);
	size_t n = 0, shown;

	for (size_t i = 0; i < l->v.n; i++)
		if (diff_change(&l->v.v[i]) != DIFF_SAME)
			list[n++] = &l->v.v[i];
	shown = MIN(n, paragraph_limit(t));
	if (shown < n && !t->to_file)
		print_rest(t, l, shown, n - shown);
	for (size_t k = 0; k < shown; k++)
		print_row(t, d, list[t->to_file ? k : shown - 1 - k], l == &vd->leaks);
	if (shown < n && t->to_file)
		print_rest(t, l, shown, n - shown);
	free(list);
}

/* -- the end ---------------------------------------------------------------------- */

bool diff_differs(const struct diff_list *l)
{
	return l->n[DIFF_NEW] || l->n[DIFF_GROWN] || l->n[DIFF_SHRUNK] || l->n[DIFF_GONE];
}

void text_diff_changes(struct strbuf *sb, const size_t n[DIFF_CHANGES])
{
	bool first = true;

	for (int c = 0; c < DIFF_SAME; c++) {
		if (!n[c])
			continue;
		strbuf_adds(sb, first ? "" : ", ");
		strbuf_add_grouped(sb, n[c]);
		if (first)
			strbuf_adds(sb, n[c] == 1 ? " stack" : " stacks");
		strbuf_addf(sb, " %s", names[c]);
		first = false;
	}
	if (first)
		strbuf_adds(sb, "no stack differs");
}

/* "only OLD has helper (pid 12): 30 bytes in 1 block in use" */
static void note_processes(struct text *t, const struct diff *d)
{
	const struct heap_proc *first = NULL;
	uint64_t bytes = 0, blocks = 0;
	size_t n = 0;

	for (size_t i = 0; i < diff_count(d); i++) {
		const struct view_diff *vd = diff_at(d, i);

		if (vd->is)
			continue;
		if (!n++)
			first = vd->was->now.proc;
		bytes += vd->use.old_bytes;
		blocks += vd->use.old_blocks;
	}
	if (!n)
		return;
	strbuf_addf(t->out, "%s: only %s has %s (pid %d)", msg_program(), t->opts->diff_name,
		    first->name, (int)first->pid);
	if (n > 1)
		strbuf_addf(t->out, " and %zu more", n - 1);
	strbuf_adds(t->out, ": ");
	text_amount(t->out, bytes, blocks, "block");
	strbuf_adds(t->out, " in use\n");
}

static bool same_program(const struct view_diff *vd)
{
	return !strcmp(last_part(vd->is->now.proc->exe), last_part(vd->was->now.proc->exe));
}

/* What a reader should know about the comparison. */
void text_diff_notes(struct text *t, const struct diff *d)
{
	const struct view_diff *first = d && diff_count(d) ? diff_at(d, 0) : NULL;

	if (!first)
		return;
	if (first->is && first->was && !same_program(first))
		strbuf_addf(t->out, "%s: %s is of another program, %s: compared all the same\n",
			    msg_program(), t->opts->diff_name, first->was->now.proc->name);
	if (!first->was)
		strbuf_addf(t->out, "%s: %s has no process: all is new\n", msg_program(),
			    t->opts->diff_name);
	if (t->opts->list_leaks && !first->scanned)
		strbuf_addf(t->out, "%s: not both runs have a leak scan: what is in use is compared\n",
			    msg_program());
	if (diff_missing(d))
		strbuf_addf(t->out, "%s: the build of %s that %s is of has no names (-b FOLDER with that "
			    "build helps): its callers may not be recognised\n", msg_program(),
			    last_part(diff_missing(d)), t->opts->diff_name);
	if (t->opts->interrupted && *t->opts->interrupted)
		strbuf_addf(t->out, "%s: names were not looked up to the end: callers may not be recognised\n",
			    msg_program());
	note_processes(t, d);
}

static void add_difference(struct strbuf *sb, const struct diff_list *sum, bool lost)
{
	bool more = sum->bytes != sum->old_bytes ? sum->bytes > sum->old_bytes :
						   sum->blocks > sum->old_blocks;
	bool blocks_more = sum->blocks >= sum->old_blocks;

	if (sum->bytes == sum->old_bytes && sum->blocks == sum->old_blocks) {
		strbuf_adds(sb, "as much as in ");
		return;
	}
	text_count(sb, apart(sum->bytes, sum->old_bytes), "byte");
	strbuf_addf(sb, " %s%s in ", more ? "more" : "less", lost ? " lost" : "");
	text_count(sb, apart(sum->blocks, sum->old_blocks), "block");
	if (sum->blocks != sum->old_blocks && more != blocks_more)
		strbuf_adds(sb, blocks_more ? " more" : " less");
	strbuf_adds(sb, " than ");
}

/* "1,234 bytes more in 12 blocks than OLD: 3 stacks new, 2 grown, 1 gone" */
void text_diff_verdict(struct text *t, const struct diff *d)
{
	struct diff_list sum = { .blocks = 0 };
	bool lost = false;

	for (size_t i = 0; i < diff_count(d); i++) {
		const struct diff_list *l = diff_listed(diff_at(d, i), t->opts);

		lost |= l == &diff_at(d, i)->leaks;
		sum.bytes += l->bytes;
		sum.blocks += l->blocks;
		sum.old_bytes += l->old_bytes;
		sum.old_blocks += l->old_blocks;
		for (int c = 0; c < DIFF_CHANGES; c++)
			sum.n[c] += l->n[c];
	}
	add_difference(t->out, &sum, lost);
	strbuf_addf(t->out, "%s: ", t->opts->diff_name);
	text_diff_changes(t->out, sum.n);
}
