/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>

#include "console.h"

static const char *const what[] = { "brk", "arena", "mapping", NULL };

/* Which regions. */
struct choice {
	const char *begins;    /* their names; NULL: all that are worth it … */
	taddr_t addr;          /* … but for 0: the one that covers this */
};

static bool is_chosen(const struct choice *ch, const struct heapmap_region *r)
{
	if (ch->addr)
		return ch->addr >= r->start && ch->addr - r->start < r->size;
	return ch->begins && !strncmp(r->name, ch->begins, strlen(ch->begins));
}

static void show(struct console *c, const struct heapmap *m, const struct heapinfo *info,
		 const void *arg)
{
	struct report_page page = console_page(c);
	const struct choice *ch = arg;
	size_t before = c->out.n;

	(void)info;
	if (!ch->begins && !ch->addr)
		report_heapmap(m, HEAPMAP_ALL, &c->report, &page, &c->out);
	for (size_t i = 0; i < heapmap_nregions(m); i++) {
		if (!is_chosen(ch, heapmap_region(m, i)))
			continue;
		if (c->out.n > before)
			strbuf_addc(&c->out, '\n');
		report_heapmap(m, i, &c->report, &page, &c->out);
	}
	if (c->out.n == before)
		strbuf_adds(&c->out, "the heap has no such region\n");
}

static int run(struct console *c, int argc, char **argv)
{
	struct choice ch = { .begins = NULL };
	pid_t pid = 0;
	int i;

	for (int k = 1; k < argc; k++) {
		if (k > 2)
			return console_usage(c, &command_heapmap);
		if (!strncmp(argv[k], "0x", 2)) {
			if (console_address(c, argv[k], &ch.addr))
				return -1;
		} else if (*argv[k] >= '0' && *argv[k] <= '9') {
			if (console_pid(c, argv[k], &pid))
				return -1;
		} else {
			i = command_choose(c, "region", what, argv[k]);
			if (i < 0)
				return -1;
			ch.begins = what[i];
		}
	}
	return console_each_heap(c, pid, show, &ch);
}

const struct command command_heapmap = {
	.name = "heapmap",
	.args = "[brk|arena|mapping|ADDR] [PID]",
	.words = WORDS_PID,
	.choices = what,
	.help = "where the blocks lie in the heap, and what is free between them",
	.more = "A picture of each region, or of those of one kind, or of the one that covers ADDR;\n"
		"without a word regions that are all in use are left out.\n",
	.run = run,
};
