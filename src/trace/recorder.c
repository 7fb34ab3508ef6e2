/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/hash.h"
#include "base/xalloc.h"
#include "trace/memlimit.h"
#include "trace/pause.h"
#include "trace/recorder.h"

/* A stack is recognised by 128 bits of hash: its frames are with the host, the
 * target keeps 20 bytes of each.
 *
 *   index ──► known[id] = { hash a, hash b }          id 0 is no stack
 */
struct known_stack {
	uint64_t a, b;
};

/* Stacks that break after the same frames are told apart by what lies beyond, up to so
 * many. */
#define VARIANTS_MAX 64

struct recorder {
	struct event_sink *sink;
	VEC(struct known_stack) known;
	VEC(uint8_t) families; /* by id */
	uint32_t *index; /* 1 << bits of ids, 0 free */
	unsigned bits;
	uint32_t next_space;
	struct u64map probes_told, images_told;
	struct u64map beyond, variants; /* of stacks that broke: what was beyond them; how
					   many such things, by the frames */
};

struct recorder *recorder_new(struct event_sink *sink)
{
	struct recorder *r = xcalloc(1, sizeof *r);

	r->sink = sink;
	r->bits = 8;
	r->index = xcalloc((size_t)1 << r->bits, sizeof *r->index);
	vec_push(&r->known, ((struct known_stack){ 0, 0 }));
	vec_push(&r->families, 0);
	return r;
}

void recorder_free(struct recorder *r)
{
	if (!r)
		return;
	vec_release(&r->known);
	vec_release(&r->families);
	u64map_release(&r->probes_told);
	u64map_release(&r->images_told);
	u64map_release(&r->beyond);
	u64map_release(&r->variants);
	free(r->index);
	free(r);
}

uint32_t recorder_new_space(struct recorder *r)
{
	return ++r->next_space;
}

/* In whole microseconds, as the wire carries them: a report is the same by way of
 * a log. */
static uint64_t event_time(void)
{
	return clock_ns() / 1000 * 1000;
}

static int emit(struct proc *p, pid_t tid, struct event *ev)
{
	struct event_sink *sink = p->session->sink;

	ev->pid = p->pid;
	ev->tid = tid;
	ev->time_ns = event_time();
	return sink->emit(sink, ev);
}

/* -- stacks ---------------------------------------------------------------------- */

static void grow_index(struct recorder *r)
{
	size_t mask;

	free(r->index);
	r->bits++;
	mask = ((size_t)1 << r->bits) - 1;
	r->index = xcalloc(mask + 1, sizeof *r->index);
	for (uint32_t id = 1; id < r->known.n; id++) {
		size_t i = r->known.v[id].a & mask;

		while (r->index[i])
			i = (i + 1) & mask;
		r->index[i] = id;
	}
}

static void tell_stack(struct recorder *r, struct proc *p, struct task *t, uint32_t id,
		       uint16_t probe, const struct backtrace *bt, uint32_t skip)
{
	struct event ev = { .type = EV_STACK };

	(void)r;
	ev.u.stack.id = id;
	ev.u.stack.probe = probe;
	ev.u.stack.end = bt->end;
	ev.u.stack.n = bt->n - skip;
	ev.u.stack.pc = bt->pc + skip;
	ev.u.stack.module = bt->module + skip;
	ev.u.stack.exact = bt->exact + skip;
	ev.u.stack.origin = bt->origin + skip;
	emit(p, t->tid, &ev);
}

static taddr_t stack_word(const uint8_t *p, unsigned size)
{
	uint32_t narrow;
	uint64_t wide;

	if (size == 8) {
		memcpy(&wide, p, 8);
		return wide;
	}
	memcpy(&narrow, p, 4);
	return narrow;
}

/* A number for what lies beyond the frames that are known: the addresses of code on
 * the stack there, which callers differ in.  0: nothing, or there were so many
 * already that all others count as one. */
