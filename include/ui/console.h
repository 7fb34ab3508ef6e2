/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The interactive console: commands on what a heap knows, and, with a client, on
 * what the tracer does. */
#ifndef MTRACE_UI_CONSOLE_H
#define MTRACE_UI_CONSOLE_H

#include "heap/heap.h"
#include "report/report.h"
#include "ui/client.h"

struct console_opts {
	struct heap *heap;       /* fed by the client's sink, or from a log */
	struct client *client;   /* NULL: a log, nothing can be asked */
	struct report_opts *report; /* commands change a copy */
	const char *script;      /* -x: commands from there; NULL: standard input */
	pid_t launched;          /* starts with `start`; 0: none */
};

/* Reads commands until quit or the end of the input.  The exit status: 0, or 1
 * when a command of a script (or of a pipe) failed. */
int console_run(const struct console_opts *o);

#endif
