/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdio.h>
#include <stdlib.h>

#include "base/msg.h"
#include "base/oom.h"
#include "introduction.h"
#include "serve/serving.h"
#include "serve/token.h"

/* Who reaches the server may read the program's memory and end it. */
static int check_secret(const struct serving *s, const struct serving_opts *o)
{
	if (s->token || o->insecure || address_is_local(&s->address))
		return 0;
	return msg_error("others can reach %s: share a secret with the client by --token-file FILE, or "
			 "say --insecure", o->remote);
}

int serving_begin(struct serving *s, const struct serving_opts *o, struct event_sink *next)
{
	struct server_opts opts = { .address = &s->address, .on_disconnect = o->on_disconnect,
				    .when_full = o->when_full, .private = o->private,
				    .wait = o->wait };
	struct introduction in;
	char port[12];

	snprintf(port, sizeof port, "%u", o->port);
	if (address_parse(o->remote, o->port ? port : NULL, &s->address))
		return -1;
	if (o->token_file && !(s->token = token_read(o->token_file)))
		return -1;
	if (check_secret(s, o))
		return -1;
	oom_protect();
	introduce(&in, o->words, o->command);
	opts.hello = &in.hello;
	opts.token = s->token;
	s->sink = server_new(&opts, next);
	free(in.cwd);
	return s->sink ? 0 : -1;
}

int serving_await(const struct serving *s, const struct serving_opts *o, struct trace_opts *t)
{
	t->rows = true;
	if (o->private || (o->wait && t->pids.n))
		return server_await(s->sink);
	if (o->wait)
		t->hold = "waiting for a client";
	return 0;
}

void serving_release(struct serving *s)
{
	if (s->sink)
		s->sink->free(s->sink);
	address_release(&s->address);
	free(s->token);
	*s = (struct serving){ 0 };
}
