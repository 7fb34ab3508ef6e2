/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Lines of a script, a pipe, or a terminal without readline. */
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/msg.h"
#include "console.h"

/* What no person types and no script needs. */
enum { MAX_LINE = 1 << 16 };

static void prompt(const struct input *in)
{
	char *text;

	if (!in->prompts)
		return;
	text = xasprintf("%s> ", msg_program());
	write_patiently(STDOUT_FILENO, text, strlen(text));
	free(text);
}

/* Takes n bytes, and one more, the line's end, out of the buffer. */
static char *take_line(struct input *in, size_t n)
{
	char *line = xstrndup(in->bytes.v, n);
	size_t used = MIN(n + 1, in->bytes.n);

	memmove(in->bytes.v, in->bytes.v + used, in->bytes.n - used);
	in->bytes.n -= used;
	in->line++;
	return line;
}

/* Ctrl-C clears the line. */
static void clear_line(struct input *in)
{
	console_interrupted = 0;
	in->bytes.n = 0;
	if (in->prompts)
		write_patiently(STDOUT_FILENO, "\n", 1);
	prompt(in);
}

char *input_line(struct console *c)
{
	struct input *in = &c->input;

	prompt(in);
	for (;;) {
		char *end = in->bytes.n ? memchr(in->bytes.v, '\n', in->bytes.n) : NULL;
		ssize_t n;

		if (end)
			return take_line(in, (size_t)(end - in->bytes.v));
		if (in->bytes.n > MAX_LINE) {
			console_error(c, "a line is too long");
			c->failed = true;
			return NULL;
		}
		if (!console_wait(c, in->fd, POLLIN, -1)) {
			if (console_ending || (console_interrupted && !in->prompts))
				return NULL;
			if (console_interrupted)
				clear_line(in);
			console_resumed = console_resized = 0;
			continue;
		}
		vec_reserve(&in->bytes, in->bytes.n + 4096);
		n = read(in->fd, in->bytes.v + in->bytes.n, 4096);
		if (n < 0 && (errno == EINTR || errno == EAGAIN))
			continue;
		if (n <= 0)
			return in->bytes.n ? take_line(in, in->bytes.n) : NULL;
		in->bytes.n += (size_t)n;
	}
}
