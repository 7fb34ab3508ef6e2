/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The side of the server that the tracer's thread is on. */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/msg.h"
#include "base/xalloc.h"
#include "server-internal.h"
#include "worker.h"
#include "trace/requests.h"
#include "trace/trace.h"

enum { NETWORK_STACK = 1 << 18 };

void server_wake(struct server *sv)
{
	uint64_t one = 1;

	if (write(sv->wake, &one, sizeof one) < 0)
		msg_debug("eventfd: %s", strerror(errno)); /* it is full: it was woken */
}

bool server_has_client(const struct server *sv)
{
	for (unsigned i = 0; i < CLIENTS_MAX; i++)
		if (sv->client[i].live)
			return true;
	return false;
}

void server_bye(struct client *c)
{
	wire_encode_record(&c->encoder, WIRE_BYE, NULL, 0);
	c->live = false;
	c->bye = c->urgent = true;
}

/* Under the lock, which is let go meanwhile. */
static void wait_ms(struct server *sv, long ms)
{
	struct timespec until;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_nsec += ms % 1000 * 1000000;
	until.tv_sec += ms / 1000 + until.tv_nsec / 1000000000;
	until.tv_nsec %= 1000000000;
	pthread_cond_timedwait(&sv->change, &sv->lock, &until);
}

/* -- events ------------------------------------------------------------------------ */

static bool is_full(const struct client *c)
{
	return c->live && !c->behind && c->filling.n > QUEUE_MAX;
}

/* The tracer is held up by a client until that has taken something; one that does
 * not is cut off in the end, and who ends tracing does not wait for that. */
static void wait_for_room(struct server *sv)
{
	for (unsigned i = 0; i < CLIENTS_MAX; i++)
		while (is_full(&sv->client[i]) && !trace_asked_to_end())
			wait_ms(sv, 1000);
}

static bool tell(struct server *sv, struct client *c, const struct event *ev)
{
	size_t before = c->filling.n;

	if (!c->live || c->behind)
		return false;
	if (sv->o.when_full == FULL_DROP && is_full(c)) {
		c->behind = true;
		return true;
	}
	wire_encode(&c->encoder, ev);
	if (ev->type == EV_ROWS_WANTED) { /* somebody may wait for the answer */
		c->urgent = true;
		return true;
	}
	return !before || (before < SEND_AT && c->filling.n >= SEND_AT);
}

/* What can be told later need not fill the queue. */
static bool is_behind(const struct server *sv)
{
	for (unsigned i = 0; i < CLIENTS_MAX; i++)
		if (sv->client[i].live && !sv->client[i].behind && sv->client[i].filling.n > QUEUE_MAX / 2)
			return true;
	return false;
}

static int emit(struct event_sink *sink, const struct event *ev)
{
	struct server *sv = container_of(sink, struct server, sink);
	bool wake = false, hold;
	int next;

	pthread_mutex_lock(&sv->lock);
	if (sv->o.when_full == FULL_WAIT)
		wait_for_room(sv);
	state_sink(sv->state)->emit(state_sink(sv->state), ev);
	for (unsigned i = 0; i < CLIENTS_MAX; i++)
		wake |= tell(sv, &sv->client[i], ev);
	hold = ev->type == EV_BLOCK && is_behind(sv);
	pthread_mutex_unlock(&sv->lock);
	if (wake)
		server_wake(sv);
	next = sv->next ? sv->next->emit(sv->next, ev) : EMIT_GO;
	return hold ? EMIT_HOLD : next;
}

static int flush(struct event_sink *sink)
{
	struct server *sv = container_of(sink, struct server, sink);

	return sv->next ? sv->next->flush(sv->next) : 0;
}

/* -- requests ------------------------------------------------------------------------ */

struct waiting {
	struct server *sv;
	struct client *client; /* NULL: the server itself */
	uint64_t serial;       /* of the client, which may be another by now */
	uint8_t kind;
};

/* What the server asked for by itself. */
static void own_answer(uint8_t kind, const struct answer *a)
{
	if (a->error && a->error != ESRCH)
		msg_warn("no client is connected, and tracing goes on: %s", a->text ? a->text : "");
	else if (!a->error && kind == REQUEST_STOP)
		msg_info("no client is connected: nothing is observed until one is");
}

/* On the tracer's thread, or, when that is gone, on the network's. */
static void answered(void *arg, const struct answer *a)
{
	struct waiting *w = arg;
	struct server *sv = w->sv;

	if (!w->client)
		own_answer(w->kind, a);
	pthread_mutex_lock(&sv->lock);
	if (w->client && w->client->serial == w->serial && !w->client->bye) {
		wire_encode_answer(&w->client->encoder, a);
		w->client->asked--;
		w->client->urgent = true;
	}
	pthread_mutex_unlock(&sv->lock);
	server_wake(sv);
	free(w);
}

void server_ask(struct server *sv, struct client *c, const struct request *q)
{
	struct waiting *w = xcalloc(1, sizeof *w);

	w->sv = sv;
	w->client = c;
	w->serial = c ? c->serial : 0;
	w->kind = q->kind;
	trace_ask(q, answered, w);
}

