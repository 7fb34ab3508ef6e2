/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Threads beside the tracer's: they write, so that the tracer need not wait. */
#ifndef SERVE_WORKER_H
#define SERVE_WORKER_H

#include <pthread.h>

#include "base/types.h"

/* A condition whose times are CLOCK_MONOTONIC's. */
void worker_condition(pthread_cond_t *cond);
/* Signals stay the tracer's.  0 or an errno. */
int worker_start(pthread_t *thread, size_t stack, void *(*run)(void *arg), void *arg);

#endif
