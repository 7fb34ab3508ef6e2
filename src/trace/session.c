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

#include "base/clock.h"
#include "base/msg.h"
#include "base/oom.h"
#include "base/xalloc.h"
#include "trace/census.h"
#include "trace/cpu.h"
#include "trace/fail.h"
#include "trace/ending.h"
#include "trace/entry.h"
#include "trace/errors.h"
#include "trace/image.h"
#include "trace/leftover.h"
#include "trace/marks.h"
#include "trace/memlimit.h"
#include "trace/ptrace.h"
#include "trace/recorder.h"
#include "trace/scan.h"
#include "trace/serve.h"
#include "trace/step.h"
#include "trace/tracer.h"

volatile int trace_interrupted;

/* Two interrupts so close together are one: timeout(1) sends it to us and then
 * to our process group. */
#define ECHO_NS (50 * NS_PER_MS)
/* What two Ctrl-C at most this far apart ask for, one does not. */
#define TWICE_NS (2000 * NS_PER_MS)

/* Set by handlers, taken by the loop.  Interrupts: 1, or 2 when it was the
 * second in a short time. */
static volatile sig_atomic_t asked_interrupts, asked_end, asked_report, asked_crash, asked_scan,
	asked_mark;
/* The signals that ask for a scan and a report, and for a mark (--on-signal); 0:
 * none. */
static volatile sig_atomic_t scan_signal, mark_signal;
/* Tracing is over, or this is the copy that reports. */
static volatile sig_atomic_t reporting;
static struct session *the_session;

/* All that would end us, and leave breakpoints behind in what we attached to,
 * but for the errors of ours (SIGSEGV and the like). */
static const struct our_signal {
	int sig;
	enum { UNLESS_IGNORED, ALWAYS, IGNORE } how;
} our_signals[] = {
	/* nohup's SIGHUP stays ignored, and so does a background job's
	 * SIGINT. */
	{ SIGINT, UNLESS_IGNORED },  { SIGTERM, UNLESS_IGNORED }, { SIGHUP, UNLESS_IGNORED },
	{ SIGQUIT, UNLESS_IGNORED }, { SIGXCPU, UNLESS_IGNORED }, { SIGUSR2, UNLESS_IGNORED },
	{ SIGUSR1, ALWAYS },	     { SIGALRM, ALWAYS },	  { SIGPIPE, IGNORE },
	{ SIGXFSZ, IGNORE },
};
_Static_assert(ARRAY_SIZE(our_signals) == ARRAY_SIZE(((struct session *)0)->inherited.sig),
	       "what the program inherits");

/* A signal that comes between the look at the flags and wait4() would be
 * noticed only at the next stop; the timer brings wait4() back until the flag
 * was taken. */
static void nag(bool on)
{
	struct itimerspec every = { { 0, on ? 20000000 : 0 }, { 0, on ? 20000000 : 0 } };

	if (the_session)
		timer_settime(the_session->nagger, 0, &every, NULL);
}

/* 0: an echo of the last, 1, or 2: the second in a short time.  Only handlers
 * call it. */
static int count_interrupt(void)
{
	static uint64_t last;
	uint64_t now = clock_ns(), since = now - last;

	if (last && since < ECHO_NS)
		return 0;
	since = last ? since : UINT64_MAX;
	last = now;
	return since < TWICE_NS ? 2 : 1;
}

/* The first time the report goes on without looking names up; the second time
 * it ends, and we with it. */
static void interrupt_report(int sig)
{
	if (trace_interrupted) {
		signal(sig, SIG_DFL);
		raise(sig);
	}
	trace_interrupted = 1;
}

/* --scan-every: only while it is not asked already. */
static uint64_t scan_every_ns, scanned_ns;

static bool timed_scan_due(void)
{
	return scan_every_ns && !reporting && clock_ns() - scanned_ns >= scan_every_ns;
}

static void handler(int sig)
{
	int saved = errno, interrupt = sig == SIGINT ? count_interrupt() : 0;

	if (sig == SIGALRM) {
		asked_scan |= timed_scan_due();
		asked_mark |= marks_due();
		return;
	}
	if (sig == SIGINT && !interrupt)
		return;
	if (reporting) {
		if (sig != SIGUSR1 && sig != scan_signal && sig != mark_signal)
			interrupt_report(sig);
	} else {
		if (sig == SIGINT)
			asked_interrupts = interrupt;
		else if (sig == scan_signal)
			asked_scan = 2; /* and a report */
		else if (sig == mark_signal)
			asked_mark = 2; /* and a word */
		else if (sig == SIGUSR1)
			asked_report = 1;
		else
			asked_end = sig;
		nag(true);
	}
	errno = saved;
}

