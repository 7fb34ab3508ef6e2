/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Events as bytes: the one stream of sockets and log files.  doc/PROTOCOL.md
 * specifies it; nothing else knows these bytes.
 *
 *   stream:  HELLO record record … BYE
 *   record:  u32 length of the body | u16 type | u16 flags | u32 pid | u32 tid | body
 *
 * Everything is little-endian.  A body is a sequence of fields; a field that a
 * body is too short for is 0 (an older writer did not know it), bytes behind the
 * last known field are passed over (a newer one), records of an unknown type are
 * skipped by their length.  What is frequent travels in records of type EVENTS,
 * each of which is complete in itself.
 *
 * Times are whole microseconds on the wire, as in the events that the tracer tells. */
#ifndef MTRACE_MODEL_WIRE_H
#define MTRACE_MODEL_WIRE_H

#include "base/strbuf.h"
#include "base/vec.h"
#include "model/event.h"
#include "model/request.h"

enum {
	WIRE_VERSION = 1,
	WIRE_HEADER = 16,        /* bytes before a body */
	WIRE_MAX_BODY = 1 << 20, /* bytes; longer records are refused */
	WIRE_BATCH = 1 << 15,    /* an EVENTS record is closed when it has that many */
	WIRE_MAX_FRAMES = 4096,
	WIRE_MAX_WORDS = 4096,   /* of a command line; the rest is not told */
};

/* The numbers are part of the format. */
enum wire_type {
	WIRE_HELLO = 1,
	WIRE_EVENTS = 2,
	WIRE_ZSTD = 3, /* a zstd frame of whole records, none of this type */
	WIRE_BYE = 4,  /* the stream ends here as it was meant to */
	/* sockets only */
	WIRE_LOGIN = 5,   /* client: its first and only one */
	WIRE_REFUSED = 6, /* server: and it closes; a string says why */
	WIRE_STATE = 7,   /* server: what comes, up to … */
	WIRE_READY = 8,   /* … this, is how things are; then they go on */
	WIRE_REQUEST = 9,
	WIRE_ANSWER = 10,
	WIRE_PING = 11,   /* either: it is still there */
	/* one event each */
	WIRE_PROC = 16,
	WIRE_PROC_END,
	WIRE_TASK,
	WIRE_MODULE,
	WIRE_MODULE_GONE,
	WIRE_PROBE,
	WIRE_STACK,
	WIRE_NOTE,
	WIRE_SCAN_BEGIN,
	WIRE_LEAK,
	WIRE_LEAK_BLOCK,
	WIRE_LEAK_WHY,
	WIRE_SCAN,
	WIRE_CENSUS,
	WIRE_MARK,
	WIRE_ERROR,
	WIRE_WHY,
	WIRE_IMAGE,
	WIRE_BLOCK,
	WIRE_STATE_OLDER,
	WIRE_STATE_PROC,
	WIRE_STATE_COUNT,
	WIRE_STATE_REGION,
	WIRE_STATE_AGED,
	WIRE_STATE_ERROR,
	WIRE_STATE_SUSPECT,
	WIRE_RESET = 64,
	WIRE_STACK_REST,
	WIRE_ROWS_WANTED,
	WIRE_ROWS_GIVEN,
	WIRE_HEAP,
	WIRE_PLACE,
	WIRE_TARGET,
	WIRE_OOM,
	WIRE_STATE_REFUSED,
};

/* The first record: what the stream is about. */
struct wire_hello {
	uint32_t version;      /* WIRE_VERSION of the writer; readers refuse later ones */
	uint64_t wall_us;      /* since the epoch, when the stream began … */
	uint64_t clock_us;     /* … and then on CLOCK_MONOTONIC, as in events */
	const char *tool;      /* "mtrace 0.1.0" */
	const char *host;      /* its name; NULL: unknown */
	const char *cwd;       /* where relative names begin; NULL: unknown */
	uint32_t nwords;       /* the tracer's command line (read: NULL follows) … */
	const char *const *words;
	uint32_t command;      /* … and the index in it of the first word of the
				  launched command; nwords: none */
	bool token;            /* a login needs one (sockets) */
};

