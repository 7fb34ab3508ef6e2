/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The network thread: one poll(2) for all sockets, none of which blocks. */
#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/msg.h"
#include "server-internal.h"
#include "serve/token.h"

enum { SENDS = 16 };

static bool is_past(uint64_t since_ns, unsigned seconds)
{
	return clock_ns() - since_ns >= seconds * NS_PER_S;
}

/* -- clients come and go -------------------------------------------------------------- */

static void name_client(struct client *c, const struct sockaddr *sa, socklen_t len)
{
	char host[64], port[8];

	if (sa->sa_family == AF_UNIX ||
	    getnameinfo(sa, len, host, sizeof host, port, sizeof port, NI_NUMERICHOST | NI_NUMERICSERV))
		snprintf(c->name, sizeof c->name, "a client");
	else
		snprintf(c->name, sizeof c->name, "%s port %s", host, port);
}

/* TCP finds out itself how much is worth being on its way. */
static void bound_buffer(int fd, const struct sockaddr *sa)
{
	int size = QUEUE_MAX;

	if (sa->sa_family == AF_UNIX)
		setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
}

static void begin_client(struct server *sv, struct client *c, int fd)
{
	address_tune(fd);
	c->fd = fd;
	c->since_ns = c->heard_ns = c->sent_ns = c->taken_ns = clock_ns();
	c->shut = c->control = c->told_late = false;
	c->sent = 0;
	pthread_mutex_lock(&sv->lock);
	c->serial = ++sv->serial;
	c->encoder = (struct wire_encoder)WIRE_ENCODER_INIT(&c->filling);
	strbuf_add(&c->filling, sv->hello.s, sv->hello.n);
	c->live = c->behind = c->bye = false;
	c->urgent = true;
	c->asked = 0;
	c->state = CLIENT_NEW;
	pthread_mutex_unlock(&sv->lock);
}

static struct client *free_place(struct server *sv)
{
	for (unsigned i = 0; i < CLIENTS_MAX; i++)
		if (sv->client[i].state == CLIENT_FREE)
			return &sv->client[i];
	return NULL;
}

static const char too_many[] = "two clients are connected already";

