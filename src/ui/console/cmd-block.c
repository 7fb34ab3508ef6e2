/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "console.h"

enum { SHOWN = 256 };

static bool find(const struct console *c, taddr_t addr, pid_t *pid, struct known_block *b)
{
	for (size_t i = heap_nprocs(c->o->heap); i-- > 0;) {
		*pid = heap_proc_at(c->o->heap, i)->pid;
		if (blocks_find(c->o->blocks, *pid, addr, b))
			return true;
	}
	return false;
}

static void show(struct console *c, pid_t pid, const struct known_block *b, const uint8_t *data,
		 size_t n)
{
	struct report_block block = console_block(c, pid, b);
	struct report_page page = console_page(c);

	report_block(c->o->heap, &c->report, &page, &block, data, n, 0, &c->out);
}

/* Of a log only what a leak scan has kept of the largest of a stack. */
static void show_from_log(struct console *c, pid_t pid, const struct known_block *b)
{
	const struct heap_proc *p = heap_proc_find(c->o->heap, pid);

	for (size_t i = 0; i < p->scan.leaks.n; i++)
		if (p->scan.leaks.v[i].largest == b->addr && p->scan.leaks.v[i].ndata) {
			show(c, pid, b, p->scan.leaks.v[i].data, p->scan.leaks.v[i].ndata);
			return;
		}
	show(c, pid, b, NULL, 0);
}

static int run(struct console *c, int argc, char **argv)
{
	struct request q = { .kind = REQUEST_READ };
	struct answer a = { 0 };
	struct known_block b;
	taddr_t addr;

	if (argc != 2)
		return console_usage(c, &command_block);
	if (console_address(c, argv[1], &addr) || console_fetch_blocks(c, 0))
		return -1;
	if (!find(c, addr, &q.pid, &b))
		return console_error(c, "no open block covers %s", argv[1]);
	if (!c->client) {
		show_from_log(c, q.pid, &b);
		return 0;
	}
	q.a = b.addr;
	q.b = MIN(b.size, (uint64_t)SHOWN);
	if (console_ask(c, &q, &a))
		return -1;
	show(c, q.pid, &b, a.data, a.ndata);
	if (b.size > a.ndata)
		strbuf_addf(&c->out, "    … %llu more bytes\n",
			    (unsigned long long)(b.size - a.ndata));
	return 0;
}

const struct command command_block = {
	.name = "block",
	.args = "ADDR",
	.help = "the block that covers ADDR: its stack, age and bytes",
	.more = "A log has bytes only where a scan with -v has kept them.\n",
	.run = run,
};
