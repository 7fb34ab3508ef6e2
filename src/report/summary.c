/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Per process: how it ended and its totals. */
#include <stdlib.h>
#include <string.h>

#include "text.h"

#define INDENT 4
#define COLUMN 24

/* A row is a label, a number, and the text after it; the numbers of one
 * summary end in the same column. */
struct row {
	const char *label;
	uint64_t number;
	char *after;
	bool bad;
};

struct rows {
	VEC(struct row) v;
};

static void add_row(struct rows *rows, const char *label, uint64_t number, struct strbuf *after)
{
	vec_push(&rows->v, (struct row){ label, number, strbuf_detach(after), false });
}

/* "bytes in 55 blocks" after the number of bytes */
static void after_bytes(struct strbuf *sb, uint64_t bytes, uint64_t n, const char *noun)
{
	strbuf_addf(sb, " byte%s in ", bytes == 1 ? "" : "s");
	text_count(sb, n, noun);
}

static void print_rows(struct text *t, const struct rows *rows)
{
	struct strbuf number = STRBUF_INIT;
	size_t width = 0;

	for (size_t i = 0; i < rows->v.n; i++) {
		strbuf_reset(&number);
		strbuf_add_grouped(&number, rows->v.v[i].number);
		width = MAX(width, number.n);
	}
	for (size_t i = 0; i < rows->v.n; i++) {
		const struct row *r = &rows->v.v[i];
		enum style style = r->bad && r->number ? RED : PLAIN;

		strbuf_reset(&number);
		strbuf_add_grouped(&number, r->number);
		text_pad(t->out, 0, INDENT);
		strbuf_adds(t->out, r->label);
		text_pad(t->out, INDENT + strlen(r->label), COLUMN + width - number.n);
		style_on(t, style);
		strbuf_adds(t->out, number.s);
		style_off(t, style);
		strbuf_addf(t->out, "%s\n", r->after);
	}
	strbuf_release(&number);
}

static void rows_release(struct rows *rows)
{
	for (size_t i = 0; i < rows->v.n; i++)
		free(rows->v.v[i].after);
	vec_release(&rows->v);
}

static void add_peak(struct rows *rows, const struct heap_proc *p)
{
	const struct heap_totals *h = &p->total;
	struct strbuf sb = STRBUF_INIT;

	after_bytes(&sb, h->peak_bytes, h->peak_blocks, "block");
	if (!h->peak_bytes) {
		;
	} else if (h->peak_bytes == h->open_bytes && h->peak_blocks == h->open_blocks) {
		strbuf_adds(&sb, view_exited(p) ? ", at exit" : p->log == PROC_LOG ? ", at the end" : ", now");
	} else if (h->peak_ns < p->start_ns) {
		strbuf_adds(&sb, ", before the fork");
	} else {
		strbuf_adds(&sb, ", after ");
		view_elapsed(&sb, p, p->start_ns, h->peak_ns);
	}
	add_row(rows, "high-water mark", h->peak_bytes, &sb);
}

static void add_before_attach(struct rows *rows, const struct heap_proc *p)
{
	uint64_t blocks = p->before_attach.blocks - p->before_attach.released;
	uint64_t bytes = p->before_attach.bytes - p->before_attach.released_bytes;
	struct strbuf sb = STRBUF_INIT;

	if (!p->before_attach.known)
		return;
	after_bytes(&sb, bytes, blocks, "block");
	strbuf_adds(&sb, "; ");
	strbuf_add_grouped(&sb, p->before_attach.released);
	strbuf_adds(&sb, " released since");
	add_row(rows, "before the attach", bytes, &sb);
}

static void add_use(struct rows *rows, const struct view *v)
{
	const struct heap_totals *h = &v->proc->total;
	struct strbuf sb = STRBUF_INIT;

	after_bytes(&sb, h->open_bytes, h->open_blocks, "block");
	add_row(rows, view_exited(v->proc) ? "in use at exit" : "in use", h->open_bytes, &sb);
	if (v->inherited_blocks) {
		after_bytes(&sb, v->inherited_bytes, v->inherited_blocks, "block");
		strbuf_addf(&sb, ", from %d", (int)v->proc->ppid);
		add_row(rows, "of it inherited", v->inherited_bytes, &sb);
	}
	add_before_attach(rows, v->proc);
	strbuf_addf(&sb, " byte%s: ", h->bytes_allocated == 1 ? "" : "s");
	text_count(&sb, h->allocs, "alloc");
	strbuf_adds(&sb, ", ");
	text_count(&sb, h->frees, "free");
	strbuf_adds(&sb, ", ");
	strbuf_add_grouped(&sb, h->failed);
	strbuf_adds(&sb, " failed");
	add_row(rows, "heap usage", h->bytes_allocated, &sb);
}

