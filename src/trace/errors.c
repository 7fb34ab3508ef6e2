/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <signal.h>
#include <string.h>

#include "arch/host.h"
#include "base/msg.h"
#include "trace/breakpoint.h"
#include "trace/errors.h"
#include "trace/image.h"
#include "trace/pause.h"
#include "trace/recorder.h"
#include "trace/tracer.h"

/* One caller may release a million wrong addresses; what lies there is looked
 * up this often for each stack. */
#define MAX_LOOKS 32

#define C_FAMILY (1u << FAMILY_C)
#define CXX_FAMILIES (1u << FAMILY_NEW | 1u << FAMILY_NEW_ARRAY)

/* -- what is wrong ------------------------------------------------------------------ */

/* Both must be of families that are told apart.  Where one function has the
 * names of several (an allocator's free() that is operator delete, too), nothing
 * is known of what the caller meant. */
static bool is_mismatch(unsigned alloc, unsigned release)
{
	unsigned known = C_FAMILY | CXX_FAMILIES;

	if (!alloc || !release || (alloc | release) & ~known)
		return false;
	return !(alloc & release);
}

/* jemalloc's sdallocx takes any size from the requested one up to the usable one,
 * which is at most a quarter, or a page, more (jemalloc(3)). */
static bool fits_class(uint64_t size, uint64_t given)
{
	return given >= size && given <= size + size / 2 + 4096;
}

static bool is_wrong_size(const struct probe_site *site, uint64_t size, uint64_t given)
{
	if (given == size)
		return false;
	if (!strcmp(site->probe->symbol, "sdallocx"))
		return !fits_class(size, given);
	/* new T[0] and new of nothing ask for one byte. */
	return !(size <= 1 && given <= 1);
}

bool fault_in_release(const struct proc *p, const struct probe_site *site,
		      const struct open_block *b, uint64_t given, struct fault *out)
{
	const struct trace_opts *opts = p->session->opts;
	unsigned alloc = recorder_families(p->session->recorder, b->stack);

	*out = (struct fault){ .addr = b->addr, .size = b->size, .given = given, .stack = b->stack };
	if (pause_doubts(p, b))
		return false;
	if (!opts->no_mismatched && is_mismatch(alloc, site->families)) {
		out->kind = ERROR_MISMATCHED_FREE;
		return true;
	}
	out->kind = ERROR_SIZE_MISMATCH;
	return site->size_arg && site->probe->op == OP_RELEASE && alloc & site->families &&
	       is_wrong_size(site, b->size, given);
}

bool fault_is_inlined(struct proc *p, const struct fault *f, const struct probe_site *site,
		      taddr_t caller)
{
	unsigned both = recorder_families(p->session->recorder, f->stack) | site->families;

	return f->kind == ERROR_MISMATCHED_FREE && both & C_FAMILY && image_own_operators(p, caller);
}

bool fault_in_unknown(const struct proc *p, taddr_t addr, struct fault *out)
{
	struct freed_block b;

	*out = (struct fault){ .addr = addr };
	if (freed_find(p->freed, addr, &b)) {
		out->kind = ERROR_DOUBLE_FREE;
		out->size = b.size;
		out->stack = b.stack;
		out->freed = b.at;
		return true;
	}
	out->kind = ERROR_INVALID_FREE;
	return p->table_complete && !p->hides_blocks;
}

static bool is_power_of_two(uint64_t v)
{
	return v && !(v & (v - 1));
}

/* posix_memalign(3): a power of two and a multiple of a pointer's size.  The C
 * libraries' memalign, which may be aligned_alloc too, takes 0 for any. */
static bool is_wrong_alignment(const struct proc *p, const struct probe *probe, uint64_t align)
{
	if (probe->kind == KIND_OUT)
		return !is_power_of_two(align) || align % p->abi->word;
	return !is_power_of_two(align) && (align || probe->flags & PROBE_CPP);
}

bool fault_in_request(const struct proc *p, const struct probe *probe, uint64_t size,
		      uint64_t align, struct fault *out)
{
	uint64_t most = p->abi->word == 4 ? INT32_MAX : INT64_MAX;

	*out = (struct fault){ .size = size, .given = align };
	if (probe->family == FAMILY_MAP || probe->family == FAMILY_CUSTOM)
		return false;
	out->kind = ERROR_MISALIGNED;
	if (probe->align_arg && is_wrong_alignment(p, probe, align))
		return true;
	out->kind = ERROR_FISHY_SIZE;
	return size > most;
}

/* -- what lies at an address --------------------------------------------------------- */