static uint64_t beyond(struct recorder *r, struct proc *p, const struct backtrace *bt, uint64_t key)
{
	const struct unwind_rest *rest = &bt->rest;
	unsigned word = p->abi->word;
	uint64_t h = 0, n;

	if (bt->end != STACK_BROKEN || !rest->there)
		return 0;
	for (size_t at = 0; at + word <= rest->len; at += word) {
		taddr_t v = stack_word(rest->bytes + at, word);
		struct module *m = modules_find(&p->modules, v);
		if (m && v >= m->text_start && v < m->text_end)
			h = hash_u64(h ^ v);
	}
	h |= 1;
	if (u64map_get(&r->beyond, key ^ h))
		return h;
	n = 1 + (uintptr_t)u64map_getp(&r->variants, key);
	if (n > VARIANTS_MAX)
		return 0;
	u64map_set(&r->variants, key, n);
	u64map_set(&r->beyond, key ^ h, 1);
	return h;
}

static void tell_rest(struct proc *p, struct task *t, uint32_t id, const struct backtrace *bt)
{
	const struct unwind_rest *rest = &bt->rest;
	struct event ev = { .type = EV_STACK_REST };

	ev.u.rest.stack = id;
	ev.u.rest.machine = rest->abi->e_machine;
	ev.u.rest.class = rest->abi->e_class;
	ev.u.rest.data = rest->abi->e_data;
	ev.u.rest.exact = rest->exact;
	ev.u.rest.code = rest->code;
	ev.u.rest.sp = rest->sp;
	ev.u.rest.depth = p->session->depth - MIN(p->session->depth, bt->n);
	ev.u.rest.known = rest->known;
	ev.u.rest.reg = rest->reg;
	ev.u.rest.bytes = rest->bytes;
	ev.u.rest.nbytes = (uint32_t)rest->len;
	emit(p, t->tid, &ev);
}

uint32_t recorder_stack(struct recorder *r, struct proc *p, struct task *t, uint16_t probe,
			const struct backtrace *bt, uint32_t skip)
{
	uint64_t seed = (uint64_t)p->space << 32 | (uint32_t)probe << 2 | bt->end;
	struct known_stack want;
	size_t mask, i;
	uint64_t more;
	uint32_t id;

	skip = MIN(skip, bt->n);
	more = beyond(r, p, bt, hash_bytes(bt->pc, bt->n * sizeof bt->pc[0], seed));
	seed ^= more;
	want.a = hash_bytes(bt->pc + skip, (bt->n - skip) * sizeof bt->pc[0], hash_u64(seed));
	want.b = hash_bytes(bt->pc + skip, (bt->n - skip) * sizeof bt->pc[0], ~seed);
	mask = ((size_t)1 << r->bits) - 1;
	for (i = want.a & mask; (id = r->index[i]); i = (i + 1) & mask)
		if (r->known.v[id].a == want.a && r->known.v[id].b == want.b)
			return id;
	id = (uint32_t)r->known.n;
	vec_push(&r->known, want);
	vec_push(&r->families, 0);
	r->index[i] = id;
	if (r->known.n * 2 > mask)
		grow_index(r);
	if (more)
		tell_rest(p, t, id, bt);
	tell_stack(r, p, t, id, probe, bt, skip);
	return id;
}

uint32_t recorder_no_stack(struct recorder *r, struct proc *p, uint16_t probe)
{
	struct event ev = { .type = EV_STACK };
	uint32_t id = (uint32_t)r->known.n;

	/* Not in the index: nothing is ever the same. */
	vec_push(&r->known, ((struct known_stack){ hash_u64(id), ~hash_u64(id) }));
	vec_push(&r->families, 0);
	if (r->known.n * 2 > (size_t)1 << r->bits)
		grow_index(r);
	ev.u.stack.id = id;
	ev.u.stack.probe = probe;
	emit(p, p->pid, &ev);
	return id;
}

