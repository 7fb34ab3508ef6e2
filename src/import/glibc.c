/* SPDX-License-Identifier: GPL-2.0-or-later */
/* glibc: what mtrace(3) writes to the file that MALLOC_TRACE names.
 *
 *     = Start
 *     @ ./prog:[0x11a0] + 0x5616877f64a0 0x64          allocated; (nil): failed
 *     @ ./prog:(main+0x2c)[0x11c8] < 0x5616877f62a0    realloc, the old block
 *     @ ./prog:(main+0x2c)[0x11c8] > 0x5616877f6510 0x1f4  … and the new one
 *     @ ./prog:(main+0x3f)[0x11fb] - 0x5616877f64a0    released
 *     @ [0x5616877f1210] ! 0x5616877f6510 0x4000       realloc failed; of no known object
 *     = End
 *
 * Addresses of callers are relative to the object, in older versions absolute; where there
 * is no caller the line begins with the operation.  The two lines of a realloc are written
 * under a lock, one behind the other. */
#include "import/parse.h"

struct where {
	const char *module, *symbol;
	unsigned nmodule, nsymbol;
	taddr_t pc;
	bool has_pc;
};

static bool is_operation(const char *p, const char *end)
{
	return end - p >= 3 && *p && strchr("+-<>!", *p) && p[1] == ' ' &&
	       (is_digit(p[2]) || p[2] == '(');
}

/* Without a caller: other text may begin so, too. */
static bool is_lone_operation(const char *p, const char *end)
{
	return is_operation(p, end) && (p[2] == '(' || (end - p >= 4 && p[3] == 'x'));
}

/* -- who called ------------------------------------------------------------ */

/* “[0x11a0]”, which ends at `close`: where it begins, NULL: it is something else. */
static const char *address_before(const char *p, const char *close, taddr_t *pc)
{
	struct cursor c = { close, close };

	while (c.p > p && (hex_digit(c.p[-1]) >= 0 || c.p[-1] == 'x'))
		c.p--;
	if (c.p == p || c.p[-1] != '[')
		return NULL;
	p = c.p - 1;
	return take_address(&c, pc) && c.p == close ? p : NULL;
}

/* “(main+0x2c)” before `end`: where it begins, else `end`. */
static const char *symbol_before(const char *p, const char *end, struct where *w)
{
	const char *open = end;

	if (open == p || open[-1] != ')')
		return end;
	while (open > p && open[-1] != '(')
		open--;
	if (open - p < 2 || open[-2] != ':')
		return end;
	w->symbol = open;
	w->nsymbol = (unsigned)(end - 1 - open);
	return open - 1;
}

/* All between “@ ” and “] ”: an object's path may have any byte in it. */
static bool take_where(struct cursor *c, struct where *w)
{
	const char *start = c->p, *close = start, *end;

	while ((close = memchr(close, ']', (size_t)(c->end - close)))) {
		if (c->end - close > 2 && close[1] == ' ' && is_operation(close + 2, c->end))
			break;
		close++;
	}
	end = close ? address_before(start, close, &w->pc) : NULL;
	if (!end)
		return false;
	w->has_pc = true;
	if (end > start) {
		end = symbol_before(start, end, w);
		if (end == start || end[-1] != ':')
			return false;
		w->module = start;
		w->nmodule = (unsigned)(end - 1 - start);
	}
	c->p = close + 2;
	return true;
}

static void set_where(struct import_record *out, const struct where *w)
{
	out->module = w->module;
	out->nmodule = w->nmodule;
	out->symbol = w->symbol;
	out->nsymbol = w->nsymbol;
	out->pc[0] = w->pc;
	out->npc = w->has_pc;
}

/* -- the halves of a realloc ----------------------------------------------- */

static void keep(struct strbuf *sb, const char *s, size_t n)
{
	strbuf_reset(sb);
	if (n)
		strbuf_add(sb, s, n);
}

static void keep_half(struct import_parser *parser, const struct where *w, taddr_t old)
{
	parser->half.old = old;
	parser->half.pc = w->pc;
	parser->half.is_there = true;
	parser->half.is_stale = false;
	keep(&parser->half.module, w->module, w->nmodule);
	keep(&parser->half.symbol, w->symbol, w->nsymbol);
}

/* The old block was released, whatever became of the new one. */
static enum import_line lone_half(struct import_parser *parser, struct import_record *out)
{
	begin_record(out, RECORD_FREE, "realloc");
	out->addr = parser->half.old;
	set_where(out, &(struct where){
		parser->half.module.n ? parser->half.module.s : NULL,
		parser->half.symbol.n ? parser->half.symbol.s : NULL,
		(unsigned)parser->half.module.n, (unsigned)parser->half.symbol.n,
		parser->half.pc, parser->half.pc != 0 });
	parser->half.is_there = false;
	return LINE_RECORD;
}

static bool is_other_half(const struct import_parser *parser, const struct where *w)
{
	return !parser->half.is_stale && parser->half.pc == w->pc &&
	       parser->half.module.n == w->nmodule &&
	       (!w->nmodule || !memcmp(parser->half.module.s, w->module, w->nmodule));
}

/* -- operations ------------------------------------------------------------ */

