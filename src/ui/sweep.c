/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Each run is traced by a copy of this process, in a session of its own, so that
 * nothing of a run outlives it:
 *
 *   sweep ──fork── first run: every request counted, none fails
 *     │              └ its callers, and the number of each one's first request
 *     ├──fork── request 1 fails ── what came of it, and the caller in words
 *     └──fork── request 7 fails ── …
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/msg.h"
#include "base/strbuf.h"
#include "base/xalloc.h"
#include "ui/sweep.h"

/* A run may take this long, and this many times as long as the first one. */
#define MIN_LIMIT_NS ((uint64_t)10000000000)
#define LIMIT_FACTOR 20
/* For a run that was told to end. */
#define GRACE_NS ((uint64_t)5000000000)
#define PROGRESS_NS ((uint64_t)10000000000)

static volatile sig_atomic_t interrupted;

static void on_signal(int sig)
{
	interrupted = sig;
}

/* -- in the copy --------------------------------------------------------------------- */

/* A caller, as all runs know it. */
struct site {
	uint64_t caller;
	uint64_t n; /* its first request */
};

/* What a run tells.  `nsites` struct site follow, then `text` bytes. */
struct outcome {
	int exit_code, signal;
	bool failed_start;  /* the command could not be run: exit_code */
	bool happened;      /* a request failed: */
	struct site site;
	uint64_t requests;
	uint64_t run_ns;
	uint64_t nsites, text;
};

struct run {
	struct options *o;
	struct heap *heap;
	struct outcome out;
	uint32_t stack;         /* of what failed */
	uint64_t size;
	struct product product;
	bool list;              /* the first run */
	struct u64map callers;  /* stack → caller */
	struct u64map listed;   /* caller → 1 */
	VEC(struct site) sites;
};

static uint64_t caller_of(struct run *run, uint32_t stack)
{
	uint64_t *known = u64map_get(&run->callers, stack), caller;

	if (known)
		return *known;
	caller = report_caller_hash(run->heap, stack);
	u64map_set(&run->callers, stack, caller);
	return caller;
}

static void on_request(void *arg, uint64_t n, uint32_t stack, uint64_t size,
		       const struct product *product, bool failed)
{
	struct run *run = arg;
	uint64_t caller = run->list || failed ? caller_of(run, stack) : 0;

	run->out.requests = n;
	if (failed) {
		run->out.happened = true;
		run->out.site = (struct site){ caller, n };
		run->stack = stack;
		run->size = size;
		run->product = *product;
	}
	if (run->list && !u64map_get(&run->listed, caller)) {
		u64map_set(&run->listed, caller, 1);
		vec_push(&run->sites, ((struct site){ caller, n }));
	}
}

/* What was given as a file is there from its beginning in each run; a terminal or
 * a pipe would be empty after the first. */
static void open_input(void)
{
	bool is_file = lseek(STDIN_FILENO, 0, SEEK_CUR) >= 0;
	int fd = is_file ? open("/proc/self/fd/0", O_RDONLY) : -1;

	if (fd < 0)
		fd = open("/dev/null", O_RDONLY);
	if (fd > 0) {
		dup2(fd, STDIN_FILENO);
		close(fd);
	}
}

static void discard(int fd)
{
	int null = open("/dev/null", O_WRONLY);

	if (null >= 0 && null != fd) {
		dup2(null, fd);
		close(null);
	}
}

/* Reruns say nothing, and leave no core files. */
static void hush(const struct run *run)
{
	struct rlimit none;

	setsid();
	open_input();
	if (run->list)
		return;
	discard(STDOUT_FILENO);
	if (!run->o->report.verbose)
		discard(STDERR_FILENO);
	if (!getrlimit(RLIMIT_CORE, &none)) {
		none.rlim_cur = 0;
		setrlimit(RLIMIT_CORE, &none);
	}
}

/* A child may crash instead of the command itself (-f). */
static int signal_of(const struct heap *heap, const struct trace_result *result)
{
	if (result->exit_signal)
		return result->exit_signal;
	for (size_t i = 0; i < heap_nprocs(heap); i++) {
		const struct heap_proc *p = heap_proc_at(heap, i);

		if (p->end_how == END_SIGNALED && p->status != SIGTERM && p->status != SIGKILL &&
		    p->status != SIGPIPE)
			return p->status;
	}
	return 0;
}

static const char *label_of(int sig)
{
	switch (sig) {
	case 0: case SIGTERM:
		return "hangs";
	case SIGABRT:
		return "aborts";
	default:
		return "crashes";
	}
}

