/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Two threads allocate, one has children by vfork that allocate before they
 * execute true, one is interrupted by signals, and the leader exits before all of
 * them: none may be waited for in vain when every instruction is stepped over with
 * the other threads held, and no call may be missed.  Build: -pthread. */
#include <pthread.h>
#include <signal.h>
#include <sys/time.h>
#include <sys/wait.h>
#include "expect.h"

#define ROUNDS ROUNDS_OF(200, 50)
#define CHILDREN 8

static int left = 3;

static void last(void)
{
	if (__atomic_sub_fetch(&left, 1, __ATOMIC_SEQ_CST))
		return;
	expect("allocs >=", 2 * ROUNDS + CHILDREN);
	expect_stack("rounds", "total_blocks", 2 * ROUNDS);
	expect_stack("rounds", "open_blocks", 0);
	expect_stack("in_child", "total_blocks", CHILDREN);
	exit(0);
}

__attribute__((noinline)) static void rounds(void)
{
	for (int i = 0; i < ROUNDS; i++) {
		char *p = malloc(20);

		KEEP(p);
		free(p);
	}
}

static void *allocate(void *arg)
{
	rounds();
	last();
	return arg;
}

__attribute__((noinline)) static void in_child(void)
{
	char *p = malloc(30);

	KEEP(p);
}

static void *have_children(void *arg)
{
	static char *const argv[] = { (char *)"true", NULL };

	for (int i = 0; i < CHILDREN; i++) {
		int status;
		pid_t pid = vfork();

		if (!pid) {
			in_child();
			execv("/bin/true", argv);
			_exit(9);
		}
		EXPECT_THAT(waitpid(pid, &status, 0) == pid && status == 0);
	}
	last();
	return arg;
}

static void tick(int sig)
{
	(void)sig;
}

int main(void)
{
	struct itimerval often = { { 0, 500 }, { 0, 500 } };
	struct sigaction act = { .sa_handler = tick, .sa_flags = SA_RESTART };
	pthread_t thread;

	sigaction(SIGALRM, &act, NULL);
	setitimer(ITIMER_REAL, &often, NULL);
	pthread_create(&thread, NULL, allocate, NULL);
	pthread_create(&thread, NULL, allocate, NULL);
	pthread_create(&thread, NULL, have_children, NULL);
	pthread_exit(NULL);
}
