/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "console.h"

static int run(struct console *c, int argc, char **argv)
{
	pid_t pid;

	if (console_pid_only(c, &command_stop, argc, argv, &pid))
		return -1;
	return console_tell(c, REQUEST_STOP, pid, 0);
}

const struct command command_stop = {
	.name = "stop",
	.args = "[PID]",
	.words = WORDS_PID,
	.help = "observe nothing more; the program runs on",
	.more = "What is released meanwhile is unknown, and stays in use for us.\n",
	.run = run,
};
