/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A client without a console: takes what the server tells until the program ends,
 * or Ctrl-C. */
#ifndef MTRACE_UI_FOLLOW_H
#define MTRACE_UI_FOLLOW_H

#include "heap/heap.h"
#include "ui/blocks.h"
#include "ui/client.h"
#include "ui/heaps.h"

struct follow_opts {
	const char *remote, *port; /* as address_parse() takes them */
	const char *token_file; /* NULL: none */
	bool control;          /* requests will be made */
	const struct report_opts *files; /* as of client_opts */
	struct heap *heap;     /* gets the events */
	struct event_sink *sink; /* … by way of this; NULL: the heap's own */
	struct client **self;  /* as client_opts has it.  May be NULL */
	struct blocks *blocks; /* forget what they have with the heap.  May be NULL */
	struct heaps *heaps;   /* likewise */
};

/* Connects and logs in.  NULL after a message. */
struct client *follow_connect(const struct follow_opts *o);
/* Takes events.  1: tracing is over; 0: Ctrl-C; -1: the connection was lost, after a
 * message. */
int follow(struct client *c);
/* Asks for a scan of everything, whose events come. */
int follow_scan(struct client *c);
/* Asks for the open blocks that `blocks` does not know. */
int follow_blocks(struct client *c, struct blocks *blocks);
/* Asks for the open blocks, which `blocks` takes, and the memory of the heaps. */
int follow_heaps(struct client *c, struct blocks *blocks);

#endif