static void take_signals(struct session *s)
{
	struct sigaction sa = { .sa_handler = handler }, old;
	struct sigevent ev = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGALRM };
	sigset_t open;

	sigemptyset(&sa.sa_mask);
	scan_signal = s->opts->scan.on_signal;
	mark_signal = s->opts->mark_signal;
	if (timer_create(CLOCK_MONOTONIC, &ev, &s->nagger) ||
	    timer_create(CLOCK_MONOTONIC, &ev, &s->scan_timer))
		die("timer_create: %s", strerror(errno));
	sigemptyset(&open);
	for (size_t i = 0; i < ARRAY_SIZE(our_signals); i++) {
		const struct our_signal *o = &our_signals[i];

		s->inherited.sig[i] = o->sig;
		sigaction(o->sig, NULL, &old);
		s->inherited.ignored[i] = old.sa_handler == SIG_IGN;
		if (o->how == IGNORE)
			signal(o->sig, SIG_IGN);
		else if (o->how == ALWAYS || !s->inherited.ignored[i])
			sigaction(o->sig, &sa, NULL);
		sigaddset(&open, o->sig);
	}
	sigprocmask(SIG_UNBLOCK, &open, &s->inherited.mask);
}

/* A signal that a fault of ours raises: what can be put right is, within this
 * many seconds, and then it ends us as it would have.  No report is made of
 * what may be damaged. */
#define CRASH_SECONDS 10
static const int crash_signals[] = { SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT };

/* Die() and a crash come in the midst of a stop: its status was taken, and
 * what it asks for is half done. */
static void detach_midway(struct session *s)
{
	s->midway = true;
	wait_recover(s);
	detach_all(s);
}

/* It ends us, with the core file that it asks for. */
static void die_of(int sig)
{
	sigset_t set;

	signal(sig, SIG_DFL);
	sigemptyset(&set);
	sigaddset(&set, sig);
	sigprocmask(SIG_UNBLOCK, &set, NULL);
	raise(sig);
}

static void crash_handler(int sig, siginfo_t *info, void *context)
{
	struct session *s = the_session;

	(void)context;
	/* Sent by another, it is no fault, and all is in order at the next
	 * stop.  Where that does not come, a second one ends us. */
	if (s && !reporting && !asked_crash && info->si_code <= 0 && info->si_pid != getpid()) {
		asked_crash = sig;
		nag(true);
		return;
	}
	for (size_t i = 0; i < ARRAY_SIZE(crash_signals); i++)
		signal(crash_signals[i], SIG_DFL);
	nag(false);
	signal(SIGALRM, SIG_DFL);
	alarm(CRASH_SECONDS);
	the_session = NULL;
	if (s && !reporting) {
		msg_warn("BUG: it dies of %s; breakpoints are taken out, there will be no report",
			 strsignal(sig));
		s->crashed = true;
		detach_midway(s);
	}
	die_of(sig);
}

static void end_as_asked(struct session *s)
{
	msg_warn("it dies of %s, which was sent to it; breakpoints are taken out, there will be no "
		 "report", strsignal(asked_crash));
	signal(SIGALRM, SIG_DFL);
	alarm(CRASH_SECONDS);
	detach_all(s);
	die_of(asked_crash);
}

/* A sanitizer's own handler stays: it says more. */
static void take_crashes(void)
{
	static char stack[65536];
	stack_t ss = { .ss_sp = stack, .ss_size = sizeof stack };
	struct sigaction sa = { .sa_sigaction = crash_handler,
				.sa_flags = SA_ONSTACK | SA_NODEFER | SA_SIGINFO };
	struct sigaction old;

	sigaltstack(&ss, NULL);
	for (size_t i = 0; i < ARRAY_SIZE(crash_signals); i++)
		if (!sigaction(crash_signals[i], NULL, &old) && old.sa_handler == SIG_DFL)
			sigaction(crash_signals[i], &sa, NULL);
}

/* -- while it runs ------------------------------------------------------------------- */

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
		reporting = 1;
		the_session = NULL;
		msg_set_cleanup(NULL);
		cpu_end();
		oom_unprotect();
		s->opts->report_now(s->opts->arg);
		_exit(0);
	} else {
		s->reporter = pid;
	}
}

void trace_ask_report(void)
{
	asked_report = 1;
	nag(true);
}

