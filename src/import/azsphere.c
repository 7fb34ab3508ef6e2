/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The heap tracker library of Azure Sphere's gallery.  What its wrappers say, with
 * “Heap-Tracker lib: ” or “Heap-Tracker: ” before it:
 *
 *     malloc(1024)=0xbeee9010... SUCCESS: heap_allocated (1024 bytes) - delta with heap_threshold(254976 bytes)
 *     calloc(4,256)=0xbeee9010...WARNING: heap_allocated (257024 bytes) is above heap_threshold (256000 bytes)
 *     aligned_alloc(16,64)=0xbeee9010...
 *     realloc(0xbeee9010, 2048)=0xbeee9010...
 *     _realloc(0xbeee9010,2048,4096)=0xbeee9010...
 *     free(0xbeee9010)...
 *     _free(0xbeee9010,4096)...
 *
 * The result is a message of its own.  It ends the line, and a build that is not verbose has
 * none while all is well: then call follows call on one line.  Where others have one and the
 * line ends, the program was killed in the call.  Between them may stand, prefix and all,
 * that a pointer is not tracked, or that the native function was called.
 *
 * Its early version has “available heap (254975 bytes)”, and no address for malloc. */
#include "import/parse.h"

static bool take_prefix(struct cursor *c)
{
	struct cursor rest = *c;

	if (!TAKE(&rest, "Heap") || !(take_char(&rest, '-') || take_char(&rest, ' ')) ||
	    !TAKE(&rest, "Tracker"))
		return false;
	TAKE(&rest, " lib");
	if (!TAKE(&rest, ": "))
		return false;
	*c = rest;
	return true;
}

static const char *find_prefix(const char *p, const char *end)
{
	while ((p = FIND(p, end, "Heap"))) {
		struct cursor c = { p, end };

		if (take_prefix(&c))
			return p;
		p++;
	}
	return NULL;
}

/* Its place, or the end. */
static const char *next_prefix(const char *p, const char *end)
{
	const char *next = find_prefix(p, end);

	return next ? next : end;
}

/* -- calls ----------------------------------------------------------------- */

/* A number, and the character behind it. */
static bool take_number_and(struct cursor *c, uint64_t *v, char behind)
{
	return take_number(c, v) && take_char(c, behind);
}

static bool take_address_and(struct cursor *c, taddr_t *v, char behind)
{
	return take_address(c, v) && take_char(c, behind);
}

static bool take_result(struct cursor *c, taddr_t *addr)
{
	/* A fourth was a digit. */
	return take_char(c, '=') && take_address(c, addr) && TAKE(c, "...") && !has_char(c, '.');
}

static bool take_malloc(struct cursor *c, struct import_record *out)
{
	uint64_t size;
	taddr_t addr;

	if (!take_number_and(c, &size, ')') || !take_result(c, &addr))
		return false;
	begin_allocation(out, "malloc", addr, size);
	return true;
}

static bool take_calloc(struct cursor *c, struct import_record *out)
{
	uint64_t count, each;
	taddr_t addr;

	if (!take_number_and(c, &count, ',') || !take_number_and(c, &each, ')') ||
	    !take_result(c, &addr))
		return false;
	begin_allocation(out, "calloc", addr, 0);
	return set_product(out, count, each);
}

static bool take_aligned_alloc(struct cursor *c, struct import_record *out)
{
	uint64_t alignment, size;
	taddr_t addr;

	if (!take_number_and(c, &alignment, ',') || !take_number_and(c, &size, ')') ||
	    !take_result(c, &addr))
		return false;
	begin_allocation(out, "aligned_alloc", addr, size);
	out->alignment = alignment;
	return true;
}

