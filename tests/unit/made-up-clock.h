/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A test that includes this has a clock that it can put forward: it takes the place of
 * the C library's clock_gettime(). */
#ifndef MTRACE_TESTS_MADE_UP_CLOCK_H
#define MTRACE_TESTS_MADE_UP_CLOCK_H

#include <stdatomic.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static atomic_long seconds_ahead;

int clock_gettime(clockid_t clock, struct timespec *ts)
{
	int err = (int)syscall(SYS_clock_gettime, clock, ts);

	if (!err)
		ts->tv_sec += seconds_ahead;
	return err;
}

#endif
