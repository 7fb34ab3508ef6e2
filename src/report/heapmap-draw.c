/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The picture, row by row, and what is free.
 *
 *	00000 20003000 %%%%****************%%%%****……
 *	offset, address, and a cell for each byte, or for a range of some
 */
#include <stdlib.h>
#include <string.h>

#include "heapmap-internal.h"
#include "paragraph.h"

#define INDENT 4
#define COLUMN 24
#define PLAIN_WIDTH 100  /* where nothing says how wide */
#define EXACT_ROWS 256   /* more than these are not drawn byte by byte … */
#define SHADED_ROWS 32   /* … but with at most these */
#define LEAST_CELLS 16
#define GOOD_CELLS 64    /* for these addresses lose their first digits … */
#define LEAST_DIGITS 6   /* … down to these */

enum kind {
	CELL_HEADER, CELL_DATA, CELL_FREE, CELL_DATA_AWAY, CELL_FREE_AWAY,
	CELL_LOW, CELL_MIDDLE, CELL_HIGH, CELL_FULL,
	CELL_KINDS
};

static const struct {
	const char *ascii, *utf8;
	enum style style;
	const char *legend;
} cells[CELL_KINDS] = {
	[CELL_HEADER] = { "%", "▒", YELLOW, "header" },
	[CELL_DATA] = { "*", "█", PLAIN, "data" },
	[CELL_FREE] = { ".", "·", DIM, "free" },
	[CELL_DATA_AWAY] = { "o", "o", PLAIN, "data, not in memory" },
	[CELL_FREE_AWAY] = { "_", "_", DIM, "free, not in memory" },
	[CELL_LOW] = { ":", "░", PLAIN, "up to 1/3 in use" },
	[CELL_MIDDLE] = { "+", "▒", PLAIN, "up to 2/3" },
	[CELL_HIGH] = { "x", "▓", PLAIN, "more" },
	[CELL_FULL] = { "#", "█", PLAIN, "all" },
};

static const char *symbol(const struct text *t, enum kind kind)
{
	return t->utf8 ? cells[kind].utf8 : cells[kind].ascii;
}

static const char *dots(const struct text *t)
{
	return t->utf8 ? "…" : "...";
}

/* -- how it is laid out ---------------------------------------------------------------- */

struct layout {
	unsigned offset_digits, address_digits, cells;
	uint64_t each;         /* bytes that a cell stands for */
	size_t n;              /* cells in all */
};

static unsigned digits_of(uint64_t v)
{
	unsigned n = 1;

	while (v >>= 4)
		n++;
	return n;
}

/* Cells of a row beside so many columns: a power of two. */
static unsigned cells_beside(unsigned width, unsigned columns)
{
	unsigned room = width > columns ? width - columns : 0, n = LEAST_CELLS;

	while (n * 2 <= room)
		n *= 2;
	return n;
}

static uint64_t divide_up(uint64_t a, uint64_t b)
{
	return a / b + (a % b != 0);
}

static void choose_columns(struct layout *l, const struct heapmap_region *r, unsigned width)
{
	unsigned less;

	l->offset_digits = MAX(digits_of(r->size - 1), 3u);
	l->address_digits = MAX(digits_of(r->start + r->size - 1), 4u);
	l->cells = cells_beside(width, l->offset_digits + l->address_digits + 2);
	less = MIN(l->address_digits, MAX(l->offset_digits, (unsigned)LEAST_DIGITS));
	if (l->cells >= GOOD_CELLS || cells_beside(width, l->offset_digits + less + 2) == l->cells)
		return;
	l->cells = cells_beside(width, l->offset_digits + less + 2);
	l->address_digits = width - l->offset_digits - 2 - l->cells;
}

static struct layout layout_of(const struct heapmap_region *r, unsigned width)
{
	struct layout l = { .each = 1 };

	choose_columns(&l, r, width);
	if (divide_up(r->size, l.cells) > EXACT_ROWS)
		while (divide_up(r->size, l.each) > (uint64_t)SHADED_ROWS * l.cells)
			l.each *= 2;
	l.n = divide_up(r->size, l.each);
	return l;
}

/* -- cells -------------------------------------------------------------------------------- */

struct cell {
	uint64_t used;         /* bytes */
	bool header;           /* some of them are one's */
};

