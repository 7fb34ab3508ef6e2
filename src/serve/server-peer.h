/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a client says, from its bytes alone: no socket, no clock.
 *
 *   peer_feed() ─► bytes ─► peer_next(): LOGIN · ASKS, ASKS, PINGS …  or WRONG */
#ifndef SERVE_SERVER_PEER_H
#define SERVE_SERVER_PEER_H

#include "base/strbuf.h"
#include "model/wire.h"

/* Bytes of a record's body that a client may say. */
enum { PEER_MAX = 4096, PEER_BUFFER = PEER_MAX + WIRE_HEADER };

enum peer_says {
	PEER_MORE,   /* nothing that is complete */
	PEER_LOGIN,  /* `login`; once, and first */
	PEER_ASKS,   /* `request` */
	PEER_PINGS,
	PEER_WRONG,  /* `why`; nothing it says counts from now on */
};

struct peer {
	struct strbuf in;      /* bytes from `at` on are not looked at yet */
	size_t at;
	bool logged_in;
	const char *why;
	struct wire_login login; /* until the next call */
	struct request request;
};

/* How many bytes it may be fed: never 0 after PEER_MORE. */
size_t peer_room(const struct peer *p);
void peer_feed(struct peer *p, const void *bytes, size_t n);
enum peer_says peer_next(struct peer *p);
void peer_release(struct peer *p);

#endif
