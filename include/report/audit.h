/* SPDX-License-Identifier: GPL-2.0-or-later */
/* --audit: a line for each operation on the heap. */
#ifndef MTRACE_REPORT_AUDIT_H
#define MTRACE_REPORT_AUDIT_H

#include "report/report.h"

/* A sink that prints a line to fd for every allocation, release and refused request, and
 * hands all events on to `next` first, which feeds `heap`.  `patient`: lines are kept
 * back until there are many, or flush() is called.  Its free leaves `next` and fd alone. */
struct event_sink *audit_sink_new(struct event_sink *next, const struct heap *heap,
				  const struct report_opts *opts, int fd, bool patient);

#endif
