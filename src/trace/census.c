/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "arch/host.h"
#include "base/clock.h"
#include "base/msg.h"
#include "base/strbuf.h"
#include "trace/breakpoint.h"
#include "trace/census.h"
#include "trace/census-group.h"
#include "trace/glibc-view.h"
#include "trace/image.h"
#include "trace/recorder.h"
#include "trace/tracer.h"
#include "trace/world.h"

/* A thread that was inside malloc is out of it soon; one that waits there for a
 * page is not. */
#define MAX_TRIES 20
#define FIRST_WAIT_NS 1000000u
#define MAX_WAIT_NS 100000000u
/* So long the program may stand for the sake of mappings that are looked for. */
#define MAX_SEARCH_NS 1000000000u
/* Of a thread that is asked whether it is inside the allocator. */
#define DEPTH 24
#define STACK_BYTES 16384

/* -- which pages are there ------------------------------------------------- */

#define PAGE 4096u
/* linux/Documentation/admin-guide/mm/pagemap.rst */
#define PAGE_PRESENT ((uint64_t)1 << 63)
#define PAGE_SWAPPED ((uint64_t)1 << 62)

/* A stretch of /proc/PID/pagemap. */
struct pagemap {
	int fd;
	uint64_t first, n; /* page numbers */
	uint64_t until_ns;
	uint64_t entry[4096];
};

static bool fill_pagemap(struct pagemap *pm, uint64_t first)
{
	ssize_t n = pread(pm->fd, pm->entry, sizeof pm->entry, (off_t)(first * 8));

	pm->first = first;
	pm->n = n > 0 ? (uint64_t)n / 8 : 0;
	return pm->n > 0;
}

static taddr_t next_present(void *arg, taddr_t from, taddr_t end)
{
	struct pagemap *pm = arg;
	uint64_t page = from / PAGE, last = (end + PAGE - 1) / PAGE;

	for (; page < last; page++) {
		if (page < pm->first || page - pm->first >= pm->n) {
			if (clock_ns() > pm->until_ns)
				return end;
			if (!fill_pagemap(pm, page))
				return MAX(from, (taddr_t)page * PAGE);
		}
		if (pm->entry[page - pm->first] & (PAGE_PRESENT | PAGE_SWAPPED))
			return MAX(from, (taddr_t)page * PAGE);
	}
	return end;
}

static void open_pagemap(struct pagemap *pm, pid_t pid)
{
	char path[40];

	snprintf(path, sizeof path, "/proc/%d/pagemap", pid);
	pm->fd = open(path, O_RDONLY | O_CLOEXEC);
	pm->n = 0;
	pm->until_ns = clock_ns() + MAX_SEARCH_NS;
}

/* -- what glibc.h wants to know -------------------------------------------- */

struct view {
	struct glibc_program g;
	struct pagemap pm;
	VEC(taddr_t) tp;
};

static int build_view(struct proc *p, struct view *w, char *why, size_t size)
{
	int err = glibc_program_build(&w->g, p, p->pid, why, size);

	if (err)
		return err;
	open_pagemap(&w->pm, p->pid);
	w->g.v.tp = w->tp.v;
	w->g.v.ntp = w->tp.n;
	w->g.v.arg = &w->pm;
	w->g.v.present = w->pm.fd >= 0 ? next_present : NULL;
	return 0;
}

static void release_view(struct view *w)
{
	if (w->pm.fd >= 0)
		close(w->pm.fd);
	glibc_program_release(&w->g);
	vec_release(&w->tp);
}

/* -- the threads ----------------------------------------------------------- */

static uint8_t stack_bytes[STACK_BYTES];
static struct backtrace bt;

/* A breakpoint was hit, and is still to be dispatched: nothing of what is there
 * has run. */
static void undo_hit(const struct proc *p, struct regs *regs)
{
	taddr_t at = regs_pc(regs) - p->abi->bp_pc_adjust;
	const struct breakpoint *bp = bp_find(p, at);

	if (bp && bp->planted)
		regs->w[regs->abi->pc] = at;
}

/* Is it inside the allocator?  When the call began before the breakpoints were
 * there, its block would not be noticed; in any, chunks may be on their way from one
 * list to another, and look used. */
