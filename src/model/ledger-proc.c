/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Processes and their images. */
#include <string.h>

#include "base/strbuf.h"
#include "base/xalloc.h"
#include "ledger-internal.h"
#include "model/regions.h"

struct heap_proc *proc_live(struct ledger *l, pid_t pid)
{
	if (!l->last || l->last->pid != pid)
		l->last = u64map_getp(&l->by_pid, (uint32_t)pid);
	return l->last && !l->last->ended ? l->last : NULL;
}

/* A forked child begins with its parent's totals, as memcheck's figures with
 * --trace-children do.  Its counts per stack begin empty: what it inherited is
 * one sum, and a release of an inherited block takes its stack's difference
 * below zero.  So a fork costs no copy of the counts. */
static void inherit(struct heap_proc *p, const struct heap_proc *from)
{
	p->total = from->total;
	p->maps = from->maps;
	p->before_attach = from->before_attach;
	p->inherited.blocks = from->total.open_blocks;
	p->inherited.bytes = from->total.open_bytes;
	p->inherited.regions = from->maps.open_regions;
	p->inherited.region_bytes = from->maps.open_bytes;
	p->modules = from->modules;
	regions_free(p->regions);
	p->regions = regions_copy(from->regions);
}

static void close_image(struct heap_proc *p, enum proc_end_how how, int status, uint64_t now)
{
	p->ended = true;
	p->end_how = how;
	p->status = status;
	p->end_ns = now;
	/* Nobody can unmap any more, and of a replaced image one line stays. */
	regions_free(p->regions);
	p->regions = NULL;
	if (how == END_EXECED) {
		vec_release(&p->counts);
		u64map_release(&p->by_stack);
		marks_release(p);
	}
}

void proc_begin(struct ledger *l, const struct event *ev)
{
	const char *exe = ev->u.proc.exe ? ev->u.proc.exe : "?";
	struct heap_proc *before = proc_live(l, ev->pid), *parent, *p;

	/* The end of what had this pid was not told. */
	if (before)
		close_image(before, ev->u.proc.how == PROC_EXECED ? END_EXECED : END_DETACHED, 0,
			    ev->time_ns);
	p = xcalloc(1, sizeof *p);
	p->pid = ev->pid;
	p->ppid = ev->u.proc.ppid;
	p->how = ev->u.proc.how;
	p->log = ev->u.proc.log;
	p->word = ev->u.proc.word;
	p->exe = xstrdup(exe);
	p->name = xstrdup(ev->u.proc.name ? ev->u.proc.name : last_part(exe));
	p->abi = xstrdup(ev->u.proc.abi ? ev->u.proc.abi : "");
	p->start_ns = p->end_ns = ev->time_ns;
	p->end_how = END_RUNNING;
	p->regions = regions_new();
	p->tasks = 1;
	p->nth = l->images++;
	parent = p->how == PROC_FORKED && p->ppid ? u64map_getp(&l->by_pid, (uint32_t)p->ppid)
						   : NULL;
	if (parent && parent->regions)
		inherit(p, parent);
	vec_push(&l->procs, p);
	/* What was attached to together with a command began before it. */
	if (p->how == PROC_LAUNCHED) {
		memmove(l->procs.v + 1, l->procs.v, (l->procs.n - 1) * sizeof l->procs.v[0]);
		l->procs.v[0] = p;
	}
	u64map_set(&l->by_pid, (uint32_t)p->pid, (uintptr_t)p);
	l->last = p;
}

void proc_finish(struct heap_proc *p, const struct event *ev)
{
	if (ev->u.end.how != END_RUNNING)
		close_image(p, ev->u.end.how, ev->u.end.status, ev->time_ns);
}

/* What is not said this time stays. */
void proc_target(struct heap_proc *p, const struct event *ev)
{
	struct heap_target *t = &p->target;
	unsigned said = ev->u.target.said;

	t->said |= ev->u.target.said;
	t->header = ev->u.target.header ? ev->u.target.header : t->header;
	if (said & TARGET_BOUNDS) {
		t->start = ev->u.target.start;
		t->size = ev->u.target.size;
	}
	if (said & TARGET_FREE)
		t->free = ev->u.target.free;
	if (said & TARGET_USED)
		t->used = ev->u.target.used;
	if (said & TARGET_THRESHOLD)
		t->threshold = ev->u.target.threshold;
}

void proc_reset(struct heap_proc *p)
{
	memset(&p->total, 0, sizeof p->total);
	memset(&p->maps, 0, sizeof p->maps);
	memset(&p->inherited, 0, sizeof p->inherited);
	memset(&p->before_attach, 0, sizeof p->before_attach);
	memset(&p->refused, 0, sizeof p->refused);
	regions_free(p->regions);
	p->regions = regions_new();
	leaks_release(&p->scan);
	vec_release(&p->counts);
	u64map_release(&p->by_stack);
	marks_release(p);
}

void heap_proc_free(struct heap_proc *p)
{
	leaks_release(&p->scan);
	leaks_release(&p->incoming);
	regions_free(p->regions);
	vec_release(&p->counts);
	u64map_release(&p->by_stack);
	marks_release(p);
	errors_release(p);
	free(p->exe);
	free(p->name);
	free(p->abi);
	free(p);
}
