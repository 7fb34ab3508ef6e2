/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a stream tells once and refers to by number later — modules and their
 * images, probes, stacks (and of the first ones that broke off what lay beyond) — kept
 * as it was encoded, to be told again as it is. */
#ifndef MTRACE_MODEL_JOURNAL_H
#define MTRACE_MODEL_JOURNAL_H

#include "base/strbuf.h"
#include "model/event.h"

struct journal;

struct journal *journal_new(void);
void journal_free(struct journal *);
/* Keeps the event if it is one of those, and not the same again: forked children
 * announce the modules of their parents under the same numbers. */
void journal_take(struct journal *, const struct event *);
/* Appends whole wire records to *out, in the order in which they came. */
void journal_tell(const struct journal *, struct strbuf *out);
/* Bytes of memory in use. */
size_t journal_memory(const struct journal *);

#endif
