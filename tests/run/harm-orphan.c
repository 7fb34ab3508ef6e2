/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A process is killed while it makes children as fast as it can: of the last
 * ones nobody tells the tracer whose they are.  They are copies with its
 * breakpoints, and must run on unharmed, and end.
 *   harm-orphan            it is a child of the program
 *   harm-orphan attached   $MTRACE attaches to it, before each is killed
 * Build: -pthread.  Run: -f, or a driver that runs mtrace itself; exit status 0. */
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include "expect.h"

#define ROUNDS 8

static struct { volatile int born, fine; } *seen;
static int tracer_said;

static void child(void)
{
	void *p;

	__atomic_fetch_add(&seen->born, 1, __ATOMIC_RELAXED);
	p = malloc(100);
	KEEP(p);
	free(p);
	__atomic_fetch_add(&seen->fine, 1, __ATOMIC_RELAXED);
	_exit(0);
}

static void *make_children(void *arg)
{
	for (;;) {
		if (!fork())
			child();
		while (waitpid(-1, NULL, WNOHANG) > 0)
			;
	}
	return arg;
}

static void be_parent(void)
{
	pthread_t t;

	pthread_create(&t, NULL, make_children, NULL);
	make_children(NULL);
}

/* Comes back when mtrace has said that it has attached. */
static pid_t attach_to(pid_t parent)
{
	char pid[16], line[200];
	int said[2];
	pid_t tracer;

	EXPECT_THAT(!pipe(said));
	tracer = fork();
	if (!tracer) {
		dup2(said[1], 2);
		snprintf(pid, sizeof pid, "%d", (int)parent);
		execlp(getenv("MTRACE"), "mtrace", "-p", pid, (char *)NULL);
		_exit(127);
	}
	close(said[1]);
	EXPECT_THAT(read(said[0], line, sizeof line) > 0);
	tracer_said = said[0];
	return tracer;
}

static void await_births(int more)
{
	int before = seen->born;

	for (int i = 0; i < 20000 && seen->born < before + more; i++)
		usleep(1000);
	EXPECT_THAT(seen->born >= before + more);
}

/* All that have the pipe are gone when it has an end. */
static void await_end(int fd)
{
	struct pollfd end = { .fd = fd, .events = POLLIN };

	if (poll(&end, 1, 20000) == 1)
		return;
	fprintf(stderr, "a child does not end\n");
	_exit(98);
}

static void round_of(int i, int attached)
{
	pid_t parent, tracer = 0;
	char said[4096];
	int all[2];

	EXPECT_THAT(!pipe(all));
	parent = fork();
	if (!parent)
		be_parent();
	if (attached)
		tracer = attach_to(parent);
	close(all[1]);
	await_births(1 + i);
	usleep(500 * i);
	kill(parent, SIGKILL);
	waitpid(parent, NULL, 0);
	if (tracer) {
		while (read(tracer_said, said, sizeof said) > 0)
			; /* its report */
		close(tracer_said);
		waitpid(tracer, NULL, 0);
	}
	await_end(all[0]);
	close(all[0]);
	if (seen->born != seen->fine)
		fprintf(stderr, "round %d: %d born, %d were fine\n", i, seen->born, seen->fine);
	EXPECT_THAT(seen->born == seen->fine);
}

int main(int argc, char **argv)
{
	(void)argv;
	seen = mmap(NULL, sizeof *seen, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	EXPECT_THAT(seen != MAP_FAILED);
	for (int i = 0; i < ROUNDS; i++)
		round_of(i, argc > 1);
	return 0;
}
