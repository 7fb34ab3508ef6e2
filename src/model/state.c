/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>

#include "base/vec.h"
#include "base/xalloc.h"
#include "model/journal.h"
#include "model/ledger.h"
#include "model/state.h"
#include "model/wire.h"

struct state {
	struct event_sink sink;
	struct journal *journal;
	struct ledger *ledger;
	VEC(struct event *) wanted; /* EV_ROWS_WANTED that nobody has answered */
};

/* -- rows that are wanted --------------------------------------------------------- */

static bool same_module(const struct event *a, const struct event *b)
{
	return a->u.rows.build_id_len == b->u.rows.build_id_len &&
	       !memcmp(a->u.rows.build_id, b->u.rows.build_id, a->u.rows.build_id_len);
}

/* In one piece of memory. */
static struct event *copy_wanted(const struct event *ev)
{
	size_t path = strlen(ev->u.rows.path) + 1;
	struct event *copy = xmalloc(sizeof *copy + path + ev->u.rows.build_id_len);
	char *to = (char *)(copy + 1);

	*copy = *ev;
	copy->u.rows.path = memcpy(to, ev->u.rows.path, path);
	copy->u.rows.build_id = memcpy(to + path, ev->u.rows.build_id, ev->u.rows.build_id_len);
	return copy;
}

static void change_wanted(struct state *s, const struct event *ev)
{
	for (size_t i = s->wanted.n; i--;)
		if (same_module(s->wanted.v[i], ev)) {
			free(s->wanted.v[i]);
			vec_remove(&s->wanted, i);
		}
	if (ev->type == EV_ROWS_WANTED)
		vec_push(&s->wanted, copy_wanted(ev));
}

/* ---------------------------------------------------------------------------------- */

static int take(struct event_sink *sink, const struct event *ev)
{
	struct state *s = container_of(sink, struct state, sink);

	if (ev->type == EV_ROWS_WANTED || ev->type == EV_ROWS_GIVEN)
		change_wanted(s, ev);
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
	for (size_t i = 0; i < s->wanted.n; i++)
		free(s->wanted.v[i]);
	vec_release(&s->wanted);
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

void state_tell_wanted(const struct state *s, struct wire_encoder *e)
{
	for (size_t i = 0; i < s->wanted.n; i++)
		wire_encode(e, s->wanted.v[i]);
}

void state_tell(const struct state *s, struct strbuf *out)
{
	struct encoding e = { { encode, sink_keeps_nothing, sink_is_owned },
			      WIRE_ENCODER_INIT(out) };

	journal_tell(s->journal, out);
	ledger_tell(s->ledger, &e.sink);
	state_tell_wanted(s, &e.encoder);
	wire_close(&e.encoder);
}

size_t state_memory(const struct state *s)
{
	return sizeof *s + journal_memory(s->journal) + ledger_memory(s->ledger);
}
