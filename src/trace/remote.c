/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/xalloc.h"
#include "trace/remote.h"

/*   ask ──► slot[asked % 2] ──► thread fills ──► get ◄── slot[taken % 2]
 *
 * What the thread and we share; freed by the last of the two, since a thread
 * that hangs may come back after we have gone on. */
struct shared {
	pthread_mutex_t lock;
	pthread_cond_t asked_one, filled_one;
	pid_t tid;
	int fd;
	struct slot {
		struct remote_batch batch;
		uint8_t *bytes;
	} slot[2];
	unsigned asked, filled, taken;
	bool end;
	unsigned users;
};

struct remote {
	struct shared *sh;
	unsigned limit_ms;
	pid_t tid;
	int fd;
	struct remote_batch lost; /* what remote_get tells of a batch that hangs */
};

bool remote_batch_add(struct remote_batch *b, taddr_t addr, size_t len)
{
	if (b->n == REMOTE_PIECES || b->total + len > REMOTE_BYTES)
		return false;
	b->piece[b->n++] = (struct remote_piece){ .addr = addr, .len = len };
	b->total += len;
	return true;
}

/* Unlocks. */
static void shared_drop(struct shared *sh)
{
	bool last = --sh->users == 0;

	pthread_mutex_unlock(&sh->lock);
	if (!last)
		return;
	munmap(sh->slot[0].bytes, 2 * REMOTE_BYTES);
	if (sh->fd >= 0)
		close(sh->fd);
	pthread_cond_destroy(&sh->asked_one);
	pthread_cond_destroy(&sh->filled_one);
	pthread_mutex_destroy(&sh->lock);
	free(sh);
}

/* -- the thread -------------------------------------------------------------------- */

/* A leader that has exited has no memory any more, the descriptor has. */
static ssize_t read_one(const struct shared *sh, const struct remote_piece *p)
{
	struct iovec here = { (void *)(uintptr_t)p->bytes, p->len };
	struct iovec there = { (void *)(uintptr_t)p->addr, p->len };
	ssize_t n = process_vm_readv(sh->tid, &here, 1, &there, 1, 0);

	if (n < 0 && sh->fd >= 0)
		n = pread(sh->fd, here.iov_base, p->len, (off_t)p->addr);
	return n < 0 ? -errno : n;
}

/* All from piece `first` on in one call; it ends early at a piece that cannot be
 * read.  Returns the first piece that is not done. */
static unsigned read_many(const struct shared *sh, struct remote_batch *b, unsigned first)
{
	struct iovec here[REMOTE_PIECES], there[REMOTE_PIECES];
	unsigned n = b->n - first;
	ssize_t got;

	for (unsigned i = 0; i < n; i++) {
		struct remote_piece *p = &b->piece[first + i];

		here[i] = (struct iovec){ (void *)(uintptr_t)p->bytes, p->len };
		there[i] = (struct iovec){ (void *)(uintptr_t)p->addr, p->len };
	}
	got = process_vm_readv(sh->tid, here, n, there, n, 0);
	for (; first < b->n && got >= (ssize_t)b->piece[first].len; first++) {
		b->piece[first].got = (ssize_t)b->piece[first].len;
		got -= b->piece[first].got;
	}
	if (first < b->n) {
		b->piece[first].got = read_one(sh, &b->piece[first]);
		first++;
	}
	return first;
}

static void fill(const struct shared *sh, struct slot *s)
{
	const uint8_t *at = s->bytes;

	for (unsigned i = 0; i < s->batch.n; i++) {
		s->batch.piece[i].bytes = at;
		at += s->batch.piece[i].len;
	}
	for (unsigned i = 0; i < s->batch.n;)
		i = read_many(sh, &s->batch, i);
}

static void *work(void *arg)
{
	struct shared *sh = arg;

	pthread_mutex_lock(&sh->lock);
	for (;;) {
		while (sh->asked == sh->filled && !sh->end)
			pthread_cond_wait(&sh->asked_one, &sh->lock);
		if (sh->end)
			break;
		pthread_mutex_unlock(&sh->lock);
		fill(sh, &sh->slot[sh->filled % 2]);
		pthread_mutex_lock(&sh->lock);
		sh->filled++;
		pthread_cond_signal(&sh->filled_one);
	}
	shared_drop(sh);
	return NULL;
}

