/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Source files, as far as they are here: debug information names them, so they may be
 * anything, or nothing. */
#ifndef MTRACE_SRC_REPORT_SOURCE_H
#define MTRACE_SRC_REPORT_SOURCE_H

#include "report/report.h"

#define SOURCE_FILE_MAX (16u << 20)  /* bytes of a file that is read … */
#define SOURCE_MAX (128u << 20)      /* … and of all of them */
#define SOURCE_LINE_MAX 2000         /* a longer line ends there */

struct source;

/* Each file is read once: opts->source_path says where else it may be. */
struct source *source_new(const struct report_opts *opts);
void source_free(struct source *);
/* The line, and up to n − 1 before it, in their order, of a file that, if its name is
 * not absolute, begins at `dir` (NULL: unknown).  They live as long as `source`.
 * How many there are: 0 when the file is not here, is no text, or has no such line. */
size_t source_lines(struct source *, const char *dir, const char *file, unsigned line,
		    const char **out, size_t n);

#endif
