/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Limits of the bytes that a process has in use (--threshold): each time they are
 * passed upwards, a line with what passed it and who holds most. */
#ifndef MTRACE_REPORT_THRESHOLD_H
#define MTRACE_REPORT_THRESHOLD_H

#include "base/vec.h"
#include "report/report.h"

struct strbuf;

/* What is done then, besides the line. */
enum threshold_action {
	THRESHOLD_WARN,
	THRESHOLD_DUMP,
	THRESHOLD_STOP,
	THRESHOLD_DETACH,
	THRESHOLD_KILL,
	THRESHOLD_MARK,
	THRESHOLD_EXEC,
	THRESHOLD_ACTIONS,
};

struct thresholds {
	VEC(uint64_t) v;       /* ascending, each once */
	unsigned actions;      /* bits 1 << enum threshold_action */
	const char *command;   /* THRESHOLD_EXEC */
};

/* "warn"; NULL behind the last. */
const char *threshold_action_name(size_t i);
/* Sorts them, each once. */
void thresholds_sort(struct thresholds *t);

/* -- hysteresis ------------------------------------------------------------------ */

/* One that was passed counts again only when the bytes have fallen to this or
 * below: a sixteenth less, and a byte at least. */
uint64_t threshold_rearm(uint64_t threshold);

/* Of one process.  Those passed are the lowest ones, since what is armed again
 * first are the highest. */
struct threshold_watch {
	size_t passed;         /* so many of them */
	uint64_t up, down;     /* above the one or below the other something changes */
};

/* What is in use already is no news. */
void threshold_watch_begin(struct threshold_watch *w, const struct thresholds *t, uint64_t open);
/* How many were passed upwards just now: the last ones of those in w->passed. */
size_t threshold_watch_step(struct threshold_watch *w, const struct thresholds *t, uint64_t open);

static inline bool threshold_watch_moves(const struct threshold_watch *w, uint64_t open)
{
	return open > w->up || open < w->down;
}

/* -- words ------------------------------------------------------------------------ */

/* "heap_allocated (800 bytes) - delta with heap_threshold (224 bytes)", of the next
 * one above; where there is none, "heap_allocated (2000 bytes) is above
 * heap_threshold (1024 bytes)".  Nothing without thresholds. */
void report_threshold_text(struct strbuf *sb, const struct thresholds *t, uint64_t allocated);

/* -- the sink ---------------------------------------------------------------------- */

/* One was passed (the highest, of several at once). */
struct threshold_passed {
	pid_t pid;
	const char *name;      /* of the program */
	uint64_t bytes, threshold;
};

/* Hands all events on to `next`, which feeds `heap`, and writes the lines to the
 * standard error; then `act` (may be NULL) is called.  Its free leaves `next` alone. */
struct threshold_sink_opts {
	const struct heap *heap;
	const struct report_opts *report;
	const struct thresholds *thresholds;
	void (*act)(void *arg, const struct threshold_passed *);
	void *arg;
};
struct event_sink *threshold_sink_new(struct event_sink *next, const struct threshold_sink_opts *o);

#endif
