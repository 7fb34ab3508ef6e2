/* SPDX-License-Identifier: GPL-2.0-or-later */
/* --import: reads a heap log of another system (src/import), as it is or as it comes,
 * until it ends or somebody ends it. */
#ifndef MTRACE_UI_IMPORT_H
#define MTRACE_UI_IMPORT_H

#include "import/record.h"
#include "model/event.h"

struct import_opts {
	enum import_format format;
	const char *path;      /* file, device, "-"; NULL: nothing is imported */
	const char *elf;       /* --elf; NULL */
	uint64_t baud;
	bool follow;
	bool other_text;       /* what is none of the log's goes to `fd` */
	bool releases;         /* -S */
	bool live;             /* somebody watches: times are when records came */
	bool serves;           /* somebody may ask (trace/requests.h) */
	bool *mark;            /* as in books_opts */
	int fd;
	void (*idle)(void *arg); /* before it waits, and before other text; NULL */
	void *arg;
};

/* Is it read as it comes, without an end of its own: a serial line, or a file that is
 * followed? */
bool import_is_live(const struct import_opts *o);
/* Tells `sink` all that the log says.  0, or -1 after a message. */
int import_run(const struct import_opts *o, struct event_sink *sink);

#endif
