/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The rows of modules that a server wants (EV_ROWS_WANTED), from the files that are
 * here, as requests of which one is under way at a time. */
#ifndef MTRACE_UI_GIVE_ROWS_H
#define MTRACE_UI_GIVE_ROWS_H

#include "model/event.h"
#include "model/request.h"
#include "report/report.h"

struct giver;

/* `files`: where they are looked for, as for reports. */
struct giver *giver_new(const struct report_opts *files);
void giver_free(struct giver *g);
/* They are wanted. */
void giver_take(struct giver *g, const struct event *wanted);
/* All that is wanted will be told anew. */
void giver_forget(struct giver *g);
/* The next request, whose id is the caller's to choose, and whose data live until the
 * answer; false: there is none, or one is under way. */
bool giver_next(struct giver *g, struct request *q);
/* The answer to that one. */
void giver_answered(struct giver *g, const struct answer *a);

#endif