void trace_leave_child(void)
{
	if (the_session)
		launch_inherit(the_session);
	else
		signal(SIGPIPE, SIG_DFL);
	cpu_end();
	oom_unprotect();
}

/* The last report is to come after those in between, in the same file. */
static void await_reporter(struct session *s)
{
	while (s->reporter && waitpid(s->reporter, NULL, __WALL) < 0 && errno == EINTR)
		if (trace_interrupted)
			kill(s->reporter, SIGTERM);
	s->reporter = 0;
}

static const char *launched_name(const struct session *s)
{
	return s->opts->argv[0];
}

void trace_interrupts_reports(void)
{
	reporting = 1;
	signal(SIGINT, handler);
}

bool trace_asked_to_end(void)
{
	const struct session *s = the_session;
	bool waits = s && s->launched && !s->launched_ended;

	return asked_end || asked_interrupts > 1 || (asked_interrupts && !waits);
}

/* True: make an end now. */
static bool handle_interrupt(struct session *s)
{
	/* The terminal sent it to the program as well, which may have handlers
	 * and atexit functions: what they release is no leak. */
	if (s->launched && !s->launched_ended && asked_interrupts < 2) {
		msg_info("waiting for %s (%d) to end; Ctrl-C twice to report now", launched_name(s),
			 s->launched);
		return false;
	}
	return true;
}

/* The next --scan-every, as a signal at that time. */
static void set_scan_timer(const struct session *s)
{
	struct itimerspec at = { 0 };

	scan_every_ns = s->opts->scan.every_ns;
	scanned_ns = clock_ns();
	at.it_value = clock_timespec(scan_every_ns);
	/* Again and again, since the one that comes right before wait4() sleeps
	 * is noticed only at the next. */
	at.it_interval.tv_nsec = 20000000;
	if (scan_every_ns)
		timer_settime(s->scan_timer, 0, &at, NULL);
}

static void scan_asked_for(struct session *s)
{
	bool report = asked_scan == 2;

	if (!scan_running(s)) {
		nag(true); /* after the next stop */
		return;
	}
	asked_scan = 0;
	set_scan_timer(s);
	if (report)
		report_from_copy(s);
}

static void mark_now(struct session *s)
{
	bool asked = asked_mark & 2;

	asked_mark = 0;
	marks_set(s, asked);
}

static bool handle_signals(struct session *s)
{
	bool end = false;

	if (!asked_interrupts && !asked_end && !asked_report && !asked_crash && !asked_scan &&
	    !asked_mark)
		return false;
	nag(false);
	if (asked_crash)
		return true;
	if (asked_mark)
		mark_now(s);
	if (asked_scan)
		scan_asked_for(s);
	if (asked_report) {
		asked_report = 0;
		report_from_copy(s);
	}
	if (asked_interrupts) {
		s->end_signal = SIGINT;
		end = handle_interrupt(s);
		asked_interrupts = 0;
	}
	/* A launched program has got the terminal's Ctrl-\ itself, and may
	 * live on: Java's virtual machine prints its threads. */
	if (asked_end == SIGQUIT && s->launched && !s->launched_ended)
		asked_end = 0;
	if (asked_end) {
		s->end_signal = asked_end;
		end = true;
	}
	return end;
}

static bool anything_left(const struct session *s)
{
	return s->tasks.n > 0 || s->expected.n > 0 || s->launched_let_go;
}

static void loop(struct session *s)
{
	unsigned held = 0; /* stops while somebody is held */

	while (anything_left(s)) {
		struct stop st;
		int n;

		if (handle_signals(s)) {
			s->ended_early = true;
			return;
		}
		if (requests_waiting()) {
			requests_carry_out(serve, s);
			if (!anything_left(s))
				return;
		}
		if (s->census_due) {
			census_continue(s);
			nag(s->census_due > 0);
		}
		n = wait_next(s, &st);
		if (n < 0)
			return; /* ECHILD: nobody is left */
		if (s->stops == s->crash_at)
			raise(SIGSEGV);
		if (n)
			dispatch_stop(s, &st);
		if (s->any_faulty)
			faults_let_go(s);
		if (s->holding && (!n || ++held % 256 == 0)) {
			step_check(s);
			ending_check(s);
		}
		if (n && wait_drained() && !wait_polls())
			cpu_follow(st.tid);
	}
}

/* -- the end --------------------------------------------------------------------------- */

static void complain(void *arg, const char *line)
{
	record_note(arg, 0, true, line);
}


