/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the server does with time: signs of life, and an end with who gives none.  The
 * clock is made up; the server is a whole one, at a UNIX socket. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <linux/sockios.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/msg.h"
#include "made-up-clock.h"
#include "serve/server.h"

enum { PATIENCE_MS = 20000, CLOSED = -1, NOTHING = -2 };

struct fixture {
	char folder[32], path[48];
	struct address address;
	struct event_sink *server;
	FILE *messages;
};

struct peer {
	int fd;
	struct strbuf in;
};

static void begin(struct fixture *f, enum when_full when_full)
{
	struct wire_hello hello = { .tool = "test" };
	struct server_opts opts = { .address = &f->address, .when_full = when_full, .hello = &hello };

	f->messages = tmpfile();
	assert_non_null(f->messages);
	msg_set_fd(fileno(f->messages));
	seconds_ahead = 0;
	strcpy(f->folder, "/tmp/test-silence-XXXXXX");
	assert_non_null(mkdtemp(f->folder));
	snprintf(f->path, sizeof f->path, "%s/s", f->folder);
	assert_int_equal(address_parse(f->path, NULL, &f->address), 0);
	f->server = server_new(&opts, NULL);
	assert_non_null(f->server);
}

/* `said` is among the messages. */
static void end(struct fixture *f, const char *said)
{
	char line[200];
	bool found = false;

	f->server->free(f->server);
	rewind(f->messages);
	while (fgets(line, sizeof line, f->messages))
		found |= strstr(line, said) != NULL;
	assert_true(found);
	msg_set_fd(STDERR_FILENO);
	fclose(f->messages);
	address_release(&f->address);
	assert_int_equal(rmdir(f->folder), 0);
}

/* False: the server has closed. */
static bool try_say(struct peer *p, void (*what)(struct wire_encoder *e))
{
	struct strbuf out = STRBUF_INIT;
	struct wire_encoder e = WIRE_ENCODER_INIT(&out);
	bool said;

	what(&e);
	said = send(p->fd, out.s, out.n, MSG_NOSIGNAL) == (ssize_t)out.n;
	strbuf_release(&out);
	return said;
}

static void say(struct peer *p, void (*what)(struct wire_encoder *e))
{
	assert_true(try_say(p, what));
}

/* … and it was read. */
static void await_heard(const struct peer *p)
{
	int unread;

	while (!ioctl(p->fd, SIOCOUTQ, &unread) && unread)
		usleep(1000);
}

static void login(struct wire_encoder *e)
{
	wire_encode_login(e, &(struct wire_login){ .tool = "test" });
}

static void ping(struct wire_encoder *e)
{
	wire_encode_record(e, WIRE_PING, NULL, 0);
}

/* The type of the next record, CLOSED, or NOTHING within that time. */
static int hear(struct peer *p, int ms)
{
	for (;;) {
		struct pollfd fd = { p->fd, POLLIN, 0 };
		struct wire_record r;
		char bytes[4096];
		ssize_t n = wire_next(p->in.s, p->in.n, &r);

		assert_true(n >= 0);
		if (n) {
			memmove(p->in.s, p->in.s + n, p->in.n - (size_t)n);
			p->in.n -= (size_t)n;
			return r.type;
		}
		if (poll(&fd, 1, ms) <= 0)
			return NOTHING;
		n = recv(p->fd, bytes, sizeof bytes, 0);
		if (n <= 0)
			return CLOSED;
		strbuf_add(&p->in, bytes, (size_t)n);
	}
}

static struct peer connect_to(struct fixture *f)
{
	struct peer p = { address_connect(&f->address), STRBUF_INIT };

	assert_true(p.fd >= 0);
	say(&p, login);
	while (hear(&p, PATIENCE_MS) != WIRE_READY)
		;
	return p;
}

static void leave(struct peer *p)
{
	close(p->fd);
	strbuf_release(&p->in);
}

/* The last thing it was sent may have been sent a moment after the clock was put
 * forward. */
static void await_ping(struct peer *p)
{
	int heard = NOTHING;

	for (int tries = 0; tries < 2 && heard == NOTHING; tries++) {
		seconds_ahead += 15;
		heard = hear(p, 5000);
	}
	assert_int_equal(heard, WIRE_PING);
}

/* A quarter of a minute without anything to tell is filled with a sign of life; who
 * gives none for a minute is cut off, who does is not. */
static void test_silence(void **state)
{
	struct fixture f;
	struct peer silent, lively;
	int last;

	(void)state;
	begin(&f, FULL_WAIT);
	silent = connect_to(&f);
	lively = connect_to(&f);
	for (int quarter = 0; quarter < 4; quarter++) {
		await_ping(&lively);
		say(&lively, ping);
	}
	assert_int_equal(hear(&silent, PATIENCE_MS), WIRE_PING);
	while ((last = hear(&silent, PATIENCE_MS)) == WIRE_PING)
		;
	assert_int_equal(last, CLOSED);
	await_ping(&lively);
	leave(&silent);
	leave(&lively);
	end(&f, "says nothing: cut off");
}

/* Who says nothing at all has ten seconds. */
static void test_no_login(void **state)
{
	struct fixture f;
	struct peer p;

	(void)state;
	begin(&f, FULL_WAIT);
	p = (struct peer){ address_connect(&f.address), STRBUF_INIT };
	assert_int_equal(hear(&p, PATIENCE_MS), WIRE_HELLO);
	seconds_ahead += 10;
	assert_int_equal(hear(&p, PATIENCE_MS), CLOSED);
	leave(&p);
	end(&f, "does not log in: cut off");
}

/* Who talks, and takes nothing for a minute, is cut off too: the tracer may be waiting
 * for it. */
static void test_takes_nothing(void **state)
{
	struct fixture f;
	struct event note = { .type = EV_NOTE };
	struct peer p;
	char text[1000];

	(void)state;
	memset(text, 'x', sizeof text - 1);
	text[sizeof text - 1] = '\0';
	begin(&f, FULL_DROP);
	p = connect_to(&f);
	note.u.note.text = text;
	for (int i = 0; i < 20000; i++) /* more than the queue and the socket take */
		f.server->emit(f.server, &note);
	/* The minute begins when the server's thread has filled the socket, which can be
	 * long after this one has filled the queue. */
	for (int i = 0; i < 1000 && try_say(&p, ping); i++) {
		await_heard(&p);
		seconds_ahead += 13;
		usleep(10000);
	}
	while (hear(&p, PATIENCE_MS) != CLOSED)
		;
	leave(&p);
	end(&f, "takes nothing: cut off");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_silence),
		cmocka_unit_test(test_no_login),
		cmocka_unit_test(test_takes_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
