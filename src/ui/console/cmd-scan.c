/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>

#include "console.h"

enum { SCAN_ALL, SCAN_LEAK, SCAN_NEW };

static const char *const what[] = { "all", "leak", "new", NULL };

typedef VEC(struct report_block) block_list;

/* Blocks that this scan calls leaks, and that were allocated since the last one. */
static void collect_new(const struct console *c, const struct heap_proc *p, block_list *list)
{
	for (size_t i = 0; i < p->scan.each.n; i++) {
		const struct heap_leak_block *l = &p->scan.each.v[i];
		struct known_block b;

		if (!(c->report.leak_kinds >> l->kind & 1) ||
		    !blocks_find(c->o->blocks, p->pid, l->addr, &b) || b.mark < c->scan_mark)
			continue;
		vec_push(list, console_block(c, p->pid, &b));
		list->v[list->n - 1].kind = l->kind;
	}
}

static int show_new(struct console *c, pid_t pid)
{
	struct report_page page = console_page(c);
	block_list list = { 0 };

	if (console_fetch_blocks(c, pid))
		return -1;
	for (size_t i = 0; i < heap_nprocs(c->o->heap); i++) {
		const struct heap_proc *p = heap_proc_at(c->o->heap, i);

		if ((!pid || p->pid == pid) && heap_proc_find(c->o->heap, p->pid) == p)
			collect_new(c, p, &list);
	}
	report_block_list(c->o->heap, &c->report, &page, list.v, list.n, &c->out);
	if (!list.n)
		strbuf_adds(&c->out, "no new leaks\n");
	vec_release(&list);
	return 0;
}

static int show_leaks(struct console *c, pid_t pid, bool all)
{
	struct report_opts opts = c->report;

	opts.pid = pid;
	opts.list_leaks = true;
	if (all)
		opts.leak_kinds = ~0u;
	c->listing = REPORT_LEAKS;
	c->listing_pid = pid;
	return console_piece(c, &opts, REPORT_LEAKS, "no leaks");
}

/* The mark tells the next `scan new` what is new. */
static int scan(struct console *c, int which, pid_t pid)
{
	int err;

	if (console_tell(c, REQUEST_SCAN, pid, which == SCAN_NEW ? REQUEST_SCAN_EACH : 0))
		return -1;
	err = which == SCAN_NEW ? show_new(c, pid) : show_leaks(c, pid, which == SCAN_ALL);
	if (err || console_tell(c, REQUEST_MARK, 0, 0))
		return -1;
	c->scan_mark = heap_nmarks(c->o->heap);
	return 0;
}

static int run(struct console *c, int argc, char **argv)
{
	int which = SCAN_LEAK;
	pid_t pid = 0;

	for (int i = 1; i < argc; i++) {
		bool number = *argv[i] >= '0' && *argv[i] <= '9';

		if (i > 2)
			return console_usage(c, &command_scan);
		if (number && console_pid(c, argv[i], &pid))
			return -1;
		if (!number && (which = command_choose(c, "kind of scan", what, argv[i])) < 0)
			return -1;
	}
	return scan(c, which, pid);
}

const struct command command_scan = {
	.name = "scan",
	.args = "[all|leak|new] [PID]",
	.words = WORDS_PID,
	.choices = what,
	.help = "look for leaks now, and list them by stack",
	.more = "all lists reachable blocks too; new lists, one by one, the leaks that were\n"
		"allocated since the last scan. A mark is set at each scan.\n",
	.run = run,
};
