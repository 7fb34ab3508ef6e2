/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Attaching while a vfork child is in the program's memory: it meets the
 * breakpoints too, and must run on unharmed.  A driver that runs mtrace itself.
 * Exit status 0. */
#include <stdio.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include "expect.h"

static struct { volatile int begun, attached; } *state;

static int program(void)
{
	int status;
	pid_t child = vfork();

	if (!child) {
		void *p;

		state->begun = 1;
		while (!state->attached)
			usleep(1000);
		p = malloc(100);
		KEEP(p);
		free(p);
		_exit(7);
	}
	EXPECT_THAT(waitpid(child, &status, 0) == child);
	EXPECT_THAT(WIFEXITED(status) && WEXITSTATUS(status) == 7);
	free(malloc(10));
	return 3;
}

static pid_t attach_to(pid_t target, int *said)
{
	char pid[16];
	pid_t tracer;
	int fds[2];

	EXPECT_THAT(!pipe(fds));
	tracer = fork();
	if (!tracer) {
		dup2(fds[1], 2);
		snprintf(pid, sizeof pid, "%d", (int)target);
		execlp(getenv("MTRACE"), "mtrace", "-p", pid, (char *)NULL);
		_exit(127);
	}
	close(fds[1]);
	*said = fds[0];
	return tracer;
}

int main(void)
{
	pid_t target, tracer;
	char line[4096];
	int said, status;

	state = mmap(NULL, sizeof *state, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	EXPECT_THAT(state != MAP_FAILED);
	target = fork();
	if (!target)
		_exit(program());
	while (!state->begun)
		usleep(1000);
	tracer = attach_to(target, &said);
	EXPECT_THAT(read(said, line, sizeof line) > 0);
	state->attached = 1;
	EXPECT_THAT(waitpid(target, &status, 0) == target);
	EXPECT_THAT(WIFEXITED(status) && WEXITSTATUS(status) == 3);
	while (read(said, line, sizeof line) > 0)
		; /* its report */
	EXPECT_THAT(waitpid(tracer, &status, 0) == tracer && !status);
	return 0;
}
