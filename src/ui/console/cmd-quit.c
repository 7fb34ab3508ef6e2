/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "console.h"

static int run(struct console *c, int argc, char **argv)
{
	(void)argv;
	if (argc > 1)
		return console_usage(c, &command_quit);
	c->quit = true;
	return 0;
}

const struct command command_quit = {
	.name = "quit",
	.args = "",
	.help = "leave the console",
	.more = "So does the end of the input, Ctrl-D.\n",
	.run = run,
};
