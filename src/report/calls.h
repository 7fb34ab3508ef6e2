/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What prints calls as they happen, in one format or another (--calls, --trace). */
#ifndef MTRACE_SRC_REPORT_CALLS_H
#define MTRACE_SRC_REPORT_CALLS_H

#include "base/strbuf.h"
#include "symbolize.h"

struct call_trace;

struct calls {
	struct event_sink sink;
	struct event_sink *next;
	const struct heap *heap;
	struct symbolizer *sym;
	int fd;
	const char *name; /* of what fd is */
	int (*open)(void *arg, pid_t pid); /* NULL: fd is open */
	void *open_arg;
	bool lost;        /* writing failed */
	int *error;
	struct strbuf line;
	struct call_trace *trace; /* --trace; NULL: --calls */
};

/* Writes what is in c->line, in one piece. */
void calls_write(struct calls *c);

/* trace.c: takes every event; writes c->line in a format that other tools read. */
struct call_trace *call_trace_new(enum trace_format format);
void call_trace_event(struct calls *c, const struct event *ev);
void call_trace_free(struct call_trace *t);

#endif
