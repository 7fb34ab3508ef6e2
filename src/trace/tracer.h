/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Resuming, launching, attaching, letting go. */
#ifndef TRACE_TRACER_H
#define TRACE_TRACER_H

#include "trace/proc.h"
#include "trace/wait.h"

/* Lets a stopped task run on, with a signal (0: none). */
void task_continue(struct task *t, int sig);
/* Lets a task that hit bp run on as if bp were not there: in its slot. */
void task_continue_over(struct task *t, struct breakpoint *bp);
/* Puts the pc of a stopped task where it would be without slots and
 * breakpoints. */
void task_undisturb(struct task *t);

void dispatch_stop(struct session *s, const struct stop *st);

/* Starts opts->argv.  The pid, or -1 after a message, *exit_code set. */
pid_t launch(struct session *s, int *exit_code);
/* In a child, before it executes anything: as we were started, so starts that. */
void launch_inherit(const struct session *s);
/* Seizes all tasks of a process and plants.  0, or -1 after a message. */
int attach(struct session *s, pid_t pid);

/* Takes everything of ours out of a process and lets it run on. */
void detach_proc(struct proc *p);
/* The same for all that is traced; safe from die(). */
void detach_all(struct session *s);
/* A forked child that is not followed: cleaned and let go.  `child` is stopped
 * and in no table. */
void release_copy(struct proc *parent, pid_t child);

/* Children of a process that is dead.  Killed, by a signal or because another of
 * its threads ended it all, a task never announces the child it has just made: a
 * copy with its breakpoints. */
void adopt_orphans(struct proc *dead);

/* Before a process ends, executes or is let go: its children that were announced
 * and have not stopped yet are copies with its breakpoints, of which nobody would
 * know later. */
void await_children(struct proc *p);

/* A stop that was taken for a task while waiting for another kind. */
void park(struct session *s, pid_t tid, int status);

#endif
