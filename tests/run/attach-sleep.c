/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Sleeps with SIGTRAP blocked and a handler for it, so that an attached tracer has to make
 * a system call in the sleeper:
 *
 *   attach-sleep sleep|poll SECONDS
 *
 * Prints `ready`, and ends with 0 if the sleep was as long as it should be, or longer. */
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <time.h>

#include "expect.h"

static void on_trap(int sig)
{
	(void)sig;
}

static long long now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000LL + t.tv_nsec / 1000000;
}

int main(int argc, char **argv)
{
	long seconds = argc > 2 ? atol(argv[2]) : 1;
	struct timespec t = { .tv_sec = seconds };
	long long began;
	sigset_t trap;

	EXPECT_THAT(signal(SIGTRAP, on_trap) != SIG_ERR);
	sigemptyset(&trap);
	sigaddset(&trap, SIGTRAP);
	EXPECT_THAT(!sigprocmask(SIG_BLOCK, &trap, NULL));
	puts("ready");
	fflush(stdout);
	began = now_ms();
	if (argc > 1 && !strcmp(argv[1], "poll"))
		EXPECT_THAT(poll(NULL, 0, (int)seconds * 1000) == 0);
	else
		EXPECT_THAT(!clock_nanosleep(CLOCK_MONOTONIC, 0, &t, NULL));
	EXPECT_THAT(now_ms() - began >= seconds * 1000);
	return 0;
}
