/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A traced run whose events go to a log: what the target side has in common, be
 * there a report beside it or not. */
#ifndef MTRACE_SERVE_RECORDING_H
#define MTRACE_SERVE_RECORDING_H

#include "model/event.h"
#include "trace/trace.h"

struct recording_opts {
	const char *path;      /* "-": standard output */
	bool plain;            /* not compressed */
	bool drop;             /* --when-full */
	char *const *words;    /* our own command line … */
	char *const *command;  /* … and what of it is the launched command; NULL: none */
};

/* A log's sink in front of `next` (may be NULL), and we are protected from the OOM
 * killer.  NULL after a message. */
struct event_sink *recording_begin(const struct recording_opts *o, struct event_sink *next);
/* Ends the log and says what is in it.  0, or -1 when something could not be
 * written. */
int recording_end(const struct recording_opts *o, struct event_sink *log);
/* Ends as the program did, so that a script sees no difference: the exit status, or
 * never returns. */
int end_like(const struct trace_result *r);

#endif
