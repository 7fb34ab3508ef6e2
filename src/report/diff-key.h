/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What tells a caller in one run from the others in that run, and is the same in
 * another run or build of the program. */
#ifndef MTRACE_SRC_REPORT_DIFF_KEY_H
#define MTRACE_SRC_REPORT_DIFF_KEY_H

#include "view.h"

struct symbolizer;

/* The operation, and of each frame function and module: not addresses, lines, the
 * name of the executable (`exe`) or the versions of libraries.  Where a function
 * has no name, its place in the module stands for it; *nameless (may be NULL)
 * becomes its module's path when that is the executable. */
uint64_t diff_key(struct symbolizer *sym, const struct view *v, const struct view_stack *row,
		  const char **nameless);

#endif
