/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/msg.h"
#include "base/xalloc.h"
#include "model/reach.h"
#include "trace/cpu.h"
#include "trace/pages.h"
#include "trace/recorder.h"
#include "trace/redzone.h"
#include "trace/remote.h"
#include "trace/scan.h"
#include "trace/space.h"
#include "trace/ways.h"
#include "trace/world.h"

/* A read that takes longer than this is given up. */
#define READ_LIMIT_MS 2000
#define DATA_BYTES 32
#define NSEC ((uint64_t)1000000000)

/* Blocks of one stack and class; of indirectly lost ones, that the same lost
 * stack holds. */
struct group {
	uint32_t stack, under;
	uint8_t kind;
	uint64_t blocks, bytes, largest_size;
	uint32_t largest; /* index */
};

struct scan {
	struct proc *p;
	const struct scan_opts *opts;
	struct space space;
	struct pages pages;
	struct remote *remote;
	struct reach *reach;
	struct remote_batch batch; /* being filled */
	unsigned under_way;        /* batches asked for and not looked at */
	struct region part;        /* being read */
	uint64_t bytes, unread, began_ns, told_ns, pass_ns;
	struct u64map vtables;     /* address → 1: is one, 2: is none */
	VEC(struct group) groups;
	struct u64map by_stack[LEAK_KINDS]; /* under << 32 | stack → index */
	uint64_t total_bytes[LEAK_KINDS], total_blocks[LEAK_KINDS];
};

/* -- what the classes need to know of memory ---------------------------------------- */

struct there {
	taddr_t addr;
	bool present;
};

static void is_there(void *arg, taddr_t start, taddr_t end)
{
	struct there *t = arg;

	t->present |= t->addr >= start && t->addr < end;
}

/* A hole of shared or file memory would be filled by reading it. */
static bool may_read(struct scan *sc, taddr_t addr)
{
	const struct map_line *l = maps_find(&sc->space.maps, addr);
	struct there t = { addr, false };
	taddr_t page = addr & -sc->pages.page;

	if (!l || !l->r || (l->w && !space_kind_at(&sc->space, addr)))
		return false;
	if (!l->shared && !l->ino)
		return true;
	if (!l->w) /* text and constants: a read costs no memory of its own */
		return true;
	return !pages_each(&sc->pages, page, page + sc->pages.page, false, is_there, &t) && t.present;
}

static ssize_t read_for_reach(void *arg, taddr_t addr, void *buf, size_t len)
{
	struct scan *sc = arg;
	size_t in_page = (size_t)(sc->pages.page - (addr & (sc->pages.page - 1)));

	if (!may_read(sc, addr))
		return -EFAULT;
	/* One page at a time where the next may not be there. */
	if (len > in_page && !may_read(sc, addr + in_page))
		len = in_page;
	return memory_read(&sc->p->mem, addr, buf, len);
}

static bool is_function(const struct scan *sc, uint64_t v)
{
	const struct map_line *l = maps_find(&sc->space.maps, v);

	return l && l->x && l->ino;
}

/* A table in a file's memory that has the addresses of two functions before it
 * has anything else but zeros. */
#define VTABLE_WORDS 20

static bool looks_like_vtable(struct scan *sc, taddr_t addr)
{
	const struct map_line *l = maps_find(&sc->space.maps, addr);
	ssize_t word = sc->p->abi->word;
	unsigned functions = 0;
	uint8_t bytes[VTABLE_WORDS * 8];
	ssize_t got;

	if (!l || !l->r || !l->ino)
		return false;
	got = memory_read(&sc->p->mem, addr, bytes, (size_t)VTABLE_WORDS * (size_t)word);
	for (ssize_t i = 0; i + word <= got; i += word) {
		uint64_t v = abi_load(sc->p->abi, bytes + i, (unsigned)word);

		if (!v)
			continue;
		if (!is_function(sc, v))
			return false;
		if (++functions == 2)
			return true;
	}
	return false;
}

static bool is_vtable(void *arg, taddr_t addr)
{
	struct scan *sc = arg;
	uint64_t *known = u64map_get(&sc->vtables, addr);
	bool is;

	if (known)
		return *known == 1;
	is = looks_like_vtable(sc, addr);
	u64map_set(&sc->vtables, addr, is ? 1 : 2);
	return is;
}

/* -- the pass over memory -------------------------------------------------------------- */

static void say_progress(struct scan *sc)
{
	uint64_t now = clock_ns();

	if (now - sc->told_ns < NSEC || !isatty(msg_fd()))
		return;
	sc->told_ns = now;
	msg_info("scanning %s (%d): %llu MB so far", sc->p->name, sc->p->pid,
		 (unsigned long long)(sc->bytes >> 20));
}

