/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a view that is refreshed all the time needs: figures by caller without any
 * text, and names that are looked up once. */
#ifndef MTRACE_REPORT_LIVE_H
#define MTRACE_REPORT_LIVE_H

#include "report/report.h"

struct strbuf;

/* One caller of a process, as reports merge them. */
struct report_row {
	uint32_t stack;        /* the first one of those merged; 0: no backtrace */
	uint64_t open_blocks, open_bytes;
	uint64_t total_blocks, total_bytes; /* allocated ever */
	uint64_t failed;
	uint64_t lost_blocks, lost_bytes;   /* by the last leak scan */
};

/* Those that deal in heap blocks, in order of first use; the caller frees *out.
 * How many. */
size_t report_rows(const struct heap *heap, const struct heap_proc *p, struct report_row **out);
/* "exited with status 0", "is still running". */
void report_status(const struct heap_proc *p, struct strbuf *out);
/* "leaky (pid 12)"; a heap log is no process. */
void report_who(const struct heap_proc *p, struct strbuf *out);
/* How far into it that was: "0.02 s", "12 records". */
void report_elapsed(const struct heap_proc *p, uint64_t ns, struct strbuf *out);

struct report_names;

/* Both live longer than the names. */
struct report_names *report_names_new(const struct heap *heap, const struct report_opts *opts);
void report_names_free(struct report_names *);
/* "add_user leaky.c:22, malloc"; NULL: it was not looked up yet. */
const char *report_names_known(const struct report_names *, uint32_t stack);
/* The same, and looks it up, which may take its time. */
const char *report_names_find(struct report_names *, uint32_t stack);

#endif
