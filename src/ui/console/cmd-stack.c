/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "console.h"

static int run(struct console *c, int argc, char **argv)
{
	struct report_page page = console_page(c);
	struct report_opts opts = c->report;
	struct report_numbered which;

	if (argc != 2)
		return console_usage(c, &command_stack);
	if (console_numbered(c, argv[1], &which))
		return -1;
	opts.long_form = true;
	opts.pid = which.pid;
	page.to_file = true;
	report_stack(c->o->heap, &opts, &page, which.stack, &c->out);
	return 0;
}

const struct command command_stack = {
	.name = "stack",
	.args = "N",
	.help = "all of the stack that has the number [N] in the last list",
	.more = "Numbers are those of dump, leaks or top, whichever came last; of several\n"
		"processes those of the first one, unless the list was of one.\n",
	.run = run,
};
