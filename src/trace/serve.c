/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What each request does, on the tracer's thread, between two stops. */
#include <errno.h>
#include <signal.h>
#include <string.h>

#include "base/clock.h"
#include "base/msg.h"
#include "base/strbuf.h"
#include "trace/census.h"
#include "trace/entry.h"
#include "trace/heaps.h"
#include "trace/marks.h"
#include "trace/pause.h"
#include "trace/recorder.h"
#include "trace/rows.h"
#include "trace/scan.h"
#include "trace/serve.h"
#include "trace/tracer.h"

#define PAGE 4096u
/* After so long `start` is obeyed wherever the program is. */
#define ON_THE_WAY_NS (60 * NS_PER_S)

struct serving {
	struct session *s;
	const struct request *q;
	bool again;            /* the request was begun before */
	struct answer a;
	struct strbuf text;
};

/* One kind of request. */
struct serve_kind {
	/* For each process that is meant, in which breakpoints can be.  0, or -errno
	 * and a text; -EAGAIN: begin again a little later. */
	int (*one)(struct serving *sv, struct proc *p);
	/* Instead, for the session. */
	int (*all)(struct serving *sv);
	bool stops;  /* all tasks are stopped for it: none may be single-stepped */
	bool needs_one; /* a process, or there must be but one */
};

static int fail(struct serving *sv, int err, const char *text)
{
	strbuf_reset(&sv->text);
	strbuf_addf(&sv->text, "%s", text);
	return err;
}

/* -- what there is ------------------------------------------------------------------- */

static int tell_proc(struct serving *sv, struct proc *p)
{
	static const char *const how[] = {
		[PROC_LAUNCHED] = "launched", [PROC_ATTACHED] = "attached",
		[PROC_FORKED] = "forked", [PROC_EXECED] = "executed",
	};

	strbuf_addf(&sv->text, "%d %s: %s, %s, %zu thread%s, %zu modules, %zu open blocks%s\n", p->pid,
		    p->name ? p->name : "?", how[p->how], p->abi->name, p->tasks.n,
		    p->tasks.n == 1 ? "" : "s", p->modules.v.n, openset_count(p->open),
		    p->entry_bp ? ", held at its entry" : p->paused ? ", not observed" : "");
	return 0;
}

static int begin_info(struct serving *sv)
{
	const struct session *s = sv->s;

	strbuf_addf(&sv->text, "%s %s, %u frames of a backtrace, %u mark%s, %llu stops\n", msg_program(),
		    PACKAGE_VERSION, s->depth, s->mark, s->mark == 1 ? "" : "s",
		    (unsigned long long)s->stops);
	return 0;
}

static int read_memory(struct serving *sv, struct proc *p)
{
	static uint8_t bytes[REQUEST_READ_MAX];
	taddr_t addr = abi_data_addr(p->abi, sv->q->a); /* it may be a pointer with a tag */
	uint32_t n = 0, len = (uint32_t)MIN(sv->q->b, (uint64_t)sizeof bytes);

	if (sv->q->b > sizeof bytes)
		return fail(sv, -EINVAL, "at most 65536 bytes at a time");
	if (p->abi->word == 4 && addr > UINT32_MAX)
		return fail(sv, -EFAULT, "no memory is mapped there");
	/* Page by page, up to the first that is not there. */
	while (n < len) {
		uint32_t want = MIN(len - n, PAGE - (uint32_t)((addr + n) & (PAGE - 1)));
		ssize_t got = proc_read(p, addr + n, bytes + n, want);

		n += got > 0 ? (uint32_t)got : 0;
		if (got < (ssize_t)want)
			break;
	}
	if (len && !n)
		return fail(sv, -EFAULT, "no memory is mapped there");
	sv->a.data = bytes;
	sv->a.ndata = n;
	return 0;
}

static int begin_blocks(struct serving *sv)
{
	sv->s->listings += !sv->again;
	return 0;
}

/* There may be millions: whoever stops meanwhile has his turn in between, and nobody
 * stands because a client takes its time. */
static int tell_blocks(struct serving *sv, struct proc *p)
{
	bool hold = false;

	if (p->listing.number != sv->s->listings) {
		p->listing.number = sv->s->listings;
		p->listing.at = 0;
		p->listing.done = false;
	}
	while (!p->listing.done && !hold) {
		p->listing.done = !record_blocks(p, &p->listing.at, &hold);
		hold |= wait_pending();
	}
	return p->listing.done ? 0 : -EAGAIN;
}

/* -- the heap --------------------------------------------------------------------------- */

