/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the host side may ask of the target side, in one process or through a
 * socket.  Every request has one answer, and is carried out between two stops. */
#ifndef MTRACE_MODEL_REQUEST_H
#define MTRACE_MODEL_REQUEST_H

#include "base/types.h"

/* The numbers are part of the wire's format.  `pid` 0: all that are traced. */
enum request_kind {
	REQUEST_INFO = 1,  /* text: what is traced, and how */
	REQUEST_SCAN,      /* a: enum request_scan; the events come before the answer */
	REQUEST_WHY,       /* a: an address; EV_WHY and its EV_LEAK_WHY come before */
	REQUEST_READ,      /* a: address, b: how many bytes (REQUEST_READ_MAX); data,
			      which is shorter where memory ends */
	REQUEST_CENSUS,    /* take in the blocks that are older than the attach */
	REQUEST_STOP,      /* observe no more: all breakpoints out, it runs on … */
	REQUEST_START,     /* … and again; one that is held at its entry begins.
			      a: enum request_start */
	REQUEST_DEPTH,     /* a: frames of a backtrace from now on */
	REQUEST_MARK,      /* set one; its EV_MARK comes before */
	REQUEST_RESET,     /* what is open is forgotten, counts begin anew */
	REQUEST_DETACH,    /* let go; EV_PROC_END comes before.  a: enum request_detach */
	REQUEST_KILL,      /* SIGKILL; `pid` is needed */
	REQUEST_BLOCKS,    /* an EV_BLOCK for each open block comes before */
	REQUEST_ROWS,      /* no question: what is known of an EV_ROWS_WANTED.  a: enum
			      request_rows; data: struct rows_part.  Is not kept
			      waiting by other requests */
	REQUEST_HEAPS,     /* an EV_HEAP for each stretch of memory of the heap comes
			      before */
	REQUEST_SUSPEND,   /* SIGSTOP: it stands, and is traced on; `pid` is needed */
	REQUEST_LAST = REQUEST_SUSPEND,
};

enum request_start {
	REQUEST_START_ROWS = 1, /* the asker gives rows: who is held at its entry is held
				   until he has, a few seconds at most */
};

enum request_rows {
	REQUEST_ROWS_FIRST = 1, /* parts come in order, the first … */
	REQUEST_ROWS_LAST = 2,  /* … and the last one say so */
	REQUEST_ROWS_NONE = 4,  /* the asker knows nothing of it */
};

enum request_scan {
	REQUEST_SCAN_REFERENCES = 1,
	REQUEST_SCAN_EACH = 2, /* EV_LEAK_BLOCK, too */
	REQUEST_SCAN_WHY = 4,  /* EV_LEAK_WHY, too */
};

enum request_detach {
	REQUEST_DETACH_ABANDON = 1, /* who is held at its entry is killed instead */
};

/* Bytes: of an answer's data, of a request's. */
enum { REQUEST_READ_MAX = 1 << 16, REQUEST_DATA_MAX = 4000 };

struct request {
	uint32_t id;           /* the asker's; comes back in the answer */
	uint8_t kind;          /* enum request_kind */
	pid_t pid;
	uint64_t a, b;
	const uint8_t *data;   /* NULL: none */
	uint32_t ndata;
};

struct answer {
	uint32_t id;
	int error;             /* 0, or an errno */
	const char *text;      /* of REQUEST_INFO; of an error: what is wrong, in one
				  line.  NULL: nothing to say */
	const uint8_t *data;
	uint32_t ndata;
};

#endif
