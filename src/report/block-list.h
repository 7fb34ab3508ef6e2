/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef MTRACE_SRC_REPORT_BLOCK_LIST_H
#define MTRACE_SRC_REPORT_BLOCK_LIST_H

#include "report/report.h"

struct strbuf;

/* "0.02 s", "5 min", "2 h", "3 d", "mark 3"; what came over a wire later than we looked
 * is of no age. */
void block_age(struct strbuf *sb, const struct heap *heap, const struct report_block *b);
/* Of opts->pid, or of all processes, the largest first.  The caller frees *out. */
size_t block_list_all(const struct heap *heap, const struct report_opts *opts,
		      struct report_block **out);

#endif
