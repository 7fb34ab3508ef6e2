/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A thread that is not the leader calls execve while others allocate, some
 * times over; the new image has the leader's id, its arguments, the pending
 * signals and mask that exec keeps, and only its own allocations count.
 * Build: -pthread.  Run: traced from the start (exec is followed). */
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include "expect.h"

#define IMAGES 5
#define THREADS 4

static char next[16], first_pid[16];
static volatile int going;

__attribute__((noinline)) static void *old_alloc(size_t n)
{
	void *p = malloc(n);

	KEEP(p);
	return p;
}

__attribute__((noinline)) static void *new_alloc(size_t n)
{
	void *p = malloc(n);

	KEEP(p);
	return p;
}

static void *allocate(void *arg)
{
	for (going = 1;; sched_yield())
		free(old_alloc(50));
	return arg;
}

static void *replace(void *arg)
{
	char *argv[] = { "harm-exec", next, first_pid, NULL };

	while (!going)
		sched_yield();
	for (int i = 0; i < 50; i++)
		free(old_alloc(10));
	execv("/proc/self/exe", argv);
	_exit(97);
	return arg;
}

static void check_image(char **argv)
{
	sigset_t mask, pending;

	EXPECT_THAT(getpid() == atoi(argv[2]));
	sigprocmask(SIG_SETMASK, NULL, &mask);
	sigpending(&pending);
	EXPECT_THAT(sigismember(&mask, SIGUSR1) && !sigismember(&mask, SIGTRAP));
	EXPECT_THAT(sigismember(&pending, SIGUSR1) && !sigismember(&pending, SIGTRAP));
	EXPECT_THAT(!sigismember(&pending, SIGURG));
}

int main(int argc, char **argv)
{
	int image = argc > 1 ? atoi(argv[1]) : 0;
	pthread_t t;
	sigset_t usr1;

	if (image)
		check_image(argv);
	if (image == IMAGES) {
		for (int i = 0; i < 10; i++)
			if (i < 7)
				free(new_alloc(20));
			else
				EXPECT_THAT(new_alloc(20));
		expect_stack("new_alloc", "total_blocks", 10);
		expect_stack("new_alloc", "open_blocks", 3);
		expect_stack("new_alloc", "open_bytes", 60);
		expect_stack("old_alloc", "total_blocks", 0);
		return 0;
	}
	sigemptyset(&usr1);
	sigaddset(&usr1, SIGUSR1);
	sigprocmask(SIG_BLOCK, &usr1, NULL);
	if (!image)
		kill(getpid(), SIGUSR1);
	snprintf(next, sizeof next, "%d", image + 1);
	snprintf(first_pid, sizeof first_pid, "%d", getpid());
	for (int i = 0; i < THREADS; i++)
		EXPECT_THAT(!pthread_create(&t, NULL, allocate, NULL));
	EXPECT_THAT(!pthread_create(&t, NULL, replace, NULL));
	pthread_join(t, NULL);
	return 96;
}
