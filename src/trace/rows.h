/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Rows of modules of which nothing is known here: who serves asks clients for them,
 * and goes on meanwhile. */
#ifndef TRACE_ROWS_H
#define TRACE_ROWS_H

#include "trace/proc.h"

/* A module was mapped. */
void rows_want(struct proc *p, const struct module *m);
/* A client answers.  0, or -errno and *why. */
int rows_take(struct session *s, const struct request *q, const char **why);
/* Is there anything to wait for, before a program begins?  Not for ever. */
bool rows_awaited(struct session *s);

#endif