static struct cell *make_cells(const struct heapmap *m, const struct heapmap_part *p,
			       const struct layout *l)
{
	struct cell *c = xcalloc(l->n, sizeof *c);

	for (size_t i = p->span; i < p->span + p->nspans; i++) {
		uint64_t at = m->spans.v[i].start - p->r.start, end = m->spans.v[i].end - p->r.start;

		while (at < end) {
			struct cell *here = &c[at / l->each];
			uint64_t n = MIN(l->each - at % l->each, end - at);

			here->used += n;
			here->header |= m->spans.v[i].header;
			at += n;
		}
	}
	return c;
}

static enum kind shade(uint64_t used, uint64_t of)
{
	if (used == of)
		return CELL_FULL;
	if (!used)
		return CELL_FREE;
	return used <= of / 3 ? CELL_LOW : used <= of - divide_up(of, 3) ? CELL_MIDDLE : CELL_HIGH;
}

static enum kind kind_of(const struct heapmap_region *r, const struct layout *l,
			 const struct cell *c, size_t i)
{
	uint64_t at = i * l->each, n = MIN(l->each, r->size - at);

	if (!heapmap_is_resident(r, r->start + at, r->start + at + n))
		return c->used ? CELL_DATA_AWAY : CELL_FREE_AWAY;
	if (l->each > 1)
		return shade(c->used, n);
	return !c->used ? CELL_FREE : c->header ? CELL_HEADER : CELL_DATA;
}

/* -- the picture ------------------------------------------------------------------------------ */

static void draw_row(struct text *t, const struct heapmap_region *r, const struct layout *l,
		     const struct cell *c, size_t first)
{
	uint64_t at = first * l->each, low = r->start + at;
	size_t end = MIN(first + l->cells, l->n);
	enum style now = DIM;

	if (l->address_digits < 16)
		low &= ((uint64_t)1 << 4 * l->address_digits) - 1;
	style_on(t, now);
	strbuf_addf(t->out, "%0*llx %0*llx ", (int)l->offset_digits, (unsigned long long)at,
		    (int)l->address_digits, (unsigned long long)low);
	for (size_t i = first; i < end; i++) {
		enum kind kind = kind_of(r, l, &c[i], i);

		if (cells[kind].style != now) {
			style_off(t, now);
			style_on(t, now = cells[kind].style);
		}
		strbuf_adds(t->out, symbol(t, kind));
	}
	style_off(t, now);
	strbuf_addc(t->out, '\n');
}

static void add_legend(struct text *t, enum kind kind)
{
	style_on(t, cells[kind].style);
	strbuf_adds(t->out, symbol(t, kind));
	style_off(t, cells[kind].style);
	strbuf_addf(t->out, " %s  ", cells[kind].legend);
}

static void draw_legend(struct text *t, const struct heapmap_region *r, const struct layout *l)
{
	text_pad(t->out, 0, INDENT);
	for (int kind = CELL_LOW; l->each > 1 && kind <= CELL_FULL; kind++)
		add_legend(t, (enum kind)kind);
	for (int kind = CELL_HEADER; l->each == 1 && kind <= CELL_DATA; kind++)
		add_legend(t, (enum kind)kind);
	add_legend(t, CELL_FREE);
	while (t->out->s[t->out->n - 1] == ' ')
		t->out->s[--t->out->n] = '\0';
	strbuf_addc(t->out, '\n');
	if (r->resident_known) {
		text_pad(t->out, 0, INDENT);
		add_legend(t, CELL_DATA_AWAY);
		add_legend(t, CELL_FREE_AWAY);
		t->out->s[t->out->n -= 2] = '\0';
		strbuf_addc(t->out, '\n');
	}
	if (l->each == 1)
		return;
	text_pad(t->out, 0, INDENT);
	strbuf_adds(t->out, "each cell is ");
	text_count(t->out, l->each, "byte");
	strbuf_addc(t->out, '\n');
}

static void draw(struct text *t, const struct heapmap *m, const struct heapmap_part *p)
{
	struct layout l = layout_of(&p->r, t->width ? t->width : PLAIN_WIDTH);
	struct cell *c = make_cells(m, p, &l);

	for (size_t i = 0; i < l.n; i += l.cells)
		draw_row(t, &p->r, &l, c, i);
	draw_legend(t, &p->r, &l);
	free(c);
}

/* -- what is free ------------------------------------------------------------------------------- */

static int by_size(const void *pa, const void *pb)
{
	const struct heapmap_piece *a = pa, *b = pb;

	if (a->size != b->size)
		return a->size < b->size ? 1 : -1;
	return a->start < b->start ? -1 : a->start > b->start;
}

