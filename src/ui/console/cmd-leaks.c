/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "console.h"

static bool scanned(const struct heap *heap, pid_t pid)
{
	for (size_t i = 0; i < heap_nprocs(heap); i++) {
		const struct heap_proc *p = heap_proc_at(heap, i);

		if ((!pid || p->pid == pid) && p->scan.done)
			return true;
	}
	return false;
}

static int run(struct console *c, int argc, char **argv)
{
	struct report_opts opts = c->report;

	if (console_pid_only(c, &command_leaks, argc, argv, &opts.pid))
		return -1;
	if (!scanned(c->o->heap, opts.pid))
		return console_error(c, "there was no leak scan yet%s", c->client ? ": scan" : "");
	opts.list_leaks = true;
	c->listing = REPORT_LEAKS;
	c->listing_pid = opts.pid;
	return console_piece(c, &opts, REPORT_LEAKS, "no leaks");
}

const struct command command_leaks = {
	.name = "leaks",
	.args = "[PID]",
	.words = WORDS_PID,
	.help = "what the last leak scan found, by stack",
	.more = "",
	.run = run,
	.again = true,
};
