/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The tracer runs where the tracee runs: a stop across CPUs costs several
 * times one on the same CPU, because the other CPU must be woken.  (Where each
 * has a CPU for itself, and stops follow one another closely, neither need be:
 * wait_polls.)  Only our own affinity is changed, and only within what we were
 * given. */
#ifndef TRACE_CPU_H
#define TRACE_CPU_H

#include "base/types.h"

/* Once, before the first stop. */
void cpu_begin(void);
/* May we run on more than one? */
bool cpu_several(void);
/* Called after each batch of stops with the task of the last one. */
void cpu_follow(pid_t tid);
/* Back to where we may run (reports, the end). */
void cpu_end(void);

#endif