static void add_mappings(struct rows *rows, const struct heap_proc *p)
{
	const struct heap_mappings *m = &p->maps;
	struct strbuf sb = STRBUF_INIT;

	if (m->maps || m->open_regions || m->failed) {
		after_bytes(&sb, m->open_bytes, m->open_regions, "region");
		strbuf_adds(&sb, ": ");
		strbuf_add_grouped(&sb, m->maps);
		strbuf_adds(&sb, " mapped, ");
		strbuf_add_grouped(&sb, m->unmaps);
		strbuf_adds(&sb, " unmapped");
		if (m->failed) {
			strbuf_adds(&sb, ", ");
			strbuf_add_grouped(&sb, m->failed);
			strbuf_adds(&sb, " failed");
		}
		add_row(rows, "mappings", m->open_bytes, &sb);
	}
	if (!m->brk_grown)
		return;
	strbuf_addf(&sb, " byte%s grown, ", m->brk_grown == 1 ? "" : "s");
	strbuf_add_grouped(&sb, (uint64_t)MAX(m->brk_current, 0));
	strbuf_adds(&sb, " now");
	add_row(rows, "program break", m->brk_grown, &sb);
}

static void add_ignored(struct rows *rows, const struct view *v)
{
	struct strbuf sb = STRBUF_INIT;
	uint64_t bytes = 0, blocks = 0;

	for (size_t i = 0; i < v->stacks.n; i++) {
		const struct view_stack *s = &v->stacks.v[i];

		if (!s->ignored || s->mapping)
			continue;
		bytes += s->open_bytes;
		blocks += s->open_blocks;
	}
	if (!blocks)
		return;
	after_bytes(&sb, bytes, blocks, "block");
	strbuf_adds(&sb, ", not listed");
	add_row(rows, "of it ignored", bytes, &sb);
}

/* The ages of blocks that are between two marks. */
static void add_ages_of(struct rows *rows, const struct view *v, uint32_t from, uint32_t to)
{
	uint64_t now = v->proc->end_ns, blocks, bytes;
	struct strbuf sb = STRBUF_INIT;

	view_all_between(v, from, to, &blocks, &bytes);
	if (!blocks)
		return;
	after_bytes(&sb, bytes, blocks, "block");
	if (!from) {
		strbuf_adds(&sb, ", before mark 1 (over ");
	} else if (to == UINT32_MAX) {
		strbuf_addf(&sb, ", after mark %u (under ", from);
	} else {
		strbuf_addf(&sb, ", from mark %u to %u (", from, to);
		view_elapsed_number(&sb, v->proc, heap_mark_ns(v->heap, to), now);
		strbuf_adds(&sb, " to ");
	}
	view_elapsed(&sb, v->proc, heap_mark_ns(v->heap, MAX(from, 1u)), now);
	strbuf_adds(&sb, " old)");
	add_row(rows, "by age", bytes, &sb);
}

/* Of many marks several become one row. */
#define AGE_ROWS 8

static void add_ages(struct rows *rows, const struct view *v)
{
	uint32_t n = heap_nmarks(v->heap), step = (n + AGE_ROWS - 1) / AGE_ROWS, to;
	size_t first = rows->v.n;

	if (!n)
		return;
	add_ages_of(rows, v, 0, 1);
	for (uint32_t from = 1; from < n; from = to) {
		to = MIN(from + step, n);
		add_ages_of(rows, v, from, to);
	}
	add_ages_of(rows, v, n, UINT32_MAX);
	for (size_t i = first + 1; i < rows->v.n; i++)
		rows->v.v[i].label = "";
}

/* --diff: the same of the older run. */
static void add_diff(struct text *t, struct rows *rows, const struct view *v)
{
	const struct diff_list *l = v->diff ? diff_listed(v->diff, t->opts) : NULL;
	struct strbuf sb = STRBUF_INIT;

	if (!l || !v->diff->was)
		return;
	after_bytes(&sb, l->old_bytes, l->old_blocks, "block");
	strbuf_adds(&sb, ": ");
	text_diff_changes(&sb, l->n);
	add_row(rows, l == &v->diff->leaks ? "lost before" : "in use before", l->old_bytes, &sb);
}

