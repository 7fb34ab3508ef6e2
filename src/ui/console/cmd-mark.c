/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "console.h"

static int run(struct console *c, int argc, char **argv)
{
	(void)argv;
	if (argc > 1)
		return console_usage(c, &command_mark);
	if (console_tell(c, REQUEST_MARK, 0, 0))
		return -1;
	strbuf_addf(&c->out, "mark %u\n", heap_nmarks(c->o->heap));
	return 0;
}

const struct command command_mark = {
	.name = "mark",
	.args = "",
	.help = "number this moment, for diff",
	.more = "",
	.run = run,
};
