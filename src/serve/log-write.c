/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The tracer fills a buffer, a thread of ours empties it: compressing and
 * waiting for a disk or a reader is not done while the program waits.
 *
 *    emit() ──► filling ──swap, whole records──► leaving ──zstd──► write(2)
 *               └── under the lock ──┘           └─── the writer's alone ───┘ */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#ifdef HAVE_ZSTD
#include <zstd.h>
#endif

#include "base/file.h"
#include "base/clock.h"
#include "base/msg.h"
#include "base/xalloc.h"
#include "model/state.h"
#include "trace/trace.h"
#include "worker.h"
#include "serve/log.h"

enum {
	WAKE = 1 << 16,       /* bytes that are worth a write */
	QUEUE_MAX = 1 << 18,  /* bytes that may wait for the writer */
	FRAME_MAX = 1 << 18,  /* bytes before compression; at most WIRE_MAX_BODY */
	LEVEL = 3,            /* of zstd */
	AT_ONCE_S = 2,
	WRITER_STACK = 1 << 18,
};

struct log_sink {
	struct event_sink sink, *next;
	const char *path;
	char *opened;          /* the name of the file, %p replaced */
	bool plain;
	pthread_t writer;
	pthread_mutex_t lock;  /* for what follows, up to `leaving` */
	pthread_cond_t wake, room; /* for the writer; for the tracer */
	struct strbuf hello;   /* the first record, never compressed */
	struct strbuf filling;
	struct wire_encoder encoder;
	pid_t first_pid;
	bool flush, end;       /* all is to be written; and no more will come */
	bool done;             /* the writer has ended */
	struct state *state;   /* --when-full=drop: how things are; NULL: the tracer waits */
	bool behind;           /* events are left out, until there is room for the state */
	struct log_totals totals;
	struct strbuf leaving; /* the writer's */
	int fd;
	off_t good;            /* the end of the last whole record */
#ifdef HAVE_ZSTD
	ZSTD_CCtx *zstd;
	struct strbuf frame;
#endif
};

/* -- the file --------------------------------------------------------------------- */

static const char *shown_name(const char *path)
{
	return strcmp(path, "-") ? path : "the standard output";
}

/* Is what the file has the beginning of a log? */
static bool is_log(int fd)
{
	struct wire_decoder d = { 0 };
	struct wire_hello hello;
	struct wire_record r;
	uint8_t bytes[WIRE_HEADER + 12];
	int err;

	if (pread(fd, bytes, sizeof bytes, 0) != (ssize_t)sizeof bytes)
		return false;
	/* The rest of the record does not matter. */
	r = (struct wire_record){ .type = WIRE_HELLO, .body = bytes + WIRE_HEADER, .len = 12 };
	err = wire_decode_hello(&d, &r, &hello);
	wire_decoder_release(&d);
	return bytes[4] == WIRE_HELLO && !bytes[5] && (!err || err == -EPROTONOSUPPORT);
}

/* A descriptor for writing, nothing lost yet; -1 after a message. */
static int open_log(const char *path)
{
	struct stat st;
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);

	if (fd < 0 && errno == EACCES) /* a pipe that is not ours to read from */
		fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return msg_error("cannot write %s: %s", path, strerror(errno));
	if (!fstat(fd, &st) && S_ISREG(st.st_mode) && st.st_size && !is_log(fd)) {
		close(fd);
		return msg_error("%s exists and is no log of %s: it is left alone; name another file, "
				 "or remove it", path, msg_program());
	}
	return fd;
}

int log_check_writable(const char *path)
{
	int fd;

	if (!strcmp(path, "-") || strchr(path, '%'))
		return 0;
	fd = open_log(path);
	if (fd < 0)
		return -1;
	close(fd);
	return 0;
}

static int open_for(struct log_sink *l, pid_t pid)
{
	if (!strcmp(l->path, "-")) {
		l->opened = xstrdup("-");
		return 0; /* fd is there already */
	}
	l->opened = name_with_pid(l->path, pid);
	l->fd = open_log(l->opened);
	if (l->fd >= 0 && ftruncate(l->fd, 0))
		msg_debug("%s is no file to be cut", l->opened); /* a pipe */
	return l->fd < 0 ? -EIO : 0;
}

/* -- the writer -------------------------------------------------------------------- */

static int put(struct log_sink *l, const void *bytes, size_t n)
{
	int err = write_patiently(l->fd, bytes, n);

	if (!err)
		l->good += (off_t)n;
	return err;
}

