/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where blocks were allocated: the line that a user would open, and what the block is
 * assigned to there. */
#ifndef MTRACE_SRC_REPORT_BLOCK_SITE_H
#define MTRACE_SRC_REPORT_BLOCK_SITE_H

#include "frames.h"

struct block_site {
	char *op;              /* "operator new[]" */
	bool known;            /* there is a frame */
	struct frame frame;    /* innermost one that is no library's */
	const char *inner;     /* the function of a library that is called there; NULL */
	char *variable;        /* NULL: none, or it cannot be told */
	const char *source;    /* the line, without what it is indented by; NULL: not
				  here, or not asked for */
};

struct block_sites;

/* All three live longer. */
struct block_sites *block_sites_new(const struct heap *heap, struct symbolizer *sym,
				    const struct report_opts *opts);
void block_sites_free(struct block_sites *);
/* Lives as long as the sites.  Many blocks have one stack: it is looked up once. */
const struct block_site *block_site(struct block_sites *, uint32_t stack);

#endif
