/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "console.h"

static int run(struct console *c, int argc, char **argv)
{
	(void)argv;
	if (argc > 1)
		return console_usage(c, &command_proclist);
	return console_piece(c, &c->report, REPORT_PROCS, "no process was traced");
}

const struct command command_proclist = {
	.name = "proclist",
	.args = "",
	.help = "the processes, a line each",
	.more = "",
	.run = run,
};