static void look_at_batch(struct scan *sc)
{
	const struct remote_batch *b;
	int err = remote_get(sc->remote, &b);

	sc->under_way--;
	if (err && err != -ETIMEDOUT)
		return;
	for (unsigned i = 0; i < b->n; i++) {
		const struct remote_piece *pc = &b->piece[i];
		size_t got = pc->got > 0 ? (size_t)pc->got : 0;

		reach_feed(sc->reach, pc->addr, pc->bytes, got,
			   space_kind_at(&sc->space, pc->addr) != SPACE_HEAP);
		sc->bytes += got;
		sc->unread += pc->len - got;
	}
	say_progress(sc);
}

static void send_batch(struct scan *sc)
{
	if (!sc->batch.n)
		return;
	remote_ask(sc->remote, &sc->batch);
	sc->batch.n = 0;
	sc->batch.total = 0;
	if (++sc->under_way == 2)
		look_at_batch(sc);
}

static void take_pages(void *arg, taddr_t start, taddr_t end)
{
	struct scan *sc = arg;

	start = MAX(start, sc->part.start);
	end = MIN(end, sc->part.end);
	while (start < end) {
		size_t n = (size_t)MIN(end - start, (uint64_t)REMOTE_BYTES);

		if (remote_batch_add(&sc->batch, start, n)) {
			start += n;
			continue;
		}
		/* What is left of the room, in whole pages. */
		n = (REMOTE_BYTES - sc->batch.total) & -(size_t)sc->pages.page;
		if (n && remote_batch_add(&sc->batch, start, n))
			start += n;
		send_batch(sc);
	}
}

static bool is_worth_reading(const struct scan *sc, const struct region *part)
{
	taddr_t before, after;

	if (sc->opts->references || part->stack == SPACE_ROOT || part->stack == SPACE_RELRO)
		return true;
	if (part->stack == SPACE_DEAD)
		return false;
	reach_around(sc->reach, part->start, &before, &after);
	return before > part->start || after < part->end;
}

static void read_all(struct scan *sc)
{
	taddr_t page = sc->pages.page;
	uint64_t began = clock_ns();

	for (taddr_t at = 0; regions_next(sc->space.parts, at, &sc->part); at = sc->part.end)
		if (is_worth_reading(sc, &sc->part))
			pages_each(&sc->pages, sc->part.start & -page,
				   (sc->part.end + page - 1) & -page,
				   sc->part.stack == SPACE_RELRO, take_pages, sc);
	send_batch(sc);
	while (sc->under_way)
		look_at_batch(sc);
	sc->pass_ns = clock_ns() - began;
}

static void read_registers(struct scan *sc)
{
	const struct abi *abi = sc->p->abi;

	for (size_t i = 0; i < sc->p->tasks.n; i++) {
		const struct task *t = sc->p->tasks.v[i];

		if (t->state != TASK_STOPPED || !t->regs.abi)
			continue;
		for (unsigned d = 0; d < abi->ndwarf; d++)
			if (abi->dwarf_reg[d] >= 0)
				reach_feed_register(sc->reach, t->tid, d,
						    t->regs.w[abi->dwarf_reg[d]]);
	}
}

/* -- telling ----------------------------------------------------------------------------- */

static struct group *group_of(struct scan *sc, uint32_t stack, enum leak_kind kind, uint32_t under)
{
	uint64_t key = (uint64_t)under << 32 | stack;
	uint64_t *at = u64map_get(&sc->by_stack[kind], key);

	if (at)
		return &sc->groups.v[*at];
	u64map_set(&sc->by_stack[kind], key, sc->groups.n);
	vec_push(&sc->groups, (struct group){ .stack = stack, .under = under, .kind = (uint8_t)kind });
	return &sc->groups.v[sc->groups.n - 1];
}

static void emit_block(struct scan *sc, const struct open_block *b, enum leak_kind kind)
{
	struct event ev = { .type = EV_LEAK_BLOCK };

	ev.u.leak.stack = b->stack;
	ev.u.leak.kind = (uint8_t)kind;
	ev.u.leak.blocks = 1;
	ev.u.leak.bytes = ev.u.leak.largest_size = b->size;
	ev.u.leak.largest = b->addr;
	record_event(sc->p, &ev);
}

