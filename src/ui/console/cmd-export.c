/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>

#include "console.h"

static const char *const formats[] = { "json", "xml", NULL };

static int run(struct console *c, int argc, char **argv)
{
	struct report_opts opts = c->report;
	int format;

	if (argc != 3)
		return console_usage(c, &command_export);
	format = command_choose(c, "format", formats, argv[1]);
	if (format < 0)
		return -1;
	opts.json = format == 0 ? argv[2] : NULL;
	opts.xml = format == 1 ? argv[2] : NULL;
	return report_export(c->o->heap, &opts) ? -1 : 0;
}

const struct command command_export = {
	.name = "export",
	.args = "FORMAT FILE",
	.words = WORDS_FILE,
	.choices = formats,
	.help = "write the report as json or xml",
	.more = "As --export does; - is standard output.\n",
	.run = run,
};
