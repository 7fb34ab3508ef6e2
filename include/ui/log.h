/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reading log files; serve/log.h writes them. */
#ifndef MTRACE_UI_LOG_H
#define MTRACE_UI_LOG_H

#include "model/event.h"
#include "model/wire.h"

/* A log that is read.  The strings of *hello live until log_close(). */
struct log;

/* Does the file begin as one? */
bool log_recognised(const char *path);
/* "-": standard input.  NULL after a message. */
struct log *log_open(const char *path, struct wire_hello *hello);
/* Called where events were left out of it: the whole state comes, and what the sink had
 * is to be forgotten. */
void log_on_restart(struct log *log, void (*restart)(void *arg), void *arg);
/* Tells `sink` every event.  0; or -1 when the log does not end as it was meant
 * to, after a message that says what is missing. */
int log_read(struct log *log, struct event_sink *sink);
void log_close(struct log *log);

#endif
