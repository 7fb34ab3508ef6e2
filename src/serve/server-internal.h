/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the tracer's side of the server and its network thread share.
 *
 *   emit() ─► state                                   a late client's beginning
 *        └──► filling ──swap, whole records──► leaving ──► send(2)   each client's
 *             └──── under the lock ────┘       └── the network thread's alone ──┘ */
#ifndef SERVE_SERVER_INTERNAL_H
#define SERVE_SERVER_INTERNAL_H

#include <pthread.h>

#include "model/state.h"
#include "server-peer.h"
#include "serve/server.h"

enum {
	READY_MAX = 2,          /* clients; further places are for those who log in */
	CLIENTS_MAX = 4,
	SEND_AT = 1 << 16,      /* bytes that are worth a send … */
	SEND_MS = 100,          /* … or so long after the first of them */
	QUEUE_MAX = 1 << 18,    /* bytes that may wait for the network */
	ASKED_MAX = 16,         /* requests of a client that are not answered yet */
	LOGIN_S = 10, PING_S = 15, DEAD_S = 60, /* doc/PROTOCOL.md */
	SLOW_S = 2,             /* it is said that we wait for one */
	LEAVE_S = 10,           /* for a client to close, once all was sent */
};

enum client_state {
	CLIENT_FREE,
	CLIENT_NEW,     /* has not logged in */
	CLIENT_READY,
	CLIENT_LEAVING, /* what is queued is sent, then we close */
};

struct client {
	enum client_state state;
	int fd;
	uint64_t serial;        /* so that an answer does not reach another */
	char name[80];          /* for messages */
	bool control;           /* may make requests */
	bool rows;              /* answers ROWS_WANTED, it says; it may when it is … */
	bool gives;             /* … the one that gives rows, in control or not */
	struct peer peer;
	struct strbuf leaving;
	size_t sent;            /* of that */
	bool told_late;         /* the user was, that it is too slow */
	bool shut;              /* nothing more is sent; it is to close */
	uint64_t since_ns, heard_ns, sent_ns, taken_ns;
	/* under the lock */
	bool live;              /* is told events … */
	bool behind;            /* … but not just now: FULL_DROP */
	bool bye;               /* the last record was queued */
	bool urgent;            /* somebody waits for what is queued */
	unsigned asked;
	struct strbuf filling;
	struct wire_encoder encoder;
};

struct server {
	struct event_sink sink, *next;
	struct server_opts o;
	char *for_client;
	int fds[ADDRESS_FDS], nfds;
	int wake;               /* eventfd of the network thread */
	pthread_t thread;
	struct strbuf hello;    /* the record */
	struct client client[CLIENTS_MAX]; /* made and closed by the network thread */
	uint64_t serial;
	pthread_mutex_t lock;   /* for what follows */
	pthread_cond_t change;  /* a client came, went, or took something */
	struct state *state;
	bool ended;             /* tracing is over */
	bool over;              /* … and the network thread is to end */
	bool had_ready;         /* a client was ready */
	bool began;             /* `wait`: the program was told to */
	bool stopped;           /* by DISCONNECT_STOP */
	bool fetched;           /* a client has all there is to tell */
};

/* What goes on, unless the only client is a console of this process. */
#define server_say(sv, ...)                    \
	do {                                   \
		if (!(sv)->o.private)          \
			msg_info(__VA_ARGS__); \
	} while (0)

/* The network thread: until `over`. */
void *server_network(void *arg);
/* It is to look at what has changed. */
void server_wake(struct server *sv);
/* Is any client ready?  Under the lock. */
bool server_has_client(const struct server *sv);
/* A client's last record.  Under the lock. */
void server_bye(struct client *c);
/* A request that a client has made, to the tracer; not under the lock. */
void server_ask(struct server *sv, struct client *c, const struct request *q);

#endif
