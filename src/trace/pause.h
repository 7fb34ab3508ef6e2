/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A process is not observed for a time: it runs at its full speed, and what it
 * allocates and releases meanwhile is not known. */
#ifndef TRACE_PAUSE_H
#define TRACE_PAUSE_H

#include "trace/proc.h"

/* 0, -EAGAIN while a task is single-stepped, or -EOPNOTSUPP: every call has to be
 * seen. */
int pause_begin(struct proc *p);
/* Observes again: what was mapped meanwhile is, too. */
void pause_end(struct proc *p);
/* An open block that may be another one by now: it was there when observing was
 * stopped.  No errors are told of it. */
bool pause_doubts(const struct proc *p, const struct open_block *b);
/* The image is gone. */
void pause_forget(struct proc *p);
/* Of a forked child. */
void pause_copy(struct proc *child, const struct proc *parent);

#endif
