/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Lines of a terminal: editing, history and completion by readline, in its callback
 * form, so that what the tracer tells is taken while the user thinks. */
#include "console.h"

#ifdef HAVE_READLINE
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <readline/history.h>
#include <readline/readline.h>

#include "base/msg.h"

enum { MAX_HISTORY = 1000 };

/* readline's callbacks take no argument. */
static struct {
	struct console *console;
	char *history, *prompt;
	char *line;            /* what was entered */
	bool entered;
	struct strings candidates;
	size_t next;
} rl;

/* -- history ---------------------------------------------------------------------- */

/* Where programs of a user keep such things; NULL: nowhere. */
static char *history_folder(void)
{
	const char *state = getenv("XDG_STATE_HOME"), *home = getenv("HOME");

	if (state && *state == '/')
		return xasprintf("%s/%s", state, PROGRAM_NAME);
	if (home && *home == '/')
		return xasprintf("%s/.local/state/%s", home, PROGRAM_NAME);
	return NULL;
}

/* Nobody else is to read it. */
static void make_folders(char *path)
{
	for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		mkdir(path, 0700);
		*slash = '/';
	}
	mkdir(path, 0700);
}

static void history_begin(void)
{
	char *folder = history_folder();

	using_history();
	stifle_history(MAX_HISTORY);
	if (!folder)
		return;
	make_folders(folder);
	rl.history = xasprintf("%s/history", folder);
	read_history(rl.history);
	free(folder);
}

static void history_end(void)
{
	if (rl.history && !write_history(rl.history))
		chmod(rl.history, 0600);
	free(rl.history);
	rl.history = NULL;
}

/* Not the same line twice in a row. */
static void remember(const char *line)
{
	HIST_ENTRY *last = history_length ? history_get(history_base + history_length - 1) : NULL;

	if (*line && (!last || strcmp(last->line, line)))
		add_history(line);
}

/* -- completion --------------------------------------------------------------------- */

/* readline frees what it gets. */
static char *next_candidate(const char *text, int state)
{
	(void)text;
	if (!state)
		rl.next = 0;
	return rl.next < rl.candidates.n ? strdup(rl.candidates.v[rl.next++]) : NULL;
}

static char **complete(const char *text, int start, int end)
{
	char *line = xstrndup(rl_line_buffer, (size_t)end);
	char **matches = NULL;

	strings_release(&rl.candidates);
	console_candidates(rl.console, line, (size_t)start, &rl.candidates);
	if (rl.candidates.n)
		matches = rl_completion_matches(text, next_candidate);
	rl_attempted_completion_over = matches || !console_takes_file(line, (size_t)start);
	free(line);
	return matches;
}

/* -- lines ----------------------------------------------------------------------------- */

static void on_line(char *line)
{
	rl.line = line;
	rl.entered = true;
	rl_callback_handler_remove(); /* the terminal is the command's meanwhile */
}

bool readline_begin(struct console *c)
{
	rl.console = c;
	rl.prompt = xasprintf("%s> ", msg_program());
	rl_readline_name = PROGRAM_NAME;
	rl_catch_signals = rl_catch_sigwinch = 0;
	rl_attempted_completion_function = complete;
	rl_completer_word_break_characters = (char *)(uintptr_t)" \t\n>";
	history_begin();
	return true;
}

/* Ctrl-C at the prompt. */
static void clear_line(void)
{
	console_interrupted = 0;
	rl_free_line_state();
	rl_callback_sigcleanup();
	fputs("^C\n", rl_outstream);
	rl_replace_line("", 0);
	rl_on_new_line();
	rl_redisplay();
}

char *readline_line(struct console *c)
{
	char *line;

	rl.entered = false;
	rl_callback_handler_install(rl.prompt, on_line);
	rl_reset_screen_size(); /* a command may have taken long */
	while (!rl.entered) {
		bool traced = c->client;

		if (console_wait(c, STDIN_FILENO, POLLIN, -1)) {
			rl_callback_read_char();
		} else if (console_ending) {
			rl_callback_handler_remove();
			rl.line = NULL;
			break;
		} else if (console_interrupted) {
			clear_line();
		} else if (console_resumed) {
			console_resumed = 0;
			rl_deprep_terminal(); /* a shell had it meanwhile */
			rl_prep_terminal(1);
			rl_forced_update_display();
		} else if (console_resized) {
			console_resized = 0;
			rl_resize_terminal();
		}
		if (traced && !c->client)
			rl_forced_update_display(); /* a message has come in between */
	}
	if (!rl.line) {
		fputc('\n', stdout);
		fflush(stdout);
		return NULL;
	}
	remember(rl.line);
	line = xstrdup(rl.line);
	free(rl.line);
	return line;
}

void readline_end(void)
{
	history_end();
	strings_release(&rl.candidates);
	free(rl.prompt);
	rl.prompt = NULL;
}
#else
bool readline_begin(struct console *c)
{
	(void)c;
	return false;
}

char *readline_line(struct console *c)
{
	(void)c;
	return NULL;
}

void readline_end(void)
{
}
#endif
