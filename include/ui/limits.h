/* SPDX-License-Identifier: GPL-2.0-or-later */
/* --threshold: what is done when one is passed, here or where the program is traced. */
#ifndef MTRACE_UI_LIMITS_H
#define MTRACE_UI_LIMITS_H

#include "report/threshold.h"
#include "ui/client.h"

/* What only the tracer can do. */
#define LIMITS_CONTROL (1u << THRESHOLD_STOP | 1u << THRESHOLD_DETACH | 1u << THRESHOLD_KILL | \
			1u << THRESHOLD_MARK)

/* Where the events come from, and so who can do something. */
enum limits_from { LIMITS_TRACER, LIMITS_CLIENT, LIMITS_LOG };

struct limits {
	const struct thresholds *thresholds;
	const struct heap *heap;
	const struct report_opts *report;
	enum limits_from from;
	struct client *client; /* LIMITS_CLIENT */
	bool mark;             /* LIMITS_LOG: wanted of who reads a heap log */
	struct event_sink *sink;
};

/* Puts itself before `next`, which feeds the heap; without thresholds it returns that.
 * limits_release() leaves `next` alone. */
struct event_sink *limits_begin(struct limits *l, struct event_sink *next);
void limits_release(struct limits *l);
/* Does anything of it ask for control of a server? */
bool limits_control(const struct thresholds *t);
/* Says what cannot be done, since the server gave us no control. */
void limits_connected(const struct limits *l);

#endif