static void take_block(void *arg, uint32_t i, enum leak_kind kind, uint32_t leader)
{
	struct scan *sc = arg;
	struct open_block b = reach_block(sc->reach, i);
	uint32_t under = kind == LEAK_INDIRECT ? reach_block(sc->reach, leader).stack : 0;
	struct group *g = group_of(sc, b.stack, kind, under);

	if (!g->blocks || b.size > g->largest_size) {
		g->largest = i;
		g->largest_size = b.size;
	}
	g->blocks++;
	g->bytes += b.size;
	sc->total_blocks[kind]++;
	sc->total_bytes[kind] += b.size;
	if (sc->opts->each_block)
		emit_block(sc, &b, kind);
}

static void emit_group(struct scan *sc, const struct group *g)
{
	struct event ev = { .type = EV_LEAK };
	uint8_t data[DATA_BYTES];
	ssize_t n = 0;

	ev.u.leak.stack = g->stack;
	ev.u.leak.kind = g->kind;
	ev.u.leak.under = g->under;
	ev.u.leak.blocks = g->blocks;
	ev.u.leak.bytes = g->bytes;
	ev.u.leak.largest = reach_block(sc->reach, g->largest).addr;
	ev.u.leak.largest_size = g->largest_size;
	if (sc->opts->data && g->kind != LEAK_REACHABLE)
		n = read_for_reach(sc, ev.u.leak.largest, data,
				   (size_t)MIN(g->largest_size, (uint64_t)sizeof data));
	if (n > 0) {
		ev.u.leak.data = data;
		ev.u.leak.ndata = (uint8_t)n;
	}
	record_event(sc->p, &ev);
}

static void tell(struct scan *sc, uint64_t since_ns, bool final)
{
	struct event begin = { .type = EV_SCAN_BEGIN }, end = { .type = EV_SCAN };
	struct ways ways = { sc->p, sc->reach, &sc->space.maps };

	record_event(sc->p, &begin);
	reach_each(sc->reach, take_block, sc);
	for (size_t i = 0; i < sc->groups.n; i++) {
		const struct group *g = &sc->groups.v[i];

		emit_group(sc, g);
		if (!sc->opts->references &&
		    (g->kind == LEAK_POSSIBLE || (g->kind == LEAK_REACHABLE && sc->opts->why)))
			ways_tell(&ways, g->largest, g->stack, (enum leak_kind)g->kind);
	}
	if (sc->opts->why_addr)
		ways_answer(&ways, sc->opts->why_addr);
	end.u.scan.references = sc->opts->references;
	end.u.scan.final = final;
	end.u.scan.mappings = sc->opts->mappings;
	end.u.scan.blocks = reach_count(sc->reach);
	end.u.scan.bytes = sc->bytes;
	end.u.scan.unread = sc->unread + sc->space.refused;
	end.u.scan.pause_ns = since_ns ? clock_ns() - since_ns : 0;
	record_event(sc->p, &end);
	msg_debug("scan of %d: %zu blocks, %llu bytes read in %.1f ms (%.1f of it for the pass), "
		  "%zu bytes of memory used", sc->p->pid, reach_count(sc->reach),
		  (unsigned long long)sc->bytes, (double)(clock_ns() - sc->began_ns) / 1e6,
		  (double)sc->pass_ns / 1e6, reach_memory(sc->reach));
}

/* -- all of it ------------------------------------------------------------------------------- */

static void load_registers(struct proc *p)
{
	for (size_t i = 0; i < p->tasks.n; i++) {
		struct task *t = p->tasks.v[i];

		if (t->state == TASK_STOPPED && task_get_regs(t))
			t->regs.abi = NULL;
	}
}

/* A thread's stack is a root whatever points to it, and so is one that is kept
 * for the next thread. */
static bool is_stack(const struct proc *p, const struct region *r)
{
	for (size_t i = 0; i < p->tasks.n; i++) {
		const struct task *t = p->tasks.v[i];

		if (t->state == TASK_STOPPED && t->regs.abi && regs_sp(&t->regs) >= r->start &&
		    regs_sp(&t->regs) <= r->end)
			return true;
	}
	for (size_t i = 0; i < p->ended_stacks.n; i++)
		if (p->ended_stacks.v[i] >= r->start && p->ended_stacks.v[i] < r->end)
			return true;
	return false;
}

struct add_mappings {
	const struct proc *p;
	struct openset *to;
};

static void add_mapping(void *arg, const struct region *r)
{
	struct add_mappings *a = arg;

	if (r->stack != MAPPED_BY_ALLOCATOR && !is_stack(a->p, r))
		openset_add(a->to, &(struct open_block){ r->start, r->end - r->start, r->stack, 0 },
			    NULL);
}