/* The classes of the last scan. */
static void add_leaks(struct text *t, struct rows *rows, const struct view *v)
{
	static const enum leak_kind order[] = { LEAK_DEFINITE, LEAK_INDIRECT, LEAK_POSSIBLE,
						LEAK_REACHABLE };
	const struct heap_scan *s = &v->proc->scan;
	struct strbuf sb = STRBUF_INIT;

	for (size_t i = 0; s->done && i < ARRAY_SIZE(order); i++) {
		enum leak_kind k = order[i];

		if (s->references && (k == LEAK_INDIRECT || k == LEAK_POSSIBLE))
			continue;
		after_bytes(&sb, v->kind_bytes[k], v->kind_blocks[k], "block");
		if (k == LEAK_REACHABLE && v->kind_blocks[k] && !(t->opts->leak_kinds >> k & 1))
			strbuf_adds(&sb, "  (--show-leak-kinds=all)");
		add_row(rows, s->references ? k == LEAK_DEFINITE ? "unreferenced" : "referenced"
					    : view_leak_name(k), v->kind_bytes[k], &sb);
		rows->v.v[rows->v.n - 1].bad = k == LEAK_DEFINITE;
	}
	if (s->done && s->mappings) {
		after_bytes(&sb, s->map_bytes[LEAK_DEFINITE] + s->map_bytes[LEAK_INDIRECT],
			    s->map_blocks[LEAK_DEFINITE] + s->map_blocks[LEAK_INDIRECT], "region");
		add_row(rows, "mappings lost",
			s->map_bytes[LEAK_DEFINITE] + s->map_bytes[LEAK_INDIRECT], &sb);
		rows->v.v[rows->v.n - 1].bad = true;
	}
	if (v->suppressed_blocks) {
		after_bytes(&sb, v->suppressed_bytes, v->suppressed_blocks, "block");
		add_row(rows, "suppressed", v->suppressed_bytes, &sb);
	}
	if (s->done && s->unread) {
		strbuf_addf(&sb, " byte%s that could not be read", s->unread == 1 ? "" : "s");
		add_row(rows, "not scanned", s->unread, &sb);
	}
}

/* -v: each of them, and what may be behind it */
#define MAX_SUSPECTS 10

static void add_suspects(struct text *t, struct rows *rows, const char *word,
			 const struct heap_proc *p, const struct heap_suspects *s)
{
	struct heap_suspect *list;
	size_t n = t->opts->verbose > 0 ? view_suspects(s, &list) : 0;

	if (t->opts->verbose <= 0)
		return;
	for (size_t i = 0; i < MIN(n, (size_t)MAX_SUSPECTS); i++) {
		struct strbuf sb = STRBUF_INIT;

		text_suspect_line(t, &sb, word, p, &list[i]);
		add_row(rows, "", list[i].count, &sb);
	}
	free(list);
}

/* Both tell that some way into the allocator is not observed; who used the
 * blocks tells most about which. */
static void add_unseen(struct text *t, struct rows *rows, const struct heap_proc *p)
{
	uint64_t unknown = p->total.unknown_releases - MIN(p->unknown_errors,
							   p->total.unknown_releases);
	struct strbuf sb = STRBUF_INIT;

	if (unknown && p->how == PROC_ATTACHED && !p->before_attach.known) {
		strbuf_adds(&sb, " released, older than the attach");
		add_row(rows, "older blocks", unknown, &sb);
	} else if (unknown) {
		strbuf_adds(&sb, " of blocks whose allocation was not seen");
		text_suspect(t, &sb, "by", &p->unknown);
		add_row(rows, "unknown releases", unknown, &sb);
		add_suspects(t, rows, "by", p, &p->unknown);
	}
	if (!p->total.unseen_releases)
		return;
	strbuf_adds(&sb, " whose release was not seen");
	text_suspect(t, &sb, "of", &p->unseen);
	add_row(rows, "handed out twice", p->total.unseen_releases, &sb);
	add_suspects(t, rows, "of", p, &p->unseen);
}

static void add_nulls(struct rows *rows, const struct heap_proc *p)
{
	struct strbuf sb = STRBUF_INIT;

	if (!p->total.null_releases)
		return;
	strbuf_adds(&sb, p->total.null_releases == 1 ? " release of NULL" : " releases of NULL");
	add_row(rows, "warnings", p->total.null_releases, &sb);
}

static void add_errors(struct rows *rows, const struct view_proc *p)
{
	struct strbuf sb = STRBUF_INIT;

	text_error_kinds(&sb, p);
	add_row(rows, "heap errors", p->now.errors, &sb);
	rows->v.v[rows->v.n - 1].bad = true;
	if (p->now.suppressed_errors)
		add_row(rows, "errors suppressed", p->now.suppressed_errors, &sb);
}