static bool is_inside(struct task *t)
{
	struct stack_copy stack = { .bytes = stack_bytes, .cap = sizeof stack_bytes };
	struct proc *p = t->proc;
	struct regs regs = t->regs;
	ssize_t n;

	undo_hit(p, &regs);
	stack.addr = regs_sp(&regs);
	n = memory_read(&p->mem, stack.addr, stack_bytes, sizeof stack_bytes);
	stack.len = n > 0 ? (size_t)n : 0;
	unwind_any(p->unwinder, &regs, &stack, DEPTH, &bt);
	for (uint32_t i = 0; i < bt.n; i++)
		if (image_in_allocator(p, bt.pc[i]))
			return true;
	return false;
}

/* What a call that stands at its return hands out. */
static taddr_t returned_by(const struct task *t, const struct call *c)
{
	const struct abi *abi = t->proc->abi;
	const struct probe *pr = c->site ? c->site->probe : NULL;
	uint64_t v = t->regs.w[abi->retval];

	if (pr && pr->kind == KIND_OUT && proc_read_word(t->proc, c->arg[pr->out_arg - 1], &v))
		return 0;
	return abi->word == 4 ? (uint32_t)v : abi_data_addr(abi, v);
}

/* Blocks that are neither in use nor free: a task inside the allocator has told their
 * release already, a realloc has them in hand, or a call is just returning them. */
static void skip_of(const struct task *t, bool inside, struct u64map *skip)
{
	struct regs regs = t->regs;

	if (t->last.what == LAST_RELEASE && inside)
		u64map_set(skip, t->last.ptr, 1);
	for (size_t i = 0; i < t->calls.n; i++)
		if (t->calls.v[i].old.addr)
			u64map_set(skip, t->calls.v[i].old.addr, 1);
	if (!t->calls.n || t->state != TASK_STOPPED)
		return;
	undo_hit(t->proc, &regs);
	if (regs_pc(&regs) == t->calls.v[t->calls.n - 1].return_addr)
		u64map_set(skip, returned_by(t, &t->calls.v[t->calls.n - 1]), 1);
}

/* How many are inside the allocator.  A call that was told, and of which nothing has
 * run but the stop at its entry, is taken back: it comes again. */
static unsigned look_at_tasks(struct proc *p, struct view *w, struct u64map *skip)
{
	unsigned inside = 0;

	for (size_t i = 0; i < p->tasks.n; i++) {
		struct task *t = p->tasks.v[i];
		bool is = false;
		taddr_t tp;

		if (t->state == TASK_STOPPED) {
			task_undisturb(t);
			if (task_get_regs(t))
				continue;
			if (!host_thread_pointer(t->tid, &t->regs, &tp) && tp)
				vec_push(&w->tp, tp);
			is = is_inside(t);
		}
		skip_of(t, is, skip);
		inside += is;
	}
	return inside;
}

/* -- telling --------------------------------------------------------------- */

static void add_amount(struct strbuf *sb, uint64_t bytes)
{
	if (bytes < 1000)
		strbuf_addf(sb, "%llu bytes", (unsigned long long)bytes);
	else if (bytes < 1000000)
		strbuf_addf(sb, "%.1f kB", (double)bytes / 1e3);
	else if (bytes < 1000000000)
		strbuf_addf(sb, "%.1f MB", (double)bytes / 1e6);
	else
		strbuf_addf(sb, "%.1f GB", (double)bytes / 1e9);
}

static void tell_done(struct proc *p, uint64_t blocks, uint64_t bytes, const char *doubt)
{
	struct strbuf sb = STRBUF_INIT;

	strbuf_add_grouped(&sb, blocks);
	strbuf_addf(&sb, " block%s older than the attach, ", blocks == 1 ? "" : "s");
	add_amount(&sb, bytes);
	msg_info("census: %s; stopped for %.1f ms", sb.s, (double)p->census.pause_ns / 1e6);
	strbuf_release(&sb);
	if (!*doubt)
		return;
	strbuf_addf(&sb, "census: some blocks may be missing or too many: %s", doubt);
	msg_info("%s", sb.s);
	record_note(p->session, p->pid, false, sb.s);
	strbuf_release(&sb);
}

static void tell_off(struct proc *p, const char *module, const char *why)
{
	char *line = xasprintf("census: off, blocks older than the attach are not known: %s%s%s",
			       why, module ? " in " : "", module ? module : "");

	msg_info("%s", line);
	record_note(p->session, p->pid, false, line);
	free(line);
}

