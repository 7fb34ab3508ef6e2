/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A log, read from its beginning to its end: a pipe will do. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/msg.h"
#include "base/xalloc.h"
#include "reader.h"
#include "ui/log.h"

struct log {
	char *name;
	struct reader reader;
	uint8_t *hello;        /* the first record's body */
};

/* 1; 0: there is none, and the log has nothing that belongs to one; -EBADMSG,
 * -ENODATA: no record, the beginning of one; -1 after a message. */
static int next_record(struct log *log, struct wire_record *rec)
{
	struct reader *r = &log->reader;
	int got, more;

	while (!(got = reader_next(r, rec))) {
		more = reader_fill(r);
		if (more < 0)
			return msg_error("cannot read %s: %s", log->name, strerror(-more));
		if (!more)
			return reader_left(r) ? -ENODATA : 0;
	}
	return got;
}

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
	err = wire_decode_hello(&log->reader.decoder, &r, hello);
	if (err == -EPROTONOSUPPORT)
		return msg_error("%s has version %u of the format, and this %s reads version %d",
				 log->name, hello->version, msg_program(), WIRE_VERSION);
	return err ? msg_error("%s is no log of %s", log->name, msg_program()) : 0;
}

bool log_recognised(const char *path)
{
	static const char magic[] = "mtrace\r\n"; /* behind the first record's header */
	char head[WIRE_HEADER + sizeof magic - 1];
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	bool is = fd >= 0 && read(fd, head, sizeof head) == (ssize_t)sizeof head &&
		  !memcmp(head + WIRE_HEADER, magic, sizeof magic - 1);

	if (fd >= 0)
		close(fd);
	return is;
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
	log->reader.fd = fd;
	log->name = xstrdup(standard ? "the standard input" : path);
	if (begin(log, hello)) {
		log_close(log);
		return NULL;
	}
	return log;
}

/* -1 after a message, whatever it is that ended it too early. */
static int complain(const struct log *log, int err)
{
	unsigned long long at = log->reader.at, left = reader_left(&log->reader);

	switch (err) {
	case 0:
		if (log->reader.ended)
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

void log_on_restart(struct log *log, void (*restart)(void *arg), void *arg)
{
	log->reader.restart = restart;
	log->reader.restart_arg = arg;
}

int log_read(struct log *log, struct event_sink *sink)
{
	struct wire_record r;
	int got, err = 0;

	log->reader.sink = sink;
	while (!err && (got = next_record(log, &r)) > 0)
		err = reader_take(&log->reader, &r);
	return complain(log, err ? err : got);
}

void log_close(struct log *log)
{
	if (!log)
		return;
	if (log->reader.fd != STDIN_FILENO)
		close(log->reader.fd);
	reader_release(&log->reader);
	free(log->hello);
	free(log->name);
	free(log);
}
