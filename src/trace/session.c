/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A tracing session from start to end: our own signals, the loop, the end. */
#include <errno.h>
#include <linux/version.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/msg.h"
#include "base/strbuf.h"
#include "base/xalloc.h"
#include "trace/cpu.h"
#include "trace/image.h"
#include "trace/ptrace.h"
#include "trace/recorder.h"
#include "trace/tracer.h"

volatile int trace_interrupted;

/* Set by handlers, taken by the loop. */
static volatile sig_atomic_t asked_interrupts, asked_end, asked_report;
static struct session *the_session;

static const int our_signals[] = { SIGINT, SIGTERM, SIGHUP, SIGUSR1, SIGQUIT, SIGPIPE };

/* A signal that comes between the look at the flags and wait4() would be
 * noticed only at the next stop; the timer brings wait4() back until the flag
 * was taken. */
static void nag(bool on)
{
	struct itimerspec every = { { 0, on ? 20000000 : 0 }, { 0, on ? 20000000 : 0 } };

	if (the_session)
		timer_settime(the_session->nagger, 0, &every, NULL);
}

static void handler(int sig)
{
	int saved = errno;

	if (sig == SIGINT)
		asked_interrupts++;
	else if (sig == SIGUSR1)
		asked_report = 1;
	else if (sig != SIGALRM)
		asked_end = sig;
	if (sig != SIGALRM)
		nag(true);
	errno = saved;
}

static void take_signals(struct session *s)
{
	struct sigaction sa = { .sa_handler = handler }, old;
	struct sigevent ev = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGALRM };
	sigset_t open;

	sigemptyset(&sa.sa_mask);
	if (timer_create(CLOCK_MONOTONIC, &ev, &s->nagger))
		die("timer_create: %s", strerror(errno));
	sigaction(SIGALRM, &sa, NULL);
	sigemptyset(&open);
	for (size_t i = 0; i < ARRAY_SIZE(our_signals); i++) {
		s->inherited.sig[i] = our_signals[i];
		sigaction(our_signals[i], NULL, &old);
		s->inherited.ignored[i] = old.sa_handler == SIG_IGN;
		/* nohup's SIGHUP stays ignored, and so does a background
		 * job's SIGINT. */
		if (our_signals[i] == SIGPIPE || our_signals[i] == SIGQUIT)
			continue;
		if (!s->inherited.ignored[i] || our_signals[i] == SIGUSR1)
			sigaction(our_signals[i], &sa, NULL);
		sigaddset(&open, our_signals[i]);
	}
	sigaddset(&open, SIGALRM);
	sigprocmask(SIG_UNBLOCK, &open, &s->inherited.mask);
	signal(SIGPIPE, SIG_IGN);
}

/* -- while it runs ------------------------------------------------------------------- */

static uint64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

/* A report of the state as it is, from a copy of ourselves: the program goes on
 * meanwhile, and so does the tracing. */
static void report_from_copy(struct session *s)
{
	pid_t pid;

	if (!s->opts->report_now)
		return;
	if (s->reporter) {
		msg_info("the last report is still being made");
		return;
	}
	pid = fork();
	if (pid < 0) {
		msg_warn("cannot report now: %s", strerror(errno));
	} else if (!pid) {
		struct sigaction dfl = { .sa_handler = SIG_DFL };

		the_session = NULL;
		msg_set_cleanup(NULL);
		cpu_end();
		for (size_t i = 0; i < ARRAY_SIZE(our_signals); i++)
			sigaction(our_signals[i], &dfl, NULL);
		s->opts->report_now(s->opts->arg);
		_exit(0);
	} else {
		s->reporter = pid;
	}
}

static const char *launched_name(const struct session *s)
{
	return s->opts->argv[0];
}

/* True: make an end now. */
static bool handle_interrupt(struct session *s)
{
	uint64_t now = now_ms();
	bool second = s->last_interrupt_ms && now - s->last_interrupt_ms < 2000;

	s->last_interrupt_ms = now;
	/* The terminal sent it to the program as well, which may have handlers
	 * and atexit functions: what they release is no leak. */
	if (s->launched && !s->launched_ended && !second && asked_interrupts < 2) {
		msg_info("waiting for %s (%d) to end; Ctrl-C twice to report now", launched_name(s),
			 s->launched);
		return false;
	}
	return true;
}

static bool handle_signals(struct session *s)
{
	bool end = false;

	if (!asked_interrupts && !asked_end && !asked_report)
		return false;
	nag(false);
	if (asked_report) {
		asked_report = 0;
		report_from_copy(s);
	}
	if (asked_interrupts) {
		s->end_signal = SIGINT;
		end = handle_interrupt(s);
		asked_interrupts = 0;
	}
	if (asked_end) {
		s->end_signal = asked_end;
		end = true;
	}
	return end;
}

static bool anything_left(const struct session *s)
{
	return s->tasks.n > 0 || s->expected.n > 0;
}