void recorder_set_families(struct recorder *r, uint32_t stack, uint8_t families)
{
	r->families.v[stack] = families;
}

uint8_t recorder_families(const struct recorder *r, uint32_t stack)
{
	return stack < r->families.n ? r->families.v[stack] : 0;
}

void recorder_probe(struct recorder *r, struct proc *p, uint16_t id, const struct probe *probe)
{
	struct event ev = { .type = EV_PROBE };
	char *nice = NULL;

	if (u64map_get(&r->probes_told, id))
		return;
	u64map_set(&r->probes_told, id, 1);
	if (!probe->name)
		nice = elf_demangle(probe->symbol);
	ev.u.probe.id = id;
	ev.u.probe.op = probe->op;
	ev.u.probe.family = probe->family;
	ev.u.probe.name = probe->name ? probe->name : nice ? nice : probe->symbol;
	ev.u.probe.symbol = probe->symbol;
	ev.u.probe.size_first = probe->size_arg < probe->count_arg;
	emit(p, p->pid, &ev);
	free(nice);
}

/* -- processes and modules ---------------------------------------------------------- */

void record_proc(struct proc *p, pid_t ppid)
{
	struct event ev = { .type = EV_PROC };

	ev.u.proc.how = p->how;
	ev.u.proc.ppid = ppid;
	ev.u.proc.exe = p->exe ? p->exe : "?";
	ev.u.proc.name = p->name ? p->name : ev.u.proc.exe;
	ev.u.proc.word = p->abi ? p->abi->word : 0;
	ev.u.proc.abi = p->abi ? p->abi->name : "?";
	emit(p, p->pid, &ev);
	memlimit_begin(p);
}

void record_proc_end(struct proc *p, enum proc_end_how how, int status)
{
	struct event ev = { .type = EV_PROC_END };

	if (p->ended_told)
		return;
	p->ended_told = how != END_RUNNING;
	if (how == END_SIGNALED && status == SIGKILL)
		memlimit_killed(p);
	ev.u.end.how = how;
	ev.u.end.status = status;
	emit(p, p->pid, &ev);
}

void record_task(struct task *t)
{
	struct event ev = { .type = EV_TASK };

	emit(t->proc, t->tid, &ev);
}

/* In parts, and once a session: it is the same in all processes. */
static void tell_image(struct proc *p, const struct module *m)
{
	struct recorder *r = p->session->recorder;
	struct event ev = { .type = EV_IMAGE };
	const uint8_t *image, *id;
	uint64_t size;
	size_t len;

	image = elf_file_memory_image(m->file, &size, &ev.u.image.bias);
	id = elf_file_build_id(m->file, &len);
	if (!image || !len || size > IMAGE_MAX ||
	    u64map_get(&r->images_told, hash_bytes(id, len, 0)))
		return;
	u64map_set(&r->images_told, hash_bytes(id, len, 0), 1);
	ev.u.image.module = m->id;
	ev.u.image.size = size;
	for (uint64_t at = 0; at < size; at += IMAGE_PART) {
		ev.u.image.offset = at;
		ev.u.image.data = image + at;
		ev.u.image.ndata = (uint32_t)MIN(size - at, (uint64_t)IMAGE_PART);
		emit(p, p->pid, &ev);
	}
}

void record_module(struct proc *p, const struct module *m)
{
	struct event ev = { .type = EV_MODULE };
	size_t len = 0;

	ev.u.module.id = m->id;
	ev.u.module.start = m->start;
	ev.u.module.end = m->end;
	ev.u.module.bias = m->bias;
	ev.u.module.path = m->path;
	if (m->file)
		ev.u.module.build_id = elf_file_build_id(m->file, &len);
	ev.u.module.build_id_len = (uint8_t)MIN(len, (size_t)64);
	ev.u.module.dev = m->dev;
	ev.u.module.ino = m->ino;
	emit(p, p->pid, &ev);
	if (p->session->opts->images && m->file)
		tell_image(p, m);
}