static void tell_beyond(struct session *s)
{
	char *line;

	if (!s->beyond)
		return;
	line = xasprintf("%llu blocks are not known: beyond --max-blocks, %llu of a process at a time",
			 (unsigned long long)s->beyond, (unsigned long long)s->opts->max_blocks);
	record_note(s, 0, true, line);
	free(line);
}

static void tell_the_rest(struct session *s)
{
	probe_set_complaints(s->probes, complain, s);
	if (!s->any_found)
		record_note(s, 0, true,
			    "no allocation function was found: a stripped static program needs its "
			    "separate debug file, or --alloc and --free with OBJECT+OFFSET");
	tell_beyond(s);
	fail_summary(s);
	leftover_tell(s);
}

static void pass_on_signal(struct session *s, pid_t launched)
{
	if (!launched || s->launched_ended || s->opts->detach_on_exit || !s->end_signal)
		return;
	/* The terminal's own Ctrl-C has reached it already. */
	kill(launched, s->end_signal);
	kill(launched, SIGCONT);
}

/* Ended before it has begun, it never begins. */
static void abandon_held(struct session *s)
{
	for (size_t i = 0; i < s->procs.n; i++)
		if (s->procs.v[i]->entry_bp) {
			entry_abandon(s->procs.v[i]);
			s->result->never_began = true;
		}
}

static void emergency(void)
{
	struct session *s = the_session;

	the_session = NULL;
	if (!s)
		return;
	s->crashed = true;
	detach_midway(s);
	s->reporter = 0;
	report_from_copy(s);
	await_reporter(s);
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
			if (s->launched) /* nothing of it has run yet */
				kill(s->launched, SIGKILL);
			return -1;
		}
	return 0;
}

/* For tests, with -D only: after so many stops a fault of ours. */
static uint64_t crash_at(void)
{
	const char *stops = msg_level() >= MSG_DEBUG ? getenv("MTRACE_CRASH") : NULL;

	return stops ? strtoull(stops, NULL, 10) : UINT64_MAX;
}

static void session_release(struct session *s)
{
	msg_debug("%llu stops", (unsigned long long)s->stops);
	timer_delete(s->nagger);
	timer_delete(s->scan_timer);
	probe_set_free(s->probes);
	recorder_free(s->recorder);
	given_rows_free(s->given);
	failing_free(s->failing);
	memlimit_end(s);
	u64map_release(&s->tasks);
	vec_release(&s->procs);
	vec_release(&s->parked);
	vec_release(&s->expected);
	for (size_t i = 0; i < s->not_followed.n; i++)
		free(s->not_followed.v[i].name);
	vec_release(&s->not_followed);
}

int trace_run(const struct trace_opts *opts, struct event_sink *sink, struct trace_result *result)
{
	struct session s = { .opts = opts, .sink = sink, .result = result, .crash_at = crash_at(),
			     .depth = opts->depth, .hold = opts->hold };
	pid_t launched;
	int err;

	if (check_kernel()) {
		result->exit_code = EXIT_OURS;
		return -1;
	}
	s.options = PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACECLONE | PTRACE_O_TRACEFORK |
		    PTRACE_O_TRACEVFORK | PTRACE_O_TRACEEXEC;
	if (opts->change.redzone || (opts->argv ? opts->scan.launched : opts->scan.attached))
		s.options |= PTRACE_O_TRACEEXIT;
	s.probes = probe_set_new(opts);
	s.recorder = recorder_new(sink);
	s.given = opts->rows ? given_rows_new() : NULL;
	s.failing = failing_new(&opts->change);
	take_signals(&s);
	take_crashes();
	the_session = &s;
	msg_set_cleanup(emergency);
	requests_begin(); /* what is asked meanwhile waits */
	err = start(&s);
	launched = s.launched;
	cpu_begin();
	set_scan_timer(&s);
	marks_begin(&s);
	if (!err)
		loop(&s);
	requests_end();
	scan_every_ns = 0;
	marks_end(&s);
	cpu_end();
	if (asked_crash)
		end_as_asked(&s);
	if (s.ended_early && !opts->detach_on_exit)
		abandon_held(&s);
	detach_all(&s);
	reporting = 1;
	if (!err) {
		pass_on_signal(&s, launched);
		if (s.ended_early && launched && !s.launched_ended && !opts->detach_on_exit)
			result->exit_signal = s.end_signal;
		tell_the_rest(&s);
	}
	await_reporter(&s);
	msg_set_cleanup(NULL);
	the_session = NULL;
	session_release(&s);
	return err;
}
