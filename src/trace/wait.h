/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the kernel told us: raw wait statuses appear here and nowhere else
 * (but for inject.c, which waits for one kind). */
#ifndef TRACE_WAIT_H
#define TRACE_WAIT_H

#include "trace/proc.h"

enum stop_kind {
	STOP_TRAP,       /* SIGTRAP to be delivered: a breakpoint of ours, or the
			    program's own.  Look the pc up. */
	STOP_SIGNAL,     /* any other signal is about to be delivered: put the pc
			    in order, resume with the signal */
	STOP_GROUP,      /* the process is stopped (SIGSTOP, ^Z): leave it so,
			    PTRACE_LISTEN */
	STOP_EVENT,      /* PTRACE_INTERRUPT arrived, a new task's first stop, or
			    the end of a group stop: resume without a signal */
	STOP_CLONE,      /* a thread, or a process that shares memory, was made */
	STOP_FORK,       /* a process was made: its copy has our breakpoints */
	STOP_VFORK,      /* … which shares our memory until it execs or exits */
	STOP_VFORK_DONE, /* … and now does not any more */
	STOP_EXEC,       /* a new image; the other threads are gone */
	STOP_EXIT,       /* it is about to end, by its own will or not; its memory
			    is still there: resume when it was looked at */
	STOP_SYSCALL,    /* left over from an injection: resume */
	STOP_EXITED,     /* it is gone; status is the exit code */
	STOP_KILLED,     /* it is gone; status is the signal */
	STOP_OTHER,      /* resume */
};

struct stop {
	pid_t tid;
	enum stop_kind kind;
	int sig;    /* STOP_TRAP, STOP_SIGNAL, STOP_GROUP */
	int status; /* STOP_EXITED, STOP_KILLED */
	int raw;
};

struct stop stop_decode(pid_t tid, int raw);

/* The next stop.  Those that are there are taken all at once from the kernel
 * and told one by one.  1, 0: interrupted by a signal, or -ECHILD. */
int wait_next(struct session *s, struct stop *st);
/* Do stops come so soon that wait_next finds them without sleeping? */
bool wait_polls(void);
/* Was that the last of those that were taken together? */
bool wait_drained(void);
/* Is there one that wait_next would tell at once? */
bool wait_pending(void);

/* Waits for the next stop of one task that was resumed or interrupted; at most
 * 5 s, then a message with its wchan and -ETIMEDOUT.  -ESRCH: it ended, and
 * its end will be reported by wait_next. */
int wait_for_stop(struct task *t, int *status);
/* The same, at once: 1, or 0 when it has not stopped yet. */
int wait_poll(struct task *t, int *status);
/* Has it stopped, and wait_next will tell? */
bool wait_has(pid_t tid);
/* Hands a status that was taken for one task on to wait_next. */
void wait_put_back(pid_t tid, int status);
/* Tracing ends in the midst of a stop: what was told, and may not have been
 * done, is told again. */
void wait_recover(struct session *s);

#endif
