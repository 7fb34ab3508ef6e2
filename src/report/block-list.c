/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Blocks, a line each:
 *
 *	address           size  operation  place       function   variable       age
 *	0x000055d0c2a0     256  malloc     leaky.c:12  read_line  buffer      1.20 s
 */
#include <stdlib.h>

#include "base/xalloc.h"
#include "block-list.h"
#include "block-site.h"
#include "text.h"

enum { ADDRESS, SIZE, OPERATION, PLACE, FUNCTION, VARIABLE, AGE, COLUMNS };
enum { NAME_MIN = 16, NAME_MAX = 40, SOURCE_INDENT = 4, SOURCE_COLUMNS = 100 };

struct row {
	char *cell[COLUMNS];
	const char *source;
	int kind;
};

static const struct column {
	const char *title;
	bool right;
} columns[] = {
	[ADDRESS] = { "address", false },   [SIZE] = { "size", true },
	[OPERATION] = { "operation", false }, [PLACE] = { "place", false },
	[FUNCTION] = { "function", false }, [VARIABLE] = { "variable", false },
	[AGE] = { "age", true },
};

/* -- which ---------------------------------------------------------------------------- */

/* Sorted by when, or by how large. */
static bool by_age(const struct report_opts *opts)
{
	return opts->sort && opts->sort->moment;
}

static int compare(const void *pa, const void *pb, void *arg)
{
	const struct report_block *a = pa, *b = pb;

	if (by_age(arg) && a->born_ns != b->born_ns)
		return a->born_ns < b->born_ns ? 1 : -1;
	if (a->size != b->size)
		return a->size < b->size ? 1 : -1;
	if (a->pid != b->pid)
		return a->pid < b->pid ? -1 : 1;
	return a->addr < b->addr ? -1 : a->addr > b->addr;
}

static void sort(struct report_block *v, size_t n, const struct report_opts *opts)
{
	if (n)
		qsort_r(v, n, sizeof *v, compare, (void *)(uintptr_t)opts);
}

size_t block_list_all(const struct heap *heap, const struct report_opts *opts,
		      struct report_block **out)
{
	VEC(struct report_block) all = { 0 };

	for (size_t i = 0; opts->blocks && i < heap_nprocs(heap); i++) {
		const struct heap_proc *p = heap_proc_at(heap, i);
		struct report_block *v = NULL;
		size_t n;

		if (heap_proc_find(heap, p->pid) != p || (opts->pid && p->pid != opts->pid))
			continue;
		n = opts->blocks(opts->blocks_arg, p->pid, &v);
		for (size_t k = 0; k < n; k++)
			vec_push(&all, v[k]);
		free(v);
	}
	sort(all.v, all.n, opts);
	*out = all.v;
	return all.n;
}

/* -- rows ------------------------------------------------------------------------------- */

static char *place_of(const struct text *t, const struct block_site *site)
{
	struct strbuf sb = STRBUF_INIT;

	if (!site->known)
		strbuf_addc(&sb, '?');
	else if (site->frame.file)
		strbuf_addf(&sb, "%s:%u", t->opts->long_form ? site->frame.file :
							       last_part(site->frame.file),
			    site->frame.line);
	else
		frame_place(&sb, &site->frame);
	return strbuf_detach(&sb);
}

/* "main", and of a library that is called there the function: "strdup, main". */
static char *function_of(const struct block_site *site)
{
	struct strbuf sb = STRBUF_INIT;

	if (site->inner)
		strbuf_addf(&sb, "%s, ", site->inner);
	strbuf_adds(&sb, site->known && site->frame.function ? site->frame.function : "?");
	return strbuf_detach(&sb);
}

static struct row make_row(struct text *t, struct block_sites *sites, const struct report_block *b)
{
	const struct block_site *site = block_site(sites, b->stack);
	struct row r = { .source = site->source, .kind = b->kind };
	struct strbuf sb = STRBUF_INIT;

	r.cell[ADDRESS] = xasprintf("0x%012llx", (unsigned long long)b->addr);
	strbuf_add_grouped(&sb, b->size);
	r.cell[SIZE] = strbuf_detach(&sb);
	r.cell[OPERATION] = xstrdup(site->op);
	r.cell[PLACE] = place_of(t, site);
	r.cell[FUNCTION] = function_of(site);
	r.cell[VARIABLE] = xstrdup(site->variable ? site->variable : "-");
	block_age(&sb, t->heap, b);
	r.cell[AGE] = strbuf_detach(&sb);
	return r;
}

