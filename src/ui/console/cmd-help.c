/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "console.h"

static void add_all(struct console *c)
{
	const struct command *cmd;

	for (size_t i = 0; (cmd = command_at(i)); i++)
		strbuf_addf(&c->out, "  %-10s %s\n", cmd->name, cmd->help);
	strbuf_adds(&c->out, "\nBeginnings of these words are enough. Behind any command >FILE writes what it\n"
			     "prints to FILE, >>FILE appends it. help COMMAND tells more.\n");
}

static void add_keys(struct console *c)
{
	const char *name;

	strbuf_adds(&c->out, "Keys to sort by:\n");
	for (size_t i = 0; (name = report_sort_name(i)); i++)
		strbuf_addf(&c->out, "  %-12s %s\n", name, report_sort_help(i));
}

static int run(struct console *c, int argc, char **argv)
{
	const struct command *cmd;

	if (argc > 2)
		return console_usage(c, &command_help);
	if (argc == 1) {
		add_all(c);
		return 0;
	}
	cmd = command_find(c, argv[1]);
	if (!cmd)
		return -1;
	strbuf_addf(&c->out, "%s%s%s\n  %s\n%s", cmd->name, *cmd->args ? " " : "", cmd->args, cmd->help,
		    cmd->more);
	if (cmd->words & WORDS_SORT_KEY)
		add_keys(c);
	return 0;
}

const struct command command_help = {
	.name = "help",
	.args = "[COMMAND]",
	.words = WORDS_COMMAND,
	.help = "what commands there are, or how one is used",
	.more = "",
	.run = run,
};
