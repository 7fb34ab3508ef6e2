/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Job control: a helper stops and continues the process again and again; it
 * stays stopped as long as it should, all threads of it, its SIGCONT handler
 * runs each time, and a parent sees its child's stops.
 * Build: -pthread.  Run: traced from the start, without and with -f. */
#include <dirent.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include "expect.h"

#define THREADS 3
#define STOPS 12

static struct { volatile long long allocs[THREADS]; volatile int stop, continued, go; } *shared;

__attribute__((noinline)) static void stop_alloc(void)
{
	void *p = malloc(77);

	KEEP(p);
	free(p);
}

static void *allocate(void *arg)
{
	for (volatile long long *count = arg; !shared->stop; ++*count)
		stop_alloc();
	return NULL;
}

static void on_continue(int sig)
{
	shared->continued += sig == SIGCONT;
}

static void wait_ms(int ms)
{
	struct timespec t = { 0, ms * 1000000l };

	while (nanosleep(&t, &t))
		;
}

/* Are all threads of it stopped, by job control or the stop of a tracer? */
static int is_stopped(pid_t pid)
{
	char path[300], stat[512], *state;
	struct dirent *d;
	int all = 1;
	DIR *dir;

	snprintf(path, sizeof path, "/proc/%d/task", pid);
	dir = opendir(path);
	EXPECT_THAT(dir);
	while ((d = readdir(dir))) {
		FILE *f;

		if (*d->d_name == '.')
			continue;
		snprintf(path, sizeof path, "/proc/%d/task/%s/stat", pid, d->d_name);
		f = fopen(path, "r");
		EXPECT_THAT(f && fgets(stat, sizeof stat, f));
		fclose(f);
		state = strrchr(stat, ')');
		all &= state && (state[2] == 'T' || state[2] == 't');
	}
	closedir(dir);
	return all;
}

static long long sum(void)
{
	return shared->allocs[0] + shared->allocs[1] + shared->allocs[2];
}

static void stop_and_continue(pid_t pid, int i)
{
	long long before = -1;
	int n = 0;

	kill(pid, SIGSTOP); /* SIGTSTP does nothing to an orphaned group */
	/* A tracer stops each of them now and then: only together, and for a
	 * while, is it job control. */
	for (int still = 0; still < 20 && n++ < 1000; wait_ms(1)) {
		still = is_stopped(pid) && sum() == before ? still + 1 : 0;
		before = sum();
	}
	EXPECT_THAT(n < 1000);
	wait_ms(15);
	EXPECT_THAT(sum() == before && is_stopped(pid));
	kill(pid, SIGCONT);
	for (n = 0; (sum() == before || shared->continued < i + 1) && n < 2000; n++)
		wait_ms(1);
	EXPECT_THAT(sum() > before && shared->continued == i + 1);
}

static void stopped_child(void)
{
	pid_t pid = fork();
	int status;

	if (!pid) {
		signal(SIGCONT, SIG_DFL);
		stop_alloc();
		raise(SIGSTOP);
		stop_alloc();
		while (!shared->go)
			wait_ms(1);
		_exit(6);
	}
	EXPECT_THAT(waitpid(pid, &status, WUNTRACED) == pid);
	EXPECT_THAT(WIFSTOPPED(status) && WSTOPSIG(status) == SIGSTOP);
	EXPECT_THAT(waitpid(pid, &status, WUNTRACED | WNOHANG) == 0);
	kill(pid, SIGCONT);
	EXPECT_THAT(waitpid(pid, &status, WCONTINUED) == pid && WIFCONTINUED(status));
	shared->go = 1;
	EXPECT_THAT(waitpid(pid, &status, 0) == pid);
	EXPECT_THAT(WIFEXITED(status) && WEXITSTATUS(status) == 6);
}

int main(void)
{
	pid_t us = getpid(), helper;
	pthread_t t[THREADS];
	int status;

	shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	EXPECT_THAT(shared != MAP_FAILED);
	signal(SIGCONT, on_continue);
	stopped_child();
	helper = fork();
	if (!helper) {
		setpgid(0, 0); /* not stopped by a shell's hand as well */
		for (int i = 0; i < STOPS; i++)
			stop_and_continue(us, i);
		_exit(0);
	}
	for (int i = 0; i < THREADS; i++)
		EXPECT_THAT(!pthread_create(&t[i], NULL, allocate, (void *)&shared->allocs[i]));
	while (waitpid(helper, &status, 0) < 0)
		EXPECT_THAT(errno == EINTR);
	EXPECT_THAT(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	shared->stop = 1;
	for (int i = 0; i < THREADS; i++)
		pthread_join(t[i], NULL);
	expect_stack("allocate", "total_blocks", sum());
	return 0;
}
