/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reads a log as a server would tell it: clients come after 3, 30, 300 … events, are
 * told the state and then what follows, and their reports must be those of one that
 * was there from the beginning.
 *
 *     late-client LOG */
#include <stdio.h>
#include <string.h>

#include "ui/log.h"
#include "unit/late.h"

#define CLIENTS 8

struct server {
	struct event_sink sink;
	struct state *state;
	struct heap *client[CLIENTS]; /* the first one from the beginning */
	uint64_t events, comes[CLIENTS];
	unsigned here;
};

static int serve(struct event_sink *sink, const struct event *ev)
{
	struct server *s = container_of(sink, struct server, sink);

	if (s->here < CLIENTS && s->events == s->comes[s->here])
		s->client[s->here++] = late_client(s->state);
	s->events++;
	state_sink(s->state)->emit(state_sink(s->state), ev);
	for (unsigned i = 0; i < s->here; i++)
		if (s->client[i])
			late_take(s->client[i], ev);
	return EMIT_GO;
}

static bool same(const struct server *s, unsigned client)
{
	struct strbuf a = STRBUF_INIT, b = STRBUF_INIT;
	bool same;

	if (s->client[client])
		late_reports(s->client[client], &b);
	late_reports(s->client[0], &a);
	same = a.n == b.n && !memcmp(a.s, b.s, a.n);
	if (!same)
		printf("a client that comes after event %llu reports something else\n",
		       (unsigned long long)s->comes[client]);
	strbuf_release(&a);
	strbuf_release(&b);
	return same;
}

int main(int argc, char **argv)
{
	struct server s = { .sink = { serve, NULL, NULL }, .state = state_new(), .here = 1 };
	struct wire_hello hello;
	struct log *log = argc == 2 ? log_open(argv[1], &hello) : NULL;
	bool good = true;

	if (!log)
		return 2;
	s.client[0] = heap_new();
	s.comes[1] = 3;
	for (unsigned i = 2; i < CLIENTS; i++)
		s.comes[i] = s.comes[i - 1] * 10;
	log_read(log, &s.sink);
	for (unsigned i = 1; i < s.here; i++)
		good &= same(&s, i);
	for (unsigned i = 0; i < s.here; i++)
		heap_free(s.client[i]);
	state_free(s.state);
	log_close(log);
	return good ? 0 : 1;
}
