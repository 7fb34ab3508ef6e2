/* SPDX-License-Identifier: GPL-2.0-or-later */
/* May a process trace its own children here?  Exit status 0: yes; otherwise
 * the reason is printed. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

int main(void)
{
	pid_t pid = fork();
	int status, error = 0;

	if (pid < 0) {
		printf("fork: %s\n", strerror(errno));
		return 1;
	}
	if (!pid)
		for (;;)
			pause();
	if (ptrace(PTRACE_SEIZE, pid, NULL, NULL) < 0)
		error = errno;
	kill(pid, SIGKILL);
	while (waitpid(pid, &status, __WALL) == pid && !WIFSIGNALED(status))
		;
	if (error)
		printf("ptrace is not allowed here: %s\n", strerror(error));
	return error != 0;
}