/* How frames were found, those that are certain first. */
static void add_origins(struct rows *rows, const struct view *v)
{
	static const struct { const char *how; enum frame_origin a, b; } ways[] = {
		{ "by tables", FROM_ROW, FROM_CFI },
		{ "by exidx", FROM_EXIDX, FROM_EXIDX },
		{ "by code", FROM_PROLOGUE, FROM_PROLOGUE },
		{ "at entry", FROM_LINK, FROM_LINK },
		{ "across signals", FROM_SIGNAL, FROM_SIGNAL },
		{ "by frame pointers", FROM_FP, FROM_FP },
		{ "searched for", FROM_SCAN, FROM_SCAN },
	};
	struct strbuf sb = STRBUF_INIT;
	const char *sep = ": ";

	if (!v->frames)
		return;
	strbuf_adds(&sb, v->frames == 1 ? " frame" : " frames");
	for (size_t i = 0; i < ARRAY_SIZE(ways); i++) {
		uint64_t n = v->origin[ways[i].a];

		n += ways[i].b != ways[i].a ? v->origin[ways[i].b] : 0;
		if (!n)
			continue;
		strbuf_adds(&sb, sep);
		strbuf_add_grouped(&sb, n);
		strbuf_addf(&sb, " %s", ways[i].how);
		sep = ", ";
	}
	add_row(rows, "frames", v->frames, &sb);
	strbuf_release(&sb);
}

/* -v */
static void add_details(struct rows *rows, const struct view *v)
{
	struct strbuf sb = STRBUF_INIT;

	strbuf_adds(&sb, v->unwound == 1 ? " stack, " : " stacks, ");
	strbuf_add_grouped(&sb, v->cut);
	strbuf_adds(&sb, " cut by -d, ");
	strbuf_add_grouped(&sb, v->broken);
	strbuf_adds(&sb, " broken");
	add_row(rows, "backtraces", v->unwound, &sb);
	add_origins(rows, v);
	strbuf_adds(&sb, " in all, ");
	text_count(&sb, v->proc->modules, "module");
	strbuf_adds(&sb, " mapped");
	if (!v->proc->log)
		add_row(rows, "threads", v->proc->tasks, &sb);
	strbuf_reset(&sb);
	strbuf_adds(&sb, " releases by the C library, of what is no block");
	if (v->proc->total.shutdown_releases)
		add_row(rows, "at threads' ends", v->proc->total.shutdown_releases, &sb);
	strbuf_release(&sb);
}

static void print_images(struct text *t, const struct view_proc *p)
{
	for (size_t i = 0; i + 1 < p->images.n; i++) {
		const struct heap_proc *image = p->images.v[i];
		const char *label = image->log ? "before a reset" : "earlier image";

		text_pad(t->out, 0, INDENT);
		strbuf_adds(t->out, label);
		text_pad(t->out, INDENT + strlen(label), COLUMN);
		if (!image->log)
			strbuf_addf(t->out, "%s: ", image->name);
		text_amount(t->out, image->total.open_bytes, image->total.open_blocks, "block");
		strbuf_adds(t->out, image->log ? " in use, " : " in use at exec, ");
		text_count(t->out, image->total.allocs, "alloc");
		strbuf_adds(t->out, ", ");
		text_count(t->out, image->total.frees, "free");
		strbuf_addc(t->out, '\n');
	}
}

void text_summary(struct text *t, const struct view_proc *p)
{
	const struct heap_proc *proc = p->now.proc;
	struct rows rows = { 0 };

	text_section(t);
	view_who(t->out, proc);
	strbuf_addc(t->out, ' ');
	view_status(t->out, proc);
	strbuf_adds(t->out, proc->log == PROC_LOG_LIVE && proc->ended ? " for " : " after ");
	view_elapsed(t->out, proc, p->images.v[0]->start_ns, proc->end_ns);
	strbuf_addc(t->out, '\n');
	add_use(&rows, &p->now);
	add_diff(t, &rows, &p->now);
	add_ages(&rows, &p->now);
	add_ignored(&rows, &p->now);
	add_peak(&rows, proc);
	add_mappings(&rows, proc);
	add_leaks(t, &rows, &p->now);
	if (t->opts->verbose > 0)
		add_details(&rows, &p->now);
	add_unseen(t, &rows, proc);
	add_nulls(&rows, proc);
	add_errors(&rows, p);
	print_rows(t, &rows);
	rows_release(&rows);
	print_images(t, p);
}