/* -- begin and end --------------------------------------------------------------------- */

static void make_hello(struct server *sv)
{
	struct wire_encoder e = WIRE_ENCODER_INIT(&sv->hello);
	struct wire_hello hello = *sv->o.hello;

	hello.wall_us = clock_us(CLOCK_REALTIME);
	hello.clock_us = clock_us(CLOCK_MONOTONIC);
	hello.token = sv->o.token;
	wire_encode_hello(&e, &hello);
}

static void close_network(struct server *sv)
{
	while (sv->nfds)
		close(sv->fds[--sv->nfds]);
	if (sv->o.address->path)
		unlink(sv->o.address->path);
}

static void release(struct event_sink *sink)
{
	struct server *sv = container_of(sink, struct server, sink);

	pthread_mutex_lock(&sv->lock);
	sv->over = true;
	pthread_mutex_unlock(&sv->lock);
	server_wake(sv);
	pthread_join(sv->thread, NULL);
	close_network(sv);
	close(sv->wake);
	state_free(sv->state);
	strbuf_release(&sv->hello);
	pthread_cond_destroy(&sv->change);
	pthread_mutex_destroy(&sv->lock);
	free(sv->for_client);
	free(sv);
}

struct event_sink *server_new(const struct server_opts *opts, struct event_sink *next)
{
	struct server *sv = xcalloc(1, sizeof *sv);
	int err;

	sv->sink = (struct event_sink){ emit, flush, release };
	sv->next = next;
	sv->o = *opts;
	sv->nfds = address_listen(opts->address, sv->fds);
	if (sv->nfds < 0) {
		free(sv);
		return NULL;
	}
	sv->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (sv->wake < 0)
		die("eventfd: %s", strerror(errno));
	sv->for_client = address_for_client(opts->address);
	pthread_mutex_init(&sv->lock, NULL);
	worker_condition(&sv->change);
	make_hello(sv);
	sv->o.hello = NULL; /* the caller's */
	sv->state = state_new();
	server_say(sv, "%s -r %s%s%s", msg_program(), sv->for_client, opts->address->path ? "" : " -b ROOTFS",
		 opts->token ? " --token-file FILE" : "");
	err = worker_start(&sv->thread, NETWORK_STACK, server_network, sv);
	if (err)
		die("cannot start a thread for the network: %s", strerror(err));
	return &sv->sink;
}

static volatile sig_atomic_t ended_by;

static void on_signal(int sig)
{
	ended_by = sig;
}

int server_await(struct event_sink *sink)
{
	static const int signals[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT };
	struct server *sv = container_of(sink, struct server, sink);
	struct sigaction sa = { .sa_handler = on_signal }, old[ARRAY_SIZE(signals)];
	bool gone;

	for (size_t i = 0; i < ARRAY_SIZE(signals); i++) {
		sigaction(signals[i], NULL, &old[i]);
		if (old[i].sa_handler != SIG_IGN)
			sigaction(signals[i], &sa, NULL);
	}
	pthread_mutex_lock(&sv->lock);
	if (!server_has_client(sv))
		server_say(sv, "waiting for a client");
	while (!server_has_client(sv) && !ended_by && !(sv->o.private && sv->had_ready))
		wait_ms(sv, 200);
	gone = !server_has_client(sv);
	pthread_mutex_unlock(&sv->lock);
	for (size_t i = 0; i < ARRAY_SIZE(signals); i++)
		sigaction(signals[i], &old[i], NULL);
	return ended_by ? ended_by : gone ? -1 : 0;
}

/* Somebody takes what there is: then that is waited for. */
static bool somebody_leaves(const struct server *sv)
{
	for (unsigned i = 0; i < CLIENTS_MAX; i++)
		if (sv->client[i].bye)
			return true;
	return false;
}

void server_end(struct event_sink *sink, bool wait)
{
	struct server *sv = container_of(sink, struct server, sink);
	uint64_t slow = clock_ns() + SLOW_S * NS_PER_S;
	bool told = false, told_slow = false;

	pthread_mutex_lock(&sv->lock);
	sv->ended = true;
	for (unsigned i = 0; i < CLIENTS_MAX; i++)
		if (sv->client[i].live && !sv->client[i].behind)
			server_bye(&sv->client[i]);
	server_wake(sv);
	sv->fetched |= !wait;
	while ((!sv->fetched || somebody_leaves(sv)) && !trace_interrupted) {
		if (!told && !sv->fetched && !somebody_leaves(sv) && !server_has_client(sv)) {
			server_say(sv, "it is over, and no client was here to be told: %s -r %s fetches it; Ctrl-C "
				 "ends the waiting", msg_program(), sv->for_client);
			told = true;
		}
		if (somebody_leaves(sv) && !told_slow && clock_ns() > slow) {
			server_say(sv, "it is over; waiting for a client to take the rest; Ctrl-C ends that");
			told_slow = true;
		}
		wait_ms(sv, 200);
	}
	pthread_mutex_unlock(&sv->lock);
}
