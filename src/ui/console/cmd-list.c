/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "console.h"

static int run(struct console *c, int argc, char **argv)
{
	struct blocks_source source = { c->o->heap, c->o->blocks };
	struct report_page page = console_page(c);
	struct report_opts opts = c->report;

	if (console_pid_only(c, &command_list, argc, argv, &opts.pid) || console_fetch_blocks(c, opts.pid))
		return -1;
	opts.blocks = blocks_for_report;
	opts.blocks_arg = &source;
	report_open_blocks(c->o->heap, &opts, &page, &c->out);
	return 0;
}

const struct command command_list = {
	.name = "list",
	.args = "[PID]",
	.words = WORDS_PID,
	.help = "every open block",
	.more = "Address, size, the function that was called, line and function of the call, the\n"
		"variable that got the block where the source tells, age. Of a block whose\n"
		"allocation was not seen the last mark stands instead of the age.\n",
	.run = run,
	.again = true,
};
