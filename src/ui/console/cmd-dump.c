/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <string.h>

#include "console.h"

static int take_word(struct console *c, struct report_opts *opts, const char *arg)
{
	if (!strcmp(arg, "-l")) {
		opts->long_form = true;
		return 0;
	}
	if (*arg >= '0' && *arg <= '9')
		return console_pid(c, arg, &opts->pid);
	opts->sort = report_sort_lookup(arg);
	if (opts->sort)
		return 0;
	return errno == ENOTUNIQ ? console_error(c, "'%s' begins several keys to sort by", arg) :
				   console_error(c, "'%s' is no key to sort by: help dump", arg);
}

static int run(struct console *c, int argc, char **argv)
{
	struct report_opts opts = c->report;
	struct report_page page = console_page(c);

	for (int i = 1; i < argc; i++)
		if (take_word(c, &opts, argv[i]))
			return -1;
	c->listing = opts.list_leaks ? REPORT_LEAKS : REPORT_TOP;
	c->listing_sort = opts.sort;
	c->listing_pid = opts.pid;
	report_text(c->o->heap, &opts, page.to_file, page.color, page.width, &c->out);
	return 0;
}

const struct command command_dump = {
	.name = "dump",
	.args = "[SORT] [-l] [PID] [>FILE]",
	.words = WORDS_PID | WORDS_SORT_KEY,
	.help = "the whole report",
	.more = "SORT is a key of --sort-by, or its beginning. -l shows frames below main and\n"
		"the files they are mapped from.\n",
	.run = run,
	.again = true,
};
