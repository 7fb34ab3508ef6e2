/* SPDX-License-Identifier: GPL-2.0-or-later */
/*   bytes ─► head, until the format is known ─► lines ─► records ─► books
 *                                                └─► other text
 *
 * Lines end in LF, CR LF or CR.  Whole lines are parsed where they lie; only the one
 * that a piece of bytes ends in is kept for the next. */
#include <errno.h>
#include <string.h>

#include "base/strbuf.h"
#include "base/xalloc.h"
#include "import/feed.h"

/* A parser that makes records and takes no bytes for them is not heard for ever. */
#define STAYS_MAX 8

/* A record that the last piece began is recognised with this one. */
#define LOOK_BACK 4096

struct import_feed {
	struct feed_opts o;
	struct import_books *books;
	struct import_parser *parser; /* NULL: of which format is not known yet */
	struct strbuf head;    /* … and this is what came */
	struct strbuf carry;   /* the beginning of a line */
	struct strbuf other;   /* of this line */
	bool too_long;         /* this line: the rest of it is not kept */
	uint64_t line;
};

struct import_feed *import_feed_new(const struct feed_opts *o)
{
	struct import_feed *f = xcalloc(1, sizeof *f);

	f->o = *o;
	f->books = import_books_new(&o->books);
	if (!f->books) {
		free(f);
		return NULL;
	}
	if (o->format != IMPORT_AUTO) {
		import_books_begin(f->books, o->format);
		f->parser = import_parser_new(o->format);
	}
	return f;
}

void import_feed_free(struct import_feed *f)
{
	if (!f)
		return;
	import_parser_free(f->parser);
	import_books_free(f->books);
	strbuf_release(&f->head);
	strbuf_release(&f->carry);
	strbuf_release(&f->other);
	free(f);
}

/* -- lines ---------------------------------------------------------------------- */

static void add_other(struct import_feed *f, const char *s, size_t n)
{
	if (f->o.other && n)
		strbuf_add(&f->other, s, n);
}

static void end_other(struct import_feed *f)
{
	if (!f->other.n)
		return;
	strbuf_addc(&f->other, '\n');
	f->o.other(f->o.arg, f->other.s, f->other.n);
	strbuf_reset(&f->other);
}

/* One record, or what is none.  How many bytes are left to look at: all of them when it
 * was one that an earlier line began. */
static size_t take_record(struct import_feed *f, const char *s, size_t n)
{
	size_t before = 0, behind = 0;
	struct import_record r;

	switch (import_parse(f->parser, s, n, &r, &before, &behind)) {
	case LINE_OTHER:
		add_other(f, s, n);
		return 0;
	case LINE_RECORD:
		import_books_take(f->books, &r, f->line);
		break;
	case LINE_DAMAGED:
		import_books_damaged(f->books, f->line);
		break;
	case LINE_SILENT:
	case LINE_MORE:
		break;
	}
	add_other(f, s, MIN(before, n));
	return MIN(behind, n);
}

static void take_line(struct import_feed *f, const char *s, size_t n)
{
	unsigned stays = 0;
	size_t left;

	f->line++;
	for (; n && stays < STAYS_MAX; s += n - left, n = left) {
		left = take_record(f, s, n);
		stays = left == n ? stays + 1 : 0;
	}
	end_other(f);
}

/* What lies between two LFs; a CR alone ends a line, too. */
static void take_text(struct import_feed *f, const char *s, size_t n)
{
	const char *cr;

	while (n && s[n - 1] == '\r')
		n--;
	while (n && (cr = memchr(s, '\r', n))) {
		take_line(f, s, (size_t)(cr - s));
		n -= (size_t)(cr - s) + 1;
		s = cr + 1;
	}
	take_line(f, s, n);
}

static void keep(struct import_feed *f, const char *s, size_t n)
{
	size_t room = FEED_LINE - f->carry.n;

	if (n > room && !f->too_long) {
		f->too_long = true;
		import_books_cut(f->books);
	}
	if (n && room)
		strbuf_add(&f->carry, s, MIN(n, room));
}

static void end_carried(struct import_feed *f)
{
	take_text(f, f->carry.s, f->carry.n);
	strbuf_reset(&f->carry);
	f->too_long = false;
}

static void take_whole(struct import_feed *f, const char *s, size_t n)
{
	if (f->carry.n || n > FEED_LINE) {
		keep(f, s, n);
		end_carried(f);
	} else {
		take_text(f, s, n);
	}
}

static void take_bytes(struct import_feed *f, const char *s, size_t n)
{
	const char *end;

	while (n && (end = memchr(s, '\n', n))) {
		take_whole(f, s, (size_t)(end - s));
		n -= (size_t)(end - s) + 1;
		s = end + 1;
	}
	keep(f, s, n);
}

/* -- the format ------------------------------------------------------------------- */

static void begin(struct import_feed *f, enum import_format format)
{
	struct strbuf head = f->head;

	f->head = (struct strbuf)STRBUF_INIT;
	f->parser = import_parser_new(format);
	import_books_begin(f->books, format);
	if (f->o.recognised)
		f->o.recognised(f->o.arg, format);
	take_bytes(f, head.s, head.n);
	strbuf_release(&head);
}

/* Of very much that is none of ours the older half is let go, in whole lines. */
static void drop_half(struct import_feed *f)
{
	size_t n = f->head.n / 2;
	const char *end = memchr(f->head.s + n, '\n', f->head.n - n);

	n = end ? (size_t)(end - f->head.s) + 1 : f->head.n;
	if (f->o.other)
		f->o.other(f->o.arg, f->head.s, n);
	memmove(f->head.s, f->head.s + n, f->head.n - n);
	f->head.n -= n;
}

static void recognise(struct import_feed *f, const char *bytes, size_t n)
{
	enum import_format format;

	size_t before = f->head.n - MIN(f->head.n, (size_t)LOOK_BACK);

	strbuf_add(&f->head, bytes, n);
	format = import_recognise(f->head.s + before, f->head.n - before);
	if (format != IMPORT_AUTO)
		begin(f, format);
	else if (f->head.n > FEED_HEAD)
		drop_half(f);
}

void import_feed_bytes(struct import_feed *f, const char *bytes, size_t n)
{
	import_books_tick(f->books);
	if (f->parser)
		take_bytes(f, bytes, n);
	else if (n)
		recognise(f, bytes, n);
}

/* A record of several lines may wait for its last one. */
static void end_parser(struct import_feed *f)
{
	struct import_record r;

	if (f->carry.n)
		end_carried(f);
	if (import_parse_end(f->parser, &r) == LINE_RECORD)
		import_books_take(f->books, &r, f->line);
}

void import_feed_restart(struct import_feed *f)
{
	import_books_tick(f->books);
	if (f->parser)
		end_parser(f);
	strbuf_reset(&f->head);
	import_books_restart(f->books);
}

int import_feed_end(struct import_feed *f)
{
	import_books_tick(f->books);
	if (!f->parser) {
		if (f->o.other && f->head.n)
			f->o.other(f->o.arg, f->head.s, f->head.n);
		return -ENOMSG;
	}
	end_parser(f);
	import_books_end(f->books);
	return 0;
}

struct import_books *import_feed_books(struct import_feed *f)
{
	return f->books;
}
