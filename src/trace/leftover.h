/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What was not traced, as the end of the report tells it. */
#ifndef TRACE_LEFTOVER_H
#define TRACE_LEFTOVER_H

#include "trace/proc.h"

/* Notes about children that were not followed, programs that were executed
 * untraced, and processes that outlive the launched program. */
void leftover_tell(struct session *s);

#endif
