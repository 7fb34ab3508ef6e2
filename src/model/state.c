/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/xalloc.h"
#include "model/journal.h"
#include "model/ledger.h"
#include "model/state.h"
#include "model/wire.h"

struct state {
	struct event_sink sink;
	struct journal *journal;
	struct ledger *ledger;
};

static int take(struct event_sink *sink, const struct event *ev)
{
	struct state *s = container_of(sink, struct state, sink);

	journal_take(s->journal, ev);
	return ledger_take(s->ledger, ev);
}

struct state *state_new(void)
{
	struct state *s = xcalloc(1, sizeof *s);

	s->sink = (struct event_sink){ take, sink_keeps_nothing, sink_is_owned };
	s->journal = journal_new();
	s->ledger = ledger_new();
	return s;
}

void state_free(struct state *s)
{
	if (!s)
		return;
	journal_free(s->journal);
	ledger_free(s->ledger);
	free(s);
}

struct event_sink *state_sink(struct state *s)
{
	return &s->sink;
}

struct encoding {
	struct event_sink sink;
	struct wire_encoder encoder;
};

static int encode(struct event_sink *sink, const struct event *ev)
{
	wire_encode(&container_of(sink, struct encoding, sink)->encoder, ev);
	return EMIT_GO;
}

void state_tell(const struct state *s, struct strbuf *out)
{
	struct encoding e = { { encode, sink_keeps_nothing, sink_is_owned },
			      WIRE_ENCODER_INIT(out) };

	journal_tell(s->journal, out);
	ledger_tell(s->ledger, &e.sink);
	wire_close(&e.encoder);
}

size_t state_memory(const struct state *s)
{
	return sizeof *s + journal_memory(s->journal) + ledger_memory(s->ledger);
}
