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

/* -- for who carries them out: the tracer, or who reads a heap log ------------------- */

/* From now on requests are taken, each of which brings SIGALRM; up to requests_end(),
 * which refuses the rest. */
void requests_begin(void);
void requests_end(void);
/* Is there any?  Cheap. */
bool requests_waiting(void);
/* Carries out one and answers.  True: not yet, call it again after the next stop or
 * a moment, with `again` true. */
typedef bool request_serve(void *arg, const struct request *q, bool again, request_done *done,
			   void *done_arg);
/* Carries out what can be carried out now. */
void requests_carry_out(request_serve *serve, void *arg);

#endif
