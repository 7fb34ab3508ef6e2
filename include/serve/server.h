/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The target side of a connection: every event goes to the clients that are
 * there, what they ask goes to the tracer (trace/requests.h), and one that comes
 * late is told how things are. */
#ifndef MTRACE_SERVE_SERVER_H
#define MTRACE_SERVE_SERVER_H

#include "model/event.h"
#include "model/wire.h"
#include "serve/address.h"

/* What a tracer does whose last client went away. */
enum on_disconnect { DISCONNECT_GO_ON, DISCONNECT_STOP, DISCONNECT_DETACH };
/* … and that has more to tell than a client takes. */
enum when_full { FULL_WAIT, FULL_DROP };

struct server_opts {
	const struct address *address; /* lives as long as the server */
	const char *token;     /* clients must know it; NULL: none */
	enum on_disconnect on_disconnect;
	enum when_full when_full;
	bool wait;             /* the first client lets a held program begin */
	bool private;          /* the only client knows the way: say nothing of it */
	const struct wire_hello *hello; /* times, version and token are filled in */
};

/* Listens, and says in a line how a client gets here.  A sink that tells every
 * event to the clients and hands it on to `next` (may be NULL), which it leaves
 * alone when it is freed.  The tracer does not wait for the network, but with
 * FULL_WAIT while a client's queue is full.  NULL after a message. */
struct event_sink *server_new(const struct server_opts *opts, struct event_sink *next);
/* Waits until a client is ready; before trace_run().  0, the signal that ended
 * the waiting, or -1: the only client that there can be has left again. */
int server_await(struct event_sink *sink);
/* Tracing is over: tells the clients and lets them go; where none has been told,
 * and `wait`, waits for one, up to an interrupt. */
void server_end(struct event_sink *sink, bool wait);

#endif
