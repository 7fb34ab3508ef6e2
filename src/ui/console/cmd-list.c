/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "console.h"

typedef VEC(struct report_block) block_list;

static void add_process(struct console *c, block_list *list, pid_t pid)
{
	struct known_block *blocks;
	size_t n = blocks_of(c->o->blocks, pid, &blocks);

	for (size_t i = 0; i < n; i++)
		vec_push(list, console_block(c, pid, &blocks[i]));
	free(blocks);
}

/* A census, or a server that bounds what it keeps, counts more than it can name. */
static void add_sum(struct console *c, const block_list *list, pid_t pid)
{
	uint64_t bytes = 0, open = 0;

	for (size_t i = 0; i < list->n; i++)
		bytes += list->v[i].size;
	for (size_t i = 0; i < heap_nprocs(c->o->heap); i++) {
		const struct heap_proc *p = heap_proc_at(c->o->heap, i);

		if (heap_proc_find(c->o->heap, p->pid) == p && (!pid || p->pid == pid))
			open += p->total.open_blocks;
	}
	strbuf_add_grouped(&c->out, bytes);
	strbuf_addf(&c->out, " byte%s in ", bytes == 1 ? "" : "s");
	strbuf_add_grouped(&c->out, list->n);
	strbuf_addf(&c->out, " block%s", list->n == 1 ? "" : "s");
	if (open > list->n) {
		strbuf_adds(&c->out, "; the addresses of ");
		strbuf_add_grouped(&c->out, open - list->n);
		strbuf_adds(&c->out, " more are not known");
	}
	strbuf_addc(&c->out, '\n');
}

static int run(struct console *c, int argc, char **argv)
{
	struct report_page page = console_page(c);
	block_list list = { 0 };
	pid_t pid;

	if (console_pid_only(c, &command_list, argc, argv, &pid) || console_fetch_blocks(c, pid))
		return -1;
	for (size_t i = 0; i < heap_nprocs(c->o->heap); i++) {
		const struct heap_proc *p = heap_proc_at(c->o->heap, i);

		if (heap_proc_find(c->o->heap, p->pid) == p && (!pid || p->pid == pid))
			add_process(c, &list, p->pid);
	}
	report_block_list(c->o->heap, &c->report, &page, list.v, list.n, &c->out);
	add_sum(c, &list, pid);
	vec_release(&list);
	return 0;
}

const struct command command_list = {
	.name = "list",
	.args = "[PID]",
	.words = WORDS_PID,
	.help = "every open block",
	.more = "Address, size, age, the function that was called, who called it. Of a block whose\n"
		"allocation was not seen the last mark stands instead of the age.\n",
	.run = run,
};
