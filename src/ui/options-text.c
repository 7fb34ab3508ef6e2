/* SPDX-License-Identifier: GPL-2.0-or-later */
/* --help, --version and --list-options, made from the table. */
#include "base/msg.h"
#include "base/strbuf.h"
#include "options-internal.h"

static const char *const group_titles[] = {
	[GROUP_WHAT] = "What is traced:",
	[GROUP_CALLS] = "Which calls:",
	[GROUP_LEAKS] = "Leaks:",
	[GROUP_CHECKS] = "Checks that change what the program sees:",
	[GROUP_REPORT] = "The report:",
	[GROUP_LOG] = "Logs and the network:",
	[GROUP_OTHER] = "Other:",
	[GROUP_IMPORT] = "Heap logs of other systems:",
};

static const char *const word_names[] = {
	[WORD_NONE] = "none",     [WORD_ANY] = "any",       [WORD_NUMBER] = "number",
	[WORD_FILE] = "file",     [WORD_FOLDER] = "folder", [WORD_PID] = "pid",
	[WORD_USER] = "user",     [WORD_SORT_KEY] = "word", [WORD_COLOR] = "word",
	[WORD_FORMAT] = "format", [WORD_LEAK_CHECK] = "word", [WORD_LEAK_KIND] = "word",
	[WORD_SCAN] = "word",     [WORD_ON_SIGNAL] = "word", [WORD_GEN] = "word",
	[WORD_YES_NO] = "word",   [WORD_DISCONNECT] = "word", [WORD_FULL] = "word",
	[WORD_TRACE] = "maybe",
	[WORD_IMPORT] = "word",
	[WORD_ON_THRESHOLD] = "word",
};

static const char *const side_names[] = {
	[SIDE_BOTH] = "both", [SIDE_TRACER] = "tracer", [SIDE_REPORT] = "report",
};

static void help_row(struct strbuf *sb, const struct option_row *row)
{
	enum { COLUMN = 28 };
	size_t start = sb->n;

	if (row->key)
		strbuf_addf(sb, "  -%c, --%s", row->key, row->name);
	else
		strbuf_addf(sb, "      --%s", row->name);
	if (row->arg)
		strbuf_addf(sb, " %s", row->arg);
	if (sb->n - start > COLUMN - 2) {
		strbuf_addc(sb, '\n');
		start = sb->n;
	}
	strbuf_addf(sb, "%*s", (int)(COLUMN - (sb->n - start)), "");
	for (const char *c = row->help; *c; c++) {
		strbuf_addc(sb, *c);
		if (*c == '\n')
			strbuf_addf(sb, "%*s", COLUMN, "");
	}
	strbuf_addc(sb, '\n');
}

void options_help(struct strbuf *sb)
{
	const char *name = msg_program();
	const struct option_row *row;

	strbuf_addf(sb, "usage: %s [OPTION...] COMMAND [ARG...]\n"
		    "       %s [OPTION...] -p PID... [COMMAND [ARG...]]\n", name, name);
	host_help_usage(sb);
	for (size_t g = 0; g < ARRAY_SIZE(group_titles); g++) {
		bool any = false;

		for (size_t i = 0; (row = option_row(i)); i++) {
			if (row->group != g || !group_titles[g])
				continue;
			if (!any)
				strbuf_addf(sb, "\n%s\n", group_titles[g]);
			any = true;
			help_row(sb, row);
		}
	}
	host_help_end(sb);
	strbuf_addf(sb, "\nThe manual page %s(1) tells the rest.\n", name);
}

void options_version(struct strbuf *sb)
{
	strbuf_addf(sb, "%s %s\n%s", msg_program(), PACKAGE_VERSION, BUILD_CHOICES);
#ifdef HAVE_READLINE
	strbuf_adds(sb, "License GPL-3.0-or-later, because it is linked with readline; the source is\n"
			"GPL-2.0-or-later. There is no warranty.\n");
#else
	strbuf_adds(sb, "License GPL-2.0-or-later. There is no warranty.\n");
#endif
}

/* -d --depth N number tracer · - --color WHEN word report auto always never */
void options_list(struct strbuf *sb)
{
	const struct option_row *row;
	const char *w;

	for (size_t i = 0; (row = option_row(i)); i++) {
		if (row->group == GROUP_HIDDEN)
			continue;
		if (row->key)
			strbuf_addf(sb, "-%c", row->key);
		else
			strbuf_addc(sb, '-');
		strbuf_addf(sb, " --%s %s %s %s", row->name, row->arg ? row->arg : "-",
			    word_names[row->word], side_names[option_side(row)]);
		for (size_t k = 0; (w = option_word(row->word, k)); k++)
			strbuf_addf(sb, " %s", w);
		strbuf_addc(sb, '\n');
	}
}
