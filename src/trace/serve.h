/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What each request does (trace/requests.h has the queue). */
#ifndef TRACE_SERVE_H
#define TRACE_SERVE_H

#include "trace/proc.h"
#include "trace/requests.h"

/* A request_serve, of a session. */
bool serve(void *session, const struct request *q, bool again, request_done *done, void *arg);

#endif
