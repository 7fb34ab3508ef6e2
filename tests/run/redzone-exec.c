/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Writes behind blocks and becomes another program: what is seen then.  A child that
 * borrows the memory, and an exec that fails. */
#include <spawn.h>
#include <sys/wait.h>

#include "expect.h"

extern char **environ;

__attribute__((noinline)) static char *overrun(size_t n)
{
	char *p = malloc(n);

	p[n] = 'x';
	KEEP(p);
	return p;
}

int main(int argc, char **argv)
{
	char *again[] = { argv[0], (char *)"again", NULL };
	char *first, *nowhere[] = { (char *)"true", NULL };
	pid_t pid;
	int status;

	if (argc > 1) {
		expect("error_count", 3);
		expect_error("overrun", 3);
		return 0;
	}
	first = overrun(70);
	EXPECT_THAT(!posix_spawn(&pid, "/bin/true", NULL, NULL, nowhere, environ));
	EXPECT_THAT(waitpid(pid, &status, 0) == pid && !status);
	free(first); /* seen now, not by the child */
	overrun(80);
	EXPECT_THAT(execve("/nonexistent/program", nowhere, environ) == -1 && errno == ENOENT);
	overrun(90);
	execve(argv[0], again, environ);
	return 98;
}