/* The thread takes no signals: handlers are the tracing thread's. */
static int start_thread(struct shared *sh)
{
	pthread_attr_t attr;
	sigset_t all, old;
	pthread_t thread;
	int err;

	sigfillset(&all);
	pthread_attr_init(&attr);
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	pthread_attr_setstacksize(&attr, 131072);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	err = pthread_create(&thread, &attr, work, sh);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	pthread_attr_destroy(&attr);
	return err;
}

/* -- our side ------------------------------------------------------------------------ */

static struct shared *shared_new(pid_t tid, int fd)
{
	struct shared *sh = xcalloc(1, sizeof *sh);
	void *p = mmap(NULL, 2 * REMOTE_BYTES, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	pthread_condattr_t attr;

	if (p == MAP_FAILED) {
		free(sh);
		return NULL;
	}
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_mutex_init(&sh->lock, NULL);
	pthread_cond_init(&sh->asked_one, NULL);
	pthread_cond_init(&sh->filled_one, &attr);
	pthread_condattr_destroy(&attr);
	sh->tid = tid;
	sh->fd = fd >= 0 ? dup(fd) : -1;
	sh->slot[0].bytes = p;
	sh->slot[1].bytes = (uint8_t *)p + REMOTE_BYTES;
	sh->users = 2;
	if (!start_thread(sh))
		return sh;
	sh->users = 1;
	pthread_mutex_lock(&sh->lock);
	shared_drop(sh);
	return NULL;
}

struct remote *remote_new(pid_t tid, int fd, unsigned limit_ms)
{
	struct remote *r = xcalloc(1, sizeof *r);

	r->sh = shared_new(tid, fd);
	r->limit_ms = limit_ms;
	r->tid = tid;
	r->fd = fd;
	if (r->sh)
		return r;
	free(r);
	return NULL;
}

static void leave(struct shared *sh)
{
	pthread_mutex_lock(&sh->lock);
	sh->end = true;
	pthread_cond_signal(&sh->asked_one);
	shared_drop(sh);
}

void remote_free(struct remote *r)
{
	if (!r)
		return;
	if (r->sh)
		leave(r->sh);
	free(r);
}

void remote_ask(struct remote *r, const struct remote_batch *b)
{
	struct shared *sh = r->sh;

	if (!sh)
		return;
	pthread_mutex_lock(&sh->lock);
	sh->slot[sh->asked % 2].batch = *b;
	sh->asked++;
	pthread_cond_signal(&sh->asked_one);
	pthread_mutex_unlock(&sh->lock);
}

/* The batch that hangs keeps its thread and buffers; the other one that was
 * asked for is asked for again. */
static void begin_anew(struct remote *r)
{
	struct shared *old = r->sh;
	bool again = old->asked - old->taken > 1;
	struct remote_batch next = old->slot[(old->taken + 1) % 2].batch;

	r->lost = old->slot[old->taken % 2].batch;
	for (unsigned i = 0; i < r->lost.n; i++)
		r->lost.piece[i].got = -ETIMEDOUT;
	r->sh = NULL;
	pthread_mutex_unlock(&old->lock);
	leave(old);
	r->sh = shared_new(r->tid, r->fd);
	if (again)
		remote_ask(r, &next);
}

int remote_get(struct remote *r, const struct remote_batch **out)
{
	struct timespec until = clock_timespec(clock_ns() + r->limit_ms * NS_PER_MS);
	struct shared *sh = r->sh;
	int err = 0;

	if (!sh)
		return -ENOMEM;
	pthread_mutex_lock(&sh->lock);
	while (sh->filled == sh->taken && err != ETIMEDOUT)
		err = pthread_cond_timedwait(&sh->filled_one, &sh->lock, &until);
	if (sh->filled == sh->taken) {
		begin_anew(r);
		*out = &r->lost;
		return -ETIMEDOUT;
	}
	*out = &sh->slot[sh->taken % 2].batch;
	sh->taken++;
	pthread_mutex_unlock(&sh->lock);
	return 0;
}
