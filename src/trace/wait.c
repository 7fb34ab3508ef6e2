/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/msg.h"
#include "trace/wait.h"

static VEC(struct parked) put_back;

static enum stop_kind event_kind(int event, int sig)
{
	switch (event) {
	case PTRACE_EVENT_CLONE: return STOP_CLONE;
	case PTRACE_EVENT_FORK: return STOP_FORK;
	case PTRACE_EVENT_VFORK: return STOP_VFORK;
	case PTRACE_EVENT_VFORK_DONE: return STOP_VFORK_DONE;
	case PTRACE_EVENT_EXEC: return STOP_EXEC;
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
	vec_push(&put_back, ((struct parked){ tid, status }));
}

static int take_put_back(struct stop *stops, int max)
{
	int n = 0;

	while (put_back.n && n < max) {
		stops[n++] = stop_decode(put_back.v[0].tid, put_back.v[0].status);
		vec_remove(&put_back, 0);
	}
	return n;
}

int wait_batch(struct session *s, struct stop *stops, int max)
{
	int n = take_put_back(stops, max), raw;
	pid_t tid;

	if (n)
		return n;
	tid = wait4(-1, &raw, __WALL, NULL);
	if (tid < 0)
		return errno == EINTR ? 0 : -errno;
	stops[n++] = stop_decode(tid, raw);
	/* A lone task has nothing else to tell. */
	while (n < max && s->tasks.n > 1) {
		tid = wait4(-1, &raw, __WALL | WNOHANG, NULL);
		if (tid <= 0)
			break;
		stops[n++] = stop_decode(tid, raw);
	}
	return n;
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

int wait_for_stop(struct task *t, int *status)
{
	struct timespec pause = { 0, 20000 };
	int raw;

	for (int waited_us = 0; waited_us < 5000000;) {
		pid_t got = wait4(t->tid, &raw, __WALL | WNOHANG, NULL);

		if (got == t->tid) {
			if (!WIFSTOPPED(raw)) {
				wait_put_back(t->tid, raw);
				return -ESRCH;
			}
			*status = raw;
			return 0;
		}
		if (got < 0 && errno != EINTR)
			return errno == ECHILD ? -ESRCH : -errno;
		if (waited_us++ < 100) {
			sched_yield(); /* it may be waiting for this CPU */
			continue;
		}
		nanosleep(&pause, NULL);
		waited_us += 80;
	}
	say_where_it_hangs(t->tid);
	return -ETIMEDOUT;
}
