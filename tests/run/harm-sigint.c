/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A program that catches SIGINT: the handler runs with the program's mask and
 * origin, allocates, main ends in its own time, its atexit function allocates,
 * and the exit status is its own.
 * Usage: harm-sigint [wait]: sends itself three SIGINTs; `wait`: until one comes.
 * Build: plain.  Run: traced from the start; with `wait` in a process group that
 * gets SIGINT as from a terminal.  Exit status 3. */
#include <signal.h>
#include <time.h>
#include "expect.h"

static volatile int interrupted;

__attribute__((noinline)) static void interrupt_alloc(void)
{
	void *p = malloc(60);

	KEEP(p);
	free(p);
}

__attribute__((noinline)) static void late_alloc(void)
{
	void *p = malloc(61);

	KEEP(p);
}

static void on_interrupt(int sig, siginfo_t *si, void *context)
{
	sigset_t mask;

	EXPECT_THAT(sig == SIGINT && context && si->si_code != SI_TKILL);
	EXPECT_THAT(!sigprocmask(SIG_SETMASK, NULL, &mask));
	EXPECT_THAT(sigismember(&mask, SIGINT) && sigismember(&mask, SIGUSR1));
	EXPECT_THAT(!sigismember(&mask, SIGTRAP) && !sigismember(&mask, SIGTERM));
	interrupted++;
}

static void at_exit(void)
{
	for (int i = 0; i < 5; i++)
		late_alloc();
}

int main(int argc, char **argv)
{
	struct sigaction sa = { .sa_sigaction = on_interrupt, .sa_flags = SA_SIGINFO };
	struct timespec pause = { 0, 1000000 };
	long long n = 0;

	sigaddset(&sa.sa_mask, SIGUSR1);
	sigaction(SIGINT, &sa, NULL);
	atexit(at_exit);
	if (argc > 1 && *argv[1] == 'w') {
		for (int i = 0; i < 20000 && !interrupted; i++)
			nanosleep(&pause, NULL);
		EXPECT_THAT(interrupted == 1);
	} else {
		for (int i = 0; i < 3; i++) {
			for (int k = 0; k < 50; k++, n++)
				interrupt_alloc();
			kill(getpid(), SIGINT);
			EXPECT_THAT(interrupted == i + 1);
		}
	}
	for (int k = 0; k < 50; k++, n++)
		interrupt_alloc();
	expect("exit_code", 3);
	expect_stack("interrupt_alloc", "total_blocks", n);
	expect_stack("late_alloc", "open_blocks", 5);
	return 3;
}
