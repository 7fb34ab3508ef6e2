/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Bytes, as they come from a file or a line, become lines, lines records, and records
 * events (import/books.h). */
#ifndef MTRACE_IMPORT_FEED_H
#define MTRACE_IMPORT_FEED_H

#include "import/books.h"

enum {
	FEED_LINE = 1 << 16,   /* bytes; what is behind them in a line is left out */
	FEED_HEAD = 1 << 20,   /* bytes that may precede the first record, to be recognised */
};

struct feed_opts {
	struct books_opts books;
	enum import_format format; /* IMPORT_AUTO: of what comes */
	/* Whole lines, with their ends, of what is none of the log's; NULL. */
	void (*other)(void *arg, const char *text, size_t n);
	/* The format was found out.  NULL */
	void (*recognised)(void *arg, enum import_format format);
	void *arg;
};

struct import_feed;

/* NULL after a message. */
struct import_feed *import_feed_new(const struct feed_opts *o);
void import_feed_free(struct import_feed *);
void import_feed_bytes(struct import_feed *, const char *bytes, size_t n);
/* The log begins anew: the file was truncated, or replaced. */
void import_feed_restart(struct import_feed *);
/* That was all.  0; -ENOMSG: no record of any format was there. */
int import_feed_end(struct import_feed *);
struct import_books *import_feed_books(struct import_feed *);

#endif
