/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How things are at this moment, for a client that comes late: fed with every
 * event, it can tell at any time what brings a fresh reader's books to where
 * those of one that listened from the beginning are.  It keeps what was told
 * once and has names (model/journal.h) as it was encoded, and of all the rest
 * the figures (model/ledger.h), not the events: its size depends on how many
 * stacks and processes there were, not on how much they did. */
#ifndef MTRACE_MODEL_STATE_H
#define MTRACE_MODEL_STATE_H

#include "base/strbuf.h"
#include "model/event.h"

struct state;

struct state *state_new(void);
void state_free(struct state *);
/* The sink that feeds it; owned by the state, its free does nothing. */
struct event_sink *state_sink(struct state *);
/* Appends whole wire records to *out.  A reader that has taken nothing before
 * takes them, and then every event that is told from now on. */
void state_tell(const struct state *, struct strbuf *out);
struct wire_encoder;
/* Of that the modules whose rows nobody has given: EV_ROWS_WANTED. */
void state_tell_wanted(const struct state *, struct wire_encoder *);
/* Bytes of memory in use. */
size_t state_memory(const struct state *);

#endif