void record_module_gone(struct proc *p, const struct module *m)
{
	struct event ev = { .type = EV_MODULE_GONE };

	ev.u.module.id = m->id;
	ev.u.module.path = m->path;
	emit(p, p->pid, &ev);
}

void record_event(struct proc *p, struct event *ev)
{
	emit(p, p->pid, ev);
}

void record_note(struct session *s, pid_t pid, bool bad, const char *text)
{
	struct event ev = { .type = EV_NOTE, .pid = pid, .tid = pid, .time_ns = event_time() };

	ev.u.note.bad = bad;
	ev.u.note.text = text;
	s->sink->emit(s->sink, &ev);
}

void record_mark(struct session *s)
{
	struct event ev = { .type = EV_MARK, .time_ns = event_time() };

	ev.u.mark.nr = s->mark;
	s->sink->emit(s->sink, &ev);
}

void record_rows(struct session *s, struct event *ev)
{
	ev->time_ns = event_time();
	s->sink->emit(s->sink, ev);
}

/* -- blocks ---------------------------------------------------------------------------- */

static uint32_t allocator_of(const struct probe_site *site)
{
	return site && site->module ? site->module->id : 0;
}

bool record_has_room(struct proc *p, taddr_t addr)
{
	uint64_t max = p->session->opts->max_blocks;
	struct open_block old;

	if (!max || openset_count(p->open) < max || openset_find(p->open, addr, &old))
		return true;
	p->session->beyond++;
	p->table_complete = false; /* its release will be none of a known block */
	return false;
}

/* Some tenths of a millisecond. */
#define BLOCKS_AT_ONCE 256

struct listing { struct proc *p; bool hold; };

static int tell_block(void *arg, const struct open_block *b)
{
	struct event ev = { .type = EV_BLOCK };
	struct listing *l = arg;

	ev.u.alloc.addr = b->addr;
	ev.u.alloc.size = b->size;
	ev.u.alloc.stack = b->stack;
	ev.u.alloc.mark = b->mark;
	l->hold |= emit(l->p, l->p->pid, &ev) == EMIT_HOLD;
	return 0;
}

bool record_blocks(struct proc *p, uint32_t *at, bool *hold)
{
	struct listing l = { p, false };
	bool more = openset_each_some(p->open, at, BLOCKS_AT_ONCE, tell_block, &l);

	*hold = l.hold;
	return more;
}

/* Calls and releases under way that would bring blocks back know them no more. */
static void forget_old(struct task *t)
{
	for (size_t i = 0; i < t->calls.n; i++) {
		t->calls.v[i].had_old = false;
		t->calls.v[i].old = (struct open_block){ 0 };
	}
	t->last.known = false;
}

void record_reset(struct proc *p)
{
	struct event ev = { .type = EV_RESET };

	openset_free(p->open);
	p->open = openset_new();
	freed_free(p->freed);
	p->freed = freed_new(p->session->opts->freed_volume, FREED_MAX);
	p->table_complete = false;
	for (size_t i = 0; i < p->tasks.n; i++)
		forget_old(p->tasks.v[i]);
	record_event(p, &ev);
}

/* The block is there from now on.  An address that is still open was released
 * behind our back: by the allocator itself, or through a way in that we do not
 * observe. */
static void open_block(struct task *t, const struct probe_site *site, const struct open_block *b)
{
	struct event gone = { .type = EV_RELEASE };
	struct open_block old;

	freed_drop(t->proc->freed, b->addr);
	if (!openset_add(t->proc->open, b, &old))
		return;
	gone.u.release.addr = old.addr;
	gone.u.release.size = old.size;
	gone.u.release.stack = old.stack;
	gone.u.release.mark = old.mark;
	/* It went while nobody looked: that is no way round our breakpoints. */
	gone.u.release.known = pause_doubts(t->proc, &old) ? RELEASE_KNOWN : RELEASE_UNSEEN;
	gone.u.release.allocator = allocator_of(site);
	emit(t->proc, t->tid, &gone);
}

