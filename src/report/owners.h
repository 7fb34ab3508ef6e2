/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Short lists of who holds most. */
#ifndef MTRACE_SRC_REPORT_OWNERS_H
#define MTRACE_SRC_REPORT_OWNERS_H

#include "text.h"

/* A line each, its figures in columns: "    900 bytes in 1 block   88 %  calloc, add_user
 * leaky.c:21", percentages of `all`. */
void text_owners(struct text *t, const struct heap_owner *owners, size_t n, uint64_t all);
/* Those that hold most now, and what a forked child has inherited. */
void text_top_owners(struct text *t, const struct view *v);
/* "malloc, read_line leaky.c:10" */
void text_owner_name(struct text *t, const struct heap_stack *s);

#endif
