/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The process ends while eight threads allocate: by exit, _exit, quick_exit,
 * the return of main, exit from a thread after main's pthread_exit, or a signal;
 * handlers run, once, with the right status, and nobody hangs.
 * Usage: harm-exit exit|_exit|quick|return|thread|abort [DELAY_MS].
 * Build: -pthread.  Run: traced from the start; exit status 7, abort: SIGABRT. */
#include <pthread.h>
#include <signal.h>
#include <time.h>
#include "expect.h"

#define THREADS 8
#define CODE 7

static volatile int running;
static int handlers;

__attribute__((noinline)) static void exit_alloc(void)
{
	void *p = malloc(90);

	KEEP(p);
	free(p);
}

__attribute__((noinline)) static void handler_alloc(void)
{
	void *p = malloc(30);

	KEEP(p);
	free(p);
}

static void at_exit(void)
{
	EXPECT_THAT(++handlers == 1);
	for (int i = 0; i < 10; i++)
		handler_alloc();
}

static void *allocate(void *arg)
{
	for (;; running = 1)
		exit_alloc();
	return arg;
}

static void wait_a_little(int ms)
{
	struct timespec t = { 0, ms * 1000000l };

	while (!running)
		nanosleep(&t, NULL);
	nanosleep(&t, NULL);
}

static void *leave_from_thread(void *arg)
{
	wait_a_little(*(int *)arg);
	exit(CODE);
}

int main(int argc, char **argv)
{
	const char *how = argc > 1 ? argv[1] : "exit";
	static int delay;
	pthread_t t;

	delay = argc > 2 ? atoi(argv[2]) : 5;
	atexit(at_exit);
	at_quick_exit(at_exit);
	for (int i = 0; i < THREADS; i++)
		EXPECT_THAT(!pthread_create(&t, NULL, allocate, NULL));
	if (*how == 'a')
		expect("exit_signal", SIGABRT);
	else
		expect("exit_code", CODE);
	expect_stack("handler_alloc", "total_blocks", *how == '_' || *how == 'a' ? 0 : 10);
	if (*how == 't') {
		EXPECT_THAT(!pthread_create(&t, NULL, leave_from_thread, &delay));
		pthread_exit(NULL);
	}
	wait_a_little(delay);
	if (*how == 'r')
		return CODE;
	if (*how == '_')
		_exit(CODE);
	if (*how == 'q')
		quick_exit(CODE);
	if (*how == 'a') {
		signal(SIGABRT, SIG_DFL);
		abort();
	}
	exit(CODE);
}
