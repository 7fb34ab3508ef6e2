/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The tracer's side of requests (trace/requests.h): the queue, and what each of
 * them does. */
#ifndef TRACE_SERVE_H
#define TRACE_SERVE_H

#include "trace/proc.h"
#include "trace/requests.h"

/* From now on requests are taken; up to requests_end(), which refuses the rest. */
void requests_begin(void);
void requests_end(void);
/* Is there any?  Cheap. */
bool requests_waiting(void);
/* Carries out what can be carried out now, between two stops. */
void requests_serve(struct session *s);

/* Carries out one and answers.  True: not yet, call it again after the next stop or
 * a moment, with `again` true. */
bool serve(struct session *s, const struct request *q, bool again, request_done *done, void *arg);

#endif
