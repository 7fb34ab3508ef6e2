/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/msg.h"
#include "trace/cpu.h"
#include "trace/ptrace.h"
#include "trace/wait.h"

/* Stops that the kernel has told and nobody has dispatched yet. */
static VEC(struct parked) ready;
static size_t taken; /* of them, from the front */
static pid_t telling; /* whose stop wait_next told last */

/* A tracee on another CPU stops again within microseconds, as a rule, and to be
 * woken costs us several times that: so the kernel is asked this often before
 * we sleep.  Each time in vain, twice as many waits go without that, up to
 * REST_MAX: where both share a CPU, or the program computes. */
#define POLLS 200
#define REST_MAX 64
static unsigned rest, resting;

/* Stops are taken from the kernel this many at a time. */
#define BATCH 64

static enum stop_kind event_kind(int event, int sig)
{
	switch (event) {
	case PTRACE_EVENT_CLONE: return STOP_CLONE;
	case PTRACE_EVENT_FORK: return STOP_FORK;
	case PTRACE_EVENT_VFORK: return STOP_VFORK;
	case PTRACE_EVENT_VFORK_DONE: return STOP_VFORK_DONE;
	case PTRACE_EVENT_EXEC: return STOP_EXEC;
	case PTRACE_EVENT_EXIT: return STOP_EXIT;
	case PTRACE_EVENT_STOP: return sig == SIGTRAP ? STOP_EVENT : STOP_GROUP;
	default: return STOP_OTHER;
	}
}

struct stop stop_decode(pid_t tid, int raw)
{
	struct stop st = { .tid = tid, .raw = raw };

	if (WIFEXITED(raw)) {
		st.kind = STOP_EXITED;
		st.status = WEXITSTATUS(raw);
	} else if (WIFSIGNALED(raw)) {
		st.kind = STOP_KILLED;
		st.status = WTERMSIG(raw);
	} else if (raw >> 16) {
		st.sig = WSTOPSIG(raw);
		st.kind = event_kind(raw >> 16, st.sig);
	} else if (WSTOPSIG(raw) == (SIGTRAP | 0x80)) {
		st.kind = STOP_SYSCALL;
	} else {
		st.sig = WSTOPSIG(raw);
		st.kind = st.sig == SIGTRAP ? STOP_TRAP : STOP_SIGNAL;
	}
	return st;
}

void wait_put_back(pid_t tid, int status)
{
	vec_push(&ready, ((struct parked){ tid, status }));
}

bool wait_has(pid_t tid)
{
	for (size_t i = taken; i < ready.n; i++)
		if (ready.v[i].tid == tid)
			return true;
	return false;
}

static bool take_ready(struct stop *st)
{
	if (taken == ready.n) {
		ready.n = taken = 0;
		return false;
	}
	*st = stop_decode(ready.v[taken].tid, ready.v[taken].status);
	taken++;
	return true;
}

/* A task's next stop may have been taken along with another's: 1 and the
 * status, 0: no, -ESRCH: that it ended, which stays for wait_next to tell. */
static int take_ready_of(pid_t tid, int *status)
{
	for (size_t i = taken; i < ready.n; i++)
		if (ready.v[i].tid == tid) {
			*status = ready.v[i].status;
			if (!WIFSTOPPED(*status))
				return -ESRCH;
			vec_remove(&ready, i);
			return 1;
		}
	return 0;
}

static pid_t poll_awhile(int *raw)
{
	if (!cpu_several() || resting) {
		resting -= resting > 0;
		return 0;
	}
	for (int i = 0; i < POLLS; i++) {
		pid_t tid = wait4(-1, raw, __WALL | WNOHANG, NULL);

		if (tid) {
			rest /= 2;
			return tid;
		}
	}
	rest = MIN(2 * rest + 1, REST_MAX);
	resting = rest;
	return 0;
}

bool wait_polls(void)
{
	return cpu_several() && !rest;
}

/* While tasks are held (step.h) one of them may be in a state in which it will
 * never report anything: then the wait comes back, so that it can be looked at. */
static pid_t wait_any(const struct session *s, int *raw)
{
	static const struct timespec pause = { 0, 50000 };
	pid_t tid;

	if (!s->holding) {
		tid = poll_awhile(raw);
		return tid ? tid : wait4(-1, raw, __WALL, NULL);
	}
	for (int i = 0; i < 400; i++) {
		tid = wait4(-1, raw, __WALL | WNOHANG, NULL);
		if (tid)
			return tid;
		if (i < 20)
			sched_yield();
		else if (nanosleep(&pause, NULL))
			break;
	}
	errno = EINTR;
	return -1;
}

