/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ESP-IDF's heap tracing (esp_heap_trace.h): what heap_trace_dump() prints.
 *
 *     ====== Heap Trace: 2 records (100 capacity) ======
 *         64 bytes (@ 0x3ffb5d5c, Internal) allocated CPU 0 ccount 0x0b9a7fe4 caller 0x400d27a6:0x400d2811
 *        128 bytes (@ 0x3f800020,    PSRAM) allocated CPU 1 ccount 0x0b9a8fe8 caller 0x400d27b1:
 *     freed by 0x400d27c0:0x400d2811
 *     ====== Heap Trace Summary ======
 *     Mode: Heap Trace All
 *     64 bytes alive in trace (1/2 allocations)
 *     records: 2 (100 capacity, 2 high water mark)
 *     total allocations: 2
 *     total frees: 1
 *     ================================
 *
 * Before version 5: no label, SPIRAM, no headlines.  There are as many callers as were
 * configured, fewer end with a colon, and “freed by” fills up with zeros. */
#include "import/parse.h"

/* The line's number, right-aligned: where it begins; NULL: there is none. */
static const char *number_before(const char *p, const char *end)
{
	const char *first = end;

	while (first > p && is_digit(first[-1]))
		first--;
	return first < end ? first : NULL;
}

/* Up to where damage goes: the next block's number, or the end. */
static const char *next_block(const char *p, const char *end)
{
	const char *bytes = FIND(p, end, " bytes (@ ");
	const char *number = bytes ? number_before(p, bytes) : NULL;

	return number ? number : end;
}

/* The line end is lost: what was taken last was, or ends with, the beginning of the next. */
static bool is_next_line(struct cursor *c, const char *start, taddr_t *pc)
{
	struct cursor rest = *c;

	if (HAS(c, "reed by ") && c->p[-1] == 'f') {
		c->p--;
		*pc >>= 4;
		return true;
	}
	if (HAS(c, " bytes (@ ")) {
		c->p = start;
		*pc = 0;
		return true;
	}
	take_blanks(&rest);
	while (rest.p > c->p && rest.p < rest.end && is_digit(*rest.p))
		rest.p++;
	return HAS(&rest, " bytes (@ ");
}

static bool take_callers(struct cursor *c, struct import_record *out)
{
	const char *start;
	bool is_last = c->p == c->end;
	taddr_t pc;

	while (!is_last) {
		start = c->p;
		if (!take_address(c, &pc))
			return false;
		if (is_next_line(c, start, &pc))
			is_last = true;
		else if (!take_char(c, ':')) {
			if (!ends_number(c))
				return false;
			is_last = true;
		} else {
			is_last = c->p == c->end || is_blank(*c->p);
		}
		if (pc && out->npc < IMPORT_FRAMES)
			out->pc[out->npc++] = pc;
	}
	return true;
}

static bool take_label(struct cursor *c)
{
	if (!take_char(c, ','))
		return true;
	take_blanks(c);
	return TAKE(c, "Internal") || TAKE(c, "PSRAM") || TAKE(c, "SPIRAM");
}

/* From the number on. */
static bool take_block(struct cursor *c, struct import_record *out)
{
	uint64_t size, addr, cpu, ccount;

	if (!take_number(c, &size) || !TAKE(c, " bytes (@ ") || !take_address(c, &addr) || !addr ||
	    !take_label(c) || !TAKE(c, ") allocated CPU ") || !take_number(c, &cpu) ||
	    cpu > UINT8_MAX || !TAKE(c, " ccount ") || !take_address(c, &ccount) ||
	    !TAKE(c, " caller "))
		return false;
	begin_allocation(out, "malloc", addr, size);
	out->cpu = (int)cpu;
	out->time = ccount;
	return take_callers(c, out);
}

static bool take_freed_by(const struct import_parser *parser, struct cursor *c,
			  struct import_record *out)
{
	begin_record(out, RECORD_FREE, "free");
	out->addr = parser->block;
	return TAKE(c, "freed by ") && take_callers(c, out);
}

static enum import_line block_line(struct import_parser *parser, struct text *t,
				   const char *bytes, struct import_record *out)
{
	const char *start = number_before(t->line, bytes);
	struct cursor c = { start, t->end };

	parser->block_is_known = start && take_block(&c, out);
	if (parser->block_is_known) {
		parser->block = out->addr;
		return found(t, start, &c, LINE_RECORD);
	}
	c.p = next_block(bytes + 1, t->end);
	return found(t, start ? start : bytes, &c, LINE_DAMAGED);
}

/* Who freed a block of which the line is damaged is of no use. */
static enum import_line freed_line(struct import_parser *parser, struct text *t,
				   const char *start, struct import_record *out)
{
	struct cursor c = { start, t->end };
	enum import_line what = !parser->block_is_known ? LINE_SILENT :
		take_freed_by(parser, &c, out) ? LINE_RECORD : LINE_DAMAGED;

	parser->block_is_known = false;
	if (what != LINE_RECORD)
		c.p = next_block(start, t->end);
	return found(t, start, &c, what);
}

/* A second dump lists again what is open since the first. */
static enum import_line headline(struct import_parser *parser, struct text *t, const char *start,
				 struct import_record *out)
{
	bool is_first = !parser->has_dump;

	t->from = start;
	parser->has_dump = true;
	parser->block_is_known = false;
	if (is_first)
		return LINE_SILENT;
	begin_record(out, RECORD_RESET, NULL);
	return LINE_RECORD;
}

static enum import_line alive(struct text *t, const char *bytes, struct import_record *out)
{
	const char *start = number_before(t->line, bytes);
	struct cursor c = { start, t->end };

	begin_record(out, RECORD_FIGURES, NULL);
	if (!start || !take_number(&c, &out->figure_used))
		return LINE_DAMAGED;
	return found(t, start, &(struct cursor){ t->end, t->end }, LINE_RECORD);
}

static bool is_summary(const struct text *t)
{
	static const char *const starts[] = {
		"======", "Mode: Heap Trace ", "records: ", "hashmap: ",
		"internal records: ", "total allocations: ", "total frees: ", "(NB: ",
	};

	struct cursor c = { t->line, t->end };

	take_blanks(&c);
	for (unsigned i = 0; i < ARRAY_SIZE(starts); i++)
		if (has_text(&c, starts[i], strlen(starts[i])))
			return true;
	return false;
}

static enum import_line esp_heaptrace_line(struct import_parser *parser, struct text *t,
					   struct import_record *out)
{
	const char *p = FIND(t->line, t->end, " bytes (@ ");
	const char *freed = FIND(t->line, p ? p : t->end, "freed by ");

	if (freed)
		return freed_line(parser, t, freed, out);
	if (p)
		return block_line(parser, t, p, out);
	if ((p = FIND(t->line, t->end, "= Heap Trace: ")) ||
	    (p = FIND(t->line, t->end, " allocations trace (")))
		return headline(parser, t, p, out);
	if ((p = FIND(t->line, t->end, " bytes alive in trace (")) ||
	    (p = FIND(t->line, t->end, " bytes 'leaked' in trace (")))
		return alive(t, p, out);
	if (is_summary(t))
		return LINE_SILENT;
	/* The beginning of a block's line is lost. */
	return FIND(t->line, t->end, ") allocated CPU ") ? LINE_DAMAGED : LINE_OTHER;
}

const struct import_syntax import_esp_heaptrace = { .line = esp_heaptrace_line };
