/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "console.h"

static int run(struct console *c, int argc, char **argv)
{
	pid_t pid;

	if (console_pid_only(c, &command_detach, argc, argv, &pid))
		return -1;
	return console_tell(c, REQUEST_DETACH, pid, 0);
}

const struct command command_detach = {
	.name = "detach",
	.args = "[PID]",
	.words = WORDS_PID,
	.help = "let the program go; it runs on, and what is known stays",
	.more = "",
	.run = run,
};