/* How it looks in the report, should it be one of those listed. */
static void describe(struct run *run, struct strbuf *text)
{
	const char *name = report_signal_name(run->out.signal);
	struct strbuf amount = STRBUF_INIT;
	struct report_site site = { .label = label_of(run->out.signal), .stack = run->stack,
				    .size = run->size, .product = run->product };

	if (run->out.signal && run->out.signal != SIGTERM && name)
		strbuf_addf(&amount, "SIG%s ", name);
	strbuf_addf(&amount, "after request %llu failed", (unsigned long long)run->out.site.n);
	site.amount = amount.s;
	report_site(run->heap, &run->o->report, &site, text);
	strbuf_release(&amount);
}

static _Noreturn void run_once(struct options *o, const struct site *fail, int to)
{
	struct run run = { .o = o, .list = !fail };
	struct fail_rule *rule = &o->trace.change.fail.v[0];
	struct trace_result result = { 0 };
	struct strbuf text = STRBUF_INIT;
	uint64_t began;

	hush(&run);
	rule->first = fail ? fail->n : UINT64_MAX;
	o->trace.change.on_request = on_request;
	o->trace.change.arg = &run;
	run.heap = heap_new();
	began = clock_ns();
	run.out.failed_start = trace_run(&o->trace, heap_sink(run.heap), &result);
	run.out.run_ns = clock_ns() - began;
	run.out.exit_code = result.exit_code;
	run.out.signal = signal_of(run.heap, &result);
	run.out.nsites = run.sites.n;
	if (run.out.happened && run.out.signal)
		describe(&run, &text);
	run.out.text = text.n;
	if (write_patiently(to, (char *)&run.out, sizeof run.out) ||
	    write_patiently(to, (char *)run.sites.v, run.sites.n * sizeof run.sites.v[0]) ||
	    write_patiently(to, text.s, text.n))
		_exit(EXIT_OURS);
	_exit(0);
}

/* -- runs ---------------------------------------------------------------------------------- */

/* Reads until the end, or until the time is over.  False: it is over. */
static bool read_all(int fd, struct strbuf *sb, uint64_t until)
{
	char buf[4096];

	for (;;) {
		uint64_t now = clock_ns();
		struct pollfd p = { fd, POLLIN, 0 };
		int ms = until ? (int)MIN((until - MIN(now, until)) / 1000000 + 1, (uint64_t)1000) : 1000;
		ssize_t n;

		if ((until && now >= until) || interrupted)
			return false;
		if (poll(&p, 1, ms) <= 0)
			continue;
		n = read(fd, buf, sizeof buf);
		if (n <= 0)
			return true;
		strbuf_add(sb, buf, (size_t)n);
	}
}

/* What a run told, and whether it came to its end by itself. */
struct told {
	struct strbuf raw;
	struct outcome out;
	bool complete, hung;
};

static void take_apart(struct told *t)
{
	if (t->raw.n < sizeof t->out)
		return;
	memcpy(&t->out, t->raw.s, sizeof t->out);
	t->complete = t->raw.n == sizeof t->out + t->out.nsites * sizeof(struct site) + t->out.text;
}

/* SIGTERM makes the tracer end tracing and tell what it knows; whatever is left
 * of the run's session goes with it. */
static void end_run(pid_t pid, int from, struct told *t)
{
	int caught = interrupted;

	kill(pid, SIGTERM);
	interrupted = 0;
	read_all(from, &t->raw, clock_ns() + GRACE_NS);
	if (!interrupted)
		interrupted = caught;
}

/* `limit_ns` 0: as long as it takes.  0, or -1 after a message. */
static int run(struct options *o, const struct site *fail, uint64_t limit_ns, struct told *t)
{
	int fds[2];
	pid_t pid;

	if (pipe2(fds, O_CLOEXEC))
		return msg_error("pipe: %s", strerror(errno));
	pid = fork();
	if (pid < 0) {
		close(fds[0]);
		close(fds[1]);
		return msg_error("fork: %s", strerror(errno));
	}
	if (!pid) {
		close(fds[0]);
		run_once(o, fail, fds[1]);
	}
	close(fds[1]);
	if (!read_all(fds[0], &t->raw, limit_ns ? clock_ns() + limit_ns : 0)) {
		t->hung = !interrupted;
		end_run(pid, fds[0], t);
	}
	close(fds[0]);
	/* Before it is waited for, so that the number is still its own. */
	kill(-pid, SIGKILL);
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
	take_apart(t);
	return 0;
}

/* -- all of them ------------------------------------------------------------------------------ */

struct sweep {
	struct options *o;
	VEC(struct site) sites;
	uint64_t requests, limit_ns;
	struct u64map done;     /* callers of which a request has failed */
	size_t tried, crashed, aborted, hung, lost;
	uint64_t said_ns;
};

static const char *plural(uint64_t n)
{
	return n == 1 ? "" : "s";
}

