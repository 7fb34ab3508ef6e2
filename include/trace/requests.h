/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Requests to the tracer of this process, from any thread.  The tracer's thread
 * carries them out one after the other, between two stops; it never waits for the
 * one who asks. */
#ifndef MTRACE_TRACE_REQUESTS_H
#define MTRACE_TRACE_REQUESTS_H

#include "model/request.h"

/* Called once for each request, on the tracer's thread: the answer and what it
 * points to live until it returns.  Must not block. */
typedef void request_done(void *arg, const struct answer *answer);

/* Puts the request into the queue and wakes the tracer; before tracing has begun it
 * waits there.  After its end `done` is called at once, by the caller's thread, with
 * ESRCH. */
void trace_ask(const struct request *q, request_done *done, void *arg);
/* A report as at SIGUSR1 (trace_opts' report_now), soon; from the tracer's thread,
 * while it traces. */
void trace_ask_report(void);

#endif