/* One too many hears why, when its socket has room for that. */
static void turn_away(const struct server *sv, int fd)
{
	struct strbuf sb = STRBUF_INIT;
	struct wire_encoder e = WIRE_ENCODER_INIT(&sb);

	strbuf_add(&sb, sv->hello.s, sv->hello.n);
	wire_encode_text(&e, WIRE_REFUSED, too_many);
	if (send(fd, sb.s, sb.n, MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
		msg_debug("turned away: %s", strerror(errno));
	strbuf_release(&sb);
	close(fd);
}

static void accept_one(struct server *sv, int listener)
{
	struct sockaddr_storage ss = { .ss_family = AF_UNIX };
	socklen_t len = sizeof ss;
	int fd = accept4(listener, (struct sockaddr *)&ss, &len, SOCK_CLOEXEC | SOCK_NONBLOCK);
	struct client *c = free_place(sv);

	if (fd < 0) {
		if (errno == EMFILE || errno == ENFILE) /* it stays in the backlog: no busy loop */
			poll(NULL, 0, 100);
		return;
	}
	if (!c) {
		turn_away(sv, fd);
		return;
	}
	name_client(c, (struct sockaddr *)&ss, len);
	bound_buffer(fd, (struct sockaddr *)&ss);
	begin_client(sv, c, fd);
}

static void ask_all(struct server *sv, uint8_t kind, uint64_t a)
{
	server_ask(sv, NULL, &(struct request){ .kind = kind, .a = a });
}

/* The last one that was ready went away. */
static void lost(struct server *sv)
{
	switch (sv->o.on_disconnect) {
	case DISCONNECT_GO_ON:
		server_say(sv, "no client is connected; tracing goes on");
		break;
	case DISCONNECT_STOP:
		sv->stopped = true;
		ask_all(sv, REQUEST_STOP, 0);
		break;
	case DISCONNECT_DETACH:
		server_say(sv, "no client is connected: the program is let go");
		ask_all(sv, REQUEST_DETACH, REQUEST_DETACH_ABANDON);
		break;
	}
}

/* Of several that could, one: parts of a module's rows come in order.  False: none can. */
static bool choose_giver(struct server *sv)
{
	for (unsigned i = 0; i < CLIENTS_MAX; i++)
		if (sv->client[i].gives)
			return true;
	for (unsigned i = 0; i < CLIENTS_MAX; i++)
		if (sv->client[i].state == CLIENT_READY && sv->client[i].rows)
			return sv->client[i].gives = true;
	return false;
}

/* Under the lock: the one that gave rows has left; another one has forgotten what was
 * wanted when it was refused. */
static void replace_giver(struct server *sv)
{
	if (!choose_giver(sv))
		return;
	for (unsigned i = 0; i < CLIENTS_MAX; i++) {
		struct client *c = &sv->client[i];

		if (!c->gives || !c->live || c->behind) /* the state tells the latter */
			continue;
		state_tell_wanted(sv->state, &c->encoder);
		c->urgent = true;
	}
}

/* `why` NULL: it has left as one may. */
static void end_client(struct server *sv, struct client *c, const char *why)
{
	bool was_ready = c->state == CLIENT_READY, gave = c->gives, last;

	if (why)
		msg_warn("%s %s: cut off", c->name, why);
	close(c->fd);
	peer_release(&c->peer);
	strbuf_release(&c->leaving);
	pthread_mutex_lock(&sv->lock);
	c->state = CLIENT_FREE;
	c->live = c->bye = c->control = c->rows = c->gives = false;
	if (gave)
		replace_giver(sv);
	c->serial = 0;
	strbuf_release(&c->filling);
	last = was_ready && !server_has_client(sv) && !sv->ended;
	pthread_cond_broadcast(&sv->change);
	pthread_mutex_unlock(&sv->lock);
	if (last)
		lost(sv);
}

/* -- what they say ------------------------------------------------------------------------- */

static bool has_control(const struct server *sv)
{
	for (unsigned i = 0; i < CLIENTS_MAX; i++)
		if (sv->client[i].control)
			return true;
	return false;
}

/* The state, from its beginning, under the lock. */
static void tell_state(struct server *sv, struct client *c, const char *text)
{
	wire_encode_record(&c->encoder, WIRE_STATE, NULL, 0);
	state_tell(sv->state, &c->filling);
	wire_encode_text(&c->encoder, WIRE_READY, text);
	c->behind = false;
	c->live = c->urgent = true;
	if (sv->ended)
		server_bye(c);
	pthread_cond_broadcast(&sv->change);
}

static void refuse(struct server *sv, struct client *c, const char *why)
{
	msg_warn("%s is refused: %s", c->name, why);
	pthread_mutex_lock(&sv->lock);
	wire_encode_text(&c->encoder, WIRE_REFUSED, why);
	c->urgent = true;
	c->state = CLIENT_LEAVING;
	pthread_mutex_unlock(&sv->lock);
}

static bool has_room(const struct server *sv)
{
	unsigned n = 0;

	for (unsigned i = 0; i < CLIENTS_MAX; i++)
		n += sv->client[i].state == CLIENT_READY;
	return n < READY_MAX;
}

static void log_in(struct server *sv, struct client *c)
{
	const struct wire_login *l = &c->peer.login;
	const char *text = NULL;
	uint64_t rows;
	bool start = false;

	if (sv->o.token && !token_equal(sv->o.token, l->token)) {
		refuse(sv, c, l->token ? "its token is wrong" : "it has no token");
		return;
	}
	if (!has_room(sv)) {
		refuse(sv, c, too_many);
		return;
	}
	if (l->control && has_control(sv))
		text = "another client is in control";
	c->control = l->control && !text;
	if (!l->control)
		text = "control was not asked for";
	pthread_mutex_lock(&sv->lock);
	c->state = CLIENT_READY;
	c->rows = l->rows;
	rows = choose_giver(sv) ? REQUEST_START_ROWS : 0;
	tell_state(sv, c, text);
	sv->had_ready = true;
	start = (sv->stopped || (sv->o.wait && !sv->began)) && !sv->ended;
	sv->stopped = false;
	sv->began = true;
	pthread_mutex_unlock(&sv->lock);
	server_say(sv, "%s is connected%s", c->name, c->control ? ", and in control" : "");
	if (start)
		ask_all(sv, REQUEST_START, rows);
}

static void take_request(struct server *sv, struct client *c)
{
	const struct request *q = &c->peer.request;
	bool may = c->control || (c->gives && q->kind == REQUEST_ROWS);
	struct answer no = { .id = q->id, .error = EPERM,
			     .text = q->kind == REQUEST_ROWS ? "another client gives rows" :
			     "another client is in control, or control was not asked for" };

	pthread_mutex_lock(&sv->lock);
	if (may)
		c->asked++;
	else
		wire_encode_answer(&c->encoder, &no);
	c->urgent = true;
	pthread_mutex_unlock(&sv->lock);
	if (may)
		server_ask(sv, c, q);
}

/* False: it was cut off. */
static bool listen_to(struct server *sv, struct client *c)
{
	for (;;) {
		switch (peer_next(&c->peer)) {
		case PEER_MORE:
			return true;
		case PEER_LOGIN:
			log_in(sv, c);
			break;
		case PEER_ASKS:
			if (c->state == CLIENT_READY)
				take_request(sv, c);
			break;
		case PEER_PINGS:
			break;
		case PEER_WRONG:
			end_client(sv, c, c->peer.why);
			return false;
		}
	}
}

/* It has closed, or the connection broke. */
static void gone(struct server *sv, struct client *c, int err)
{
	if (c->shut && !err && c->bye) {
		pthread_mutex_lock(&sv->lock);
		sv->fetched = true;
		pthread_mutex_unlock(&sv->lock);
	}
	if (c->state == CLIENT_READY && !c->bye)
		server_say(sv, "%s has left%s%s", c->name, err ? ": " : "", err ? strerror(err) : "");
	end_client(sv, c, NULL);
}

static void take_in(struct server *sv, struct client *c)
{
	char bytes[PEER_BUFFER];
	size_t room = c->state == CLIENT_LEAVING || c->bye ? sizeof bytes : peer_room(&c->peer);
	ssize_t n = recv(c->fd, bytes, MIN(room, sizeof bytes), MSG_DONTWAIT);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		gone(sv, c, n ? errno : 0);
		return;
	}
	c->heard_ns = clock_ns();
	if (c->state == CLIENT_LEAVING || c->bye)
		return; /* nothing counts any more */
	peer_feed(&c->peer, bytes, (size_t)n);
	listen_to(sv, c);
}

/* -- what they are told ------------------------------------------------------------------------ */

/* The next piece to send, when it is time for one. */
static void refill(struct server *sv, struct client *c)
{
	struct strbuf full;
	bool late;

	if (c->sent < c->leaving.n)
		return;
	strbuf_reset(&c->leaving);
	c->sent = 0;
	pthread_mutex_lock(&sv->lock);
	late = c->behind && !c->filling.n;
	if (late)
		tell_state(sv, c, c->control ? NULL : "control is not this client's");
	if (is_past(c->sent_ns, PING_S) && !c->filling.n && c->state == CLIENT_READY && !c->bye) {
		wire_encode_record(&c->encoder, WIRE_PING, NULL, 0);
		c->urgent = true;
	}
	if (c->filling.n && (c->urgent || c->behind || c->filling.n >= SEND_AT ||
			     clock_ns() - c->sent_ns >= SEND_MS * NS_PER_MS)) {
		wire_close(&c->encoder);
		full = c->filling;
		c->filling = c->leaving;
		c->leaving = full;
		c->urgent = false;
		c->taken_ns = clock_ns();
		pthread_cond_broadcast(&sv->change);
	}
	pthread_mutex_unlock(&sv->lock);
	if (late && !c->told_late)
		server_say(sv, "%s is too slow: events were left out, it is told the figures instead", c->name);
	c->told_late |= late;
}

/* All of it is on its way: it closes first, so that nothing is lost. */
static void shut(struct client *c)
{
	if (c->shut || c->sent < c->leaving.n || c->filling.n)
		return;
	shutdown(c->fd, SHUT_WR);
	c->shut = true;
	c->since_ns = clock_ns();
}

/* False: the connection is broken. */
static bool send_out(struct server *sv, struct client *c)
{
	ssize_t n;

	for (int i = 0; i < SENDS; i++) { /* others want their turn */
		refill(sv, c);
		if (c->sent == c->leaving.n)
			break;
		n = send(c->fd, c->leaving.s + c->sent, c->leaving.n - c->sent, MSG_NOSIGNAL | MSG_DONTWAIT);
		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			return true;
		if (n < 0) {
			gone(sv, c, errno);
			return false;
		}
		c->sent += (size_t)n;
		c->sent_ns = c->taken_ns = clock_ns();
	}
	if (c->state == CLIENT_LEAVING || c->bye)
		shut(c);
	return true;
}

/* -- time -------------------------------------------------------------------------------------- */

static void check_time(struct server *sv, struct client *c)
{
	if (c->asked >= ASKED_MAX)
		c->heard_ns = clock_ns(); /* it is not listened to just now */
	if (c->shut && is_past(c->since_ns, LEAVE_S))
		gone(sv, c, 0); /* it has had everything, and does not close */
	else if (c->shut)
		return;
	else if (c->state == CLIENT_NEW && is_past(c->since_ns, LOGIN_S))
		end_client(sv, c, "does not log in");
	else if (c->sent < c->leaving.n && is_past(c->taken_ns, DEAD_S))
		end_client(sv, c, "takes nothing");
	else if (is_past(c->heard_ns, DEAD_S))
		end_client(sv, c, "says nothing");
}

static int time_to_wait(const struct server *sv)
{
	int ms = -1;

	for (unsigned i = 0; i < CLIENTS_MAX; i++) {
		const struct client *c = &sv->client[i];

		if (c->state == CLIENT_FREE)
			continue;
		/* What is queued waits a moment for more. */
		if (c->filling.n && c->sent == c->leaving.n)
			ms = c->urgent || c->filling.n >= SEND_AT ? 0 : SEND_MS;
		else if (ms < 0)
			ms = 1000;
		if (!ms)
			return 0;
	}
	return ms;
}

/* -- all ------------------------------------------------------------------------------------------ */

static short wanted(struct client *c)
{
	bool hears = c->asked < ASKED_MAX;

	return (short)((hears ? POLLIN : 0) | (c->sent < c->leaving.n ? POLLOUT : 0));
}

static bool is_over(struct server *sv)
{
	bool over;

	pthread_mutex_lock(&sv->lock);
	over = sv->over;
	pthread_mutex_unlock(&sv->lock);
	return over;
}

static void look_at(struct server *sv, struct client *c, short events)
{
	if (events & (POLLIN | POLLHUP | POLLERR))
		take_in(sv, c);
	if (c->state != CLIENT_FREE && send_out(sv, c) && c->state != CLIENT_FREE)
		check_time(sv, c);
}

static int ask_poll(struct server *sv, struct pollfd *p)
{
	int timeout;

	pthread_mutex_lock(&sv->lock);
	for (unsigned i = 0; i < CLIENTS_MAX; i++) {
		struct client *c = &sv->client[i];

		p[i] = (struct pollfd){ c->state == CLIENT_FREE ? -1 : c->fd, wanted(c), 0 };
	}
	timeout = time_to_wait(sv);
	pthread_mutex_unlock(&sv->lock);
	p[CLIENTS_MAX] = (struct pollfd){ sv->wake, POLLIN, 0 };
	for (int i = 0; i < sv->nfds; i++)
		p[CLIENTS_MAX + 1 + i] = (struct pollfd){ sv->fds[i], POLLIN, 0 };
	return poll(p, (nfds_t)(CLIENTS_MAX + 1 + sv->nfds), timeout);
}

void *server_network(void *arg)
{
	struct pollfd p[CLIENTS_MAX + 1 + ADDRESS_FDS];
	struct server *sv = arg;
	uint64_t woken;

	while (!is_over(sv)) {
		if (ask_poll(sv, p) < 0)
			continue;
		if (p[CLIENTS_MAX].revents && read(sv->wake, &woken, sizeof woken) < 0)
			msg_debug("eventfd: %s", strerror(errno));
		for (unsigned i = 0; i < CLIENTS_MAX; i++)
			if (p[i].fd >= 0)
				look_at(sv, &sv->client[i], p[i].revents);
		for (int i = 0; i < sv->nfds; i++)
			if (p[CLIENTS_MAX + 1 + i].revents)
				accept_one(sv, sv->fds[i]);
		for (unsigned i = 0; i < CLIENTS_MAX; i++)
			if (sv->client[i].state != CLIENT_FREE && p[i].fd < 0)
				look_at(sv, &sv->client[i], 0);
	}
	for (unsigned i = 0; i < CLIENTS_MAX; i++)
		if (sv->client[i].state != CLIENT_FREE)
			end_client(sv, &sv->client[i], NULL);
	return NULL;
}
