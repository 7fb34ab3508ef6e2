/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/msg.h"
#include "base/xalloc.h"
#include "reader.h"
#include "ui/client.h"
#include "ui/give-rows.h"
#include "ui/rest.h"

enum { PING_S = 15, POLL_MS = 1000 };

struct client {
	struct reader reader;
	char *peer;
	struct strbuf out;
	struct wire_encoder encoder;
	uint8_t *hello_body;
	struct wire_hello hello;
	struct wire_decoder hello_decoder; /* has the words of *hello */
	bool ready, lost;
	char *no_control;
	uint64_t sent_ns, heard_ns;
	uint32_t next_id, waiting; /* for the answer of that id; 0: none */
	bool answered;
	struct answer answer;
	struct strbuf answer_text, answer_data;
	struct giver *giver;   /* NULL: none */
	struct event_sink *rest; /* NULL: none */
	uint32_t given;        /* the id of its request that is under way */
	void (*restart)(void *arg);
	void *restart_arg;
};

/* -- the connection ------------------------------------------------------------------- */

static int lose(struct client *c, const char *why)
{
	if (!c->lost)
		msg_error("%s: %s", c->peer, why);
	c->lost = true;
	return -1;
}

/* Requests are short: the socket takes them, or its peer is dead. */
static int send_out(struct client *c)
{
	int err = write_all(c->reader.fd, c->out.s, c->out.n);

	strbuf_reset(&c->out);
	c->sent_ns = clock_ns();
	if (!err)
		return 0;
	return lose(c, err == -EPIPE || err == -ECONNRESET ? "the connection is lost" :
	      err == -EAGAIN ? "it does not take our requests any more" : strerror(-err));
}

static int keep_alive(struct client *c)
{
	uint64_t now = clock_ns();

	if (now - c->heard_ns > CLIENT_PATIENCE_S * NS_PER_S)
		return lose(c, "nothing was heard of it for a minute");
	if (now - c->sent_ns < PING_S * NS_PER_S)
		return 0;
	wire_encode_record(&c->encoder, WIRE_PING, NULL, 0);
	return send_out(c);
}

/* Waits at most that long for bytes: 1, 0, or -1 when it is lost. */
static int await(struct client *c, int ms)
{
	struct pollfd p = { c->reader.fd, POLLIN, 0 };
	int n = poll(&p, 1, ms), got;

	if (n <= 0)
		return n < 0 && errno != EINTR ? lose(c, strerror(errno)) : keep_alive(c);
	got = reader_fill(&c->reader);
	if (got == -EAGAIN)
		return 0;
	if (got <= 0)
		return lose(c, got ? strerror(-got) : "the connection is lost");
	c->heard_ns = clock_ns();
	return keep_alive(c) ? -1 : 1;
}

/* -- records --------------------------------------------------------------------------- */

static int refused(struct client *c, const struct wire_record *r)
{
	const char *why;

	if (wire_decode_text(r, &why) || !why)
		why = "it refuses us, and does not say why";
	return lose(c, why);
}

static int set_ready(struct client *c, const struct wire_record *r)
{
	const char *why;

	if (wire_decode_text(r, &why))
		return -EBADMSG;
	free(c->no_control);
	c->no_control = why ? xstrdup(why) : NULL;
	c->ready = true;
	return 0;
}

/* What the answer points to lives until the next. */
static int take_answer(struct client *c, const struct wire_record *r)
{
	struct answer a;

	if (wire_decode_answer(r, &a))
		return -EBADMSG;
	if (a.id == c->given) {
		c->given = 0;
		giver_answered(c->giver, &a);
		return 0;
	}
	if (a.id != c->waiting)
		return 0; /* its asker was interrupted */
	strbuf_reset(&c->answer_text);
	strbuf_reset(&c->answer_data);
	strbuf_adds(&c->answer_text, a.text ? a.text : "");
	strbuf_add(&c->answer_data, a.data, a.ndata);
	c->answer = a;
	c->answer.text = a.text ? c->answer_text.s : NULL;
	c->answer.data = (uint8_t *)c->answer_data.s;
	c->answered = true;
	return 0;
}

static int take_record(struct client *c, const struct wire_record *r)
{
	switch (r->type) {
	case WIRE_REFUSED:
		return refused(c, r);
	case WIRE_READY:
		return set_ready(c, r);
	case WIRE_ANSWER:
		return take_answer(c, r);
	default:
		return reader_take(&c->reader, r);
	}
}

static uint32_t new_id(struct client *c)
{
	return ++c->next_id ? c->next_id : ++c->next_id;
}

/* Rows that the server wants, while it is asked other things or not.  As send_out(). */
static int give_rows(struct client *c)
{
	struct request q;

	if (!c->giver || !c->ready || !giver_next(c->giver, &q))
		return 0;
	q.id = c->given = new_id(c);
	wire_encode_request(&c->encoder, &q);
	return send_out(c);
}

static void take_wanted(void *arg, const struct event *ev)
{
	struct client *c = arg;

	giver_take(c->giver, ev);
}

