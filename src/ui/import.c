/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/msg.h"
#include "base/strbuf.h"
#include "base/xalloc.h"
#include "import-asked.h"
#include "import/feed.h"
#include "import/input.h"
#include "trace/requests.h"
#include "trace/trace.h"
#include "ui/import.h"

enum { PIECE = 1 << 17 };     /* bytes read at once */
#define LOOK_NS (100 * NS_PER_MS) /* how often a file is looked at that grows */

struct reading {
	const struct import_opts *o;
	struct import_input *in;
	struct import_feed *feed;
	struct import_asked asked;
	bool waits;            /* a file has nothing more as yet */
};

static volatile sig_atomic_t stopped;

static void on_signal(int sig)
{
	if (sig != SIGALRM && sig != SIGPIPE)
		stopped = sig;
}

/* SIGPIPE: nobody reads the audit any more, and the line is to be left as it was. */
static const int signals[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGALRM, SIGPIPE };

struct dispositions {
	struct sigaction act[ARRAY_SIZE(signals)];
	sigset_t mask;
};

/* They come while we wait, or not at all: not between the look and the wait. */
static void signals_begin(struct dispositions *before)
{
	struct sigaction act = { .sa_handler = on_signal };
	sigset_t set;

	sigemptyset(&set);
	for (size_t i = 0; i < ARRAY_SIZE(signals); i++) {
		sigaction(signals[i], NULL, &before->act[i]);
		if (before->act[i].sa_handler == SIG_IGN)
			continue;
		if (signals[i] != SIGPIPE)
			sigaddset(&set, signals[i]);
		sigaction(signals[i], &act, NULL);
	}
	sigprocmask(SIG_BLOCK, &set, &before->mask);
}

static void signals_end(const struct dispositions *before)
{
	for (size_t i = 0; i < ARRAY_SIZE(signals); i++)
		sigaction(signals[i], &before->act[i], NULL);
	sigprocmask(SIG_SETMASK, &before->mask, NULL);
}

/* -- what comes of it -------------------------------------------------------------- */

static void idle(const struct reading *r)
{
	if (r->o->idle)
		r->o->idle(r->o->arg);
}

/* What a target prints is not to change our terminal's colours. */
static void tell_other(void *arg, const char *text, size_t n)
{
	const struct reading *r = arg;
	char *copy = xmemdup(text, n), *at = copy, *end;

	while ((end = memchr(at, '\n', n - (size_t)(at - copy)))) {
		defuse_controls(at, (size_t)(end - at));
		at = end + 1;
	}
	idle(r);
	write_patiently(r->o->fd, copy, n);
	free(copy);
}

static void tell_format(void *arg, enum import_format format)
{
	const struct reading *r = arg;

	msg_verbose("%s: a log of format %s", input_name(r->in), import_format_name(format));
}

static int complain_unknown(const struct reading *r)
{
	struct strbuf sb = STRBUF_INIT;

	for (int i = IMPORT_AUTO + 1; i < IMPORT_FORMATS; i++)
		strbuf_addf(&sb, "%s%s", sb.n ? ", " : "", import_format_name((enum import_format)i));
	msg_error("%s: nothing in it is a record of a heap log that is known: %s", input_name(r->in), sb.s);
	strbuf_release(&sb);
	return -1;
}

/* -- reading ----------------------------------------------------------------------- */

/* Until there is more, or somebody wants something: false. */
static bool wait_for_more(const struct reading *r, const sigset_t *mask)
{
	struct pollfd p = { input_fd(r->in), POLLIN, 0 };
	struct timespec look = clock_timespec(LOOK_NS), now = { 0, 0 };
	int n;

	if (p.fd >= 0) {
		n = ppoll(&p, 1, &now, mask);
		if (!n) {
			idle(r);
			n = ppoll(&p, 1, NULL, mask);
		}
		return n > 0;
	}
	if (r->waits)
		idle(r);
	return !ppoll(NULL, 0, r->waits ? &look : &now, mask);
}

/* 1: go on; 0: that was all; -1 after a message. */
static int read_some(struct reading *r, char *piece)
{
	ssize_t n = input_read(r->in, piece, PIECE);

	r->waits = n == -EAGAIN;
	if (n > 0) {
		import_feed_bytes(r->feed, piece, (size_t)n);
		return 1;
	}
	if (n == -ESTALE) {
		msg_info("%s begins anew", input_name(r->in));
		import_feed_restart(r->feed);
		return 1;
	}
	if (n == -EAGAIN || n == -EINTR)
		return 1;
	if (n < 0)
		return msg_error("cannot read %s: %s", input_name(r->in), strerror((int)-n));
	if (input_is_line(r->in))
		msg_warn("%s is gone: this is what it said until then", input_name(r->in));
	return 0;
}

/* ppoll() lets none in where there is something to read at once. */
static void let_signals_in(const sigset_t *mask)
{
	sigset_t ours;

	pthread_sigmask(SIG_SETMASK, mask, &ours);
	pthread_sigmask(SIG_SETMASK, &ours, NULL);
}

static int read_all(struct reading *r, const sigset_t *mask)
{
	char *piece = xmalloc(PIECE);
	int more = 1;

	while (more == 1 && !stopped && !r->asked.ended) {
		bool ready = wait_for_more(r, mask);

		let_signals_in(mask);
		if (r->o->serves && requests_waiting())
			requests_carry_out(import_serve, &r->asked);
		if (ready && !stopped && !r->asked.ended)
			more = read_some(r, piece);
	}
	free(piece);
	return more < 0 ? -1 : 0;
}

static int run(struct reading *r)
{
	struct dispositions before;
	int err, end;

	stopped = 0;
	signals_begin(&before);
	if (r->o->serves)
		requests_begin();
	if (input_is_line(r->in) || r->o->follow)
		msg_begin("reading %s; Ctrl-C ends it and reports", input_name(r->in));
	err = read_all(r, &before.mask);
	end = import_feed_end(r->feed);
	if (r->o->serves)
		requests_end();
	idle(r);
	signals_end(&before);
	trace_interrupts_reports();
	if (end == -ENOMSG && !err)
		err = complain_unknown(r);
	return err;
}

bool import_is_live(const struct import_opts *o)
{
	struct stat st;

	return o->follow || (strcmp(o->path, "-") && !stat(o->path, &st) && S_ISCHR(st.st_mode));
}

int import_run(const struct import_opts *o, struct event_sink *sink)
{
	struct reading r = { .o = o };
	struct feed_opts fo = { .format = o->format, .arg = &r, .recognised = tell_format,
				.other = o->other_text ? tell_other : NULL };
	int err = -1;

	r.in = input_open(&(struct input_opts){ o->path, o->baud, o->follow });
	if (!r.in)
		return -1;
	fo.books = (struct books_opts){ .sink = sink, .name = input_name(r.in), .path = input_path(r.in),
					.elf = o->elf, .live = o->live || input_is_line(r.in) || o->follow,
					.releases = o->releases, .freed_volume = TRACE_FREED_VOLUME,
					.mark = o->mark };
	r.feed = import_feed_new(&fo);
	if (r.feed) {
		r.asked.books = import_feed_books(r.feed);
		r.asked.name = input_name(r.in);
		err = run(&r);
	}
	import_feed_free(r.feed);
	input_close(r.in);
	return err;
}