static void row_release(struct row *r)
{
	for (unsigned i = 0; i < COLUMNS; i++)
		free(r->cell[i]);
}

/* What does not fit is taken from the functions' names. */
static void fit(const struct text *t, struct row *rows, size_t n, size_t width[COLUMNS])
{
	size_t others = 2 * (COLUMNS - 1), room = NAME_MAX;

	for (unsigned i = 0; i < COLUMNS; i++)
		others += i == FUNCTION ? 0 : width[i];
	if (t->whole || !t->width)
		return;
	room = MIN(room, t->width > others ? t->width - others : 0);
	room = MAX(room, (size_t)NAME_MIN);
	if (width[FUNCTION] <= room)
		return;
	width[FUNCTION] = room;
	for (size_t i = 0; i < n; i++) {
		char *fitting = text_shorten(rows[i].cell[FUNCTION], room);

		free(rows[i].cell[FUNCTION]);
		rows[i].cell[FUNCTION] = fitting;
	}
}

static void print_cells(struct text *t, const char *const cell[COLUMNS], const size_t width[COLUMNS])
{
	for (unsigned i = 0; i < COLUMNS; i++) {
		size_t have = text_columns(cell[i]);

		if (i)
			strbuf_adds(t->out, "  ");
		if (columns[i].right)
			text_pad(t->out, have, width[i]);
		strbuf_adds(t->out, cell[i]);
		if (!columns[i].right)
			text_pad(t->out, have, width[i]);
	}
}

static void print_source(struct text *t, const char *source)
{
	size_t room = t->width && !t->whole ? t->width - MIN(t->width, (unsigned)SOURCE_INDENT) :
					      SOURCE_COLUMNS;
	size_t n = 0, columns_left = room;

	/* Whole characters, as many as fit. */
	while (source[n] && (columns_left || ((unsigned char)source[n] & 0xc0) == 0x80)) {
		columns_left -= ((unsigned char)source[n] & 0xc0) != 0x80;
		n++;
	}
	text_pad(t->out, 0, SOURCE_INDENT);
	style_on(t, DIM);
	for (size_t i = 0; i < n; i++)
		strbuf_addc(t->out, source[i] == '\t' ? ' ' :
				    (unsigned char)source[i] < ' ' || source[i] == 0x7f ? '?' : source[i]);
	style_off(t, DIM);
	strbuf_addc(t->out, '\n');
}

static void print_rows(struct text *t, struct row *rows, size_t n)
{
	const char *titles[COLUMNS];
	size_t width[COLUMNS];

	for (unsigned c = 0; c < COLUMNS; c++) {
		titles[c] = columns[c].title;
		width[c] = text_columns(titles[c]);
		for (size_t i = 0; i < n; i++)
			width[c] = MAX(width[c], text_columns(rows[i].cell[c]));
	}
	fit(t, rows, n, width);
	style_on(t, DIM);
	print_cells(t, titles, width);
	style_off(t, DIM);
	strbuf_addc(t->out, '\n');
	for (size_t k = 0; k < n; k++) {
		struct row *r = &rows[t->to_file ? k : n - 1 - k];

		print_cells(t, (const char *const *)r->cell, width);
		if (r->kind >= 0)
			strbuf_addf(t->out, "  %s", view_leak_name((enum leak_kind)r->kind));
		strbuf_addc(t->out, '\n');
		if (r->source)
			print_source(t, r->source);
	}
}

/* -- lists -------------------------------------------------------------------------------- */

/* "… 12 more blocks of 480 bytes" */
static void print_rest(struct text *t, const struct report_block *b, size_t n)
{
	uint64_t bytes = 0;

	if (!n)
		return;
	for (size_t i = 0; i < n; i++)
		bytes += b[i].size;
	strbuf_adds(t->out, "… ");
	strbuf_add_grouped(t->out, n);
	strbuf_addf(t->out, " more block%s of ", n == 1 ? "" : "s");
	text_count(t->out, bytes, "byte");
	strbuf_addf(t->out, ": %s\n", t->opts->more ? t->opts->more : "-m 0");
}

