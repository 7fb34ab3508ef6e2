/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>

#include "console.h"

static int take_mark(struct console *c, const char *arg, uint32_t *out)
{
	uint32_t n = heap_nmarks(c->o->heap);
	unsigned long nr;

	if (!strcmp(arg, "now")) {
		*out = UINT32_MAX;
		return 0;
	}
	if (console_number(c, "mark", arg, UINT32_MAX, &nr))
		return -1;
	if (nr > n)
		return console_error(c, "there is no mark %lu: %s%u", nr, n ? "the last one is " : "there are ", n);
	*out = (uint32_t)nr;
	return 0;
}

static int run(struct console *c, int argc, char **argv)
{
	struct report_opts opts = c->report;

	if (argc != 3)
		return console_usage(c, &command_diff);
	if (take_mark(c, argv[1], &opts.from) || take_mark(c, argv[2], &opts.to))
		return -1;
	if (opts.from >= opts.to)
		return console_error(c, "mark %s is not before %s", argv[1], argv[2]);
	if (!heap_nmarks(c->o->heap))
		return console_error(c, "no marks were set");
	opts.between = true;
	return console_piece(c, &opts, REPORT_GROWN, "nothing that was allocated in between is in use");
}

static const char *const now[] = { "now", NULL };

const struct command command_diff = {
	.name = "diff",
	.args = "A B",
	.choices = now,
	.help = "what was allocated between marks A and B and is in use",
	.more = "A is 0 for the beginning; B is now for this moment. show marks lists them.\n",
	.run = run,
	.again = true,
};
