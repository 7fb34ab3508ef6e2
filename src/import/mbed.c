/* SPDX-License-Identifier: GPL-2.0-or-later */
/* mbed OS: what mbed_mem_trace_default_callback() prints (its documentation, “Runtime
 * memory tracing”): one line for each call, addresses base 16 and sizes base 10.
 *
 *     #m:0x20003240;0x600d-50             malloc:  result; caller-size
 *     #r:0x20003260;0x600d-0x20003240;90  realloc: …-pointer;size
 *     #c:0x20003280;0x600d-4;100          calloc:  …-number;size
 *     #f:0x0;0x602f-0x20003240            free:    …-pointer
 *     ?                                   an operation that it does not know */
#include "import/parse.h"

/* “#c: …” is text of somebody's. */
static bool is_start(const char *p, const char *end)
{
	return end - p >= 3 && *p == '#' && p[2] == ':' && p[1] && strchr("mrcf?", p[1]) &&
	       (end - p == 3 || !is_blank(p[3]));
}

static const char *find_start(const char *p, const char *end)
{
	while (p < end && (p = memchr(p, '#', (size_t)(end - p)))) {
		if (is_start(p, end))
			return p;
		p++;
	}
	return NULL;
}

static bool take_malloc(struct cursor *c, struct import_record *out, taddr_t result)
{
	uint64_t size;

	if (!take_number(c, &size))
		return false;
	begin_allocation(out, "malloc", result, size);
	return true;
}

static bool take_realloc(struct cursor *c, struct import_record *out, taddr_t result)
{
	taddr_t old;
	uint64_t size;

	if (!take_address(c, &old) || !take_char(c, ';') || !take_number(c, &size))
		return false;
	begin_record(out, result || !size ? RECORD_REALLOC : RECORD_FAILED, "realloc");
	out->addr = result;
	out->old = old;
	out->size = size;
	return true;
}

static bool take_calloc(struct cursor *c, struct import_record *out, taddr_t result)
{
	uint64_t count, each;

	if (!take_number(c, &count) || !take_char(c, ';') || !take_number(c, &each))
		return false;
	begin_allocation(out, "calloc", result, 0);
	return set_product(out, count, each);
}

static bool take_free(struct cursor *c, struct import_record *out, taddr_t result)
{
	taddr_t addr;

	if (!take_address(c, &addr) || result)
		return false;
	begin_record(out, RECORD_FREE, "free");
	out->addr = addr;
	return true;
}

static bool take_arguments(struct cursor *c, char op, struct import_record *out, taddr_t result)
{
	switch (op) {
	case 'm': return take_malloc(c, out, result);
	case 'r': return take_realloc(c, out, result);
	case 'c': return take_calloc(c, out, result);
	default:  return take_free(c, out, result);
	}
}

static bool take_call(struct cursor *c, struct import_record *out)
{
	char op = c->p[1];
	taddr_t result, caller;

	c->p += 3;
	if (!take_address(c, &result) || !take_char(c, ';') || !take_address(c, &caller) ||
	    !take_char(c, '-') || !take_arguments(c, op, out, result))
		return false;
	out->pc[0] = caller;
	out->npc = 1;
	return ends_number(c) || is_start(c->p, c->end);
}

/* What a line without a beginning was: “…;0x600d-” belongs to no other text.
 * (The bytes before the semicolon may be lost, the one of the caller's may not.) */
static bool is_remnant(const char *p, const char *end)
{
	uint64_t caller;

	for (; p < end && (p = memchr(p, ';', (size_t)(end - p))); p++) {
		struct cursor c = { p + 1, end };

		if (HAS(&c, "0x") && take_address(&c, &caller) && take_char(&c, '-') &&
		    c.p < end && is_digit(*c.p))
			return true;
	}
	return false;
}

static enum import_line without_start(struct text *t)
{
	struct cursor c = { t->line, t->end };

	take_blanks(&c);
	if (TAKE(&c, "?")) {
		take_blanks(&c);
		if (c.p == c.end)
			return LINE_SILENT;
	}
	return is_remnant(t->line, t->end) ? LINE_DAMAGED : LINE_OTHER;
}

static enum import_line mbed_line(struct import_parser *parser, struct text *t,
				  struct import_record *out)
{
	struct cursor c = { find_start(t->line, t->end), t->end };
	const char *start = c.p, *next;

	(void)parser;
	if (!start)
		return without_start(t);
	if (start[1] != '?' && take_call(&c, out))
		return found(t, start, &c, LINE_RECORD);
	next = find_start(start + 1, t->end);
	c.p = next ? next : t->end;
	return found(t, start, &c, start[1] == '?' ? LINE_SILENT : LINE_DAMAGED);
}

const struct import_syntax import_mbed = { .line = mbed_line };
