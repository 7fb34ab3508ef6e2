/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The micro:bit's runtime (microbit-dal, “heap_debug”), also of the Calliope mini, and its
 * successor (codal).  The names of the functions have had several prefixes, or none:
 *
 *     malloc: ALLOCATED: 56 [0x20002954]           also NATIVE ALLOCATED
 *     malloc: OUT OF MEMORY [128]                  also without the size
 *     free:   0x20002954
 *
 * When a heap is made, and when the program asks, the bounds and blocks of all are printed;
 * the sizes of blocks have the header of one word in them:
 *
 *     HEAP 0:
 *     heap_start : 0x20002950
 *     heap_end   : 0x20003800
 *     heap_size  : 3760
 *     [U:60] [F:3700]
 *     mb_total_free : 3700
 *     mb_total_used : 60
 *
 * So a heap of which no block is used begins anew: the target has started.  Where the
 * blocks are not there to tell, the bounds are taken for that. */
#include "import/parse.h"

enum { HEADER = 4 };

/* -- calls ----------------------------------------------------------------- */

static bool is_call(const char *p, const char *end)
{
	struct cursor c = { p, end };

	if (!TAKE(&c, "microbit_"))
		TAKE(&c, "device_");
	return HAS(&c, "malloc: ") || HAS(&c, "free:   ");
}

static bool is_end_of_call(const struct cursor *c)
{
	return ends_number(c) || is_call(c->p, c->end);
}

static bool take_brackets(struct cursor *c, uint64_t *size)
{
	return TAKE(c, " [") && take_number(c, size) && take_char(c, ']');
}

static enum import_line take_malloc(struct cursor *c, struct import_record *out)
{
	uint64_t size = 0;
	taddr_t addr;
	bool is_native;

	if (TAKE(c, "OUT OF MEMORY")) {
		if (HAS(c, " [") && !take_brackets(c, &size))
			return LINE_DAMAGED;
		begin_allocation(out, "malloc", 0, size);
		return LINE_RECORD;
	}
	/* Other programs say “malloc: ” too, but who does so in capitals? */
	if (c->p < c->end && *c->p >= 'a' && *c->p <= 'z')
		return LINE_OTHER;
	is_native = TAKE(c, "NATIVE ");
	if (!TAKE(c, "ALLOCATED: ") || !take_number(c, &size) || !TAKE(c, " [") ||
	    !take_address(c, &addr) || !addr || !take_char(c, ']') || !is_end_of_call(c))
		return LINE_DAMAGED;
	begin_allocation(out, "malloc", addr, size);
	out->header = is_native ? 0 : HEADER;
	return LINE_RECORD;
}

static enum import_line take_free(struct cursor *c, struct import_record *out)
{
	unsigned n = 0;
	taddr_t addr;

	if (!take_address(c, &addr))
		return LINE_DAMAGED;
	/* Where the line end is lost, the next call's first letters look like digits. */
	while (n < 2 && !is_call(c->p - n, c->end))
		n++;
	if (is_call(c->p - n, c->end)) {
		c->p -= n;
		addr >>= 4 * n;
		if (hex_digit(c->p[-1]) < 0)
			return LINE_DAMAGED;
	} else if (!ends_number(c)) {
		return LINE_DAMAGED;
	}
	begin_record(out, RECORD_FREE, "free");
	out->addr = addr;
	return LINE_RECORD;
}

/* -- the heap -------------------------------------------------------------- */

static bool take_colon(struct cursor *c)
{
	take_blanks(c);
	if (!take_char(c, ':'))
		return false;
	take_blanks(c);
	return true;
}

static enum import_line take_heap(struct cursor *c, struct import_record *out)
{
	bool is_size = TAKE(c, "size"), is_end = !is_size && TAKE(c, "end");
	uint64_t v;

	if ((!is_size && !is_end && !TAKE(c, "start")) || !take_colon(c))
		return LINE_OTHER;
	if (!(is_size ? take_number(c, &v) : take_address(c, &v)) || !v || !ends_number(c))
		return LINE_DAMAGED;
	begin_record(out, RECORD_BOUNDS, NULL);
	out->header = HEADER;
	*(is_size ? &out->size : is_end ? &out->end : &out->addr) = v;
	return LINE_RECORD;
}

static enum import_line take_total(struct cursor *c, struct import_record *out)
{
	bool is_free = TAKE(c, "free");
	uint64_t n;

	if (!is_free && !TAKE(c, "used"))
		return LINE_OTHER;
	if (!take_colon(c) || !take_number(c, &n) || !ends_number(c))
		return LINE_DAMAGED;
	begin_record(out, RECORD_FIGURES, NULL);
	*(is_free ? &out->figure_free : &out->figure_used) = n;
	return LINE_RECORD;
}

static enum import_line take_block(struct cursor *c, struct import_record *out, bool is_free)
{
	uint64_t size;

	if (!take_number(c, &size) || !take_char(c, ']'))
		return LINE_DAMAGED;
	take_blanks(c);
	begin_record(out, RECORD_BLOCK, NULL);
	out->size = size;
	out->is_free = is_free;
	out->header = HEADER;
	return LINE_RECORD;
}

static enum import_line take_headline(struct cursor *c, uint64_t *number)
{
	return take_number(c, number) && take_char(c, ':') ? LINE_SILENT : LINE_OTHER;
}

