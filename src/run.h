/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the parts of the whole program share: main.c traces, reads logs and reports,
 * run-client.c is about servers. */
#ifndef MTRACE_RUN_H
#define MTRACE_RUN_H

#include "heap/heap.h"
#include "report/report.h"
#include "serve/serving.h"
#include "ui/blocks.h"
#include "ui/console.h"
#include "ui/heaps.h"
#include "ui/limits.h"
#include "ui/options.h"

struct run {
	struct options opts;
	struct heap *heap;
	struct serving serving;    /* -r: in front of all others */
	struct event_sink *log;    /* -l: behind it */
	struct heap *old;          /* --diff: another run's; NULL */
	bool keeps_blocks;         /* the console, --heapmap, --list: one by one */
	struct blocks *blocks;     /* … in front of the heap … */
	struct heaps *heaps;       /* … and of these; NULL: none */
	struct report_heaps maps;
	struct blocks_source listed; /* --list */
	struct event_sink *errors; /* heap errors are told when they happen */
	struct limits limits;     /* --threshold: before all that reports */
	struct event_sink *calls; /* --calls, --trace: between the tracer and the heap */
	struct event_sink *audit; /* --audit: there, too */
	struct event_sink *oom;   /* a heap log: maps, when requests fail */
	int calls_error;
	bool failed; /* the log could not be written */
	int output; /* descriptor of -o while --calls writes to it; −1 */
};

/* -- main.c ---------------------------------------------------------------------- */

/* Commands instead of a report? */
bool has_console(const struct options *o);
/* `debuginfod`: servers are asked, which may take its time. */
void set_debug_files(const struct options *o, bool debuginfod);
/* Whether files can be written, what is compared with.  0, or -1 after a message. */
int begin_report(struct run *run);
/* The sink that knows what a report needs; --calls in front of it, 0 or -1 after a
 * message; thresholds in front of `next`. */
struct event_sink *books_of(struct run *run);
int begin_calls(struct run *run);
struct event_sink *begin_limits(struct run *run, enum limits_from from, struct event_sink *next);
/* The command line of who traces goes into exports. */
void run_adopt(struct report_opts *ro, const struct wire_hello *hello);
/* Traces, or reads a heap log, and reports.  The exit status; as run_console(). */
int run_session(struct run *run);
int run_console(struct run *run, const struct console_opts *about);

/* -- run-client.c ---------------------------------------------------------------- */

/* -r: of a server that runs elsewhere.  The exit status. */
int run_client(struct run *run);
/* -i, -x, --top: of one of our own, which traces.  The exit status. */
int run_interactive(struct run *run);

#endif