static void add_label(struct text *t, const char *label)
{
	text_pad(t->out, 0, INDENT);
	strbuf_adds(t->out, label);
	text_pad(t->out, INDENT + strlen(label), COLUMN);
}

static void add_grouped(struct text *t, uint64_t v, size_t columns)
{
	struct strbuf sb = STRBUF_INIT;

	strbuf_add_grouped(&sb, v);
	text_pad(t->out, sb.n, columns);
	strbuf_adds(t->out, sb.s);
	strbuf_release(&sb);
}

static size_t columns_of(uint64_t v)
{
	struct strbuf sb = STRBUF_INIT;
	size_t n;

	strbuf_add_grouped(&sb, v);
	n = sb.n;
	strbuf_release(&sb);
	return n;
}

/* "… 12 more pieces, 2,104 bytes: -m 0" */
static void add_rest(struct text *t, const struct heapmap_piece *piece, size_t n)
{
	uint64_t bytes = 0;

	for (size_t i = 0; i < n; i++)
		bytes += piece[i].size;
	text_pad(t->out, 0, COLUMN);
	style_on(t, DIM);
	strbuf_addf(t->out, "%s ", dots(t));
	text_count(t->out, n, "more piece");
	strbuf_adds(t->out, ", ");
	text_count(t->out, bytes, "byte");
	strbuf_addf(t->out, ": %s", t->opts->more ? t->opts->more : "-m 0");
	style_off(t, DIM);
	strbuf_addc(t->out, '\n');
}

static void list_free(struct text *t, const struct heapmap *m, const struct heapmap_part *p,
		      size_t columns)
{
	size_t n = p->f.pieces, shown = MIN(n, paragraph_limit(t));
	struct heapmap_piece *piece = xcalloc(n + 1, sizeof *piece);

	if (n)
		memcpy(piece, m->pieces.v + p->piece, n * sizeof *piece);
	qsort(piece, n, sizeof *piece, by_size);
	for (size_t i = 0; i < shown; i++) {
		add_label(t, i ? "" : "free pieces");
		add_grouped(t, piece[i].size, columns);
		strbuf_addf(t->out, " at 0x%llx\n", (unsigned long long)piece[i].start);
	}
	if (shown < n)
		add_rest(t, piece + shown, n - shown);
	free(piece);
}

/* "free   1,204 bytes in 17 pieces, the largest 96" */
static void add_free(struct strbuf *sb, const struct heapmap_figures *f)
{
	strbuf_addf(sb, " byte%s", f->free == 1 ? "" : "s");
	if (f->pieces)
		strbuf_adds(sb, " in ");
	if (f->pieces)
		text_count(sb, f->pieces, "piece");
	if (f->pieces > 1)
		strbuf_adds(sb, ", the largest ");
	if (f->pieces > 1)
		strbuf_add_grouped(sb, f->largest);
}

static void add_figures(struct text *t, const struct heapmap_figures *f, bool fixed, size_t columns)
{
	struct strbuf percent = STRBUF_INIT;

	add_label(t, "free");
	add_grouped(t, f->free, columns);
	add_free(t->out, f);
	strbuf_addc(t->out, '\n');
	add_label(t, "largest request");
	add_grouped(t, f->request, columns);
	strbuf_addf(t->out, " byte%s%s\n", f->request == 1 ? "" : "s",
		    fixed ? "" : " without more memory");
	text_percent(&percent, f->free - f->largest, f->free);
	add_label(t, "fragmentation");
	text_pad(t->out, percent.n - 2, columns); /* its unit apart */
	strbuf_addf(t->out, "%s\n", percent.s);
	strbuf_release(&percent);
}

/* -- all of it ------------------------------------------------------------------------------------ */

static void add_heading(struct text *t, const struct heapmap_part *p)
{
	const char *name = p->r.name ? p->r.name : "heap";

	text_section(t);
	style_on(t, BOLD);
	strbuf_adds(t->out, name);
	style_off(t, BOLD);
	text_pad(t->out, text_columns(name), MAX(text_columns(name) + 2, (size_t)19));
	text_amount(t->out, p->r.size - p->f.free, p->f.blocks, "block");
	strbuf_adds(t->out, ", of ");
	strbuf_add_grouped(t->out, p->r.size);
	strbuf_addf(t->out, " at 0x%llx\n", (unsigned long long)p->r.start);
}

