/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "console.h"

/* The command line's own, which has waited for this. */
static int let_begin(struct console *c)
{
	int err = write(c->go, "", 1) == 1 ? 0 : errno;

	c->go = 0;
	return err ? console_error(c, "it cannot be started: %s", strerror(err)) : 0;
}

static int run(struct console *c, int argc, char **argv)
{
	pid_t pid;

	if (c->go && argc == 1)
		return let_begin(c);
	if (console_pid_only(c, &command_start, argc, argv, &pid))
		return -1;
	return console_tell(c, REQUEST_START, pid, 0);
}

const struct command command_start = {
	.name = "start",
	.args = "[PID]",
	.words = WORDS_PID,
	.help = "observe allocations (again); lets a launched program begin",
	.more = "",
	.run = run,
};