/* What a client says of itself. */
struct wire_login {
	const char *token;     /* NULL: it has none */
	const char *tool;
	bool control;          /* it wants to make requests; one client may */
	bool rows;             /* it answers EV_ROWS_WANTED, when it has control */
};

struct wire_record {
	uint16_t type;         /* enum wire_type, or unknown */
	uint16_t flags;        /* none is defined: 0 */
	pid_t pid, tid;
	const uint8_t *body;   /* in the caller's bytes */
	size_t len;
};

/* -- writing ------------------------------------------------------------------- */

enum { WIRE_CONTEXTS = 64 };

/* What the next event in an EVENTS record is told as the difference to. */
struct wire_state {
	uint64_t time_us;
	uint32_t mark;
	uint32_t allocator;
	uint16_t probe;
	uint8_t current, count, next; /* contexts; `next` is replaced when all are taken */
	struct wire_context {
		pid_t pid, tid;
		taddr_t addr;
	} context[WIRE_CONTEXTS];
};

/* Records are appended to `out`, which the caller empties by strbuf_reset() at
 * will, but only when no batch is open. */
struct wire_encoder {
	struct strbuf *out;
	bool open;             /* an EVENTS record that is not closed yet … */
	size_t at;             /* … begins there in *out */
	struct wire_state state;
};

#define WIRE_ENCODER_INIT(out) { (out), false, 0, { 0 } }

void wire_encode(struct wire_encoder *e, const struct event *ev);
/* Closes the open batch: *out is then whole records. */
void wire_close(struct wire_encoder *e);
void wire_encode_hello(struct wire_encoder *e, const struct wire_hello *h);
void wire_encode_login(struct wire_encoder *e, const struct wire_login *l);
void wire_encode_request(struct wire_encoder *e, const struct request *r);
void wire_encode_answer(struct wire_encoder *e, const struct answer *a);
/* WIRE_REFUSED, WIRE_READY: `text` may be NULL. */
void wire_encode_text(struct wire_encoder *e, enum wire_type type, const char *text);
/* A record of that type with the body given. */
void wire_encode_record(struct wire_encoder *e, enum wire_type type, const void *body, size_t n);

/* -- reading ------------------------------------------------------------------- */

/* The first record in n bytes.  How many bytes it takes; 0: it is not all there
 * yet; -EBADMSG: this is no record. */
ssize_t wire_next(const void *bytes, size_t n, struct wire_record *r);

/* Memory that decoded events point into. */
struct wire_decoder {
	VEC(taddr_t) pc;
	VEC(uint32_t) module;
	VEC(uint8_t) exact, origin;
	VEC(const char *) words;
	uint64_t figures[STATE_FIGURES];
	/* the EVENTS record that is being read */
	const uint8_t *at, *end;
	struct wire_state state;
	struct event ev;
};

void wire_decoder_release(struct wire_decoder *d);
/* 0, -EBADMSG, or -EPROTONOSUPPORT: a later version.  Strings live as long as
 * the record's bytes, arrays until the decoder is used again. */
int wire_decode_hello(struct wire_decoder *d, const struct wire_record *r, struct wire_hello *h);
/* 0 or -EBADMSG; as above. */
int wire_decode_login(const struct wire_record *r, struct wire_login *l);
int wire_decode_request(const struct wire_record *r, struct request *q);
int wire_decode_answer(const struct wire_record *r, struct answer *a);
int wire_decode_text(const struct wire_record *r, const char **text);
/* Tells every event of a record, in order, until `fn` returns non-zero, and
 * returns that; 0: all of them, or a record of a type that has none; -EBADMSG:
 * those before the fault were told.  The event and what it points to live until
 * `fn` returns. */
int wire_decode(struct wire_decoder *d, const struct wire_record *r,
		int (*fn)(void *arg, const struct event *ev), void *arg);

#endif
