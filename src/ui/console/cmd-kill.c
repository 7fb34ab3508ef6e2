/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "console.h"

/* Nothing is killed because a log has a process of that number. */
static int run(struct console *c, int argc, char **argv)
{
	pid_t pid;

	if (console_pid_only(c, &command_kill, argc, argv, &pid))
		return -1;
	if (c->client && console_live(c, pid, &pid))
		return -1;
	return console_tell(c, REQUEST_KILL, pid, 0);
}

const struct command command_kill = {
	.name = "kill",
	.args = "[PID]",
	.words = WORDS_PID,
	.help = "end the program by SIGKILL",
	.more = "PID may be left out where only one process runs.\n",
	.run = run,
};
