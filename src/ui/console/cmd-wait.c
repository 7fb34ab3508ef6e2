/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "console.h"

static int run(struct console *c, int argc, char **argv)
{
	unsigned long seconds = 0;

	if (argc > 2)
		return console_usage(c, &command_wait);
	if (argc == 2 && console_number(c, "a time in seconds", argv[1], 1000000, &seconds))
		return -1;
	if (c->client && c->held)
		return console_error(c, "nothing runs yet: start");
	if (!c->client)
		return 0; /* it has ended already */
	console_wait_end(c, seconds);
	return 0;
}

const struct command command_wait = {
	.name = "wait",
	.args = "[SECONDS]",
	.help = "until tracing has ended, or so long",
	.more = "For scripts: what is asked after it is of a program that has ended.\n",
	.run = run,
};