/* Those that are sorted, of which opts->max_stacks are shown. */
static void print_list(struct text *t, const struct report_block *b, size_t n)
{
	size_t shown = t->opts->max_stacks > 0 ? MIN(n, (size_t)t->opts->max_stacks) : n;
	struct block_sites *sites = block_sites_new(t->heap, t->sym, t->opts);
	VEC(struct row) rows = { 0 };

	for (size_t i = 0; i < shown; i++) {
		if (t->opts->interrupted && *t->opts->interrupted)
			break;
		vec_push(&rows, make_row(t, sites, &b[i]));
	}
	if (!t->to_file)
		print_rest(t, b + rows.n, n - rows.n);
	if (rows.n)
		print_rows(t, rows.v, rows.n);
	if (t->to_file)
		print_rest(t, b + rows.n, n - rows.n);
	for (size_t i = 0; i < rows.n; i++)
		row_release(&rows.v[i]);
	vec_release(&rows);
	block_sites_free(sites);
}

/* A census, or a server that bounds what it keeps, counts more than it can name. */
static void print_sum(struct text *t, const struct report_block *b, size_t n)
{
	uint64_t bytes = 0, open = 0;

	for (size_t i = 0; i < n; i++)
		bytes += b[i].size;
	for (size_t i = 0; i < heap_nprocs(t->heap); i++) {
		const struct heap_proc *p = heap_proc_at(t->heap, i);

		if (heap_proc_find(t->heap, p->pid) == p && (!t->opts->pid || p->pid == t->opts->pid))
			open += p->total.open_blocks;
	}
	text_amount(t->out, bytes, n, "block");
	if (open > n) {
		strbuf_adds(t->out, "; the addresses of ");
		strbuf_add_grouped(t->out, open - n);
		strbuf_adds(t->out, " more are not known");
	}
	strbuf_addc(t->out, '\n');
}

/* Of opts->pid.  `named`: there are others. */
static void print_process(struct text *t, const struct heap_proc *p, bool named)
{
	struct report_block *blocks;
	size_t n = block_list_all(t->heap, t->opts, &blocks);

	text_section(t);
	if (named)
		strbuf_addf(t->out, "%s (pid %d)\n", p->name && p->name[0] ? p->name : "?", (int)p->pid);
	print_list(t, blocks, n);
	print_sum(t, blocks, n);
	free(blocks);
}

static bool is_listed(const struct text *t, const struct heap_proc *p)
{
	return heap_proc_find(t->heap, p->pid) == p && (!t->opts->pid || p->pid == t->opts->pid);
}

/* Of several processes those that have blocks, in the order of the report. */
void text_open_blocks(struct text *t)
{
	const struct report_opts *all = t->opts;
	size_t n = heap_nprocs(t->heap), listed = 0;
	struct report_opts one = *all;

	for (size_t i = 0; i < n; i++)
		listed += is_listed(t, heap_proc_at(t->heap, i));
	for (size_t k = 0; k < n; k++) {
		const struct heap_proc *p = heap_proc_at(t->heap, t->to_file ? k : n - 1 - k);

		if (!is_listed(t, p) || (listed > 1 && !p->total.open_blocks))
			continue;
		one.pid = p->pid;
		t->opts = &one;
		print_process(t, p, listed > 1);
		t->opts = all;
	}
}

void report_open_blocks(const struct heap *heap, const struct report_opts *opts,
			const struct report_page *page, struct strbuf *out)
{
	struct view_procs vp;
	struct text t;

	text_open(&t, &vp, heap, opts, page);
	text_open_blocks(&t);
	text_close(&t, &vp, out);
}

void report_block_list(const struct heap *heap, const struct report_opts *opts,
		       const struct report_page *page, const struct report_block *blocks, size_t n,
		       struct strbuf *out)
{
	struct report_block *sorted = xcalloc(n + 1, sizeof *sorted);
	struct view_procs vp;
	struct text t;

	if (n)
		memcpy(sorted, blocks, n * sizeof *sorted);
	sort(sorted, n, opts);
	text_open(&t, &vp, heap, opts, page);
	print_list(&t, sorted, n);
	text_close(&t, &vp, out);
	free(sorted);
}
