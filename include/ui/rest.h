/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A sink in front of the heap that unwinds stacks to their ends which broke off in
 * code without unwinding information on the target: with the files that are here,
 * and what the tracer sent of the stack (EV_STACK_REST). */
#ifndef MTRACE_UI_REST_H
#define MTRACE_UI_REST_H

#include "heap/heap.h"
#include "report/report.h"

/* `next` is the sink behind it, by which `heap` gets to know the modules. */
struct event_sink *rest_sink_new(struct event_sink *next, const struct heap *heap,
				 const struct report_opts *opts);
/* A state begins (WIRE_STATE), as if nothing had been told. */
void rest_sink_forget(struct event_sink *);

#endif
