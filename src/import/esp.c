/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The memory tracking utilities for ESP-IDF: wrappers of heap_caps_malloc() and its like,
 * which note who called.  They list what is open, and tell of requests that failed, with
 * ESP-IDF's own summary of the heap behind:
 *
 *     Memory allocated at 0x3ffb1234, caps 0x1800, size 256 bytes, in main.c, line 42, function app_main, variable buf
 *     Failed to allocate 512 bytes for heap_caps_malloc in app_main at main.c:47
 *       Totals:
 *         free 4 allocated 6128 min_free 4 largest_free_block 0
 */
#include "import/parse.h"

#define LISTED "Memory allocated at "
#define FAILED "Failed to allocate "

enum { NAME_LENGTH = 1024 };

/* A name, up to `behind`, which is taken too. */
static bool take_until(struct cursor *c, const char *behind, size_t n, const char **s,
		       unsigned *ns)
{
	const char *end = c->end - c->p > NAME_LENGTH ? c->p + NAME_LENGTH : c->end;
	const char *p = find_text(c->p, end, behind, n);

	if (!p || p == c->p)
		return false;
	*s = c->p;
	*ns = (unsigned)(p - c->p);
	c->p = p + n;
	return true;
}
#define UNTIL(c, literal, s, ns) take_until((c), literal, sizeof literal - 1, (s), (ns))

static bool take_line_number(struct cursor *c, unsigned *line)
{
	uint64_t n;

	if (!take_number(c, &n) || n > UINT32_MAX)
		return false;
	*line = (unsigned)n;
	return true;
}

/* An expression: it ends with the line, or at a blank outside of brackets. */
static bool take_expression(struct cursor *c, const char **s, unsigned *n)
{
	const char *start = c->p;
	int depth = 0;

	for (; c->p < c->end && (unsigned char)*c->p >= ' '; c->p++) {
		if (strchr("([", *c->p))
			depth++;
		else if (strchr(")]", *c->p))
			depth--;
		else if (*c->p == ' ' && depth <= 0)
			break;
		else if (HAS(c, LISTED) || HAS(c, FAILED))
			break;
	}
	*s = start;
	*n = (unsigned)(c->p - start);
	return *n > 0;
}

static bool take_listed(struct cursor *c, struct import_record *out)
{
	uint64_t addr, caps, size;

	if (!take_address(c, &addr) || !addr || !TAKE(c, ", caps ") || !take_address(c, &caps) ||
	    caps > UINT32_MAX || !TAKE(c, ", size ") || !take_number(c, &size) ||
	    !TAKE(c, " bytes, in "))
		return false;
	begin_record(out, RECORD_LISTED, "heap_caps_malloc");
	out->addr = addr;
	out->size = size;
	out->caps = (uint32_t)caps;
	return UNTIL(c, ", line ", &out->file, &out->nfile) && take_line_number(c, &out->line) &&
	       TAKE(c, ", function ") &&
	       UNTIL(c, ", variable ", &out->function, &out->nfunction) &&
	       take_expression(c, &out->variable, &out->nvariable);
}

static const char *take_operation(struct cursor *c)
{
	if (TAKE(c, "heap_caps_malloc "))
		return "heap_caps_malloc";
	if (TAKE(c, "heap_caps_calloc "))
		return "heap_caps_calloc";
	return TAKE(c, "heap_caps_realloc ") ? "heap_caps_realloc" : NULL;
}

static bool take_failed(struct cursor *c, struct import_record *out)
{
	const char *operation;
	uint64_t size;

	if (!take_number(c, &size) || !TAKE(c, " bytes for ") || !(operation = take_operation(c)) ||
	    !TAKE(c, "in "))
		return false;
	begin_allocation(out, operation, 0, size);
	return UNTIL(c, " at ", &out->function, &out->nfunction) &&
	       UNTIL(c, ":", &out->file, &out->nfile) && take_line_number(c, &out->line) &&
	       (ends_number(c) || HAS(c, LISTED) || HAS(c, FAILED));
}

/* The line below “Totals:”. */
static bool take_totals(struct cursor *c, struct import_record *out)
{
	uint64_t n, least;

	begin_record(out, RECORD_FIGURES, NULL);
	if (!TAKE(c, "free ") || !take_number(c, &out->figure_free) || !TAKE(c, " allocated ") ||
	    !take_number(c, &out->figure_used) || !TAKE(c, " min_free ") ||
	    !take_number(c, &least) || !TAKE(c, " largest_free_block ") || !take_number(c, &n))
		return false;
	return ends_number(c);
}

static const char *find_start(const char *p, const char *end)
{
	const char *listed = FIND(p, end, LISTED);
	const char *failed = FIND(p, listed ? listed : end, FAILED);

	return failed ? failed : listed;
}

static enum import_line without_start(struct text *t, struct import_record *out)
{
	struct cursor c = { t->line, t->end };
	const char *start;

	take_blanks(&c);
	start = c.p;
	if (HAS(&c, "free ") && take_totals(&c, out))
		return found(t, start, &c, LINE_RECORD);
	if (HAS(&c, "Capturing memory snapshot for region: "))
		return LINE_SILENT;
	return FIND(t->line, t->end, " bytes, in ") || FIND(t->line, t->end, "for heap_caps_") ?
		LINE_DAMAGED : LINE_OTHER;
}

/* Others fail to allocate too, and say so: theirs is not damaged. */
static enum import_line damaged(struct text *t, const char *start, struct cursor *c)
{
	const char *next = find_start(start + 1, t->end);

	c->p = next ? next : t->end;
	if (*start == 'F' && !FIND(start, c->p, " bytes for heap_caps_") && !next)
		return LINE_OTHER;
	return found(t, start, c, LINE_DAMAGED);
}

static enum import_line esp_line(struct import_parser *parser, struct text *t,
				 struct import_record *out)
{
	const char *start = find_start(t->line, t->end);
	struct cursor c = { start, t->end };

	(void)parser;
	if (!start)
		return without_start(t, out);
	if (TAKE(&c, LISTED) ? take_listed(&c, out) : TAKE(&c, FAILED) && take_failed(&c, out))
		return found(t, start, &c, LINE_RECORD);
	return damaged(t, start, &c);
}

const struct import_syntax import_esp = { .line = esp_line };
