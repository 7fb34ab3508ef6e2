/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Writing log files: the stream of model/wire.h, whose records are in zstd frames where
 * we were built with it.  What is written is readable up to the last flush,
 * whatever happens to us: at most LOG_FLUSH_MS old while events come. */
#ifndef MTRACE_SERVE_LOG_H
#define MTRACE_SERVE_LOG_H

#include "model/event.h"
#include "model/wire.h"

#define LOG_FLUSH_MS 200

struct log_opts {
	const char *path;      /* "-": standard output; %p is the first pid */
	bool plain;            /* not compressed */
	bool drop;             /* events are left out while very much is queued, and the
				  figures told later; else the tracer waits */
	const struct wire_hello *hello; /* version and times are filled in */
};

/* Is the file there, with something in it that is no log of ours, or can it not
 * be written?  0, or -1 after a message. */
int log_check_writable(const char *path);

/* A sink that writes every event and hands it on to `next` (may be NULL).  The
 * bytes leave by a thread of its own; the tracer waits only while very much is
 * queued, if at all, and not when it has been asked to end.  Its flush waits until all is
 * written.  Its free ends the log and leaves `next` alone.  When writing fails it
 * says so and goes on without.  NULL after a message. */
struct event_sink *log_sink_new(const struct log_opts *opts, struct event_sink *next);
/* Ends the log, and tells what became of it: bytes and events written, and -errno
 * when writing failed. */
struct log_totals {
	uint64_t bytes, events, left_out;
	int error;
};
void log_sink_end(struct event_sink *sink, struct log_totals *totals);

#endif
