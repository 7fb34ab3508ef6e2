/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>

#include "server-peer.h"

size_t peer_room(const struct peer *p)
{
	size_t waiting = p->in.n - p->at;

	return p->why || waiting > PEER_BUFFER ? 0 : PEER_BUFFER - waiting;
}

void peer_feed(struct peer *p, const void *bytes, size_t n)
{
	if (p->at) { /* what was told is done with */
		memmove(p->in.s, p->in.s + p->at, p->in.n - p->at);
		p->in.n -= p->at;
		p->at = 0;
	}
	strbuf_add(&p->in, bytes, n);
}

static enum peer_says wrong(struct peer *p, const char *why)
{
	p->why = why;
	return PEER_WRONG;
}

/* The first one must be a login, and no other may. */
static enum peer_says take(struct peer *p, const struct wire_record *r)
{
	if ((r->type == WIRE_LOGIN) == p->logged_in)
		return wrong(p, p->logged_in ? "logs in again" : "does not log in");
	switch (r->type) {
	case WIRE_LOGIN:
		if (wire_decode_login(r, &p->login))
			return wrong(p, "sends a damaged login");
		p->logged_in = true;
		return PEER_LOGIN;
	case WIRE_REQUEST:
		return wire_decode_request(r, &p->request) ? wrong(p, "sends a damaged request")
							   : PEER_ASKS;
	case WIRE_PING:
		return PEER_PINGS;
	default:
		/* Of a newer client; what a server alone says is out of order. */
		return r->type > WIRE_PING ? PEER_MORE : wrong(p, "says what only a server says");
	}
}

enum peer_says peer_next(struct peer *p)
{
	enum peer_says says = PEER_MORE;

	while (!p->why && says == PEER_MORE) {
		struct wire_record r;
		ssize_t n = wire_next(p->in.s + p->at, p->in.n - p->at, &r);

		if (n < 0 || (!n && !peer_room(p)) || (n > 0 && r.len > PEER_MAX))
			return wrong(p, "sends what is no record, or too long a one");
		if (!n)
			return PEER_MORE;
		says = take(p, &r);
		p->at += (size_t)n;
	}
	return p->why ? PEER_WRONG : says;
}

void peer_release(struct peer *p)
{
	strbuf_release(&p->in);
	*p = (struct peer){ .why = NULL };
}
