/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Has a zombie, and a child that it traces; says both pids, and ends after a line
 * on standard input. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

int main(void)
{
	pid_t zombie = fork(), traced;
	siginfo_t info;
	char c;

	if (!zombie)
		_exit(0);
	if (waitid(P_PID, (id_t)zombie, &info, WEXITED | WNOWAIT))
		return 1;
	traced = fork();
	if (!traced)
		for (;;)
			pause();
	if (ptrace(PTRACE_SEIZE, traced, NULL, NULL))
		return 2;
	printf("%d\n%d\n", zombie, traced);
	fflush(stdout);
	while (read(0, &c, 1) < 0 && errno == EINTR)
		;
	kill(traced, SIGKILL);
	return waitpid(traced, NULL, 0) == traced && waitpid(zombie, NULL, 0) == zombie ? 0 : 3;
}
