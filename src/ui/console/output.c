/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where the output of commands goes: a file, standard output, or a pager when it
 * is longer than the terminal. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "base/msg.h"
#include "console.h"

static int write_file(const struct console *c, const struct command_line *l)
{
	int fd = open(l->file, O_WRONLY | O_CREAT | (l->append ? O_APPEND : O_TRUNC) | O_CLOEXEC, 0666);
	int err = fd < 0 ? -errno : write_patiently(fd, c->out.s, c->out.n);

	if (fd >= 0 && close(fd) && !err && errno != EINTR)
		err = -errno;
	return err ? console_error(c, "cannot write %s: %s", l->file, strerror(-err)) : 0;
}

/* -- the pager --------------------------------------------------------------------- */

static const char *pager(void)
{
	const char *name = getenv("PAGER"), *path = getenv("PATH");
	char *one, *folders, *rest;
	bool found = false;

	if (name)
		return *name && strcmp(name, "cat") ? name : NULL;
	folders = rest = xstrdup(path ? path : "");
	while (!found && (one = strsep(&rest, ":"))) {
		char *file = xasprintf("%s/less", one);

		found = !access(file, X_OK);
		free(file);
	}
	free(folders);
	return found ? "less -R" : NULL;
}

bool output_pages(const struct console *c)
{
	struct winsize ws;
	unsigned lines = 1; /* of the prompt */

	if (c->file || !c->input.prompts || ioctl(STDOUT_FILENO, TIOCGWINSZ, &ws) || !ws.ws_row)
		return false;
	for (size_t i = 0; i < c->out.n; i++)
		lines += c->out.s[i] == '\n';
	return lines > ws.ws_row && pager();
}

/* `alive` is closed when the pager, and what it started, is gone. */
static pid_t start_pager(const char *command, int in[2], int alive[2])
{
	pid_t pid = fork();

	if (pid)
		return pid;
	signal(SIGPIPE, SIG_DFL); /* those with handlers are so by themselves */
	dup2(in[0], STDIN_FILENO);
	fcntl(alive[1], F_SETFD, 0);
	execl("/bin/sh", "sh", "-c", command, (char *)NULL);
	_exit(127);
}

/* The pager may be looked at for hours, and quit whenever its user likes: until
 * then what the tracer tells is taken. */
static void feed_pager(struct console *c, int fd, int alive)
{
	size_t at = 0;

	fcntl(fd, F_SETFL, O_NONBLOCK);
	while (at < c->out.n) {
		ssize_t n;

		console_interrupted = console_resumed = console_resized = 0; /* Ctrl-C is the pager's */
		if (console_ending)
			break;
		if (!console_wait(c, fd, POLLOUT, -1))
			continue;
		n = write(fd, c->out.s + at, c->out.n - at);
		if (n < 0 && errno != EAGAIN && errno != EINTR)
			break; /* it was quit */
		at += n > 0 ? (size_t)n : 0;
	}
	close(fd);
	while (!console_ending && !console_wait(c, alive, POLLIN, -1))
		console_interrupted = console_resumed = console_resized = 0;
}

static int show_in_pager(struct console *c, const char *command)
{
	int in[2], alive[2];
	pid_t pid;

	if (pipe2(in, O_CLOEXEC))
		return -errno;
	if (pipe2(alive, O_CLOEXEC)) {
		close(in[0]);
		close(in[1]);
		return -errno;
	}
	pid = start_pager(command, in, alive);
	close(in[0]);
	close(alive[1]);
	if (pid > 0)
		feed_pager(c, in[1], alive[0]);
	else
		close(in[1]);
	close(alive[0]);
	while (pid > 0 && waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
	console_interrupted = 0;
	return pid < 0 ? -EAGAIN : 0;
}

int output_show(struct console *c, const struct command_line *l)
{
	int err;

	if (l->file)
		return write_file(c, l);
	if (!c->out.n)
		return 0;
	if (output_pages(c) && !show_in_pager(c, pager()))
		return 0;
	err = write_patiently(STDOUT_FILENO, c->out.s, c->out.n);
	if (err == -EPIPE) {
		c->quit = true; /* nobody reads on */
		return 0;
	}
	return err ? console_error(c, "cannot write: %s", strerror(-err)) : 0;
}
