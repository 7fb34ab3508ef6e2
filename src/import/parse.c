/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Dispatch to the parser of a format, and what all of them take from a line. */
#include "import/parse.h"

#include "base/xalloc.h"

static const char *const names[IMPORT_FORMATS + 1] = {
	"auto", "mbed", "microbit", "azsphere", "esp", "esp-heaptrace", "glibc", NULL,
};

static const struct import_syntax *const syntaxes[IMPORT_FORMATS] = {
	[IMPORT_MBED] = &import_mbed,
	[IMPORT_MICROBIT] = &import_microbit,
	[IMPORT_AZSPHERE] = &import_azsphere,
	[IMPORT_ESP] = &import_esp,
	[IMPORT_ESP_HEAPTRACE] = &import_esp_heaptrace,
	[IMPORT_GLIBC] = &import_glibc,
};

const char *import_format_name(enum import_format format)
{
	return names[format];
}

enum import_format import_format_find(const char *name)
{
	unsigned i = 0;

	while (i < IMPORT_FORMATS && strcmp(names[i], name))
		i++;
	return i;
}

struct import_parser *import_parser_new(enum import_format format)
{
	struct import_parser *parser = xcalloc(1, sizeof *parser);

	parser->syntax = syntaxes[format];
	return parser;
}

void import_parser_free(struct import_parser *parser)
{
	if (!parser)
		return;
	strbuf_release(&parser->half.module);
	strbuf_release(&parser->half.symbol);
	free(parser);
}

enum import_line import_parse(struct import_parser *parser, const char *line, size_t n,
			      struct import_record *out, size_t *before, size_t *behind)
{
	struct text t = { line, line + n, line, line + n };
	enum import_line what = parser->syntax->line(parser, &t, out);

	*before = what == LINE_OTHER ? n : (size_t)(t.from - line);
	*behind = what == LINE_OTHER ? 0 : (size_t)(t.end - t.to);
	return what;
}

enum import_line import_parse_end(struct import_parser *parser, struct import_record *out)
{
	return parser->syntax->end ? parser->syntax->end(parser, out) : LINE_OTHER;
}

/* -- numbers --------------------------------------------------------------- */

int hex_digit(char c)
{
	if (is_digit(c))
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool take_hex(struct cursor *c, uint64_t *v)
{
	const char *first = c->p;
	uint64_t value = 0;
	int digit;

	while (c->p < c->end && (digit = hex_digit(*c->p)) >= 0) {
		value = value << 4 | (unsigned)digit;
		c->p++;
	}
	if (c->p == first || c->p - first > 16)
		return false;
	*v = value;
	return true;
}

bool take_address(struct cursor *c, uint64_t *v)
{
	if (TAKE(c, "(nil)")) {
		*v = 0;
		return true;
	}
	/* Twice where “0x%p” meets a C library that writes 0x itself. */
	if (TAKE(c, "0x") || TAKE(c, "0X"))
		TAKE(c, "0x");
	return take_hex(c, v);
}

bool take_number(struct cursor *c, uint64_t *v)
{
	const char *first = c->p;
	uint64_t value = 0;
	bool fits = true;

	for (; c->p < c->end && is_digit(*c->p); c->p++) {
		unsigned digit = (unsigned)(*c->p - '0');

		/* No 64-bit number has more than 20 digits. */
		if (c->p - first >= 19)
			fits = fits && !__builtin_mul_overflow(value, 10, &value) &&
			       !__builtin_add_overflow(value, digit, &value) && c->p - first < 20;
		else
			value = value * 10 + digit;
	}
	if (c->p == first || !fits)
		return false;
	*v = value;
	return true;
}

bool take_signed(struct cursor *c, int64_t *v)
{
	bool is_negative = take_char(c, '-');
	uint64_t value;

	if (!take_number(c, &value) || value > INT64_MAX)
		return false;
	*v = is_negative ? -(int64_t)value : (int64_t)value;
	return true;
}

static bool is_word(char c)
{
	return is_digit(c) || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') || c == '_';
}

bool ends_number(const struct cursor *c)
{
	struct cursor rest = *c;
	const char *word;

	if (rest.p == rest.end || HAS(&rest, "\033["))
		return true;
	if (!is_blank(*rest.p))
		return false;
	take_blanks(&rest);
	TAKE(&rest, "0x");
	word = rest.p;
	while (rest.p < rest.end && hex_digit(*rest.p) >= 0)
		rest.p++;
	return rest.p == word || (rest.p < rest.end && is_word(*rest.p));
}

/* -- records --------------------------------------------------------------- */

const char *find_text(const char *p, const char *end, const char *s, size_t n)
{
	for (; end - p >= (ptrdiff_t)n && (p = memchr(p, *s, (size_t)(end - p) - n + 1)); p++)
		if (!memcmp(p, s, n))
			return p;
	return NULL;
}

void begin_record(struct import_record *out, enum import_what what, const char *operation)
{
	memset(out, 0, offsetof(struct import_record, pc));
	out->what = what;
	out->operation = operation;
	out->old_size = out->figure_free = out->figure_used = out->threshold = UINT64_MAX;
	out->cpu = -1;
}

void begin_allocation(struct import_record *out, const char *operation, taddr_t addr,
		      uint64_t size)
{
	begin_record(out, addr ? RECORD_ALLOC : RECORD_FAILED, operation);
	out->addr = addr;
	out->size = size;
}

bool set_product(struct import_record *out, uint64_t count, uint64_t each)
{
	out->count = count;
	out->each = each;
	if (!__builtin_mul_overflow(count, each, &out->size))
		return true;
	out->size = UINT64_MAX;
	return !out->addr;
}
