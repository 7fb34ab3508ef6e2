/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "console.h"

static void show(struct console *c, const struct heapmap *m, const struct heapinfo *info,
		 const void *arg)
{
	struct report_page page = console_page(c);

	(void)arg;
	report_heapinfo(m, info, &c->report, &page, &c->out);
}

static int run(struct console *c, int argc, char **argv)
{
	pid_t pid;

	if (console_pid_only(c, &command_heapinfo, argc, argv, &pid))
		return -1;
	return console_each_heap(c, pid, show, NULL);
}

const struct command command_heapinfo = {
	.name = "heapinfo",
	.args = "[PID]",
	.words = WORDS_PID,
	.help = "the memory of the heap: what is free, and how much once was",
	.more = "Of each region its bytes, those that are free, the largest free piece, the least\n"
		"that was ever free in a region of that size (>=: at least), the free pieces, the\n"
		"blocks, and what of it is in memory.\n",
	.run = run,
};
