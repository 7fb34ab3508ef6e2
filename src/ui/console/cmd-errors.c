/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "console.h"

static int run(struct console *c, int argc, char **argv)
{
	struct report_opts opts = c->report;

	if (console_pid_only(c, &command_errors, argc, argv, &opts.pid))
		return -1;
	return console_piece(c, &opts, REPORT_ERRORS, "no heap errors");
}

const struct command command_errors = {
	.name = "errors",
	.args = "[PID]",
	.words = WORDS_PID,
	.help = "the heap errors, with all their stacks",
	.more = "",
	.run = run,
};