static int scan(struct serving *sv, struct proc *p)
{
	struct scan_opts o = sv->s->opts->scan;
	int err;

	o.references = sv->q->a & REQUEST_SCAN_REFERENCES;
	o.each_block = sv->q->a & REQUEST_SCAN_EACH;
	o.why = sv->q->a & REQUEST_SCAN_WHY;
	o.why_addr = 0;
	err = scan_now(p, &o);
	return err && err != -EAGAIN ? fail(sv, err, "it cannot be scanned") : err;
}

static int ask_why(struct serving *sv, struct proc *p)
{
	struct scan_opts o = sv->s->opts->scan;
	int err;

	o.references = o.each_block = o.why = false;
	o.why_addr = sv->q->a;
	if (!o.why_addr)
		return fail(sv, -EINVAL, "no address");
	err = scan_now(p, &o);
	return err && err != -EAGAIN ? fail(sv, err, "it cannot be scanned") : err;
}

static int tell_heaps(struct serving *sv, struct proc *p)
{
	int err = heaps_now(p);

	return err && err != -EAGAIN ? fail(sv, err, "it cannot be stopped") : err;
}

static int take_census(struct serving *sv, struct proc *p)
{
	if (p->paused)
		return fail(sv, -EBUSY, "it is not observed just now");
	if (p->table_complete)
		return 0; /* every block is known */
	if (!sv->again) {
		p->census.tries = 0;
		p->census.pause_ns = 0;
		census_begin(p);
	}
	return p->census.next_ns ? -EAGAIN : 0;
}

static int reset(struct serving *sv, struct proc *p)
{
	if (sv->s->opts->change.redzone)
		return fail(sv, -EOPNOTSUPP, "with red zones every block has to be known");
	record_reset(p);
	return 0;
}

/* -- how it is observed ------------------------------------------------------------------- */

static int stop_observing(struct serving *sv, struct proc *p)
{
	int err = pause_begin(p);

	if (err == -EOPNOTSUPP)
		fail(sv, err, "with red zones, fills or injected failures every call has to be seen");
	return err;
}

static bool waits_for_rows(const struct serving *sv)
{
	return sv->q->a & REQUEST_START_ROWS && rows_awaited(sv->s);
}

static int start_observing(struct serving *sv, struct proc *p)
{
	if (p->entry_bp && waits_for_rows(sv))
		return -EAGAIN;
	pause_end(p);
	if (p->entry_bp) {
		sv->s->hold = false;
		entry_let_begin(p);
	}
	return 0;
}

/* One who has not come to his entry yet, where his libraries are known; he should soon. */
static bool is_on_the_way(const struct session *s)
{
	if (clock_ns() - s->start_said_ns > ON_THE_WAY_NS)
		return false;
	for (size_t i = 0; i < s->procs.n; i++) {
		const struct proc *p = s->procs.v[i];

		if (entry_awaited(p) && p->abi && !p->exiting && p->tasks.n)
			return true;
	}
	return false;
}

/* Whoever comes to his entry later need not stop there, but where rows are given. */
static int begin_start(struct serving *sv)
{
	struct session *s = sv->s;

	if (sv->q->pid && sv->q->pid != s->launched)
		return 0;
	if (!s->start_said_ns)
		s->start_said_ns = clock_ns();
	if (s->given && sv->q->a & REQUEST_START_ROWS && is_on_the_way(s))
		return -EAGAIN;
	if (!waits_for_rows(sv))
		s->hold = false;
	return 0;
}

static int take_rows(struct serving *sv)
{
	const char *why;
	int err = rows_take(sv->s, sv->q, &why);

	return err ? fail(sv, err, why) : 0;
}

static int set_depth(struct serving *sv)
{
	if (sv->q->a < 1 || sv->q->a > TRACE_MAX_DEPTH)
		return fail(sv, -EINVAL, "a backtrace has 1 to 1024 frames");
	sv->s->depth = (unsigned)sv->q->a;
	return 0;
}

static int set_mark(struct serving *sv)
{
	if (sv->s->mark == OPENSET_MAX_MARK)
		return fail(sv, -ERANGE, "no more marks can be told apart");
	marks_set(sv->s, true);
	return 0;
}

/* -- the process ----------------------------------------------------------------------------- */

static int let_go(struct serving *sv, struct proc *p)
{
	struct session *s = sv->s;

	if (p->entry_bp && sv->q->a & REQUEST_DETACH_ABANDON)
		return entry_abandon(p);
	if (p->pid == s->launched) { /* how it ends is none of our business now */
		s->launched = 0;
		s->launched_ended = true;
	}
	await_children(p);
	detach_proc(p);
	proc_free(p);
	return 0;
}

