/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The tracer runs where the tracee runs: a stop across CPUs costs ten times
 * one on the same CPU.  Only our own affinity is changed. */
#ifndef TRACE_CPU_H
#define TRACE_CPU_H

#include "trace/proc.h"

/* Called after each batch of stops with the task of the last one. */
void cpu_follow(struct session *s, pid_t tid);

#endif
