/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Out of memory, in a heap that cannot grow: told when it happens. */
#ifndef MTRACE_UI_OOM_H
#define MTRACE_UI_OOM_H

#include "report/report.h"
#include "ui/heaps.h"

/* A sink that hands all events on to `next`, behind which `heaps` is, and prints, for
 * the first refused request of each caller, the map of the heap and why that could not
 * succeed: in one write to the standard error.  Its free leaves `next` alone. */
struct event_sink *oom_sink_new(struct event_sink *next, struct heaps *heaps,
				const struct report_opts *opts);

#endif