static bool take_realloc(struct cursor *c, struct import_record *out, bool has_old_size)
{
	uint64_t old_size = UINT64_MAX, size;
	taddr_t old, addr;

	if (!take_address_and(c, &old, ','))
		return false;
	if (has_old_size && !take_number_and(c, &old_size, ','))
		return false;
	take_blanks(c);
	if (!take_number_and(c, &size, ')') || !take_result(c, &addr))
		return false;
	begin_record(out, addr || !size ? RECORD_REALLOC : RECORD_FAILED, "realloc");
	out->addr = addr;
	out->old = old;
	out->size = size;
	out->old_size = old_size;
	return true;
}

static bool take_free(struct cursor *c, struct import_record *out)
{
	uint64_t size = UINT64_MAX;
	taddr_t addr;

	if (!take_address(c, &addr) || (take_char(c, ',') && !take_number(c, &size)) ||
	    !take_char(c, ')') || !TAKE(c, "..."))
		return false;
	begin_record(out, RECORD_FREE, "free");
	out->addr = addr;
	out->old_size = size;
	return true;
}

static bool take_call(struct cursor *c, struct import_record *out)
{
	bool is_helper = take_char(c, '_');

	if (TAKE(c, "malloc("))
		return take_malloc(c, out);
	if (TAKE(c, "free("))
		return take_free(c, out);
	if (TAKE(c, "realloc("))
		return take_realloc(c, out, is_helper);
	if (TAKE(c, "calloc("))
		return take_calloc(c, out);
	return TAKE(c, "aligned_alloc(") && take_aligned_alloc(c, out);
}

/* -- results --------------------------------------------------------------- */

static bool take_heap_allocated(struct cursor *c, struct import_record *out)
{
	int64_t n;

	if (!TAKE(c, "heap_allocated (") || !take_signed(c, &n))
		return false;
	/* Below nothing: by the target's own books, which count as some do not. */
	if (n >= 0)
		out->figure_used = (uint64_t)n;
	TAKE(c, " bytes");
	return take_char(c, ')');
}

static bool take_success(struct cursor *c, struct import_record *out)
{
	int64_t delta;

	if (TAKE(c, "available heap ("))
		return take_signed(c, &out->delta) && TAKE(c, " bytes)");
	if (!take_heap_allocated(c, out) || !TAKE(c, " - delta with heap_threshold(") ||
	    !take_signed(c, &delta) || !TAKE(c, " bytes)"))
		return false;
	out->delta = delta;
	if (out->figure_used != UINT64_MAX)
		out->threshold = out->figure_used + (uint64_t)delta;
	return true;
}

static bool take_warning(struct cursor *c, struct import_record *out)
{
	uint64_t threshold;

	if (!take_heap_allocated(c, out))
		return false;
	if (TAKE(c, " is NEGATIVE")) {
		c->p = next_prefix(c->p, c->end);
		return true;
	}
	if (!TAKE(c, " is above heap_threshold (") || !take_number(c, &threshold) ||
	    !TAKE(c, " bytes)"))
		return false;
	out->threshold = threshold;
	if (out->figure_used != UINT64_MAX)
		out->delta = (int64_t)(threshold - out->figure_used);
	if (out->verdict == VERDICT_NONE)
		out->verdict = VERDICT_ABOVE;
	return true;
}

static bool take_status(struct cursor *c, struct import_record *out)
{
	if (TAKE(c, "SUCCESS: ") || TAKE(c, "INFO: "))
		return take_success(c, out);
	return TAKE(c, "WARNING: ") && take_warning(c, out);
}

/* “WARNING: free(0x…) was called for a non-tracked pointer.” and “WARNING! Native free(0x…)
 * was called instead of …”, or of realloc; prefix and all. */
struct remark {
	taddr_t addr;
	bool is_realloc, is_untracked;
};

