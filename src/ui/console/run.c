/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reads commands and carries them out. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "base/msg.h"
#include "elf/elf_file.h"
#include "console.h"

volatile int console_interrupted, console_ending, console_resumed, console_resized;

/* Who asks us to end finds the terminal as it was, and the history kept. */
static void on_signal(int sig)
{
	if (sig == SIGCONT) {
		console_resumed = 1;
		return;
	}
	if (sig == SIGWINCH) {
		console_resized = 1;
		return;
	}
	console_interrupted = 1;
	if (sig != SIGINT)
		console_ending = sig;
}

static const int signals[] = { SIGINT, SIGTERM, SIGHUP, SIGCONT, SIGWINCH, SIGPIPE };

static void signals_begin(struct sigaction old[])
{
	struct sigaction ours = { .sa_handler = on_signal }; /* no SA_RESTART: waits end */

	for (size_t i = 0; i < ARRAY_SIZE(signals); i++) {
		if (signals[i] == SIGPIPE) /* who reads what we print may stop */
			ours.sa_handler = SIG_IGN;
		sigaction(signals[i], &ours, &old[i]);
	}
}

static void signals_end(const struct sigaction old[])
{
	for (size_t i = 0; i < ARRAY_SIZE(signals); i++)
		sigaction(signals[i], &old[i], NULL);
}

struct report_page console_page(const struct console *c)
{
	if (c->file)
		return (struct report_page){ true, c->report.color == COLOR_ALWAYS, 0, false };
	return (struct report_page){ c->paged, report_use_color(&c->report, STDOUT_FILENO),
				     report_width(&c->report, STDOUT_FILENO),
				     report_use_utf8(STDOUT_FILENO) };
}

static int run_command(struct console *c, const struct command *cmd, const struct command_line *l)
{
	int err = cmd->run(c, (int)l->words.n, l->words.v);

	if (!console_interrupted)
		return err;
	c->input.stopped = !c->input.prompts;
	return err ? err : console_error(c, "interrupted");
}

/* A terminal shows last what matters most, a pager first. */
static int carry_out(struct console *c, const struct command_line *l)
{
	const struct command *cmd = command_find(c, l->words.v[0]);
	int err;

	if (!cmd)
		return -1;
	c->file = l->file;
	console_interrupted = 0;
	err = run_command(c, cmd, l);
	if (!err && cmd->again && output_pages(c)) {
		c->paged = true;
		strbuf_reset(&c->out);
		err = run_command(c, cmd, l);
	}
	if ((!err || !l->file) && output_show(c, l))
		err = -1;
	strbuf_reset(&c->out);
	c->file = NULL;
	c->paged = false;
	console_interrupted = 0;
	return err;
}

int console_execute(struct console *c, const char *text)
{
	struct command_line l;
	const char *why;
	int err = 0;

	if (command_line_split(&l, text, &why))
		err = console_error(c, "%s", why);
	else if (!l.words.n && l.file)
		err = console_error(c, "there is nothing to write to %s", l.file);
	else if (l.words.n)
		err = carry_out(c, &l);
	command_line_release(&l);
	return err;
}

static void execute_all(struct console *c)
{
	bool with_readline = c->input.prompts && readline_begin(c);

	while (!c->quit && !c->input.stopped && !console_ending) {
		char *line = with_readline ? readline_line(c) : input_line(c);

		if (!line)
			break;
		if (console_execute(c, line) && !c->input.prompts)
			c->failed = true;
		free(line);
	}
	if (with_readline)
		readline_end();
	vec_release(&c->input.bytes);
}

static void run_script(struct console *c, const char *path)
{
	bool standard = !strcmp(path, "-");
	int fd = standard ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0) {
		msg_error("cannot read %s: %s", path, strerror(errno));
		c->failed = true;
		return;
	}
	c->input = (struct input){ .fd = fd, .name = path };
	execute_all(c);
	if (!standard)
		close(fd);
}

int console_run(const struct console_opts *o)
{
	struct console c = { .o = o, .client = o->client, .report = *o->report,
			     .listing = REPORT_TOP, .listing_sort = o->report->sort };
	struct sigaction old[ARRAY_SIZE(signals)];
	bool never;

	c.report.interrupted = &console_interrupted;
	if (o->report->list_leaks)
		c.listing = REPORT_LEAKS;
	console_interrupted = console_ending = console_resumed = console_resized = 0;
	signals_begin(old);
	never = o->launched && console_await_entry(&c);
	if (!never && o->script)
		run_script(&c, o->script);
	if (!never && !c.quit && !console_ending && (!o->script || o->interactive)) {
		c.input = (struct input){ .fd = STDIN_FILENO, .prompts = isatty(STDIN_FILENO) };
		execute_all(&c);
	}
	signals_end(old);
	elf_set_debug_roots(NULL); /* they may be these */
	strings_release(&c.searchpath);
	strbuf_release(&c.out);
	return never ? -1 : console_ending ? 128 + console_ending : c.failed;
}
