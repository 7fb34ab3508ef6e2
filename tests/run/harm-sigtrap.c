/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SIGTRAP belongs to the program: blocked, ignored, handled, raised, or by an
 * int3 of its own, its disposition, mask, number and origin are what they are
 * without a tracer, while two threads allocate.
 * Usage: harm-sigtrap blocked|ignored|handled|raised|int3.  Build: -pthread.
 * Run: traced from the start, once for each. */
#include <pthread.h>
#include <signal.h>
#include <unistd.h>
#include <stdio.h>
#include <sys/wait.h>
#include "expect.h"

#define ALLOCATIONS ROUNDS_OF(300, 100)
#define TIMES 50

static volatile int handled, last_code;
static long long allocs;

__attribute__((noinline)) static void trap_alloc(void)
{
	void *p = malloc(100);

	KEEP(p);
	free(p);
	__atomic_add_fetch(&allocs, 1, __ATOMIC_RELAXED);
}

static void on_trap(int sig, siginfo_t *si, void *context)
{
	EXPECT_THAT(sig == SIGTRAP && context);
	last_code = si->si_code;
	handled++;
	trap_alloc();
}

static void *allocate(void *arg)
{
	for (int i = 0; i < ALLOCATIONS; i++)
		trap_alloc();
	return arg;
}

/* Two threads, of which the second has the mask that the first has. */
static void allocate_in_two(void)
{
	pthread_t t;

	EXPECT_THAT(!pthread_create(&t, NULL, allocate, NULL));
	allocate(NULL);
	pthread_join(t, NULL);
}

static int status_bit(const char *field)
{
	unsigned long long bits = 0;
	size_t n = strlen(field);
	FILE *f = fopen("/proc/thread-self/status", "r");
	char line[256];

	EXPECT_THAT(f);
	while (fgets(line, sizeof line, f))
		if (!strncmp(line, field, n) && line[n] == ':')
			bits = strtoull(line + n + 1, NULL, 16);
	fclose(f);
	return bits >> (SIGTRAP - 1) & 1;
}

/* What the program set, as the kernel tells it in three ways. */
static void check(int blocked, int ignored, int pending)
{
	struct sigaction is;
	sigset_t set;

	/* SIG_IGN can be put back only when no other thread runs, since that
	 * throws away what is queued: the one just joined may not be gone yet. */
	for (int i = 0; i < 2000; i++) {
		EXPECT_THAT(!sigaction(SIGTRAP, NULL, &is));
		if (!ignored || is.sa_handler == SIG_IGN)
			break;
		usleep(1000);
	}
	if (ignored) {
		EXPECT_THAT(is.sa_handler == SIG_IGN);
	} else {
		EXPECT_THAT(is.sa_sigaction == on_trap);
		EXPECT_THAT((is.sa_flags & (SA_SIGINFO | SA_NODEFER)) == (SA_SIGINFO | SA_NODEFER));
		EXPECT_THAT(sigismember(&is.sa_mask, SIGUSR2));
	}
	pthread_sigmask(SIG_SETMASK, NULL, &set);
	EXPECT_THAT(sigismember(&set, SIGTRAP) == blocked);
	sigpending(&set);
	EXPECT_THAT(sigismember(&set, SIGTRAP) == pending);
	EXPECT_THAT(status_bit("SigBlk") == blocked);
	EXPECT_THAT(status_bit("SigIgn") == ignored);
	EXPECT_THAT(status_bit("SigCgt") == !ignored);
}

static void raise_all(void)
{
	union sigval value = { .sival_int = 7 };

	for (int i = 0; i < TIMES; i++) {
		raise(SIGTRAP);
		EXPECT_THAT(handled == 3 * i + 1 && last_code == SI_TKILL);
		trap_alloc();
		kill(getpid(), SIGTRAP);
		EXPECT_THAT(handled == 3 * i + 2 && last_code == SI_USER);
		sigqueue(getpid(), SIGTRAP, value);
		EXPECT_THAT(handled == 3 * i + 3 && last_code == SI_QUEUE);
	}
	handled -= 3 * TIMES;
}

static void own_int3(void)
{
#if defined __x86_64__ || defined __i386__
	int status;
	pid_t pid;

	for (int i = 1; i <= TIMES; i++) {
		__asm__ volatile("int3");
		EXPECT_THAT(handled == i && last_code == SI_KERNEL);
		trap_alloc();
	}
	handled -= TIMES;
	pid = fork();
	if (!pid) {
		signal(SIGTRAP, SIG_DFL);
		__asm__ volatile("int3");
		_exit(0);
	}
	EXPECT_THAT(waitpid(pid, &status, 0) == pid);
	EXPECT_THAT(WIFSIGNALED(status) && WTERMSIG(status) == SIGTRAP);
#endif
}

int main(int argc, char **argv)
{
	struct sigaction sa = { .sa_sigaction = on_trap, .sa_flags = SA_SIGINFO | SA_NODEFER };
	char how = argc > 1 ? *argv[1] : 'h';
	int blocked = how == 'b', ignored = how == 'i' && strcmp(argv[1], "int3");
	sigset_t all;

	sigfillset(&all);
	sigaddset(&sa.sa_mask, SIGUSR2);
	if (ignored)
		sa = (struct sigaction){ .sa_handler = SIG_IGN };
	sigaction(SIGTRAP, &sa, NULL);
	if (blocked)
		pthread_sigmask(SIG_SETMASK, &all, NULL);
	check(blocked, ignored, 0);
	allocate_in_two();
	check(blocked, ignored, 0);
	if (blocked || ignored)
		raise(SIGTRAP);
	else if (how == 'r')
		raise_all();
	else if (how == 'i')
		own_int3();
	check(blocked, ignored, blocked);
	allocate_in_two();
	check(blocked, ignored, blocked);
	EXPECT_THAT(handled == 0);
	pthread_sigmask(SIG_UNBLOCK, &all, NULL);
	EXPECT_THAT(handled == blocked && (!blocked || last_code == SI_TKILL));
	trap_alloc();
	check(0, ignored, 0);
	expect_stack("trap_alloc", "total_blocks", allocs);
	expect_stack("trap_alloc", "open_blocks", 0);
	return 0;
}