static bool take_remark(struct cursor *c, struct remark *remark)
{
	struct cursor rest = *c;

	if (!take_prefix(&rest))
		return false;
	remark->is_untracked = TAKE(&rest, "WARNING: ");
	if (!remark->is_untracked && !TAKE(&rest, "WARNING! Native "))
		return false;
	remark->is_realloc = TAKE(&rest, "realloc(");
	if ((!remark->is_realloc && !TAKE(&rest, "free(")) || !take_address(&rest, &remark->addr) ||
	    !(has_char(&rest, ')') || has_char(&rest, ',')))
		return false;
	c->p = next_prefix(rest.p, rest.end);
	return true;
}

static void forget_figures(struct import_record *out)
{
	out->figure_used = out->threshold = UINT64_MAX;
	out->delta = 0;
}

/* What is damaged of it changes nothing of the call, and is left. */
static void take_results(struct import_parser *parser, struct cursor *c,
			 struct import_record *out)
{
	struct cursor before;
	struct remark remark;
	bool has_remark = false;

	take_blanks(c);
	while (take_remark(c, &remark)) {
		has_remark = true;
		if (remark.is_untracked)
			out->verdict = VERDICT_UNTRACKED;
	}
	before = *c;
	if (take_status(c, out)) {
		/* Only a verbose build tells of success. */
		parser->has_results |= *before.p == 'S';
	} else if (before.p < before.end) {
		forget_figures(out);
		*c = before;
	} else if (parser->has_results && !has_remark) {
		out->verdict = VERDICT_CUT;
	}
}

/* -- lines ----------------------------------------------------------------- */

/* It belongs to the call of the line before; or that one is lost, or was never told of. */
static enum import_line lone_remark(const struct import_parser *parser,
				    const struct remark *remark, struct import_record *out)
{
	if (remark->is_realloc || remark->addr == parser->freed)
		return LINE_SILENT;
	begin_record(out, RECORD_FREE, "free");
	out->addr = remark->addr;
	if (remark->is_untracked)
		out->verdict = VERDICT_UNTRACKED;
	return LINE_RECORD;
}

static enum import_line with_prefix(struct import_parser *parser, struct cursor *c,
				    struct import_record *out)
{
	struct remark remark;

	if (take_remark(c, &remark))
		return lone_remark(parser, &remark, out);
	take_prefix(c);
	if (HAS(c, "heap_track_pointer(")) {
		c->p = next_prefix(c->p, c->end);
		return LINE_SILENT;
	}
	if (!take_call(c, out))
		return LINE_DAMAGED;
	parser->freed = out->what == RECORD_FREE ? out->addr : out->old;
	take_results(parser, c, out);
	return LINE_RECORD;
}

/* A result on a line of its own, where a remark ended the line of the call. */
static enum import_line lone_result(struct text *t, struct import_record *out)
{
	const char *p = FIND(t->line, t->end, "heap_allocated (");
	struct cursor c;

	if (!p || p - t->line < 9)
		return LINE_OTHER;
	c = (struct cursor){ p - 9, t->end };
	if (!HAS(&c, "SUCCESS: ") && !HAS(&c, "WARNING: "))
		return LINE_OTHER;
	/* The beginning of the line, with the prefix, is lost. */
	if (FIND(t->line, c.p, "...")) {
		c.p = t->end;
		return found(t, t->line, &c, LINE_DAMAGED);
	}
	begin_record(out, RECORD_FIGURES, NULL);
	if (take_status(&c, out))
		return found(t, p - 9, &c, LINE_RECORD);
	c.p = t->end;
	return found(t, p - 9, &c, LINE_DAMAGED);
}

static enum import_line azsphere_line(struct import_parser *parser, struct text *t,
				      struct import_record *out)
{
	const char *start = find_prefix(t->line, t->end);
	struct cursor c = { start, t->end };
	enum import_line what;

	if (!start)
		return lone_result(t, out);
	what = with_prefix(parser, &c, out);
	if (what == LINE_DAMAGED)
		c.p = next_prefix(c.p, t->end);
	return found(t, start, &c, what);
}

const struct import_syntax import_azsphere = { .line = azsphere_line };
