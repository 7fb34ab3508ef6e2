/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>

#include "console.h"

/* The largest block of a stack, where no scan has told it. */
static taddr_t largest_of(const struct console *c, const struct report_numbered *which)
{
	struct known_block *blocks;
	size_t n = blocks_of(c->o->blocks, which->pid, &blocks);
	uint64_t hash = report_caller_hash(c->o->heap, which->stack), size = 0;
	taddr_t addr = 0;

	for (size_t i = 0; i < n; i++) {
		if (addr && blocks[i].size <= size)
			continue;
		if (blocks[i].stack != which->stack &&
		    report_caller_hash(c->o->heap, blocks[i].stack) != hash)
			continue;
		size = blocks[i].size;
		addr = blocks[i].addr;
	}
	free(blocks);
	return addr;
}

static int address_of(struct console *c, const char *arg, pid_t *pid, taddr_t *addr)
{
	struct report_numbered which;

	*pid = 0;
	if (!strncmp(arg, "0x", 2) || !strncmp(arg, "0X", 2))
		return console_address(c, arg, addr);
	if (console_numbered(c, arg, &which))
		return -1;
	*pid = which.pid;
	*addr = which.largest;
	if (*addr)
		return 0;
	if (console_fetch_blocks(c, which.pid))
		return -1;
	*addr = largest_of(c, &which);
	return *addr ? 0 : console_error(c, "no block of stack %s is known", arg);
}

static int run(struct console *c, int argc, char **argv)
{
	struct report_opts opts = c->report;
	struct report_page page = console_page(c);
	taddr_t addr;

	if (argc != 2)
		return console_usage(c, &command_why);
	if (address_of(c, argv[1], &opts.pid, &addr))
		return -1;
	if (c->client && console_tell(c, REQUEST_WHY, opts.pid, addr))
		return -1;
	if (report_why(c->o->heap, &opts, &page, addr, &c->out))
		return 0;
	if (c->client)
		return console_error(c, "nothing is known of 0x%llx", (unsigned long long)addr);
	return console_error(c, "the log does not tell what points to 0x%llx: --why when it is written",
			     (unsigned long long)addr);
}

const struct command command_why = {
	.name = "why",
	.args = "ADDR|STACK",
	.help = "what points to a block, or to the largest of a stack",
	.more = "STACK is a number of the last list. A log knows what was asked with --why when it\n"
		"was written.\n",
	.run = run,
};
