/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The host side of a connection: what the server tells goes to a sink (a heap's),
 * requests bring answers.  One thread; nothing here blocks but client_ask() and
 * client_open(), and these not for longer than CLIENT_PATIENCE_S without a byte. */
#ifndef MTRACE_UI_CLIENT_H
#define MTRACE_UI_CLIENT_H

#include "model/event.h"
#include "model/request.h"
#include "model/wire.h"
#include "report/report.h"

#define CLIENT_PATIENCE_S 60

struct client;

struct client_opts {
	int fd;                /* connected; the client's from now on */
	const char *peer;      /* for messages */
	const char *token;     /* NULL: none */
	bool control;          /* requests will be made */
	struct event_sink *sink; /* told every event */
	struct client **self;  /* set before the first event comes.  May be NULL */
	const struct report_opts *files; /* where the rows are looked for that the server
				  wants, and stacks that broke off there are unwound by;
				  NULL: neither is done */
	const struct heap *heap; /* what `sink` fills; with `files` */
	void (*restart)(void *arg); /* the whole state comes, for the first time or
				  again: what the sink had is to be forgotten */
	void *arg;
};

/* Logs in and takes the state, up to WIRE_READY.  NULL after a message. */
struct client *client_open(const struct client_opts *o);
/* Of what kind the server is, what it traces; lives as long as the client. */
const struct wire_hello *client_hello(const struct client *c);
/* May requests be made?  NULL: yes; else why not. */
const char *client_refused_control(const struct client *c);
/* To poll(2) for reading. */
int client_fd(const struct client *c);
/* Takes what has come, and sends a sign of life when it is time.  1: go on; 0:
 * tracing is over, all was told; -1: the connection is lost, after a message.
 * Call it at least every ten seconds. */
int client_take(struct client *c);
/* Sends a request and takes events until its answer, whose strings live until the
 * client is used again.  0, or -1 when the connection is lost (or tracing ended),
 * after a message.  *stop (may be NULL) becoming non-zero ends the waiting: -EINTR. */
int client_ask(struct client *c, struct request *q, struct answer *a,
	       volatile const int *stop);
/* Sends a request whose answer nobody waits for, also while an event is taken: 0, or -1 when
 * the connection is lost. */
int client_tell(struct client *c, struct request *q);
void client_close(struct client *c);

#endif
