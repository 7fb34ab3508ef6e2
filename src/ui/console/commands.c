/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The table of commands, and how words are found in tables. */
#include <string.h>

#include "console.h"

static const struct command *const table[] = {
	&command_block,  &command_detach,   &command_diff,  &command_dump,  &command_errors,
	&command_export, &command_heapinfo, &command_heapmap, &command_help,
	&command_kill,   &command_leaks,    &command_list,
	&command_mark,   &command_proclist, &command_quit,  &command_reset, &command_scan,
	&command_set,    &command_show,     &command_stack, &command_start, &command_status,
	&command_stop,   &command_top,      &command_wait,     &command_why,
};

const struct command *command_at(size_t i)
{
	return i < ARRAY_SIZE(table) ? table[i] : NULL;
}

int command_match(const char *arg, const char *(*name)(const void *of, size_t i), const void *of)
{
	const char *candidate;
	int found = -1;

	for (size_t i = 0; (candidate = name(of, i)); i++) {
		if (!strcmp(candidate, arg))
			return (int)i;
		if (!strncmp(candidate, arg, strlen(arg)))
			found = found == -1 && *arg ? (int)i : -2;
	}
	return found;
}

/* Those that begin with arg, or all: "start, stop". */
static char *names_like(const char *arg, const char *(*name)(const void *of, size_t i),
			const void *of)
{
	struct strbuf sb = STRBUF_INIT;
	const char *candidate;

	for (size_t i = 0; (candidate = name(of, i)); i++)
		if (!strncmp(candidate, arg, strlen(arg)))
			strbuf_addf(&sb, "%s%s", sb.n ? ", " : "", candidate);
	return strbuf_detach(&sb);
}

static const char *command_name(const void *of, size_t i)
{
	const struct command *cmd = command_at(i);

	(void)of;
	return cmd ? cmd->name : NULL;
}

const struct command *command_find(struct console *c, const char *name)
{
	int i = command_match(name, command_name, NULL);
	char *names;

	if (i >= 0)
		return table[i];
	if (i == -1) {
		console_error(c, "unknown command '%s': help lists those there are", name);
		return NULL;
	}
	names = names_like(name, command_name, NULL);
	console_error(c, "'%s' may be one of: %s", name, names);
	free(names);
	return NULL;
}

static const char *choice(const void *of, size_t i)
{
	return ((const char *const *)of)[i];
}

int command_choose(struct console *c, const char *what, const char *const *choices, const char *arg)
{
	int i = command_match(arg, choice, choices);
	char *names;

	if (i >= 0)
		return i;
	names = names_like(i == -2 ? arg : "", choice, choices);
	console_error(c, "'%s' is no %s: %s", arg, what, names);
	free(names);
	return -1;
}

void console_list_commands(struct strbuf *sb)
{
	for (size_t i = 0; i < ARRAY_SIZE(table); i++)
		strbuf_addf(sb, "%s%s%s\n", table[i]->name, *table[i]->args ? " " : "",
			    table[i]->args);
}
