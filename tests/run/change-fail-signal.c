/* SPDX-License-Identifier: GPL-2.0-or-later */
/* With --inject malloc:fail:when=3+3:caller=^ask$: signals that come at the entry
 * take calls back, and these come again, as they were. */
#include <signal.h>
#include <sys/time.h>

#include "expect.h"

#define ROUNDS ROUNDS_OF(3000, 300)

static volatile sig_atomic_t signals;

static void on_alarm(int sig)
{
	(void)sig;
	signals++;
}

__attribute__((noinline)) void *ask(size_t n)
{
	void *p = n % 2 ? malloc(n) : calloc(n / 2, 2);

	KEEP(p);
	return p;
}

int main(void)
{
	struct itimerval often = { { 0, 200 }, { 0, 200 } }, never = { { 0, 0 }, { 0, 0 } };
	struct sigaction sa;
	long wrong = 0;

	memset(&sa, 0, sizeof sa);
	sa.sa_handler = on_alarm;
	sa.sa_flags = SA_RESTART;
	sigaction(SIGALRM, &sa, NULL);
	setitimer(ITIMER_REAL, &often, NULL);
	for (size_t i = 1; i <= ROUNDS; i++) {
		void *p = ask(10 + i % 7);

		wrong += !p != (i % 3 == 0);
		free(p);
	}
	setitimer(ITIMER_REAL, &never, NULL);
	EXPECT_THAT(!wrong && signals);
	expect("failed", ROUNDS / 3);
	expect_stack("ask", "failed", ROUNDS / 3);
	expect_stack("ask", "failed_max_size", 15 + 16); /* malloc and calloc */
	return 0;
}
