/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A traced run that clients follow: what the target side has in common, be it built
 * alone or not. */
#ifndef MTRACE_SERVE_SERVING_H
#define MTRACE_SERVE_SERVING_H

#include "serve/address.h"
#include "serve/server.h"
#include "trace/trace.h"

struct serving_opts {
	const char *remote;    /* as address_parse() takes it */
	uint32_t port;         /* 0: what that says */
	const char *token_file; /* NULL: none */
	bool insecure, private;
	bool wait;             /* -w: tracing begins when a client is there */
	enum on_disconnect on_disconnect;
	enum when_full when_full;
	char *const *words;    /* our own command line … */
	char *const *command;  /* … and what of it is the launched command; NULL: none */
};

struct serving {
	struct event_sink *sink; /* the server's; NULL: there is none */
	struct address address;
	char *token;
};

/* A server in front of `next` (may be NULL), and we are protected from the OOM killer.
 * 0, or -1 after a message. */
int serving_begin(struct serving *s, const struct serving_opts *o, struct event_sink *next);
/* Before trace_run(): waits for a client where one has to be there, for a console and
 * before an attach; a launched program waits by itself, at its entry.  As
 * server_await(). */
int serving_await(const struct serving *s, const struct serving_opts *o, struct trace_opts *t);
void serving_release(struct serving *s);

#endif
