/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Stands in for src/model/state.c until that is there: keeps the whole stream. */
#include "base/xalloc.h"
#include "model/state.h"
#include "model/wire.h"

struct state {
	struct event_sink sink;
	struct strbuf all;
	struct wire_encoder encoder;
};

static int take(struct event_sink *sink, const struct event *ev)
{
	struct state *s = container_of(sink, struct state, sink);

	wire_encode(&s->encoder, ev);
	return EMIT_GO;
}

struct state *state_new(void)
{
	struct state *s = xcalloc(1, sizeof *s);

	s->sink.emit = take;
	s->encoder = (struct wire_encoder)WIRE_ENCODER_INIT(&s->all);
	return s;
}

void state_free(struct state *s)
{
	strbuf_release(&s->all);
	free(s);
}

struct event_sink *state_sink(struct state *s)
{
	return &s->sink;
}

void state_tell(const struct state *s, struct strbuf *out)
{
	struct state *whole = (struct state *)s;

	wire_close(&whole->encoder);
	strbuf_add(out, s->all.s, s->all.n);
}
