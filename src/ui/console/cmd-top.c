/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <limits.h>

#include "console.h"

static int run(struct console *c, int argc, char **argv)
{
	struct report_opts opts = c->report;
	unsigned long n = REPORT_DEFAULT_STACKS;

	if (argc > 2)
		return console_usage(c, &command_top);
	if (argc == 2 && console_number(c, "number", argv[1], INT_MAX, &n))
		return -1;
	opts.max_stacks = (int)n;
	opts.more = "top 0";
	c->listing = REPORT_TOP;
	c->listing_sort = opts.sort;
	c->listing_pid = 0;
	return console_piece(c, &opts, REPORT_TOP, "nothing is in use");
}

const struct command command_top = {
	.name = "top",
	.args = "[N]",
	.help = "the N stacks (10; 0: all) that hold most",
	.more = "",
	.run = run,
	.again = true,
};
