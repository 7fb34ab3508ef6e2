/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What `heapmap` and `heapinfo` share: the maps of the processes that are meant. */
#include "console.h"

/* The blocks first: what is allocated meanwhile is in memory that is told after them. */
static int fetch(struct console *c, pid_t pid)
{
	if (!c->client)
		return 0;
	return console_fetch_blocks(c, pid) || console_tell(c, REQUEST_HEAPS, pid, 0) ? -1 : 0;
}

static bool is_meant(const struct console *c, const struct heap_proc *p, pid_t pid)
{
	return heap_proc_find(c->o->heap, p->pid) == p && (!pid || p->pid == pid);
}

static void add_name(struct console *c, const struct heap_proc *p)
{
	struct strbuf sb = STRBUF_INIT;

	strbuf_addf(&sb, "%s%s (pid %d)\n", c->out.n ? "\n" : "", p->name, (int)p->pid);
	defuse_controls(sb.s + (c->out.n ? 1 : 0), sb.n - 1 - (c->out.n ? 1 : 0));
	strbuf_add(&c->out, sb.s, sb.n);
	strbuf_release(&sb);
}

int console_each_heap(struct console *c, pid_t pid, heap_shower *show, const void *arg)
{
	size_t meant = 0, known = 0;

	if (fetch(c, pid))
		return -1;
	for (size_t i = 0; i < heap_nprocs(c->o->heap); i++)
		meant += is_meant(c, heap_proc_at(c->o->heap, i), pid);
	for (size_t i = 0; i < heap_nprocs(c->o->heap); i++) {
		const struct heap_proc *p = heap_proc_at(c->o->heap, i);
		struct heapmap *m = is_meant(c, p, pid) ? heaps_map(c->o->heaps, p->pid) : NULL;

		if (!m)
			continue;
		known++;
		if (meant > 1)
			add_name(c, p);
		show(c, m, heaps_info(c->o->heaps, p->pid), arg);
		if (report_heap_doubt(p))
			strbuf_addf(&c->out, "%s\n", report_heap_doubt(p));
		heapmap_free(m);
	}
	if (known)
		return 0;
	return console_error(c, c->o->client ? "it has no heap yet" :
			     "this log does not tell what memory the heap has: --heapmap writes that");
}