static enum import_line take(struct import_parser *parser, struct cursor *c,
			     struct import_record *out)
{
	switch (*c->p) {
	case 'm':
		if (TAKE(c, "malloc: "))
			return take_malloc(c, out);
		return TAKE(c, "mb_total_") ? take_total(c, out) : LINE_OTHER;
	case 'f':
		return TAKE(c, "free:   ") ? take_free(c, out) : LINE_OTHER;
	case 'h':
		return TAKE(c, "heap_") ? take_heap(c, out) : LINE_OTHER;
	case '[':
		if (TAKE(c, "[F:"))
			return take_block(c, out, true);
		return TAKE(c, "[U:") ? take_block(c, out, false) : LINE_OTHER;
	case 'H':
		return TAKE(c, "HEAP ") ? take_headline(c, &parser->heap.number) : LINE_OTHER;
	case '-':
		return TAKE(c, "--- HEAP NOT INITIALISED ---") ? LINE_SILENT : LINE_OTHER;
	default:
		return LINE_OTHER;
	}
}

/* -- is it a new one? ------------------------------------------------------ */

static bool is_empty(const struct import_parser *parser, const struct text *t,
		     const struct import_record *block)
{
	if (!block->is_free)
		return false;
	if (parser->heap.start && parser->heap.end)
		return block->size == parser->heap.end - parser->heap.start;
	return !FIND(t->from, t->end, "[U:");
}

/* Has the heap whose bounds were told begun anew, as this record has it?  −1: it does
 * not tell. */
static int begins_anew(const struct import_parser *parser, const struct text *t,
		       const struct import_record *r)
{
	switch (r->what) {
	case RECORD_BOUNDS:
		/* The next heap's: of this one there was nothing but the bounds. */
		return r->addr ? 1 : -1;
	case RECORD_BLOCK:
		return is_empty(parser, t, r);
	case RECORD_FIGURES:
		return r->figure_used == UINT64_MAX ? -1 : !r->figure_used;
	default:
		return 1;
	}
}

static void begin_reset(const struct import_parser *parser, struct import_record *out)
{
	begin_record(out, RECORD_RESET, NULL);
	out->header = HEADER;
	/* The first heap is made when the target starts, the others later. */
	if (parser->heap.number) {
		out->addr = parser->heap.start;
		out->end = parser->heap.end;
	}
}

static void note_bounds(struct import_parser *parser, struct import_record *r)
{
	if (r->addr) {
		parser->heap.start = r->addr;
		parser->heap.end = 0;
	} else {
		r->addr = parser->heap.start;
		if (r->end)
			parser->heap.end = r->end;
	}
	parser->heap.is_new = true;
}

static void tell_bounds(const struct import_parser *parser, struct import_record *out)
{
	begin_record(out, RECORD_BOUNDS, NULL);
	out->header = HEADER;
	out->addr = parser->heap.start;
	out->end = parser->heap.end;
}

/* True: `out` is not the record of this line, but what it makes certain of the lines
 * before: that the heap begins anew, then its bounds. */
static bool settle(struct import_parser *parser, const struct text *t, struct import_record *out)
{
	int is_new = parser->heap.is_new ? begins_anew(parser, t, out) : -1;

	if (parser->heap.has_begun) {
		parser->heap.has_begun = false;
		tell_bounds(parser, out);
		return true;
	}
	if (is_new >= 0)
		parser->heap.is_new = false;
	if (is_new > 0) {
		parser->heap.has_begun = parser->heap.start && parser->heap.end;
		begin_reset(parser, out);
	} else if (out->what == RECORD_BOUNDS) {
		note_bounds(parser, out);
	}
	return is_new > 0;
}

/* -- lines ----------------------------------------------------------------- */

/* The name of the function has a prefix: where that begins. */
static const char *with_prefix(const char *line, const char *p)
{
	static const char *const prefixes[] = { "microbit_", "device_" };

	for (unsigned i = 0; i < ARRAY_SIZE(prefixes); i++) {
		size_t n = strlen(prefixes[i]);

		if ((size_t)(p - line) >= n && !memcmp(p - n, prefixes[i], n))
			return p - n;
	}
	return p;
}

/* Up to where damage goes: the next thing that may be a record. */
static const char *next_start(const char *p, const char *end)
{
	for (; p < end; p++) {
		struct cursor c = { p, end };

		if (is_call(p, end) || HAS(&c, "[F:") || HAS(&c, "[U:"))
			break;
	}
	return p;
}

static enum import_line understood(struct import_parser *parser, struct text *t,
				   const char *from, struct cursor *c, struct import_record *out,
				   enum import_line what)
{
	if (what == LINE_DAMAGED) {
		/* Of which heap the next bounds are is not known now. */
		if (*from == 'h')
			parser->heap.start = parser->heap.end = 0;
		c->p = next_start(c->p, t->end);
	}
	found(t, with_prefix(t->line, from), c, what);
	if (what == LINE_RECORD && settle(parser, t, out))
		t->from = t->to = t->line;
	return what;
}

static bool is_remnant(const char *p, const char *end)
{
	return FIND(p, end, "ALLOCATED: ") || FIND(p, end, "OUT OF MEMORY [");
}

static enum import_line microbit_line(struct import_parser *parser, struct text *t,
				      struct import_record *out)
{
	for (const char *p = t->line; p < t->end; p++) {
		struct cursor c = { p, t->end };
		enum import_line what = take(parser, &c, out);

		if (what != LINE_OTHER)
			return understood(parser, t, p, &c, out, what);
	}
	return is_remnant(t->line, t->end) ? LINE_DAMAGED : LINE_OTHER;
}

const struct import_syntax import_microbit = { .line = microbit_line };
