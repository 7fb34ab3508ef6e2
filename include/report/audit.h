/* SPDX-License-Identifier: GPL-2.0-or-later */
/* --audit: a line for each operation on the heap. */
#ifndef MTRACE_REPORT_AUDIT_H
#define MTRACE_REPORT_AUDIT_H

#include "report/report.h"
#include "report/threshold.h"

struct audit_opts {
	const struct heap *heap;
	const struct report_opts *report;
	const struct thresholds *thresholds; /* lines end with how far the next one is;
				  without any, that which a target has told of */
	int fd;
	bool patient;          /* lines are kept back until there are many, or flush()
				  is called */
};

/* A sink that prints a line for every allocation, release and refused request, and hands
 * all events on to `next` first, which feeds the heap.  Its free leaves `next` and fd alone. */
struct event_sink *audit_sink_new(struct event_sink *next, const struct audit_opts *o);

#endif
