/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the parsers of heap logs share: a cursor that takes what must come next, and the
 * state that outlives a line. */
#ifndef MTRACE_IMPORT_PARSE_H
#define MTRACE_IMPORT_PARSE_H

#include <string.h>

#include "base/strbuf.h"
#include "import/record.h"

struct cursor {
	const char *p, *end;
};

/* A line, and what of it was understood. */
struct text {
	const char *line, *end;
	const char *from, *to;
};

struct import_syntax {
	/* `from` and `to` are all of the line; set where it is not LINE_OTHER. */
	enum import_line (*line)(struct import_parser *parser, struct text *t,
				 struct import_record *out);
	/* NULL: no record goes over several lines. */
	enum import_line (*end)(struct import_parser *parser, struct import_record *out);
};

struct import_parser {
	const struct import_syntax *syntax;
	/* glibc: the first half of a realloc (“<”), the second of which (“>”) is to come. */
	struct {
		taddr_t old, pc;
		struct strbuf module, symbol;
		bool is_there;
		bool is_stale; /* a damaged line came since: what comes is not its half */
	} half;
	/* micro:bit: the heap whose bounds were told last. */
	struct {
		taddr_t start, end;
		uint64_t number; /* of its headline */
		bool is_new;     /* nothing yet tells whether it begins anew */
		bool has_begun;  /* it did: its bounds are to be told once more */
	} heap;
	/* Azure Sphere: what was freed last; there are results in this log. */
	taddr_t freed;
	bool has_results;
	/* heap_trace_dump(): the block of the line before; a dump was there. */
	taddr_t block;
	bool block_is_known, has_dump;
};

extern const struct import_syntax import_mbed, import_microbit, import_azsphere, import_esp,
	import_esp_heaptrace, import_glibc;

static inline bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static inline bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

/* −1: no hexadecimal digit. */
int hex_digit(char c);

static inline bool has_char(const struct cursor *c, char ch)
{
	return c->p < c->end && *c->p == ch;
}

static inline bool take_char(struct cursor *c, char ch)
{
	if (!has_char(c, ch))
		return false;
	c->p++;
	return true;
}

static inline bool has_text(const struct cursor *c, const char *s, size_t n)
{
	return (size_t)(c->end - c->p) >= n && !memcmp(c->p, s, n);
}

static inline bool take_text(struct cursor *c, const char *s, size_t n)
{
	if (!has_text(c, s, n))
		return false;
	c->p += n;
	return true;
}

#define HAS(c, literal) has_text((c), literal, sizeof literal - 1)
#define TAKE(c, literal) take_text((c), literal, sizeof literal - 1)

/* Takes blanks, were there any or not. */
static inline void take_blanks(struct cursor *c)
{
	while (c->p < c->end && is_blank(*c->p))
		c->p++;
}

/* Numbers.  False, and the cursor where reading went wrong: no digit, or more than 64
 * bits.  An address: base 16 with or without 0x, or “(nil)”. */
bool take_address(struct cursor *c, uint64_t *v);
bool take_number(struct cursor *c, uint64_t *v);
/* Base 10, which may be negative. */
bool take_signed(struct cursor *c, int64_t *v);

/* May a record's last number end here?  What follows must not look like the rest of it,
 * whose digits in between are lost: only the end, or blanks and then a word of its own. */
bool ends_number(const struct cursor *c);

/* Where `s`, of n > 0 bytes, is between p and end; NULL: nowhere. */
const char *find_text(const char *p, const char *end, const char *s, size_t n);
#define FIND(p, end, literal) find_text((p), (end), literal, sizeof literal - 1)

/* What it is, and where: from there up to the cursor. */
static inline enum import_line found(struct text *t, const char *from, const struct cursor *c,
				     enum import_line what)
{
	t->from = from;
	t->to = c->p;
	return what;
}

/* Clears the record. */
void begin_record(struct import_record *out, enum import_what what, const char *operation);
/* Allocated, or failed, as the address has it. */
void begin_allocation(struct import_record *out, const char *operation, taddr_t addr,
		      uint64_t size);
/* Of calloc: false where the product is no number of 64 bits, yet there is a block. */
bool set_product(struct import_record *out, uint64_t count, uint64_t each);

#endif
