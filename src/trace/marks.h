/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Marks: numbered moments, so that a report can tell what was allocated between
 * two of them.  Each block keeps the number of the last one that was set when it
 * was allocated (struct open_block). */
#ifndef TRACE_MARKS_H
#define TRACE_MARKS_H

#include "trace/proc.h"

/* Begins --mark-every. */
void marks_begin(struct session *s);
/* Is it time for one?  May be called in the handler of SIGALRM. */
bool marks_due(void);
/* Sets one; `asked`: somebody wants to hear of it. */
void marks_set(struct session *s, bool asked);
void marks_end(struct session *s);

#endif
