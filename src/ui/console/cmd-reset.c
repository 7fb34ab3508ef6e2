/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "console.h"

static int run(struct console *c, int argc, char **argv)
{
	pid_t pid;

	if (console_pid_only(c, &command_reset, argc, argv, &pid))
		return -1;
	return console_tell(c, REQUEST_RESET, pid, 0);
}

const struct command command_reset = {
	.name = "reset",
	.args = "[PID]",
	.words = WORDS_PID,
	.help = "forget what is open, and begin counting anew",
	.more = "",
	.run = run,
};
