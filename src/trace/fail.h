/* SPDX-License-Identifier: GPL-2.0-or-later */
/* --inject malloc:fail: requests that are made to fail.  Their size is made
 * impossible at the entry, so that the allocator itself refuses: sets errno, calls
 * the new handler, throws. */
#ifndef TRACE_FAIL_H
#define TRACE_FAIL_H

#include "trace/proc.h"

struct failing;

/* NULL when nothing is asked for. */
struct failing *failing_new(const struct change_opts *o);
void failing_free(struct failing *f);
/* At the entry: counts the request, and makes it fail when it is its turn.  The
 * backtrace is the call's. */
void fail_request(struct task *t, struct call *c, const struct backtrace *bt);
/* The stack of a counted request is known now: whoever asked is told. */
void fail_tell(struct session *s, const struct call *c);
/* It returned; the task is stopped. */
void fail_returned(struct task *t, const struct call *c, bool failed);
/* It was not entered, after all, and will come again; the task is stopped. */
void fail_take_back(struct task *t, const struct call *c);
/* How many, for the end of the report. */
void fail_summary(struct session *s);

#endif
