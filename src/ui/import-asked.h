/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What clients ask of who reads a heap log. */
#ifndef MTRACE_UI_IMPORT_ASKED_H
#define MTRACE_UI_IMPORT_ASKED_H

#include "import/books.h"
#include "trace/requests.h"

struct import_asked {
	struct import_books *books;
	const char *name;      /* of the log */
	bool ended;            /* somebody asked for the end */
	uint32_t at;           /* where a listing of blocks goes on */
};

/* A request_serve; `asked` is a struct import_asked. */
bool import_serve(void *asked, const struct request *q, bool again, request_done *done, void *arg);

#endif
