/* SPDX-License-Identifier: GPL-2.0-or-later */
/* --top: a full-screen view of a program that a tracer tells of. */
#ifndef MTRACE_UI_TOP_H
#define MTRACE_UI_TOP_H

#include "heap/heap.h"
#include "report/report.h"
#include "ui/client.h"

struct top_opts {
	const struct heap *heap;   /* fed by the client's sink */
	struct client *client;
	const struct report_opts *report;
};

/* Is there a terminal for it?  0, or -1 after a message. */
int top_check(void);
/* From now on messages wait in a file, ours and those of children, as long as there
 * is a screen that they would spoil.  0, or -1 after a message. */
int top_messages_begin(void);
/* Those that wait are told; at the end, so are all later ones, at once. */
void top_messages_tell(bool end);
/* Shows it until the user leaves (Ctrl-C does it, too) or the connection is lost; the
 * terminal is as it was then.  As follow(): 1: tracing is over; 0: it goes on; -1:
 * the connection was lost, after a message.  *sig is the signal that wants us to end
 * at once, or 0. */
int top_run(const struct top_opts *o, int *sig);

#endif