#ifdef HAVE_ZSTD
static int put_frame(struct log_sink *l, const char *bytes, size_t n)
{
	size_t bound = ZSTD_compressBound(n), size;
	struct wire_encoder e = WIRE_ENCODER_INIT(&l->frame);
	char *packed = xmalloc(bound);
	int err;

	size = ZSTD_compressCCtx(l->zstd, packed, bound, bytes, n, LEVEL);
	if (ZSTD_isError(size)) {
		free(packed);
		return -ENOMEM;
	}
	strbuf_reset(&l->frame);
	wire_encode_record(&e, WIRE_ZSTD, packed, size);
	free(packed);
	err = put(l, l->frame.s, l->frame.n);
	return err;
}

/* Cuts between records. */
static int put_packed(struct log_sink *l, const struct strbuf *sb)
{
	size_t from = 0, at = 0;
	struct wire_record r;
	int err = 0;

	while (at < sb->n && !err) {
		size_t n = (size_t)wire_next(sb->s + at, sb->n - at, &r);

		if (at > from && at + n - from > FRAME_MAX) {
			err = put_frame(l, sb->s + from, at - from);
			from = at;
		}
		at += n;
	}
	return err || at == from ? err : put_frame(l, sb->s + from, at - from);
}
#endif

static int put_records(struct log_sink *l, const struct strbuf *sb)
{
#ifdef HAVE_ZSTD
	if (!l->plain)
		return put_packed(l, sb);
#endif
	return put(l, sb->s, sb->n);
}

/* The log ends with its last whole record: the part that was written of the next
 * one would only look like damage. */
static void give_up(struct log_sink *l, int err)
{
	msg_warn("cannot write %s: %s; the log ends here, tracing goes on", shown_name(l->opened),
		 strerror(-err));
	if (ftruncate(l->fd, l->good))
		msg_debug("%s is no file to be cut", shown_name(l->opened));
}

/* Bytes that can be written, or the end; false: nothing more will come. */
static bool wait_for_bytes(struct log_sink *l)
{
	struct timespec until;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_nsec += LOG_FLUSH_MS * 1000000L;
	until.tv_sec += until.tv_nsec / 1000000000;
	until.tv_nsec %= 1000000000;
	while (l->filling.n < WAKE && !l->flush && !l->end)
		if (pthread_cond_timedwait(&l->wake, &l->lock, &until) == ETIMEDOUT)
			break;
	return l->filling.n || !l->end;
}

/* Under the lock: what was left out is made up for. */
static void catch_up(struct log_sink *l)
{
	wire_encode_record(&l->encoder, WIRE_STATE, NULL, 0);
	state_tell(l->state, &l->filling);
	wire_encode_text(&l->encoder, WIRE_READY, NULL);
	l->behind = false;
}

/* 0 or -errno, after a message. */
static int write_out(struct log_sink *l, const struct strbuf *sb, pid_t pid)
{
	int err = 0;

	if (!l->opened) {
		err = open_for(l, pid);
		if (err)
			return err; /* said so */
		err = put(l, l->hello.s, l->hello.n);
	}
	err = err ? err : put_records(l, sb);
	if (err)
		give_up(l, err);
	return err;
}

static void *write_all_day(void *arg)
{
	struct log_sink *l = arg;

	pthread_mutex_lock(&l->lock);
	while (wait_for_bytes(l)) {
		struct strbuf full;
		pid_t pid = l->first_pid;
		int err = l->totals.error;

		wire_close(&l->encoder);
		full = l->filling;
		l->filling = l->leaving;
		l->leaving = full;
		strbuf_reset(&l->filling);
		pthread_mutex_unlock(&l->lock);
		if (full.n && !err)
			err = write_out(l, &full, pid);
		pthread_mutex_lock(&l->lock);
		l->totals.error = err;
		l->totals.bytes = (uint64_t)l->good;
		if (l->behind && !l->filling.n && !err)
			catch_up(l);
		if (!l->filling.n)
			l->flush = false;
		pthread_cond_broadcast(&l->room);
	}
	l->done = true;
	pthread_cond_broadcast(&l->room);
	pthread_mutex_unlock(&l->lock);
	return NULL;
}

/* -- the sink ----------------------------------------------------------------------- */

/* Waits for the writer a moment; false: somebody wants us to end, and whoever
 * reads what we write may never do so again. */
static bool wait_for_room(struct log_sink *l)
{
	struct timespec until;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec++;
	pthread_cond_timedwait(&l->room, &l->lock, &until);
	return !trace_asked_to_end();
}

