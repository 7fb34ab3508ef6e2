/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A log, read from its beginning to its end: a pipe will do.  Memory is bounded
 * by the longest record, not by the log. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>
#ifdef HAVE_ZSTD
#include <zstd.h>
#endif

#include "base/msg.h"
#include "base/xalloc.h"
#include "ui/images.h"
#include "ui/log.h"

enum { READ = 1 << 18 };

struct log {
	int fd;
	char *name;
	struct wire_decoder decoder;
	uint8_t *buffer;
	size_t cap, from, to;  /* what is there and not decoded: buffer[from…to) */
	uint64_t at;           /* of buffer[from] in the log */
	struct event_sink *sink;
	struct images images;
	bool ended;            /* WIRE_BYE was there */
	uint8_t *hello;        /* the first record's body */
#ifdef HAVE_ZSTD
	ZSTD_DCtx *zstd;
#endif
	uint8_t *unpacked;
};

/* -- bytes -------------------------------------------------------------------------- */

static void make_room(struct log *log)
{
	if (log->from) {
		memmove(log->buffer, log->buffer + log->from, log->to - log->from);
		log->to -= log->from;
		log->from = 0;
	}
	if (log->cap - log->to < READ) {
		log->cap = log->to + READ;
		log->buffer = xrealloc(log->buffer, log->cap, 1);
	}
}

/* 1, 0 at the end of the file, or -1 after a message. */
static int read_more(struct log *log)
{
	ssize_t n;

	make_room(log);
	do
		n = read(log->fd, log->buffer + log->to, log->cap - log->to);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return msg_error("cannot read %s: %s", log->name, strerror(errno));
	log->to += (size_t)n;
	return n > 0;
}

/* The next record, good until the one after it is asked for: 1; 0: there is none,
 * and the log has nothing that belongs to one; -EBADMSG, -ENODATA: no record, the
 * beginning of one; -1 after a message. */
static int next_record(struct log *log, struct wire_record *r)
{
	ssize_t n;

	while (!(n = wire_next(log->buffer + log->from, log->to - log->from, r))) {
		int more = read_more(log);

		if (more < 0)
			return -1;
		if (!more)
			return log->from == log->to ? 0 : -ENODATA;
	}
	if (n < 0)
		return (int)n;
	log->from += (size_t)n;
	log->at += (uint64_t)n;
	return 1;
}

/* -- records ------------------------------------------------------------------------- */

static int tell(void *arg, const struct event *ev)
{
	struct log *log = arg;

	if (ev->type == EV_IMAGE)
		images_take(&log->images, ev);
	log->sink->emit(log->sink, ev);
	return 0;
}

static int take_record(struct log *log, const struct wire_record *r);

#ifdef HAVE_ZSTD
static int take_records(struct log *log, const uint8_t *bytes, size_t n)
{
	struct wire_record r;
	int err = 0;

	while (n && !err) {
		ssize_t used = wire_next(bytes, n, &r);

		if (used <= 0 || r.type == WIRE_ZSTD)
			return -EBADMSG;
		err = take_record(log, &r);
		bytes += used;
		n -= (size_t)used;
	}
	return err;
}

/* What a frame says of its size is not believed beyond what one may have. */
static int take_frame(struct log *log, const struct wire_record *r)
{
	size_t n;

	if (!log->unpacked)
		log->unpacked = xmalloc(WIRE_MAX_BODY);
	n = ZSTD_decompressDCtx(log->zstd, log->unpacked, WIRE_MAX_BODY, r->body, r->len);
	return ZSTD_isError(n) ? -EBADMSG : take_records(log, log->unpacked, n);
}
#else
static int take_frame(struct log *log, const struct wire_record *r)
{
	(void)log;
	(void)r;
	return -ENOSYS;
}
#endif

static int take_record(struct log *log, const struct wire_record *r)
{
	switch (r->type) {
	case WIRE_ZSTD:
		return take_frame(log, r);
	case WIRE_BYE:
		log->ended = true;
		return 0;
	default:
		return wire_decode(&log->decoder, r, tell, log);
	}
}

/* -- the log ------------------------------------------------------------------------- */

/* The first record must be ours.  Its strings are to live longer than the buffer. */
static int begin(struct log *log, struct wire_hello *hello)
{
	struct wire_record r;
	int got = next_record(log, &r), err;

	if (got == -1)
		return -1;
	if (!got)
		return msg_error("%s is empty: no log", log->name);
	if (got < 0)
		return msg_error("%s is no log of %s", log->name, msg_program());
	log->hello = xmemdup(r.body, r.len ? r.len : 1);
	r.body = log->hello;
	err = wire_decode_hello(&log->decoder, &r, hello);
	if (err == -EPROTONOSUPPORT)
		return msg_error("%s has version %u of the format, and this %s reads version %d",
				 log->name, hello->version, msg_program(), WIRE_VERSION);
	return err ? msg_error("%s is no log of %s", log->name, msg_program()) : 0;
}

struct log *log_open(const char *path, struct wire_hello *hello)
{
	bool standard = !strcmp(path, "-");
	int fd = standard ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
	struct log *log;

	if (fd < 0) {
		msg_error("cannot read %s: %s", path, strerror(errno));
		return NULL;
	}
	log = xcalloc(1, sizeof *log);
	log->fd = fd;
	log->name = xstrdup(standard ? "the standard input" : path);
#ifdef HAVE_ZSTD
	log->zstd = ZSTD_createDCtx();
#endif
	if (begin(log, hello)) {
		log_close(log);
		return NULL;
	}
	return log;
}

/* -1 after a message, whatever it is that ended it too early. */
static int complain(const struct log *log, int err)
{
	unsigned long long at = log->at, left = log->to - log->from;

	switch (err) {
	case 0:
		if (log->ended)
			return 0;
		msg_warn("%s has no end: its writer was killed, or still writes; all that was written "
			 "has been read", log->name);
		return -1;
	case -1:
		return -1; /* said so */
	case -ENODATA:
		msg_warn("%s ends in the middle of a record: its last %llu bytes are lost", log->name,
			 left);
		return -1;
	case -ENOSYS:
		msg_warn("%s is compressed, and this %s was built without zstd", log->name,
			 msg_program());
		return -1;
	default:
		msg_warn("%s is damaged before byte %llu: what follows is lost", log->name, at);
		return -1;
	}
}

int log_read(struct log *log, struct event_sink *sink)
{
	struct wire_record r;
	int got, err = 0;

	log->sink = sink;
	while (!err && (got = next_record(log, &r)) > 0)
		err = take_record(log, &r);
	return complain(log, err ? err : got);
}

void log_close(struct log *log)
{
	if (!log)
		return;
	if (log->fd != STDIN_FILENO)
		close(log->fd);
	wire_decoder_release(&log->decoder);
#ifdef HAVE_ZSTD
	ZSTD_freeDCtx(log->zstd);
#endif
	images_release(&log->images);
	free(log->unpacked);
	free(log->buffer);
	free(log->hello);
	free(log->name);
	free(log);
}
