/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Has a handler for SIGTRAP, set before anybody traces, and allocates with the signal
 * blocked: by the thread's mask, or inside another handler.  At the end SIGTRAP comes
 * and must still go to the handler. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/select.h>

static volatile sig_atomic_t got;

static void on_trap(int sig)
{
	(void)sig;
	got++;
}

static void allocate(void)
{
	void *volatile p = malloc(100);

	free(p);
}

static void on_alarm(int sig)
{
	(void)sig;
	allocate();
}

static void handle(int sig, void (*fn)(int), int mask)
{
	struct sigaction a;

	memset(&a, 0, sizeof a);
	a.sa_handler = fn;
	if (mask)
		sigaddset(&a.sa_mask, mask);
	sigaction(sig, &a, NULL);
}

static int line_is_there(void)
{
	struct timeval soon = { 0, 10000 };
	fd_set in;

	FD_ZERO(&in);
	FD_SET(0, &in);
	return select(1, &in, NULL, NULL, &soon) == 1;
}

int main(int argc, char **argv)
{
	int by_mask = argc > 1 && !strcmp(argv[1], "mask");
	sigset_t trap;

	sigemptyset(&trap);
	sigaddset(&trap, SIGTRAP);
	handle(SIGTRAP, on_trap, 0);
	handle(SIGALRM, on_alarm, SIGTRAP);
	if (by_mask)
		sigprocmask(SIG_BLOCK, &trap, NULL);
	puts("ready");
	fflush(stdout);
	while (!line_is_there()) {
		if (by_mask)
			allocate();
		else
			raise(SIGALRM);
	}
	raise(SIGTRAP);
	sigprocmask(SIG_UNBLOCK, &trap, NULL);
	return got == 1 ? 0 : 3;
}