/* For tests: -D and MTRACE_CENSUS=FILE. */
static void dump(const struct glibc_heap *h)
{
	const char *path = msg_level() >= MSG_DEBUG ? getenv("MTRACE_CENSUS") : NULL;
	FILE *f = path ? fopen(path, "we") : NULL;

	for (size_t i = 0; f && i < h->blocks.n; i++)
		fprintf(f, "%#llx %llu\n", (unsigned long long)h->blocks.v[i].addr,
			(unsigned long long)h->blocks.v[i].usable);
	if (f)
		fclose(f);
}

/* -- one try ---------------------------------------------------------------- */

enum outcome { DONE, AGAIN };

static enum outcome take_in(struct proc *p, struct glibc_heap *h, const struct u64map *skip)
{
	uint64_t bytes, blocks = census_take_in(p, h, skip, &bytes);

	dump(h);
	for (size_t i = 0; i < h->parts.n; i++)
		proc_note_mapping(p, h->parts.v[i].start, h->parts.v[i].end - h->parts.v[i].start,
				  MAPPED_BY_ALLOCATOR);
	/* -O hides the allocations of what it leaves out. */
	p->table_complete = !h->doubt[0] && !p->session->opts->omit.n;
	msg_debug("census: %u arenas, %u mapped, %u caches", h->arenas, h->mapped, h->caches);
	tell_done(p, blocks, bytes, h->doubt);
	return DONE;
}

/* With the world stopped. */
static enum outcome look(struct proc *p, bool last, struct world *w)
{
	static struct view v; /* large */
	struct glibc_heap h = { .doubt = "" };
	struct u64map skip = U64MAP_INIT;
	enum outcome result = AGAIN;
	unsigned inside;
	int err;

	v = (struct view){ .pm.fd = -1 };
	inside = look_at_tasks(p, &v, &skip);
	err = build_view(p, &v, h.doubt, sizeof h.doubt);
	if (!err)
		err = glibc_census(&v.g.v, &h);
	if (!err && inside && !h.doubt[0])
		snprintf(h.doubt, sizeof h.doubt, "%u thread%s inside the allocator", inside,
			 inside == 1 ? " was" : "s were");
	p->census.pause_ns += clock_ns() - w->began_ns;
	if (err == -ENOTSUP || (err && last)) {
		tell_off(p, v.g.module, h.doubt);
		result = DONE;
	} else if (!err && (last || !h.doubt[0])) {
		result = take_in(p, &h, &skip);
	} else {
		msg_debug("census: again: %s", h.doubt);
	}
	glibc_heap_release(&h);
	release_view(&v);
	u64map_release(&skip);
	return result;
}

static enum outcome try(struct proc *p)
{
	enum outcome result;
	struct world w;
	int err = world_stop(&w, p);

	if (err)
		return err == -ESRCH ? DONE : AGAIN;
	result = look(p, ++p->census.tries >= MAX_TRIES, &w);
	world_resume(&w);
	return result;
}

static void try_now(struct proc *p)
{
	uint64_t wait;

	if (try(p) == DONE) {
		census_forget(p);
		return;
	}
	wait = MIN((uint64_t)FIRST_WAIT_NS << MIN(p->census.tries, 16u), (uint64_t)MAX_WAIT_NS);
	p->session->census_due += !p->census.next_ns;
	p->census.next_ns = clock_ns() + wait;
}

/* -- when ------------------------------------------------------------------ */

bool census_wanted(const struct trace_opts *opts)
{
	return opts->census == CENSUS_YES || (opts->census == CENSUS_AUTO && opts->scan.attached);
}

void census_begin(struct proc *p)
{
	if (p->open && p->unwinder && p->abi && host_supports(p->abi))
		try_now(p);
}

void census_continue(struct session *s)
{
	uint64_t now = clock_ns();

	for (size_t i = 0; i < s->procs.n; i++)
		if (s->procs.v[i]->census.next_ns && now >= s->procs.v[i]->census.next_ns)
			try_now(s->procs.v[i]);
}

void census_forget(struct proc *p)
{
	p->session->census_due -= p->census.next_ns != 0;
	p->census.next_ns = 0;
}