int wait_next(struct session *s, struct stop *st)
{
	int raw;
	pid_t tid;

	if (take_ready(st)) {
		telling = st->tid;
		return 1;
	}
	tid = wait_any(s, &raw);
	if (tid < 0)
		return errno == EINTR ? 0 : -errno;
	/* The kernel reports the first threads first, and the others would
	 * starve.  A lone task has nothing else to tell. */
	for (int n = 1; n < BATCH && s->tasks.n > 1; n++) {
		int more;
		pid_t next = wait4(-1, &more, __WALL | WNOHANG, NULL);

		if (next <= 0)
			break;
		wait_put_back(next, more);
	}
	*st = stop_decode(tid, raw);
	telling = tid;
	return 1;
}

/* The status that wait4() gave for the stop in which a task is now: 0 when it is
 * in none, or has not been asked for it yet. */
static int told_status(pid_t tid)
{
	siginfo_t si, untold = { .si_pid = 0 };
	int code, status;

	if (pt_get_siginfo(tid, &si) ||
	    waitid(P_PID, (id_t)tid, &untold, WSTOPPED | WEXITED | WNOHANG | WNOWAIT | __WALL) ||
	    untold.si_pid)
		return 0;
	code = si.si_code;
	status = si.si_signo << 8 | 0x7f;
	if (code == (SIGTRAP | 0x80) && si.si_signo == SIGTRAP)
		return code << 8 | 0x7f;
	/* An event, or a group stop: ptrace(2), PTRACE_GETSIGINFO. */
	return code >> 8 > 0 && (code & 0xff) == si.si_signo ? status | code >> 8 << 16 : status;
}

void wait_recover(struct session *s)
{
	int status;

	u64map_for_each(&s->tasks, e) {
		struct task *t = (void *)(uintptr_t)e->value;

		if (wait_has(t->tid) || !(status = told_status(t->tid)))
			continue;
		wait_put_back(t->tid, status);
		t->state = TASK_RUNNING;
	}
	/* One that is being born is in no table. */
	if (!task_find(s, telling) && !wait_has(telling) && (status = told_status(telling)))
		wait_put_back(telling, status);
}

bool wait_drained(void)
{
	return taken == ready.n;
}

bool wait_pending(void)
{
	siginfo_t si = { .si_pid = 0 };

	return !wait_drained() ||
	       (!waitid(P_ALL, 0, &si, WSTOPPED | WEXITED | WNOHANG | WNOWAIT | __WALL) && si.si_pid);
}

static void say_where_it_hangs(pid_t tid)
{
	char path[48], wchan[64] = "?";
	ssize_t n;
	int fd;

	snprintf(path, sizeof path, "/proc/%d/wchan", tid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0) {
		n = read(fd, wchan, sizeof wchan - 1);
		wchan[n > 0 ? n : 0] = '\0';
		close(fd);
	}
	msg_warn("task %d did not stop within 5 s (in %s); going on without it", tid, wchan);
}

int wait_poll(struct task *t, int *status)
{
	int raw, had = take_ready_of(t->tid, status);
	pid_t got;

	if (had)
		return had;
	got = wait4(t->tid, &raw, __WALL | WNOHANG, NULL);
	if (got == t->tid && !WIFSTOPPED(raw)) {
		wait_put_back(t->tid, raw);
		return -ESRCH;
	}
	if (got == t->tid) {
		*status = raw;
		return 1;
	}
	return got == 0 || errno == EINTR ? 0 : errno == ECHILD ? -ESRCH : -errno;
}

int wait_for_stop(struct task *t, int *status)
{
	struct timespec pause = { 0, 20000 };

	for (int waited_us = 0; waited_us < 5000000;) {
		int got = wait_poll(t, status);

		if (got)
			return got > 0 ? 0 : got;
		if (waited_us++ < 100) {
			sched_yield(); /* it may be waiting for this CPU */
			continue;
		}
		nanosleep(&pause, NULL);
		waited_us += 80;
		/* A leader's end is told after those of its threads. */
		if (waited_us % 4000 < 80 && strchr("ZX", proc_state_letter(t->tid)))
			return -ESRCH;
	}
	say_where_it_hangs(t->tid);
	return -ETIMEDOUT;
}