static bool is_stack(const struct task *t, const struct map_line *line)
{
	taddr_t sp = regs_sp(&t->regs);

	return (sp >= line->start && sp < line->end) || !strncmp(line->path, "[stack", 6);
}

static void locate_in_maps(struct task *t, struct event *ev, struct maps *maps)
{
	const struct map_line *line = maps_find(maps, ev->u.error.addr);
	struct module *m = modules_find(&t->proc->modules, ev->u.error.addr);

	ev->u.error.place = PLACE_MAPPED;
	if (!line) {
		ev->u.error.place = PLACE_NOWHERE;
	} else if (is_stack(t, line)) {
		ev->u.error.place = PLACE_STACK;
	} else if (m) {
		ev->u.error.place = PLACE_MODULE;
		ev->u.error.module = m->id;
		ev->u.error.offset = ev->u.error.addr - m->bias;
	} else if (line->path[0] == '/') {
		ev->u.error.place = PLACE_FILE;
		ev->u.error.path = line->path;
		ev->u.error.offset = ev->u.error.addr - line->start + line->offset;
	} else if (!strcmp(line->path, "[heap]")) {
		ev->u.error.place = PLACE_HEAP;
	}
}

/* Fills in what is there, and tells it: the path lives as long as the maps. */
static bool locate_and_tell(struct task *t, struct event *ev)
{
	taddr_t addr = ev->u.error.addr;
	struct open_block open;
	struct freed_block b;
	struct maps maps;

	if (openset_around(t->proc->open, addr, &open)) {
		ev->u.error.place = PLACE_BLOCK;
		ev->u.error.size = open.size;
		ev->u.error.stack = open.stack;
		ev->u.error.offset = addr - open.addr;
	} else if (freed_around(t->proc->freed, addr, &b)) {
		ev->u.error.place = PLACE_FREED;
		ev->u.error.size = b.size;
		ev->u.error.stack = b.stack;
		ev->u.error.freed = b.at;
		ev->u.error.offset = addr - b.addr;
	} else if (!maps_read(&maps, t->proc->pid)) {
		bool wanted;

		locate_in_maps(t, ev, &maps);
		wanted = record_error(t, ev);
		maps_release(&maps);
		return wanted;
	}
	return record_error(t, ev);
}

void fault_tell_later(struct proc *p, const struct fault *f)
{
	struct event ev = { .type = EV_ERROR,
			    .u.error = { .kind = (uint8_t)f->kind, .addr = f->addr, .size = f->size,
					 .given = f->given, .stack = f->stack, .offset = f->offset,
					 .data = f->data, .ndata = f->ndata } };

	record_event(p, &ev);
}

bool fault_tell(struct task *t, const struct fault *f, uint32_t at)
{
	struct event ev = { .u.error = { .kind = (uint8_t)f->kind, .addr = f->addr, .size = f->size,
					 .given = f->given, .at = at, .stack = f->stack,
					 .freed = f->freed, .offset = f->offset,
					 .data = f->data, .ndata = f->ndata } };
	const uint64_t *looks = u64map_get(&t->proc->looked, at);
	uint64_t n = looks ? *looks : 0;

	if (f->kind != ERROR_INVALID_FREE || n >= MAX_LOOKS)
		return record_error(t, &ev);
	u64map_set(&t->proc->looked, at, n + 1);
	return locate_and_tell(t, &ev);
}

/* -- --stop-on-error --------------------------------------------------------------------- */

bool fault_stops(struct task *t, const struct breakpoint *bp, const struct fault *f)
{
	struct proc *p = t->proc;

	if (!p->session->opts->stop_on_error || f->kind == ERROR_FISHY_SIZE)
		return false;
	/* The call begins anew under the debugger, at its first instruction. */
	host_set_pc(t->tid, &t->regs, bp_code(bp));
	t->last.what = LAST_NONE;
	p->faulty = t;
	p->session->any_faulty = true;
	return true;
}

/* The signal waits until the tracer is gone, and stops the process before it
 * runs another instruction. */
static void let_go(struct proc *p)
{
	struct session *s = p->session;
	pid_t pid = p->pid;

	kill(pid, SIGSTOP);
	detach_proc(p);
	if (pid == s->launched)
		s->launched_let_go = true;
	msg_warn("%s (%d) is stopped at the error, and not traced any more: gdb -p %d",
		 p->name, (int)pid, (int)pid);
	proc_free(p);
}

void faults_let_go(struct session *s)
{
	for (size_t i = s->procs.n; i--;)
		if (s->procs.v[i]->faulty)
			let_go(s->procs.v[i]);
	s->any_faulty = false;
}