/* --scan-mappings: the program's own mappings count as blocks. */
static struct openset *with_mappings(const struct proc *p)
{
	struct add_mappings a = { p, openset_clone(p->open) };

	regions_each(p->mapped, add_mapping, &a);
	return a.to;
}

static int prepare(struct scan *sc)
{
	struct proc *p = sc->p;
	struct task *t = proc_stopped_task(p);
	struct reach_opts ro = { .word = p->abi->word, .mask = p->abi->data_mask,
				 .references = sc->opts->references,
				 .read = read_for_reach, .is_vtable = is_vtable, .arg = sc };
	int err;

	if (!t)
		return -ESRCH;
	load_registers(p);
	if (sc->opts->mappings) {
		struct openset *all = with_mappings(p);

		sc->reach = reach_new(all, &ro);
		openset_free(all);
	} else {
		sc->reach = reach_new(p->open, &ro);
	}
	if (!sc->reach)
		return -E2BIG;
	err = space_build(&sc->space, p, t->tid, sc->reach);
	if (err)
		return err;
	err = pages_open(&sc->pages, t->tid);
	if (err)
		return err;
	cpu_end(); /* its thread may run on another CPU than we */
	sc->remote = remote_new(t->tid, p->mem.fd, READ_LIMIT_MS);
	return sc->remote ? 0 : -EAGAIN;
}

static void scan_free(struct scan *sc)
{
	remote_free(sc->remote);
	pages_close(&sc->pages);
	if (sc->space.parts)
		space_release(&sc->space);
	reach_free(sc->reach);
	u64map_release(&sc->vtables);
	vec_release(&sc->groups);
	for (unsigned k = 0; k < LEAK_KINDS; k++)
		u64map_release(&sc->by_stack[k]);
	free(sc);
}

bool scan_wanted(const struct proc *p)
{
	const struct scan_opts *o = &p->session->opts->scan;

	return p->abi && p->state == PROC_TRACING && (p->from_launch ? o->launched : o->attached);
}

static int scan_into(struct scan *sc, uint64_t since_ns, bool final)
{
	int err;

	redzone_check(sc->p);
	err = prepare(sc);
	if (!err) {
		read_all(sc);
		read_registers(sc);
		reach_solve(sc->reach);
		tell(sc, since_ns, final);
	} else if (err != -ESRCH) {
		msg_warn("cannot scan %s (%d) for leaks: %s", sc->p->name, sc->p->pid,
			 strerror(-err));
	}
	return err;
}

static struct scan *scan_new(struct proc *p)
{
	struct scan *sc = xcalloc(1, sizeof *sc);

	sc->p = p;
	sc->opts = &p->session->opts->scan;
	sc->pages.fd = -1;
	sc->began_ns = sc->told_ns = clock_ns();
	return sc;
}

int scan_proc(struct proc *p, uint64_t since_ns, bool final)
{
	struct scan *sc = scan_new(p);
	int err = scan_into(sc, since_ns, final);

	scan_free(sc);
	return err;
}

/* -- while it runs ------------------------------------------------------------------------------ */

static void say(const struct scan *sc, uint64_t pause_ns)
{
	msg_info("%s (%d): %llu bytes definitely lost in %llu blocks, %llu possibly, %llu in use; "
		 "stopped for %.1f ms", sc->p->name, sc->p->pid,
		 (unsigned long long)(sc->total_bytes[LEAK_DEFINITE]),
		 (unsigned long long)sc->total_blocks[LEAK_DEFINITE],
		 (unsigned long long)sc->total_bytes[LEAK_POSSIBLE],
		 (unsigned long long)reach_count(sc->reach), (double)pause_ns / 1e6);
}

int scan_now(struct proc *p, const struct scan_opts *opts)
{
	uint64_t pause_ns;
	struct scan *sc;
	struct world w;
	int err = world_stop(&w, p);

	if (err)
		return err;
	sc = scan_new(p);
	sc->opts = opts;
	err = scan_into(sc, w.began_ns, false);
	pause_ns = world_resume(&w);
	if (!err)
		say(sc, pause_ns);
	scan_free(sc);
	return err == -EAGAIN ? -EBUSY : err;
}

bool scan_running(struct session *s)
{
	bool all = true;

	for (size_t i = 0; i < s->procs.n; i++) {
		struct proc *p = s->procs.v[i];

		if (p->abi && p->state == PROC_TRACING && !p->exiting)
			all &= scan_now(p, &s->opts->scan) != -EAGAIN;
	}
	return all;
}
