/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The table of processes: one line for each, or for those that are alike. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "text.h"

#define MIN_PROGRAM 12 /* no name becomes shorter than this */

/* What it left is all reachable: as nearly every program leaves something. */
static bool left_nothing_lost(const struct view *v)
{
	const struct heap_scan *scan = &v->proc->scan;

	if (v->proc->end_how != END_EXITED || !scan->done)
		return false;
	for (int k = 0; k < LEAK_KINDS; k++)
		if (k != LEAK_REACHABLE && (v->kind_blocks[k] || scan->map_blocks[k]))
			return false;
	return true;
}

/* Who wants to see reachable blocks, or all there is, sees those of all. */
static bool wants_all(const struct text *t)
{
	return t->to_file || t->opts->verbose > 0 || t->opts->between ||
	       (t->opts->list_leaks && t->opts->leak_kinds >> LEAK_REACHABLE & 1);
}

bool text_proc_speaks(const struct text *t, const struct view_proc *p)
{
	const struct view *v = &p->now;

	return v->errors || v->kind_blocks[LEAK_DEFINITE] || v->proc->total.failed ||
	       v->proc->maps.failed || v->proc->end_how == END_SIGNALED ||
	       (v->diff && diff_differs(diff_listed(v->diff, t->opts))) ||
	       (v->own_blocks && (wants_all(t) || !left_nothing_lost(v)));
}

/* Columns are as wide as what is in them; the program's name, the only one that
 * may be long, gives way where a line would not fit. */
enum { PID, PROGRAM, STATUS, USE, ERRORS, COLUMNS };

struct table_row {
	char *cell[COLUMNS];
	bool bad;
};

struct table {
	VEC(struct table_row) v;
};

static struct table_row *table_add(struct table *table, const char *program)
{
	vec_push(&table->v, (struct table_row){ .cell = { [PROGRAM] = xstrdup(program) } });
	return &table->v.v[table->v.n - 1];
}

static char *status_text(const struct heap_proc *p)
{
	struct strbuf sb = STRBUF_INIT;

	view_status(&sb, p);
	return strbuf_detach(&sb);
}

static char *use_text(uint64_t bytes, uint64_t blocks)
{
	struct strbuf sb = STRBUF_INIT;

	if (blocks)
		text_amount(&sb, bytes, blocks, "block");
	else
		strbuf_adds(&sb, "nothing");
	return strbuf_detach(&sb);
}

static void table_add_proc(struct table *table, const struct view_proc *p)
{
	const struct view *v = &p->now;
	struct table_row *row = table_add(table, v->proc->name);

	row->cell[PID] = xasprintf("%d", (int)v->proc->pid);
	row->cell[STATUS] = status_text(v->proc);
	row->cell[USE] = use_text(v->own_bytes, v->own_blocks);
	row->cell[ERRORS] = xasprintf("%llu", (unsigned long long)v->errors);
	row->bad = v->errors;
}

static bool alike(const struct heap_proc *a, const struct heap_proc *b)
{
	return a->end_how == b->end_how && a->status == b->status && !strcmp(a->exe, b->exe);
}

/* Uneventful ones are one line for each program and status, with what they left
 * in all; `done` marks those that a line has covered. */
static void table_add_uneventful(const struct text *t, struct table *table,
				 const struct view_procs *vp, size_t i, bool *done)
{
	const struct heap_proc *p = vp->v.v[i].now.proc;
	uint64_t bytes = 0, blocks = 0;
	struct table_row *row;
	size_t n = 0;

	for (size_t k = i; k < vp->v.n; k++) {
		const struct view *v = &vp->v.v[k].now;

		if (done[k] || text_proc_speaks(t, &vp->v.v[k]) || !alike(p, v->proc))
			continue;
		done[k] = true;
		n++;
		bytes += v->own_bytes;
		blocks += v->own_blocks;
	}
	table_add_proc(table, &vp->v.v[i]);
	if (n < 2)
		return;
	row = &table->v.v[table->v.n - 1];
	free(row->cell[PID]);
	free(row->cell[USE]);
	row->cell[PID] = xasprintf("%zu ×", n);
	row->cell[USE] = use_text(bytes, blocks);
}

static void table_head(struct table *table)
{
	struct table_row *head = table_add(table, "program");

	head->cell[PID] = xstrdup("pid");
	head->cell[STATUS] = xstrdup("status");
	head->cell[USE] = xstrdup("in use");
	head->cell[ERRORS] = xstrdup("errors");
}

static void table_fill(const struct text *t, struct table *table, const struct view_procs *vp)
{
	bool *done = xcalloc(vp->v.n, sizeof *done);

	table_head(table);
	done[0] = true;
	table_add_proc(table, &vp->v.v[0]);
	for (size_t i = 1; i < vp->v.n; i++) {
		if (done[i])
			continue;
		if (text_proc_speaks(t, &vp->v.v[i]))
			table_add_proc(table, &vp->v.v[i]);
		else
			table_add_uneventful(t, table, vp, i, done);
	}
	free(done);
}

static void table_fit(const struct text *t, struct table *table, size_t width[COLUMNS])
{
	size_t all = 2 * COLUMNS; /* an indentation, and gaps of two */

	for (int c = 0; c < COLUMNS; c++) {
		for (size_t i = 0; i < table->v.n; i++)
			width[c] = MAX(width[c], text_columns(table->v.v[i].cell[c]));
		all += width[c];
	}
	if (!t->width || all <= t->width)
		return;
	width[PROGRAM] -= MIN(all - t->width, width[PROGRAM]);
	width[PROGRAM] = MAX(width[PROGRAM], (size_t)MIN_PROGRAM);
	for (size_t i = 0; i < table->v.n; i++) {
		char **cell = &table->v.v[i].cell[PROGRAM], *whole = *cell;

		*cell = text_shorten(whole, width[PROGRAM]);
		free(whole);
	}
}

static void table_print(struct text *t, const struct table_row *row, const size_t width[COLUMNS])
{
	for (int c = 0; c < COLUMNS; c++) {
		bool right = c == PID || c == ERRORS;
		size_t columns = text_columns(row->cell[c]);
		enum style style = c == ERRORS && row->bad ? RED : PLAIN;

		strbuf_adds(t->out, "  ");
		text_pad(t->out, right ? columns : width[c], width[c]);
		style_on(t, style);
		strbuf_adds(t->out, row->cell[c]);
		style_off(t, style);
		text_pad(t->out, right ? width[c] : columns, width[c]);
	}
	strbuf_addc(t->out, '\n');
}

static void table_finish(struct text *t, struct table *table)
{
	size_t width[COLUMNS] = { 0 };

	text_section(t);
	table_fit(t, table, width);
	for (size_t i = 0; i < table->v.n; i++) {
		table_print(t, &table->v.v[i], width);
		for (int c = 0; c < COLUMNS; c++)
			free(table->v.v[i].cell[c]);
	}
	vec_release(&table->v);
}

void text_table(struct text *t, const struct view_procs *vp)
{
	struct table table = { 0 };

	if (vp->v.n < 2)
		return;
	table_fill(t, &table, vp);
	table_finish(t, &table);
}

void text_proclist(struct text *t, const struct view_procs *vp)
{
	struct table table = { 0 };

	table_head(&table);
	for (size_t i = 0; i < vp->v.n; i++)
		table_add_proc(&table, &vp->v.v[i]);
	table_finish(t, &table);
}