static bool ends_line(const struct cursor *c)
{
	return ends_number(c) || HAS(c, "@ ") || HAS(c, "= End");
}

static bool take_block(struct cursor *c, taddr_t *addr, uint64_t *size)
{
	return take_address(c, addr) && take_char(c, ' ') && take_address(c, size) && ends_line(c);
}

static bool take_two(struct cursor *c, char op, const struct import_parser *parser,
		     struct import_record *out)
{
	taddr_t addr;
	uint64_t size;

	if (!take_block(c, &addr, &size))
		return false;
	if (op == '+') {
		begin_allocation(out, "malloc", addr, size);
	} else if (op == '!') {
		begin_allocation(out, "realloc", 0, size);
		out->old = addr;
	} else if (!addr) {
		return false;
	} else {
		begin_allocation(out, "realloc", addr, size);
		if (parser->half.is_there) {
			out->what = RECORD_REALLOC;
			out->old = parser->half.old;
		}
	}
	return true;
}

static enum import_line take_operation(struct import_parser *parser, struct cursor *c,
				       const struct where *w, struct import_record *out)
{
	char op = *c->p;
	taddr_t addr;

	c->p += 2;
	if (op == '<' || op == '-') {
		if (!take_address(c, &addr) || !ends_line(c))
			return LINE_DAMAGED;
		if (op == '<') {
			keep_half(parser, w, addr);
			return LINE_MORE;
		}
		begin_record(out, RECORD_FREE, "free");
		out->addr = addr;
	} else if (!take_two(c, op, parser, out)) {
		return LINE_DAMAGED;
	}
	set_where(out, w);
	parser->half.is_there = false;
	return LINE_RECORD;
}

/* -- lines ----------------------------------------------------------------- */

/* The last “@ ” before the operation: what is before that lost its end. */
static const char *last_start(const char *from, const char *operation)
{
	for (const char *p = operation - 1; p > from; p--)
		if (*p == '@' && p[1] == ' ')
			return p;
	return from;
}

/* Without an operation “@ ” begins a record only where an address or a symbol is. */
static bool is_damaged(const char *p, const char *end)
{
	return FIND(p, end, ":[0x") || FIND(p, end, ":(") || FIND(p, end, "@ [0x");
}

static enum import_line take_line(struct import_parser *parser, struct text *t, const char *from,
				  struct cursor *c, struct where *w, struct import_record *out)
{
	enum import_line what;

	/* Before the operation is looked at: it may be the other half. */
	if (parser->half.is_there && !(*c->p == '>' && is_other_half(parser, w))) {
		t->from = t->to = t->line;
		return lone_half(parser, out);
	}
	what = take_operation(parser, c, w, out);
	if (what == LINE_DAMAGED) {
		const char *next = FIND(c->p, t->end, "@ ");

		parser->half.is_stale = true;
		c->p = next ? next : t->end;
	}
	return found(t, from, c, what);
}

static enum import_line glibc_mark(struct import_parser *parser, struct text *t,
				   const char *from, struct import_record *out)
{
	struct cursor c = { from, t->end };
	bool is_end = TAKE(&c, "= End");

	if ((!is_end && !TAKE(&c, "= Start")) || !ends_line(&c))
		return LINE_OTHER;
	if (parser->half.is_there) {
		t->from = t->to = t->line;
		return lone_half(parser, out);
	}
	if (is_end)
		begin_record(out, RECORD_END, NULL);
	return found(t, from, &c, is_end ? LINE_RECORD : LINE_SILENT);
}

static enum import_line damaged(struct import_parser *parser, struct text *t, const char *from,
				const char *to)
{
	parser->half.is_stale = true;
	t->from = from;
	t->to = to;
	return LINE_DAMAGED;
}

/* There is no operation, wherever “@ ” is. */
static enum import_line without_operation(struct import_parser *parser, struct text *t,
					  const char *start)
{
	while (start) {
		const char *next = FIND(start + 1, t->end, "@ ");

		if (is_damaged(start, next ? next : t->end))
			return damaged(parser, t, start, next ? next : t->end);
		start = next;
	}
	return LINE_OTHER;
}

static enum import_line glibc_line(struct import_parser *parser, struct text *t,
				   struct import_record *out)
{
	struct where w = { 0 };
	struct cursor c = { t->line, t->end };
	const char *start = FIND(t->line, t->end, "@ "), *last;

	if (!start) {
		if (is_lone_operation(t->line, t->end))
			return take_line(parser, t, t->line, &c, &w, out);
		start = FIND(t->line, t->end, "= ");
		return start ? glibc_mark(parser, t, start, out) : LINE_OTHER;
	}
	c.p = start + 2;
	if (!take_where(&c, &w))
		return without_operation(parser, t, start);
	last = last_start(start, c.p);
	if (last > start && is_damaged(start, last))
		return damaged(parser, t, start, last);
	c.p = last + 2;
	w = (struct where){ 0 };
	return take_where(&c, &w) ? take_line(parser, t, last, &c, &w, out) :
		damaged(parser, t, last, t->end);
}

static enum import_line glibc_end(struct import_parser *parser, struct import_record *out)
{
	return parser->half.is_there ? lone_half(parser, out) : LINE_OTHER;
}

const struct import_syntax import_glibc = { .line = glibc_line, .end = glibc_end };
