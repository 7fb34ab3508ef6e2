/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The books of a target whose heap log is read: records (import/record.h) become the
 * events that a traced process would have told, complete in the same way, because the
 * open blocks and those released last are kept here.
 *
 * What the log does not have is taken for what it is: an address that is handed out
 * while it is open was released in a line that is missing; the release of what is not
 * open is an error only where nothing can be missing. */
#ifndef MTRACE_IMPORT_BOOKS_H
#define MTRACE_IMPORT_BOOKS_H

#include "import/record.h"
#include "model/event.h"

/* The number that the target has among processes. */
enum { IMPORT_PID = 1 };

struct import_books;

struct books_opts {
	struct event_sink *sink;
	const char *name;      /* of the log, for people */
	const char *path;      /* where it is, or what else it is called */
	const char *elf;       /* the program that wrote it: callers are in there.  NULL:
				  not known */
	bool live;             /* times are when records come, else their numbers */
	bool releases;         /* tell who releases, too */
	uint64_t freed_volume; /* bytes of released blocks to remember */
	bool *mark;            /* the sink, which is told something and cannot be told a
				  mark meanwhile, wants one behind it.  NULL */
};

/* Strings live longer than the books.  NULL after a message. */
struct import_books *import_books_new(const struct books_opts *o);
void import_books_free(struct import_books *);
/* Before the first record. */
void import_books_begin(struct import_books *, enum import_format format);
/* `line`, counted from 1, is for what is said of it later. */
void import_books_take(struct import_books *, const struct import_record *r, uint64_t line);
void import_books_damaged(struct import_books *, uint64_t line);
/* A line that was too long: what was behind its first part was left out. */
void import_books_cut(struct import_books *);
/* Live: what is taken now came now. */
void import_books_tick(struct import_books *);
/* The log begins anew: it was truncated, or is another file. */
void import_books_restart(struct import_books *);
/* Nothing more comes: notes, and the end. */
void import_books_end(struct import_books *);

/* Sets a mark.  0, or -ERANGE: no more can be told apart. */
int import_books_mark(struct import_books *);
/* What is open is forgotten, and counts begin anew. */
void import_books_forget(struct import_books *);
/* Tells open blocks (EV_BLOCK) from *at, 0 at first, on, until that were all (false), or
 * the sink wants some time (*hold). */
bool import_books_blocks(struct import_books *, uint32_t *at, bool *hold);
/* Tells the memory of its heaps again (EV_HEAP), where the log has said which. */
void import_books_memory(struct import_books *);
/* Records so far, and blocks that are open. */
uint64_t import_books_records(const struct import_books *);
size_t import_books_open(const struct import_books *);

#endif
