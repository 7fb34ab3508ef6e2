/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Signals at 10 kHz from a timer, and more from a thread, in the middle of
 * allocations, with handlers that allocate: on the same stack, on an alternate
 * stack above or below it, or leaving by siglongjmp.  The malloc is our own and
 * may be interrupted and left anywhere.
 * Usage: storm-signal direct|above|below|jump.  Build: -pthread.
 * Run: traced from the start, once for each; the counts are exact but for jump,
 * where a call that was left may or may not count. */
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <time.h>
#include "expect.h"

#define ARENA (64u << 20) /* of addresses only: blocks are not written to */
#define STACK 262144
#define SECONDS 0.4
/* In an emulated machine a handler alone takes milliseconds. */
#define PERIOD_US ROUNDS_OF(100, 15000)

static char arena[ARENA] __attribute__((aligned(16))), zeroed[STACK] __attribute__((aligned(16)));
static unsigned next, next_zeroed;
/* Not long long: where that takes a lock, a handler must not count. */
static long begun, ended, frees;
static volatile long long in_main, in_handler;
static volatile int stop;
static int jumps;
static sigjmp_buf back;
static char *handler_stack; /* NULL: the thread's own */
static pthread_t worker;

#define ADD(v, n) __atomic_fetch_add(&(v), (n), __ATOMIC_RELAXED)

void *malloc(size_t n)
{
	void *p;

	ADD(begun, 1);
	p = arena + ADD(next, (unsigned)(n + 15) & ~15u) % ARENA;
	ADD(ended, 1);
	return p;
}

void *calloc(size_t n, size_t size)
{
	void *p = zeroed + ADD(next_zeroed, (unsigned)(n * size + 15) & ~15u);

	ADD(begun, 1);
	EXPECT_THAT(next_zeroed <= sizeof zeroed);
	ADD(ended, 1);
	return p;
}

void free(void *p)
{
	if (p)
		ADD(frees, 1);
}

__attribute__((noinline)) static void alloc_once(size_t n)
{
	void *p = malloc(n);

	KEEP(p);
	free(p);
}

__attribute__((noinline)) static void handler_alloc(void)
{
	alloc_once(40);
	in_handler++;
}

/* Where a traced handler takes longer than the time to the next signal, the
 * thread would do nothing but handlers: now and then it is given some air. */
static void breathe(void)
{
	static struct itimerval late = { { 0, PERIOD_US }, { 0, 50 * PERIOD_US } };
	static long long seen;
	static int starved;

	starved = in_main == seen ? starved + 1 : 0;
	seen = in_main;
	if (starved < 20)
		return;
	starved = 0;
	setitimer(ITIMER_REAL, &late, NULL);
}

static void on_signal(int sig, siginfo_t *si, void *context)
{
	char *here = (char *)&si;

	(void)context;
	EXPECT_THAT(sig == si->si_signo && pthread_equal(pthread_self(), worker));
	EXPECT_THAT(!handler_stack || (here >= handler_stack && here < handler_stack + STACK));
	handler_alloc();
	breathe();
	if (jumps)
		siglongjmp(back, 1);
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void block(int how)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGALRM);
	sigaddset(&set, SIGUSR1);
	pthread_sigmask(how, &set, NULL);
}

static void *work(void *arg)
{
	struct itimerval fast = { { 0, PERIOD_US }, { 0, PERIOD_US } }, off = { { 0, 0 }, { 0, 0 } };
	stack_t ss = { .ss_sp = handler_stack, .ss_size = STACK }, is;
	double end = now() + SECONDS;

	worker = pthread_self();
	EXPECT_THAT(!handler_stack || !sigaltstack(&ss, NULL));
	sigsetjmp(back, 0);
	block(SIG_UNBLOCK);
	setitimer(ITIMER_REAL, &fast, NULL);
	/* On a slow machine a signal may come at nearly every stop: until both
	 * have got somewhere. */
	while (now() < end || in_main <= 50 || in_handler <= 50) {
		alloc_once(100);
		in_main++;
	}
	block(SIG_BLOCK);
	setitimer(ITIMER_REAL, &off, NULL);
	sigaltstack(NULL, &is);
	EXPECT_THAT(handler_stack ? is.ss_sp == handler_stack : is.ss_flags == SS_DISABLE);
	stop = 1;
	return arg;
}

int main(int argc, char **argv)
{
	struct sigaction sa = { .sa_sigaction = on_signal, .sa_flags = SA_SIGINFO | SA_ONSTACK };
	struct timespec pause = { .tv_nsec = 10 * PERIOD_US * 1000 };
	char *low = mmap(NULL, 2 * STACK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	char how = argc > 1 ? *argv[1] : 'd';
	pthread_attr_t attr;
	pthread_t thread;

	EXPECT_THAT(low != MAP_FAILED);
	jumps = how == 'j';
	handler_stack = how == 'a' ? low + STACK : how == 'b' ? low : NULL;
	sigaddset(&sa.sa_mask, SIGALRM);
	sigaddset(&sa.sa_mask, SIGUSR1);
	sigaction(SIGALRM, &sa, NULL);
	sigaction(SIGUSR1, &sa, NULL);
	block(SIG_BLOCK);
	pthread_attr_init(&attr);
	pthread_attr_setstack(&attr, how == 'b' ? low + STACK : low, STACK);
	EXPECT_THAT(!pthread_create(&thread, &attr, work, NULL));
	while (!stop) {
		pthread_kill(thread, SIGUSR1);
		nanosleep(&pause, NULL);
	}
	pthread_join(thread, NULL);
	EXPECT_THAT(in_handler > 50 && in_main > 50);
	expect(jumps ? "allocs <=" : "allocs", jumps ? begun : ended);
	expect("allocs >=", in_main + in_handler);
	expect(jumps ? "frees >=" : "frees", frees);
	expect_stack("handler_alloc", "total_blocks", in_handler);
	return 0;
}