static void restart(void *arg)
{
	struct client *c = arg;

	if (c->giver)
		giver_forget(c->giver);
	if (c->rest)
		rest_sink_forget(c->rest);
	if (c->restart)
		c->restart(c->restart_arg);
}

/* All records that are there, or up to an answer.  As client_take(). */
static int take_all(struct client *c)
{
	struct wire_record r;
	int got = 0, err = 0;

	while (!err && !c->reader.ended && !(c->waiting && c->answered) &&
	       (got = reader_next(&c->reader, &r)) > 0)
		err = take_record(c, &r);
	if (c->lost)
		return -1;
	if (err || got < 0)
		return lose(c, err == -ENOSYS ? "what it sends is compressed, and we have no zstd" :
						"what it sends is damaged, or no protocol of ours");
	if (c->reader.ended)
		return 0;
	return give_rows(c) ? -1 : 1;
}

/* -- opening ------------------------------------------------------------------------------ */

/* 0, or -1 after a message. */
static int take_hello(struct client *c, bool have_token)
{
	struct wire_record r;
	int got, err;

	while (!(got = reader_next(&c->reader, &r)))
		if (await(c, POLL_MS) < 0)
			return -1;
	if (got < 0)
		return lose(c, "this is no server of ours");
	c->hello_body = xmemdup(r.body, MAX(r.len, (size_t)1));
	r.body = c->hello_body;
	err = wire_decode_hello(&c->hello_decoder, &r, &c->hello);
	if (err == -EPROTONOSUPPORT)
		return lose(c, "it speaks another version of the protocol: take the same version there");
	if (err)
		return lose(c, "this is no server of ours");
	if (c->hello.token && !have_token)
		return lose(c, "it wants a token: --token-file");
	return 0;
}

static int log_in(struct client *c, const struct client_opts *o)
{
	wire_encode_login(&c->encoder, &(struct wire_login){ .token = c->hello.token ? o->token : NULL,
							     .tool = PACKAGE_NAME " " PACKAGE_VERSION,
							     .control = o->control,
							     .rows = c->giver });
	if (send_out(c))
		return -1;
	while (!c->ready && !c->reader.ended) {
		if (take_all(c) < 0)
			return -1;
		if (!c->ready && !c->reader.ended && await(c, POLL_MS) < 0)
			return -1;
	}
	return 0;
}

struct client *client_open(const struct client_opts *o)
{
	struct client *c = xcalloc(1, sizeof *c);
	struct timeval patience = { CLIENT_PATIENCE_S, 0 };

	if (o->self)
		*o->self = c;
	c->reader.fd = o->fd;
	c->reader.sink = o->sink;
	c->peer = xstrdup(o->peer);
	c->encoder = (struct wire_encoder)WIRE_ENCODER_INIT(&c->out);
	c->restart = o->restart;
	c->restart_arg = o->arg;
	c->reader.restart = restart;
	c->reader.restart_arg = c;
	if (o->files) {
		c->rest = c->reader.sink = rest_sink_new(o->sink, o->heap, o->files);
		c->giver = giver_new(o->files);
		c->reader.wanted = take_wanted;
		c->reader.wanted_arg = c;
	}
	c->sent_ns = c->heard_ns = clock_ns();
	setsockopt(o->fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
	if (!take_hello(c, o->token) && !log_in(c, o))
		return c;
	if (o->self)
		*o->self = NULL;
	client_close(c);
	return NULL;
}

const struct wire_hello *client_hello(const struct client *c)
{
	return &c->hello;
}

const char *client_refused_control(const struct client *c)
{
	return c->no_control;
}

int client_fd(const struct client *c)
{
	return c->reader.fd;
}

int client_take(struct client *c)
{
	int r = take_all(c); /* what has come behind an answer: perhaps the end */

	if (r <= 0)
		return r;
	if (await(c, 0) < 0 && !reader_left(&c->reader))
		return -1;
	return take_all(c);
}

int client_tell(struct client *c, struct request *q)
{
	q->id = new_id(c);
	if (c->lost || c->reader.ended)
		return -1;
	wire_encode_request(&c->encoder, q);
	return send_out(c);
}

int client_ask(struct client *c, struct request *q, struct answer *a, volatile const int *stop)
{
	int err;

	c->answered = false;
	err = client_tell(c, q);
	c->waiting = q->id;
	while (!err && !c->answered) {
		err = take_all(c) > 0 ? 0 : -1;
		if (!err && !c->answered && stop && *stop)
			err = -EINTR;
		if (!err && !c->answered && await(c, POLL_MS) < 0)
			err = -1;
	}
	c->waiting = 0;
	if (err == -1 && !c->lost)
		msg_error("%s: tracing is over", c->peer);
	if (!err)
		*a = c->answer;
	return err;
}

void client_close(struct client *c)
{
	if (!c)
		return;
	close(c->reader.fd);
	reader_release(&c->reader);
	giver_free(c->giver);
	if (c->rest)
		c->rest->free(c->rest);
	wire_decoder_release(&c->hello_decoder);
	strbuf_release(&c->out);
	strbuf_release(&c->answer_text);
	strbuf_release(&c->answer_data);
	free(c->hello_body);
	free(c->no_control);
	free(c->peer);
	free(c);
}