static void show_part(struct text *t, const struct heapmap *m, const struct heapmap_part *p)
{
	size_t columns = columns_of(p->f.free);

	add_heading(t, p);
	draw(t, m, p);
	list_free(t, m, p, columns);
	add_figures(t, &p->f, p->r.fixed, columns);
}

/* "3 blocks lie on others" */
static void add_wrong(struct text *t, uint64_t n, const char *one, const char *many)
{
	if (!n)
		return;
	style_on(t, RED);
	text_count(t->out, n, "block");
	strbuf_addf(t->out, " %s", n == 1 ? one : many);
	style_off(t, RED);
	strbuf_addc(t->out, '\n');
}

struct brief {
	uint64_t free;
	size_t i;
};

static int most_first(const void *pa, const void *pb)
{
	const struct brief *a = pa, *b = pb;

	if (a->free != b->free)
		return a->free < b->free ? 1 : -1;
	return a->i < b->i ? -1 : 1;
}

/* Which parts are drawn: of the brief ones, which may be thousands, as many as -m says, in
 * which most is free. */
static bool *choose(const struct text *t, const struct heapmap *m)
{
	struct brief *list = xcalloc(m->parts.n + 1, sizeof *list);
	bool *drawn = xcalloc(m->parts.n + 1, sizeof *drawn);
	size_t n = 0;

	for (size_t i = 0; i < m->parts.n; i++) {
		drawn[i] = !m->parts.v[i].r.brief;
		if (!drawn[i] && m->parts.v[i].f.free)
			list[n++] = (struct brief){ m->parts.v[i].f.free, i };
	}
	qsort(list, n, sizeof *list, most_first);
	for (size_t k = 0; k < MIN(n, paragraph_limit(t)); k++)
		drawn[list[k].i] = true;
	free(list);
	return drawn;
}

/* The others, in one line. */
static void add_left_out(struct text *t, const struct heapmap *m, const bool *drawn)
{
	struct heapmap_figures sum = { 0 };
	uint64_t n = 0;

	for (size_t i = 0; i < m->parts.n; i++)
		if (!drawn[i]) {
			heapmap_add_figures(&sum, &m->parts.v[i].f);
			n++;
		}
	if (!n)
		return;
	text_section(t);
	text_count(t->out, n, "more region");
	strbuf_adds(t->out, sum.free ? ": " : " all in use: ");
	text_amount(t->out, sum.size - sum.free, sum.blocks, "block");
	if (sum.free) {
		strbuf_adds(t->out, ", ");
		strbuf_add_grouped(t->out, sum.free);
		strbuf_addf(t->out, " free: %s", t->opts->more ? t->opts->more : "-m 0");
	}
	strbuf_addc(t->out, '\n');
}

void text_heapmap(struct text *t, const struct heapmap *m)
{
	bool *drawn = choose(t, m);

	for (size_t i = 0; i < m->parts.n; i++)
		if (drawn[i])
			show_part(t, m, &m->parts.v[i]);
	add_left_out(t, m, drawn);
	free(drawn);
	add_wrong(t, m->outside, "is not in the heap", "are not in the heap");
	add_wrong(t, m->overlapping, "lies on another", "lie on others");
}

void report_heapmap(const struct heapmap *m, size_t region, const struct report_opts *opts,
		    const struct report_page *page, struct strbuf *out)
{
	struct strbuf sb = STRBUF_INIT;
	struct text t = { .out = &sb, .opts = opts, .to_file = page->to_file, .color = page->color,
			  .utf8 = page->utf8, .width = page->width };

	if (region < m->parts.n)
		show_part(&t, m, &m->parts.v[region]);
	else
		text_heapmap(&t, m);
	text_finish(&t, out);
	strbuf_release(&sb);
}

/* -- one sentence ------------------------------------------------------------------------------------ */

void heapmap_failure(const struct heapmap *m, uint64_t request, struct strbuf *out)
{
	const struct heapmap_figures *f = &m->total;

	strbuf_add_grouped(out, f->free);
	strbuf_addf(out, " byte%s free", f->free == 1 ? "" : "s");
	if (f->pieces) {
		strbuf_adds(out, " in ");
		text_count(out, f->pieces, "piece");
	}
	if (f->pieces > 1) {
		strbuf_adds(out, ", the largest ");
		strbuf_add_grouped(out, f->largest);
	}
	strbuf_adds(out, ": a request for ");
	strbuf_add_grouped(out, request);
	if (f->largest >= request && f->request < request)
		strbuf_adds(out, " and its header");
	strbuf_adds(out, f->request < request ? " cannot succeed" : " finds room");
}