static void remember_freed(struct task *t, const struct open_block *b, uint32_t at)
{
	freed_add(t->proc->freed, &(struct freed_block){ b->addr, b->size, b->stack, at });
}

struct product call_product(const struct call *c)
{
	const struct probe *pr = c->site->probe;

	if (!pr->count_arg)
		return (struct product){ 0 };
	return (struct product){ true, c->arg[pr->count_arg - 1], c->arg[pr->size_arg - 1] };
}

void record_alloc(struct task *t, const struct call *c, taddr_t addr)
{
	struct event ev = { .type = EV_ALLOC };

	if (!record_has_room(t->proc, addr)) {
		freed_drop(t->proc->freed, addr);
		return;
	}
	open_block(t, c->site, &(struct open_block){ addr, c->size, c->stack,
						     t->proc->session->mark });
	ev.u.alloc.addr = addr;
	ev.u.alloc.size = c->size;
	ev.u.alloc.stack = c->stack;
	ev.u.alloc.mark = t->proc->session->mark;
	ev.u.alloc.product = call_product(c);
	emit(t->proc, t->tid, &ev);
}

bool record_take(struct task *t, taddr_t addr, struct open_block *out)
{
	return openset_take(t->proc->open, addr, out);
}

static void fill_release(struct event *ev, taddr_t addr, const struct open_block *known)
{
	ev->u.release.addr = addr;
	if (known) {
		ev->u.release.size = known->size;
		ev->u.release.stack = known->stack;
		ev->u.release.mark = known->mark;
	}
}

void record_release(struct task *t, const struct probe_site *site, taddr_t addr,
		    const struct open_block *known, enum release_known how, uint32_t at)
{
	struct event ev = { .type = EV_RELEASE };

	fill_release(&ev, addr, known);
	ev.u.release.probe = site->id;
	ev.u.release.allocator = allocator_of(site);
	ev.u.release.known = (uint8_t)how;
	ev.u.release.at = at;
	if (known)
		remember_freed(t, known, at);
	emit(t->proc, t->tid, &ev);
}

void record_release_undo(struct task *t, taddr_t addr, const struct open_block *known, uint32_t at)
{
	struct event ev = { .type = EV_RELEASE_UNDO };

	fill_release(&ev, addr, known);
	ev.u.release.known = known ? RELEASE_KNOWN : RELEASE_UNKNOWN;
	ev.u.release.at = at;
	if (known) {
		freed_drop(t->proc->freed, addr);
		openset_add(t->proc->open, known, NULL);
	}
	emit(t->proc, t->tid, &ev);
}

void record_realloc_begin(struct task *t, const struct open_block *b, uint16_t probe, uint32_t at)
{
	struct event ev = { .type = EV_REALLOC_BEGIN };

	/* Another thread may be given the address, and release it, before the
	 * call returns. */
	remember_freed(t, b, at);
	fill_release(&ev, b->addr, b);
	ev.u.release.probe = probe;
	emit(t->proc, t->tid, &ev);
}

void record_realloc(struct task *t, const struct call *c, taddr_t old_addr,
		    const struct open_block *old, taddr_t addr, uint64_t size, bool failed)
{
	struct event ev = { .type = EV_REALLOC };

	if (failed && old) {
		freed_drop(t->proc->freed, old_addr);
		openset_add(t->proc->open, old, NULL);
	} else if (addr) {
		if (!old && !record_has_room(t->proc, addr)) {
			freed_drop(t->proc->freed, addr);
			return;
		}
		open_block(t, NULL, &(struct open_block){ addr, size, c->stack,
							  t->proc->session->mark });
	}
	ev.u.realloc.old_addr = old_addr;
	ev.u.realloc.old_size = old ? old->size : 0;
	ev.u.realloc.old_stack = old ? old->stack : 0;
	ev.u.realloc.addr = addr;
	ev.u.realloc.size = size;
	ev.u.realloc.stack = c->stack;
	ev.u.realloc.failed = failed;
	ev.u.realloc.old_mark = old ? old->mark : 0;
	ev.u.realloc.mark = t->proc->session->mark;
	ev.u.realloc.product = call_product(c);
	emit(t->proc, t->tid, &ev);
	if (failed)
		memlimit_refused(t, c->size);
}

