/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Children by fork, vfork, posix_spawn and clone(CLONE_VM), while threads
 * allocate: every one allocates what it may, runs unharmed and ends with the
 * status it chose, whether it is followed or not.
 * Build: -pthread.  Run: without and with -f; the counts are the parent's. */
#include <pthread.h>
#include <sched.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include "expect.h"

#define ROUNDS ROUNDS_OF(25, 4)
#define THREADS 2

extern char **environ;
static volatile int stop;
static long long busy[THREADS];

__attribute__((noinline)) static void *fork_alloc(size_t n)
{
	void *p = malloc(n);

	KEEP(p);
	EXPECT_THAT(p);
	memset(p, 0x5a, n);
	return p;
}

__attribute__((noinline)) static void *busy_alloc(size_t n)
{
	void *p = malloc(n);

	KEEP(p);
	return p;
}

static void *allocate(void *arg)
{
	long long *count = arg;

	while (!stop) {
		free(busy_alloc(100));
		++*count;
	}
	return NULL;
}

/* The return of an exec'ed copy: `storm-fork child CODE`. */
static int child(const char *code)
{
	for (int i = 0; i < 20; i++)
		free(fork_alloc(64));
	return atoi(code);
}

static void expect_code(pid_t pid, int code, int flags)
{
	int status;

	EXPECT_THAT(pid > 0);
	EXPECT_THAT(waitpid(pid, &status, flags) == pid);
	EXPECT_THAT(WIFEXITED(status) && WEXITSTATUS(status) == code);
}

static int in_our_memory(void *arg)
{
	/* Not malloc: the parent's threads share its locks and not its TLS. */
	for (volatile int i = 0; i < 1000; i++)
		;
	++*(volatile int *)arg;
	return 5;
}

static void children(char *self, char *stack, int *seen)
{
	char *argv[] = { self, "child", "4", NULL };
	unsigned char *block = fork_alloc(1000);
	pid_t pid = fork();

	if (!pid) {
		for (int i = 0; i < 1000; i++)
			EXPECT_THAT(block[i] == 0x5a);
		for (int i = 0; i < 20; i++)
			free(fork_alloc(32));
		_exit(3);
	}
	expect_code(pid, 3, 0);
	free(block);
	pid = vfork();
	if (!pid) {
		execv(self, argv);
		_exit(127);
	}
	expect_code(pid, 4, 0);
	EXPECT_THAT(!posix_spawn(&pid, self, NULL, NULL, argv, environ));
	expect_code(pid, 4, 0);
	expect_code(clone(in_our_memory, stack, CLONE_VM, seen), 5, __WALL);
}

int main(int argc, char **argv)
{
	char *stack = mmap(NULL, 65536, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	pthread_t t[THREADS];
	int seen = 0;

	if (argc > 2)
		return child(argv[2]);
	EXPECT_THAT(stack != MAP_FAILED);
	for (int i = 0; i < THREADS; i++)
		EXPECT_THAT(!pthread_create(&t[i], NULL, allocate, &busy[i]));
	for (int i = 0; i < ROUNDS; i++)
		children("/proc/self/exe", stack + 65536, &seen);
	stop = 1;
	for (int i = 0; i < THREADS; i++)
		pthread_join(t[i], NULL);
	EXPECT_THAT(seen == ROUNDS);
	expect_stack("children", "total_blocks", ROUNDS);
	expect_stack("children", "open_blocks", 0);
	expect_stack("busy_alloc", "total_blocks", busy[0] + busy[1]);
	expect_stack("busy_alloc", "open_blocks", 0);
	return 0;
}