static void loop(struct session *s)
{
	struct stop stops[64];

	while (anything_left(s)) {
		int n;

		if (handle_signals(s)) {
			s->ended_early = true;
			return;
		}
		n = wait_batch(s, stops, ARRAY_SIZE(stops));
		if (n < 0)
			return; /* ECHILD: nobody is left */
		for (int i = 0; i < n; i++)
			dispatch_stop(s, &stops[i]);
		if (n)
			cpu_follow(stops[n - 1].tid);
	}
}

/* -- the end --------------------------------------------------------------------------- */

static void complain(void *arg, const char *line)
{
	record_note(arg, 0, true, line);
}

static void tell_not_followed(struct session *s)
{
	struct strbuf sb = STRBUF_INIT;

	if (!s->not_followed.n)
		return;
	strbuf_addf(&sb, "not followed: %zu child%s (", s->not_followed.n,
		    s->not_followed.n == 1 ? "" : "ren");
	for (size_t i = 0; i < s->not_followed.n; i++) {
		bool seen = false;

		for (size_t k = 0; k < i; k++)
			seen |= !strcmp(s->not_followed.v[k], s->not_followed.v[i]);
		if (!seen)
			strbuf_addf(&sb, "%s%s", i ? ", " : "", s->not_followed.v[i]);
	}
	strbuf_adds(&sb, "); use -f");
	record_note(s, 0, false, sb.s);
	strbuf_release(&sb);
}

static void tell_background(struct session *s)
{
	for (size_t i = 0; i < s->children.n && s->launched_ended; i++) {
		char *line;

		/* It outlives its parent: a daemon. */
		if (kill(s->children.v[i], 0) && errno == ESRCH)
			continue;
		line = xasprintf("%s left %d running untraced; use -f", launched_name(s),
				 s->children.v[i]);
		record_note(s, 0, true, line);
		free(line);
	}
}

static void tell_the_rest(struct session *s)
{
	probe_set_complaints(s->probes, complain, s);
	if (!s->any_found)
		record_note(s, 0, true,
			    "no allocation function was found: a stripped static program needs its "
			    "separate debug file, or --alloc and --free with OBJECT+OFFSET");
	tell_not_followed(s);
	tell_background(s);
}

static void pass_on_signal(struct session *s, pid_t launched)
{
	if (!launched || s->launched_ended || s->opts->detach_on_exit || !s->end_signal)
		return;
	/* The terminal's own Ctrl-C has reached it already. */
	kill(launched, s->end_signal);
	kill(launched, SIGCONT);
}

static void emergency(void)
{
	struct session *s = the_session;

	the_session = NULL;
	if (s)
		detach_all(s);
}

/* PTRACE_SEIZE and PTRACE_EVENT_STOP are of 3.4, SETSIGMASK of 3.11. */
static int check_kernel(void)
{
	struct utsname u;
	unsigned major = 0, minor = 0;

	if (uname(&u) || sscanf(u.release, "%u.%u", &major, &minor) != 2)
		return 0;
	if (major < 3 || (major == 3 && minor < 11))
		return msg_error("Linux %s is too old: 3.11 is the oldest that is supported", u.release);
	return 0;
}

static int start(struct session *s)
{
	const struct trace_opts *opts = s->opts;

	if (opts->argv && launch(s, &s->result->exit_code) < 0)
		return -1;
	for (size_t i = 0; i < opts->pids.n; i++)
		if (attach(s, opts->pids.v[i])) {
			s->result->exit_code = EXIT_OURS;
			return -1;
		}
	return 0;
}

static void session_release(struct session *s)
{
	timer_delete(s->nagger);
	probe_set_free(s->probes);
	recorder_free(s->recorder);
	u64map_release(&s->tasks);
	vec_release(&s->procs);
	vec_release(&s->parked);
	vec_release(&s->expected);
	vec_release(&s->children);
	for (size_t i = 0; i < s->not_followed.n; i++)
		free(s->not_followed.v[i]);
	vec_release(&s->not_followed);
}

int trace_run(const struct trace_opts *opts, struct event_sink *sink, struct trace_result *result)
{
	struct session s = { .opts = opts, .sink = sink, .result = result };
	pid_t launched;
	int err;

	if (check_kernel()) {
		result->exit_code = EXIT_OURS;
		return -1;
	}
	s.options = PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACECLONE | PTRACE_O_TRACEFORK |
		    PTRACE_O_TRACEVFORK | PTRACE_O_TRACEEXEC;
	s.probes = probe_set_new(opts);
	s.recorder = recorder_new(sink);
	take_signals(&s);
	the_session = &s;
	msg_set_cleanup(emergency);
	err = start(&s);
	launched = s.launched;
	cpu_begin();
	if (!err)
		loop(&s);
	cpu_end();
	detach_all(&s);
	if (!err) {
		pass_on_signal(&s, launched);
		if (s.ended_early && launched && !s.launched_ended && !opts->detach_on_exit)
			result->exit_signal = s.end_signal;
		tell_the_rest(&s);
	}
	msg_set_cleanup(NULL);
	the_session = NULL;
	session_release(&s);
	return err;
}
