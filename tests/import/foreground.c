/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Runs a command as a terminal's foreground job is: the background jobs of a script
 * ignore SIGINT. */
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	if (argc < 2)
		return 125;
	signal(SIGINT, SIG_DFL);
	execvp(argv[1], argv + 1);
	perror(argv[1]);
	return 127;
}