/* The first run.  0, or the exit status after a message. */
static int begin(struct sweep *s)
{
	struct told t = { .raw = STRBUF_INIT };
	const char *name = s->o->trace.argv[0];
	int code = EXIT_OURS;

	if (run(s->o, NULL, 0, &t))
		goto out;
	if (interrupted) {
		code = 128 + interrupted;
	} else if (!t.complete) {
		msg_error("the first run of %s came to nothing", name);
	} else if (t.out.failed_start) {
		code = t.out.exit_code;
	} else if (t.out.signal) {
		msg_error("%s dies of signal %d even when no request fails", name, t.out.signal);
	} else {
		code = 0;
		s->requests = t.out.requests;
		s->limit_ns = MAX(MIN_LIMIT_NS, LIMIT_FACTOR * t.out.run_ns);
		for (size_t i = 0; i < t.out.nsites; i++) {
			struct site site;

			memcpy(&site, t.raw.s + sizeof t.out + i * sizeof site, sizeof site);
			vec_push(&s->sites, site);
		}
		msg_info("sweep: %llu request%s from %zu caller%s; the first of each one is made to "
			 "fail", (unsigned long long)s->requests, plural(s->requests), s->sites.n,
			 plural(s->sites.n));
	}
out:
	strbuf_release(&t.raw);
	return code;
}

static void list_bad(struct sweep *s, const struct told *t, const struct site *site)
{
	static const char lost[] = "\nhangs              after request %llu failed\n";
	struct strbuf sb = STRBUF_INIT;

	if (t->complete && t->out.text)
		strbuf_add(&sb, t->raw.s + t->raw.n - t->out.text, t->out.text);
	else
		strbuf_addf(&sb, lost, (unsigned long long)site->n);
	write_patiently(msg_fd(), sb.s, sb.n);
	strbuf_release(&sb);
	if (t->hung)
		s->hung++;
	else if (t->out.signal == SIGABRT)
		s->aborted++;
	else
		s->crashed++;
}

static void try_site(struct sweep *s, const struct site *site)
{
	struct told t = { .raw = STRBUF_INIT };

	if (!run(s->o, site, s->limit_ns, &t) && !interrupted) {
		s->tried++;
		u64map_set(&s->done, site->caller, 1);
		/* Runs differ: it may have been another one's turn. */
		if (t.complete && t.out.happened)
			u64map_set(&s->done, t.out.site.caller, 1);
		if (t.hung || t.out.signal)
			list_bad(s, &t, site);
		else
			s->lost += !t.complete || !t.out.happened;
	}
	strbuf_release(&t.raw);
}

static void say_progress(struct sweep *s)
{
	uint64_t now = clock_ns();

	if (now - s->said_ns < PROGRESS_NS)
		return;
	s->said_ns = now;
	msg_info("sweep: %zu of %zu", s->tried,
		 (size_t)MIN(s->sites.n, s->o->sweep_max));
}

static void verdict(const struct sweep *s, size_t left)
{
	struct strbuf sb = STRBUF_INIT;

	if (s->crashed + s->aborted + s->hung)
		strbuf_addc(&sb, '\n');
	if (left)
		strbuf_addf(&sb, "%s: %zu caller%s not tried%s\n", msg_program(), left,
			    left == 1 ? " was" : "s were", interrupted ? "" : " (--sweep-max)");
	if (s->lost)
		strbuf_addf(&sb, "%s: in %zu run%s nothing failed: the command does not always do "
			    "the same\n", msg_program(), s->lost, plural(s->lost));
	strbuf_addf(&sb, "%s: sweep: %zu caller%s tried, %zu crash%s, %zu abort%s, %zu hang%s\n",
		    msg_program(), s->tried, plural(s->tried), s->crashed,
		    s->crashed == 1 ? "" : "es", s->aborted, plural(s->aborted), s->hung,
		    plural(s->hung));
	write_patiently(msg_fd(), sb.s, sb.n);
	strbuf_release(&sb);
}

static void take_signals(void)
{
	static const int signals[] = { SIGINT, SIGTERM, SIGHUP };
	struct sigaction sa = { .sa_handler = on_signal };

	for (size_t i = 0; i < ARRAY_SIZE(signals); i++)
		sigaction(signals[i], &sa, NULL);
}

int sweep(struct options *o)
{
	struct sweep s = { .o = o, .said_ns = clock_ns() };
	size_t left = 0;
	int code;

	take_signals();
	o->trace.scan.launched = false;
	code = begin(&s);
	for (size_t i = 0; !code && i < s.sites.n; i++) {
		if (u64map_get(&s.done, s.sites.v[i].caller))
			continue;
		if (interrupted || s.tried == o->sweep_max) {
			left++;
			continue;
		}
		say_progress(&s);
		try_site(&s, &s.sites.v[i]);
	}
	if (!code) {
		verdict(&s, left);
		code = s.crashed + s.aborted + s.hung ? 1 : interrupted ? 128 + interrupted : 0;
	}
	vec_release(&s.sites);
	u64map_release(&s.done);
	return code;
}
