/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "console.h"

static int run(struct console *c, int argc, char **argv)
{
	pid_t pid;

	if (console_pid_only(c, &command_start, argc, argv, &pid))
		return -1;
	return console_tell(c, REQUEST_START, pid, REQUEST_START_ROWS);
}

const struct command command_start = {
	.name = "start",
	.args = "[PID]",
	.words = WORDS_PID,
	.help = "observe allocations (again); a launched program begins",
	.more = "",
	.run = run,
};
