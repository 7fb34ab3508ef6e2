/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "console.h"

static int run(struct console *c, int argc, char **argv)
{
	struct report_opts opts = c->report;

	if (console_pid_only(c, &command_status, argc, argv, &opts.pid))
		return -1;
	return console_piece(c, &opts, REPORT_SUMMARY, "no process was traced");
}

const struct command command_status = {
	.name = "status",
	.args = "[PID]",
	.words = WORDS_PID,
	.help = "the figures of each process",
	.more = "",
	.run = run,
	.again = true,
};
