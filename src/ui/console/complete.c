/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the word that is being typed may become. */
#include <string.h>

#include "console.h"

static void add_if_like(struct strings *out, const char *name, const char *word, size_t n)
{
	if (!strncmp(name, word, n))
		vec_push(out, xstrdup(name));
}

static void add_commands(struct strings *out, const char *word, size_t n)
{
	const struct command *cmd;

	for (size_t i = 0; (cmd = command_at(i)); i++)
		add_if_like(out, cmd->name, word, n);
}

/* Each once, even when it had several images. */
static void add_pids(const struct heap *heap, struct strings *out, const char *word, size_t n)
{
	for (size_t i = 0; i < heap_nprocs(heap); i++) {
		const struct heap_proc *p = heap_proc_at(heap, i);
		char *pid;

		if (heap_proc_find(heap, p->pid) != p)
			continue;
		pid = xasprintf("%d", (int)p->pid);
		add_if_like(out, pid, word, n);
		free(pid);
	}
}

/* The command that a line begins with; NULL: none, or several. */
static const struct command *command_of(const char *line)
{
	const char *begin = line + strspn(line, " \t");
	size_t n = strcspn(begin, " \t>");
	const struct command *found = NULL, *cmd;

	for (size_t i = 0; (cmd = command_at(i)); i++) {
		if (strncmp(cmd->name, begin, n))
			continue;
		if (!cmd->name[n])
			return cmd;
		if (found)
			return NULL;
		found = cmd;
	}
	return n ? found : NULL;
}

static bool behind_redirection(const char *line, size_t at)
{
	while (at && (line[at - 1] == ' ' || line[at - 1] == '\t'))
		at--;
	return at && line[at - 1] == '>';
}

bool console_takes_file(const char *line, size_t at)
{
	const struct command *cmd = command_of(line);

	return behind_redirection(line, at) || (cmd && cmd->words & WORDS_FILE);
}

void console_candidates(const struct console *c, const char *line, size_t at, struct strings *out)
{
	const struct command *cmd = command_of(line);
	const char *word = line + at, *name;
	size_t n = strlen(word);

	if (at == strspn(line, " \t")) {
		add_commands(out, word, n);
		return;
	}
	if (!cmd || behind_redirection(line, at))
		return;
	for (size_t i = 0; cmd->choices && cmd->choices[i]; i++)
		add_if_like(out, cmd->choices[i], word, n);
	for (size_t i = 0; cmd->words & WORDS_SORT_KEY && (name = report_sort_name(i)); i++)
		add_if_like(out, name, word, n);
	if (cmd->words & WORDS_COMMAND)
		add_commands(out, word, n);
	if (cmd->words & WORDS_PID)
		add_pids(c->o->heap, out, word, n);
}
