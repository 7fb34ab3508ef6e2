/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the console asks the tracer. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>

#include "base/clock.h"
#include "base/msg.h"
#include "console.h"

/* What is longer silent gives the connection up. */
enum { SIGN_OF_LIFE_MS = 5000 };

/* Either tracing is over or the connection is lost: what is known stays. */
static void lose(struct console *c, bool ended)
{
	c->client = NULL;
	if (ended)
		msg_info("tracing has ended; what is known can still be looked at");
}

int console_ask(struct console *c, struct request *q, struct answer *a)
{
	const char *refused;
	int err;

	if (!c->client)
		return c->o->client ? console_error(c, "tracing has ended: nobody is there to ask") :
				      console_error(c, "nothing is traced here: this is a log");
	refused = client_refused_control(c->client);
	if (refused)
		return console_error(c, "%s", refused);
	q->id = ++c->requests;
	err = client_ask(c->client, q, a, &console_interrupted);
	if (err == -EINTR)
		return console_error(c, "interrupted");
	if (err) {
		lose(c, false);
		return -1;
	}
	if (a->error)
		return console_error(c, "%s", a->text ? a->text : strerror(a->error));
	return 0;
}

/* What comes from a peer may hold what a terminal obeys: only its lines are kept. */
static void add_text(struct strbuf *out, const char *text)
{
	while (*text) {
		size_t n = strcspn(text, "\n"), at = out->n;

		strbuf_add(out, text, n);
		defuse_controls(out->s + at, n);
		strbuf_addc(out, '\n');
		text += n + (text[n] == '\n');
	}
}

int console_tell(struct console *c, enum request_kind kind, pid_t pid, uint64_t a)
{
	struct request q = { .kind = (uint8_t)kind, .pid = pid, .a = a };
	struct answer answer = { 0 };

	if (console_ask(c, &q, &answer))
		return -1;
	if (kind == REQUEST_START || kind == REQUEST_DETACH || kind == REQUEST_KILL)
		c->held = false;
	if (answer.text)
		add_text(&c->out, answer.text);
	return 0;
}

static void take_events(struct console *c)
{
	int r = client_take(c->client);

	if (r <= 0)
		lose(c, r == 0);
}

/* Ctrl-C counts when it comes just before the waiting, too. */
static int wait_interruptibly(struct pollfd *p, nfds_t n, int timeout_ms)
{
	struct timespec ts = { timeout_ms / 1000, timeout_ms % 1000 * 1000000L };
	sigset_t ours, old;
	int r = -1;

	sigemptyset(&ours);
	sigaddset(&ours, SIGINT);
	sigaddset(&ours, SIGTERM);
	sigaddset(&ours, SIGHUP);
	sigaddset(&ours, SIGCONT);
	sigaddset(&ours, SIGWINCH);
	sigprocmask(SIG_BLOCK, &ours, &old);
	if (!console_interrupted && !console_resumed && !console_resized)
		r = ppoll(p, n, timeout_ms < 0 ? NULL : &ts, &old);
	sigprocmask(SIG_SETMASK, &old, NULL);
	return r;
}

int console_wait(struct console *c, int fd, short events, int timeout_ms)
{
	for (;;) {
		struct pollfd p[2] = { { fd, events, 0 }, { -1, POLLIN, 0 } };
		int wait = timeout_ms, n;

		if (c->client) {
			p[1].fd = client_fd(c->client);
			wait = timeout_ms < 0 ? SIGN_OF_LIFE_MS : MIN(timeout_ms, (int)SIGN_OF_LIFE_MS);
		}
		n = wait_interruptibly(p, 2, wait);
		if (n < 0)
			return 0;
		if (c->client && (p[1].revents || !p[0].revents))
			take_events(c);
		if (p[0].revents)
			return 1;
		if (timeout_ms >= 0 && !n)
			return 0;
	}
}

void console_wait_end(struct console *c, unsigned long seconds)
{
	uint64_t end = seconds ? clock_ns() + seconds * NS_PER_S : UINT64_MAX, now;

	while (c->client && !console_interrupted && (now = clock_ns()) < end) {
		struct pollfd p = { client_fd(c->client), POLLIN, 0 };
		uint64_t ms = (end - now) / NS_PER_MS + 1;

		wait_interruptibly(&p, 1, (int)MIN(ms, (uint64_t)SIGN_OF_LIFE_MS));
		take_events(c);
	}
}

/* The request waits until it is there. */
int console_await_entry(struct console *c)
{
	struct pollfd p = { client_fd(c->client), POLLIN, 0 };
	struct request q = { .kind = REQUEST_INFO };
	struct answer a;
	int r;

	while ((r = client_take(c->client)) > 0 && !heap_nprocs(c->o->heap) && !console_interrupted)
		wait_interruptibly(&p, 1, SIGN_OF_LIFE_MS);
	c->held = r > 0;
	if (r > 0 && !console_interrupted && client_ask(c->client, &q, &a, &console_interrupted) == -1)
		lose(c, false);
	else if (r <= 0)
		lose(c, !r && heap_nprocs(c->o->heap));
	return heap_nprocs(c->o->heap) || console_interrupted ? 0 : -1;
}

int console_fetch_blocks(struct console *c, pid_t pid)
{
	int err;

	if (!c->client)
		return 0;
	blocks_begin(c->o->blocks, pid);
	err = console_tell(c, REQUEST_BLOCKS, pid, 0);
	if (!err)
		blocks_end(c->o->blocks, pid);
	return err;
}