/* To any that is traced, whatever state it is in. */
static int send_signal(struct serving *sv, int sig)
{
	const struct session *s = sv->s;

	if (!sv->q->pid)
		return fail(sv, -EINVAL, "which process?");
	for (size_t i = 0; i < s->procs.n; i++)
		if (s->procs.v[i]->pid == sv->q->pid && s->procs.v[i]->tasks.n)
			return kill(sv->q->pid, sig) ? fail(sv, -errno, strerror(errno)) : 0;
	return fail(sv, -ESRCH, "it is not traced");
}

static int send_kill(struct serving *sv)
{
	return send_signal(sv, SIGKILL);
}

static int send_stop(struct serving *sv)
{
	return send_signal(sv, SIGSTOP);
}

/* -- all ----------------------------------------------------------------------------------------- */

static const struct serve_kind kinds[] = {
	[REQUEST_INFO] = { .all = begin_info, .one = tell_proc },
	[REQUEST_SCAN] = { .one = scan, .stops = true },
	[REQUEST_WHY] = { .one = ask_why, .stops = true },
	[REQUEST_READ] = { .one = read_memory, .needs_one = true },
	[REQUEST_CENSUS] = { .one = take_census },
	[REQUEST_STOP] = { .one = stop_observing, .stops = true },
	[REQUEST_START] = { .all = begin_start, .one = start_observing },
	[REQUEST_DEPTH] = { .all = set_depth },
	[REQUEST_MARK] = { .all = set_mark },
	[REQUEST_RESET] = { .one = reset },
	[REQUEST_DETACH] = { .one = let_go },
	[REQUEST_KILL] = { .all = send_kill },
	[REQUEST_BLOCKS] = { .all = begin_blocks, .one = tell_blocks },
	[REQUEST_ROWS] = { .all = take_rows },
	[REQUEST_HEAPS] = { .one = tell_heaps, .stops = true },
	[REQUEST_SUSPEND] = { .all = send_stop },
};

static bool is_meant(const struct request *q, const struct proc *p)
{
	return p->abi && p->open && p->state == PROC_TRACING && !p->exiting && p->tasks.n &&
	       !entry_awaited(p) && (!q->pid || q->pid == p->pid);
}

/* It is meant in a moment, when probes are in, or it stands at its entry. */
static bool will_be_meant(const struct request *q, const struct proc *p)
{
	return (p->state == PROC_STARTING || entry_awaited(p)) && !p->exiting && p->tasks.n &&
	       (!q->pid || q->pid == p->pid);
}

struct procs { VEC(struct proc *) v; };

/* 0, -EAGAIN, or -errno and a text. */
static int choose(struct serving *sv, const struct serve_kind *k, struct procs *out)
{
	bool soon = false;

	for (size_t i = 0; i < sv->s->procs.n; i++) {
		struct proc *p = sv->s->procs.v[i];

		soon |= will_be_meant(sv->q, p);
		if (!is_meant(sv->q, p))
			continue;
		if (k->stops && p->stepper)
			return -EAGAIN;
		vec_push(&out->v, p);
	}
	if (!out->v.n && soon)
		return -EAGAIN;
	if (!out->v.n && k->one != tell_proc)
		return fail(sv, -ESRCH, sv->q->pid ? "it is not traced" : "nothing is being traced");
	if (sv->q->pid && !out->v.n)
		return fail(sv, -ESRCH, "it is not traced");
	return k->needs_one && out->v.n > 1 ? fail(sv, -EINVAL, "which process?") : 0;
}

static int serve_each(struct serving *sv, const struct serve_kind *k)
{
	struct procs procs = { 0 };
	int err = choose(sv, k, &procs), first = err;

	for (size_t i = 0; i < procs.v.n && !err; i++) {
		int one = k->one(sv, procs.v.v[i]);

		first = first ? first : one;
	}
	vec_release(&procs.v);
	return first;
}

bool serve(void *session, const struct request *q, bool again, request_done *done, void *arg)
{
	struct serving sv = { .s = session, .q = q, .again = again, .a = { .id = q->id },
			      .text = STRBUF_INIT };
	const struct serve_kind *k = q->kind < ARRAY_SIZE(kinds) ? &kinds[q->kind] : NULL;
	int err = 0;

	if (!k || (!k->all && !k->one))
		err = fail(&sv, -ENOSYS, "no such request");
	if (!err && k->all)
		err = k->all(&sv);
	if (!err && k->one)
		err = serve_each(&sv, k);
	if (err != -EAGAIN) {
		sv.a.error = -err;
		sv.a.text = sv.text.n ? sv.text.s : NULL;
		done(arg, &sv.a);
	}
	strbuf_release(&sv.text);
	return err == -EAGAIN;
}
