/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The queue of requests.  Whoever asks puts one in and starts a timer, whose
 * signal brings the tracer back from wait4(), again and again until the queue is
 * empty: one that comes right before wait4() sleeps would be lost. */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <time.h>

#include "base/msg.h"
#include "base/vec.h"
#include "trace/requests.h"

struct asked {
	struct request q;
	request_done *done;
	void *arg;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
/* Under the lock, but for `waiting`, which the tracer's loop looks at. */
static VEC(struct asked) queue;
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

void trace_ask(const struct request *q, request_done *done, void *arg)
{
	struct asked a = { *q, done, arg };
	bool taken;

	pthread_mutex_lock(&lock);
	taken = phase != OVER;
	if (taken)
		vec_push(&queue, a);
	if (phase == OPEN) {
		waiting = true;
		nag(true);
	}
	pthread_mutex_unlock(&lock);
	if (!taken)
		refuse(&a);
}

void requests_begin(void)
{
	struct sigevent ev = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGALRM };

	if (timer_create(CLOCK_MONOTONIC, &ev, &nagger))
		die("timer_create: %s", strerror(errno));
	pthread_mutex_lock(&lock);
	phase = OPEN;
	waiting = queue.n > 0;
	nag(waiting);
	pthread_mutex_unlock(&lock);
}

bool requests_waiting(void)
{
	return waiting;
}

/* The oldest one; false: there is none. */
static bool first(struct asked *a)
{
	bool any;

	pthread_mutex_lock(&lock);
	any = queue.n > 0;
	if (any) {
		*a = queue.v[0];
	} else {
		waiting = false;
		nag(false);
	}
	pthread_mutex_unlock(&lock);
	return any;
}

void requests_carry_out(request_serve *serve, void *arg)
{
	static bool again; /* the first one was begun */
	struct asked a;

	while (first(&a)) {
		again = serve(arg, &a.q, again, a.done, a.arg);
		if (again)
			return;
		pthread_mutex_lock(&lock);
		vec_remove(&queue, 0);
		pthread_mutex_unlock(&lock);
	}
}

void requests_end(void)
{
	struct asked a;

	pthread_mutex_lock(&lock);
	if (phase == OPEN)
		timer_delete(nagger);
	phase = OVER;
	waiting = false;
	while (queue.n) {
		a = queue.v[0];
		vec_remove(&queue, 0);
		pthread_mutex_unlock(&lock);
		refuse(&a);
		pthread_mutex_lock(&lock);
	}
	vec_release(&queue);
	pthread_mutex_unlock(&lock);
}