static int emit(struct event_sink *sink, const struct event *ev)
{
	struct log_sink *l = container_of(sink, struct log_sink, sink);
	size_t before;
	bool hold;
	int next;

	pthread_mutex_lock(&l->lock);
	if (l->state)
		state_sink(l->state)->emit(state_sink(l->state), ev);
	l->behind |= l->state && l->filling.n > QUEUE_MAX;
	while (!l->state && l->filling.n > QUEUE_MAX && !l->totals.error && wait_for_room(l))
		;
	before = l->filling.n;
	l->first_pid = l->first_pid ? l->first_pid : ev->pid;
	if (l->behind) {
		l->totals.left_out++;
	} else if (!l->totals.error) {
		wire_encode(&l->encoder, ev);
		l->totals.events++;
	}
	if (before < WAKE && l->filling.n >= WAKE)
		pthread_cond_signal(&l->wake);
	hold = ev->type == EV_BLOCK && l->filling.n > QUEUE_MAX / 2;
	pthread_mutex_unlock(&l->lock);
	next = l->next ? l->next->emit(l->next, ev) : EMIT_GO;
	return hold ? EMIT_HOLD : next;
}

static int flush(struct event_sink *sink)
{
	struct log_sink *l = container_of(sink, struct log_sink, sink);
	int err;

	pthread_mutex_lock(&l->lock);
	l->flush = l->filling.n && !l->done;
	pthread_cond_signal(&l->wake);
	while (l->flush && !l->totals.error && wait_for_room(l))
		;
	err = l->totals.error;
	pthread_mutex_unlock(&l->lock);
	return err;
}

/* Nothing is traced any more: a reader that takes its time is waited for, as long
 * as nobody interrupts that; what a disk or a reader takes at once is written all the
 * same. */
static void end(struct log_sink *l)
{
	uint64_t at_once = clock_ns() + AT_ONCE_S * NS_PER_S;

	pthread_mutex_lock(&l->lock);
	if (!l->end && l->behind)
		catch_up(l);
	if (!l->end && l->totals.events) /* else nothing began: no file is touched */
		wire_encode_record(&l->encoder, WIRE_BYE, NULL, 0);
	l->end = true;
	pthread_cond_signal(&l->wake);
	while (!l->done && (!trace_interrupted || clock_ns() < at_once))
		wait_for_room(l);
	if (!l->done)
		l->totals.error = -EINTR;
	pthread_mutex_unlock(&l->lock);
}

static void release(struct event_sink *sink)
{
	struct log_sink *l = container_of(sink, struct log_sink, sink);

	end(l);
	if (!l->done)
		return; /* the writer still uses it */
	pthread_join(l->writer, NULL);
	if (l->fd >= 0)
		close(l->fd);
	state_free(l->state);
	strbuf_release(&l->hello);
	strbuf_release(&l->filling);
	strbuf_release(&l->leaving);
#ifdef HAVE_ZSTD
	ZSTD_freeCCtx(l->zstd);
	strbuf_release(&l->frame);
#endif
	pthread_cond_destroy(&l->wake);
	pthread_cond_destroy(&l->room);
	pthread_mutex_destroy(&l->lock);
	free(l->opened);
	free(l);
}

/* What the program prints goes to the standard error then. */
static int take_stdout(void)
{
	int fd = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);

	if (fd < 0)
		return msg_error("cannot write the standard output: %s", strerror(errno));
	dup2(STDERR_FILENO, STDOUT_FILENO);
	return fd;
}

struct event_sink *log_sink_new(const struct log_opts *opts, struct event_sink *next)
{
	struct wire_hello hello = *opts->hello;
	struct wire_encoder first;
	bool to_stdout = !strcmp(opts->path, "-");
	struct log_sink *l;
	int fd = to_stdout ? take_stdout() : -1, err;

	if (to_stdout && fd < 0)
		return NULL;
	l = xcalloc(1, sizeof *l);
	l->sink = (struct event_sink){ emit, flush, release };
	l->next = next;
	l->path = opts->path;
	l->plain = opts->plain;
	l->state = opts->drop ? state_new() : NULL;
	l->fd = fd;
	l->encoder = (struct wire_encoder)WIRE_ENCODER_INIT(&l->filling);
	pthread_mutex_init(&l->lock, NULL);
	worker_condition(&l->wake);
	worker_condition(&l->room);
#ifdef HAVE_ZSTD
	l->zstd = ZSTD_createCCtx();
#endif
	hello.wall_us = clock_us(CLOCK_REALTIME);
	hello.clock_us = clock_us(CLOCK_MONOTONIC);
	first = (struct wire_encoder)WIRE_ENCODER_INIT(&l->hello);
	wire_encode_hello(&first, &hello);
	err = worker_start(&l->writer, WRITER_STACK, write_all_day, l);
	if (err)
		die("cannot start a thread for the log: %s", strerror(err));
	return &l->sink;
}

void log_sink_end(struct event_sink *sink, struct log_totals *totals)
{
	struct log_sink *l = container_of(sink, struct log_sink, sink);

	end(l);
	*totals = l->totals;
}