void record_census(struct proc *p, const struct event *ev)
{
	struct event copy = *ev;

	copy.type = EV_CENSUS;
	emit(p, p->pid, &copy);
}

bool record_error(struct task *t, struct event *ev)
{
	ev->type = EV_ERROR;
	return emit(t->proc, t->tid, ev) != EMIT_SUPPRESSED;
}

void record_failed(struct task *t, const struct call *c)
{
	struct event ev = { .type = EV_FAILED };

	ev.u.alloc.size = c->size;
	ev.u.alloc.stack = c->stack;
	ev.u.alloc.product = call_product(c);
	emit(t->proc, t->tid, &ev);
	if (c->site->probe->op < OP_MAP)
		memlimit_refused(t, c->size);
}

/* -- mappings ------------------------------------------------------------------------------ */

static void emit_map(struct task *t, enum event_type type, taddr_t addr, uint64_t size,
		     taddr_t old_addr, uint64_t old_size, uint32_t stack)
{
	struct event ev = { .type = type };

	ev.u.map.addr = addr;
	ev.u.map.size = size;
	ev.u.map.old_addr = old_addr;
	ev.u.map.old_size = old_size;
	ev.u.map.stack = stack;
	emit(t->proc, t->tid, &ev);
}

void record_map(struct task *t, taddr_t addr, uint64_t size, uint32_t stack)
{
	proc_note_mapping(t->proc, addr, size, MAX(stack, 1u));
	emit_map(t, EV_MAP, addr, size, 0, 0, stack);
}

void record_unmap(struct task *t, taddr_t addr, uint64_t size)
{
	proc_note_mapping(t->proc, addr, size, 0);
	emit_map(t, EV_UNMAP, addr, size, 0, 0, 0);
}

void record_remap(struct task *t, taddr_t old_addr, uint64_t old_size, taddr_t addr, uint64_t size,
		  uint32_t stack)
{
	proc_note_mapping(t->proc, old_addr, old_size, 0);
	proc_note_mapping(t->proc, addr, size, MAX(stack, 1u));
	emit_map(t, EV_REMAP, addr, size, old_addr, old_size, stack);
}

void record_brk(struct task *t, taddr_t before, taddr_t after, uint32_t stack)
{
	t->proc->own_break |= after != before;
	emit_map(t, EV_BRK, after, 0, before, 0, stack);
}

void record_call(struct task *t, const struct call *c, const struct probe *probe, bool has_result,
		 uint64_t result)
{
	struct event ev = { .type = EV_CALL };
	struct module *m = modules_find(&t->proc->modules, c->caller);

	ev.u.call.probe = c->probe;
	memcpy(ev.u.call.arg, c->arg, sizeof ev.u.call.arg);
	ev.u.call.nargs = (uint8_t)MAX(MAX(probe->ptr_arg, probe->size_arg),
				       MAX(MAX(probe->count_arg, probe->align_arg), probe->out_arg));
	/* Arguments are counted from 1, 0 is none. */
	ev.u.call.pointers = (uint8_t)((1u << probe->ptr_arg | 1u << probe->out_arg) >> 1);
	ev.u.call.has_result = has_result;
	ev.u.call.result = result;
	ev.u.call.caller = c->caller;
	ev.u.call.module = m ? m->id : 0;
	emit(t->proc, t->tid, &ev);
}
