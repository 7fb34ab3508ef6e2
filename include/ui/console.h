/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The interactive console: commands on what a heap knows, and, with a client, on
 * what the tracer does. */
#ifndef MTRACE_UI_CONSOLE_H
#define MTRACE_UI_CONSOLE_H

#include "heap/heap.h"
#include "report/report.h"
#include "ui/blocks.h"
#include "ui/client.h"
#include "ui/heaps.h"

struct console_opts {
	struct heap *heap;       /* fed by the client's sink, or from a log */
	struct blocks *blocks;   /* in front of it */
	struct heaps *heaps;     /* in front of these */
	struct client *client;   /* NULL: a log, nothing can be asked */
	const struct wire_hello *hello; /* of the log, or the server.  May be NULL */
	const char *log;         /* its name, without a client */
	struct report_opts *report; /* commands change a copy */
	const char *script;      /* -x: commands from there; NULL: standard input */
	bool interactive;        /* after the script: standard input, too */
	bool launched;           /* a program comes to its entry, and stands there */
};

/* Reads commands until quit, the end of the input, SIGTERM or SIGHUP.  The exit status:
 * 0, or 1 when a command of a script (or of a pipe) failed; 128 + the signal; -1: the
 * program could not be launched, and no command was read. */
int console_run(const struct console_opts *o);

/* SIGINT, while a command is carried out, makes it non-zero. */
extern volatile int console_interrupted;

/* One line each: "dump [SORT] [-l] [PID] [>FILE]". */
void console_list_commands(struct strbuf *sb);

#endif
