/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The queues of requests.  Whoever asks puts one in and starts a timer, whose
 * signal brings the tracer back from wait4(), again and again until they are
 * empty: one that comes right before wait4() sleeps would be lost.  Rows have a queue of
 * their own, because others may have to wait for them. */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <time.h>

#include "base/msg.h"
#include "base/vec.h"
#include "base/xalloc.h"
#include "trace/requests.h"

struct asked {
	struct request q;
	request_done *done;
	void *arg;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
/* Under the lock, but for `waiting`, which the tracer's loop looks at. */
static struct queue { VEC(struct asked) v; } rows, others;
static enum { NOT_YET, OPEN, OVER } phase;
static timer_t nagger;
static atomic_bool waiting;

static void nag(bool on)
{
	struct itimerspec every = { { 0, on ? 20000000 : 0 }, { 0, on ? 1 : 0 } };

	timer_settime(nagger, 0, &every, NULL);
}

static void refuse(const struct asked *a)
{
	struct answer answer = { .id = a->q.id, .error = ESRCH, .text = "nothing is being traced" };

	a->done(a->arg, &answer);
}

static struct asked copy_of(const struct request *q, request_done *done, void *arg)
{
	struct asked a = { *q, done, arg };

	a.q.data = q->ndata ? xmemdup(q->data, q->ndata) : NULL;
	return a;
}

static void release(const struct asked *a)
{
	free((void *)(uintptr_t)a->q.data);
}

void trace_ask(const struct request *q, request_done *done, void *arg)
{
	struct asked a = copy_of(q, done, arg);
	struct queue *queue = q->kind == REQUEST_ROWS ? &rows : &others;
	bool taken;

	pthread_mutex_lock(&lock);
	taken = phase != OVER;
	if (taken)
		vec_push(&queue->v, a);
	if (phase == OPEN) {
		waiting = true;
		nag(true);
	}
	pthread_mutex_unlock(&lock);
	if (taken)
		return;
	refuse(&a);
	release(&a);
}

void requests_begin(void)
{
	struct sigevent ev = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGALRM };

	if (timer_create(CLOCK_MONOTONIC, &ev, &nagger))
		die("timer_create: %s", strerror(errno));
	pthread_mutex_lock(&lock);
	phase = OPEN;
	waiting = rows.v.n || others.v.n;
	nag(waiting);
	pthread_mutex_unlock(&lock);
}

bool requests_waiting(void)
{
	return waiting;
}

/* The oldest one of a queue; false: there is none. */
static bool first(const struct queue *queue, struct asked *a)
{
	bool any;

	pthread_mutex_lock(&lock);
	any = queue->v.n > 0;
	if (any)
		*a = queue->v.v[0];
	if (!rows.v.n && !others.v.n && phase == OPEN) {
		waiting = false;
		nag(false);
	}
	pthread_mutex_unlock(&lock);
	return any;
}

static void drop(struct queue *queue, const struct asked *a)
{
	pthread_mutex_lock(&lock);
	vec_remove(&queue->v, 0);
	pthread_mutex_unlock(&lock);
	release(a);
}

static void serve_rows(request_serve *serve, void *arg)
{
	struct asked a;

	while (first(&rows, &a)) {
		serve(arg, &a.q, false, a.done, a.arg);
		drop(&rows, &a);
	}
}

void requests_carry_out(request_serve *serve, void *arg)
{
	static bool again; /* the first of the others was begun */
	struct asked a;

	serve_rows(serve, arg);
	while (first(&others, &a)) {
		again = serve(arg, &a.q, again, a.done, a.arg);
		if (again)
			return;
		drop(&others, &a);
	}
}

static void refuse_all(struct queue *queue)
{
	struct asked a;

	while (first(queue, &a)) {
		drop(queue, &a);
		refuse(&a);
	}
	vec_release(&queue->v);
}

void requests_end(void)
{
	pthread_mutex_lock(&lock);
	if (phase == OPEN)
		timer_delete(nagger);
	phase = OVER;
	pthread_mutex_unlock(&lock);
	refuse_all(&rows);
	refuse_all(&others);
	waiting = false;
}
