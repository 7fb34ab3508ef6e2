/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "arch/host.h"
#include "base/msg.h"
#include "trace/breakpoint.h"
#include "trace/engine.h"
#include "trace/errors.h"
#include "trace/fail.h"
#include "trace/fill.h"
#include "trace/image.h"
#include "trace/recorder.h"
#include "trace/redzone.h"
#include "trace/tracer.h"
#include "trace/wrappers.h"

/* Idle hits of a return site before it is only kept while a call pends. */
#define IDLE_LIMIT 256
#define STACK_MAX 65536
/* Pending calls of one task; older ones were left by longjmp. */
#define CALLS_MAX 64
/* From the system's mmap() up to the allocator's function that needs it. */
#define ALLOCATOR_DEPTH 24
/* More than a thread has at its end. */
#define THREAD_END_DEPTH 10

/* One task is looked at at a time, so one of each is enough. */
static uint8_t stack_bytes[STACK_MAX];
static struct stack_copy stack = { .bytes = stack_bytes, .cap = sizeof stack_bytes };
static struct backtrace bt;

/* -- looking at the stopped task --------------------------------------------------- */

static void read_stack(struct task *t, size_t want)
{
	ssize_t n;

	stack.addr = regs_sp(&t->regs);
	n = memory_read(&t->proc->mem, stack.addr, stack.bytes, MIN(want, stack.cap));
	stack.len = n > 0 ? (size_t)n : 0;
}

static uint64_t stack_word(const struct abi *abi, size_t offset)
{
	uint64_t v = 0;

	if (offset + abi->word > stack.len)
		return 0;
	for (unsigned i = 0; i < abi->word; i++)
		v |= (uint64_t)stack.bytes[offset + i]
		     << 8 * (abi->e_data == 1 ? i : abi->word - 1u - i);
	return v;
}

static taddr_t return_address(const struct task *t)
{
	const struct abi *abi = t->proc->abi;

	return abi->link >= 0 ? t->regs.w[abi->link] : stack_word(abi, 0);
}

/* Argument n, counted from 1; 0 when there is none. */
static uint64_t argument(const struct task *t, unsigned n)
{
	const struct abi *abi = t->proc->abi;

	if (!n)
		return 0;
	if (n <= abi->nreg_args)
		return t->regs.w[abi->reg_arg[n - 1]];
	return stack_word(abi, abi->stack_arg + (n - 1u - abi->nreg_args) * abi->word);
}

static bool args_on_stack(const struct abi *abi, const struct probe *pr)
{
	unsigned most = MAX(MAX(pr->ptr_arg, pr->size_arg), MAX(pr->count_arg, pr->out_arg));

	return most > abi->nreg_args;
}

static uint64_t requested_size(const struct task *t, const struct probe *pr)
{
	uint64_t size = argument(t, pr->size_arg), count = argument(t, pr->count_arg);

	if (!pr->count_arg)
		return size;
	return __builtin_mul_overflow(size, count, &size) ? UINT64_MAX : size;
}

/* The break now, for a brk() that is about to move it.  The kernel tells the
 * page it is in, the program's last move the byte, unless the allocator has
 * moved it since, by whole pages. */
static taddr_t heap_end(const struct proc *p)
{
	uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);
	struct maps maps;
	taddr_t end = 0;

	if (maps_read(&maps, p->pid))
		return 0;
	for (size_t i = 0; i < maps.lines.n; i++)
		if (!strcmp(maps.lines.v[i].path, "[heap]"))
			end = maps.lines.v[i].end;
	maps_release(&maps);
	if (!end) /* it is empty: where it begins */
		end = proc_stat_number(p->pid, STAT_START_BRK, 0);
	return p->brk_end && (p->brk_end + page - 1) / page == (end + page - 1) / page ? p->brk_end
										      : end;
}

/* -- pending calls ---------------------------------------------------------------------- */

void calls_forget_site(struct task *t, const struct probe_site *site)
{
	for (size_t i = t->calls.n; i--;)
		if (t->calls.v[i].site == site) {
			if (t->calls.v[i].ret && t->calls.v[i].ret->pending)
				t->calls.v[i].ret->pending--;
			vec_remove(&t->calls, i);
		}
}

static void forget_oldest(struct task *t)
{
	struct breakpoint *bp = t->calls.v[0].ret;

	if (bp && bp->pending)
		bp->pending--;
	vec_remove(&t->calls, 0);
}

/* Left behind by longjmp or an exception. */
static void drop_dead(struct task *t)
{
	struct call *c = &t->calls.v[t->calls.n - 1];

	redzone_abandoned(t->proc, c);
	if (c->had_old) /* its realloc came to nothing */
		record_realloc(t, c, c->old.addr, &c->old, 0, c->size, true);
	call_drop(t);
}

/* Without call-frame information: is its return address still where it was? */
static bool return_slot_stands(struct task *t, const struct call *c)
{
	uint64_t word;

	if (t->proc->abi->link >= 0)
		return true;
	return !proc_read_word(t->proc, c->sp, &word) && word == c->return_addr;
}

enum ancestor { IS_ANCESTOR, IS_INTERRUPTED, IS_DEAD };

/* Looks for the frame that call c returns to in the backtrace.  A signal frame
 * on the way means that a handler interrupted c: its calls are its own. */
static enum ancestor find_ancestor(struct task *t, const struct call *c)
{
	taddr_t after = c->sp + t->proc->abi->ret_pops;

	for (uint32_t i = 0; i < bt.n; i++) {
		if (i && bt.exact[i])
			return IS_INTERRUPTED;
		if (bt.cfa[i] == after && bt.pc[i] == c->return_addr)
			return IS_ANCESTOR;
		if (bt.origin[i] == FROM_FP)
			break; /* a guess, which may leave frames out */
		if (i + 1 == bt.n && bt.end == STACK_COMPLETE)
			return IS_DEAD;
	}
	return return_slot_stands(t, c) ? IS_ANCESTOR : IS_DEAD;
}

/* Is the call that begins now inside one that we already observe?  The frames
 * decide, not the stack pointer: a handler's alternate stack or a coroutine's
 * may lie above as well as below. */
static bool is_nested(struct task *t, const struct probe *pr, taddr_t sp, taddr_t ra)
{
	bool unwound = false;

	while (t->calls.n) {
		struct call *c = &t->calls.v[t->calls.n - 1];

		if (c->sp == sp) {
			/* A jump from one into the next (realloc(NULL, n) into
			 * malloc), or the same call again, whose first try a
			 * longjmp ended. */
			if (c->return_addr == ra && c->site && c->site->probe != pr)
				return true;
			drop_dead(t);
			continue;
		}
		if (!unwound)
			unwind_entry(t->proc->unwinder, &t->regs, &stack, 64, &bt);
		unwound = true;
		switch (find_ancestor(t, c)) {
		case IS_ANCESTOR:
			return true;
		case IS_INTERRUPTED:
			return false;
		case IS_DEAD:
			break;
		}
		if (!task_same_stack(t, sp, c->sp))
			return false; /* it may go on when we have switched back */
		drop_dead(t);
	}
	return false;
}

static bool in_fixed_text(const struct breakpoint *bp)
{
	const struct module *m = bp->module;

	return m && m->file && !m->is_vdso && bp->addr >= m->text_start && bp->addr < m->text_end;
}

static struct breakpoint *plant_return(struct task *t, taddr_t ra)
{
	struct proc *p = t->proc;
	struct breakpoint *bp = bp_find(p, ra);

	if (!bp || !(bp->roles & BP_RETURN)) {
		bp = bp_plant(p, t, ra, BP_RETURN);
		if (!bp)
			return NULL;
		bp->transient = !in_fixed_text(bp);
	} else if (!bp->planted || bp->transient) {
		bp_replant(p, bp);
	}
	bp->pending++;
	return bp;
}

/* -- entry ----------------------------------------------------------------------------------- */

static void remember(struct task *t, int what, const struct breakpoint *bp, uint64_t ptr)
{
	t->last.what = what;
	t->last.addr = bp->addr;
	t->last.sp = regs_sp(&t->regs);
	t->last.ptr = ptr;
	t->last.ra = 0;
	t->last.known = false;
	t->last.zone = 0;
}

static bool is_in(const struct module *m, taddr_t pc)
{
	return pc >= m->start && pc < m->end;
}

/* Is the call that begins now made inside a function that we observe as part
 * of an allocator?  A caller `within` the same file must be one itself: calls of
 * libc to itself, when a thread ends, are not. */
static bool in_allocator(struct task *t, const struct module *within)
{
	static struct backtrace around; /* the call's own is still needed */
	taddr_t ra = return_address(t);

	if (within && is_in(within, ra))
		return image_in_allocator(t->proc, ra);
	unwind_entry(t->proc->unwinder, &t->regs, &stack, ALLOCATOR_DEPTH, &around);
	for (uint32_t i = 0; i < around.n; i++)
		if (image_in_allocator(t->proc, around.pc[i]))
			return true;
	return false;
}

/* free() gives memory back with brk, and an allocator's library gets some for
 * itself before anybody asks: those are no mappings of the program's. */
static bool is_allocators_own(struct task *t, taddr_t ra)
{
	return image_allocator_library(t->proc, ra) || in_allocator(t, NULL);
}

/* operator new(0) asks malloc for one byte; the report says what the program
 * asked for.  With arguments on the stack the request is still there. */
static bool asked_for_nothing(struct task *t, const struct range_probe *w)
{
	const struct abi *abi = t->proc->abi;
	uint64_t size;

	if (abi->nreg_args)
		return w->zero_flag && abi->flag_zero && abi->flag_zero(&t->regs);
	return bt.n > 1 && !proc_read_word(t->proc, bt.cfa[1], &size) && !size;
}

static bool is_new(const struct probe_site *site)
{
	return site && (site->probe->family == FAMILY_NEW || site->probe->family == FAMILY_NEW_ARRAY ||
			site->probe->flags & PROBE_NEW);
}

/* Is memory for an exception asked for?  libc++ does it by way of a helper. */
static bool for_exception(struct task *t, taddr_t ra)
{
	const struct probe_site *site = t->calls.v[t->calls.n - 1].site;

	if (!is_new(site) || ra - site->addr < site->size)
		return false;
	unwind_entry(t->proc->unwinder, &t->regs, &stack, 3, &bt);
	for (uint32_t i = 0; i < bt.n; i++)
		if (image_throws(t->proc, bt.pc[i]))
			return true;
	return false;
}

/* The memory for an exception is asked for: the operator new in whose midst that
 * happens will not return. */
static void new_throws(struct task *t)
{
	while (t->calls.n) {
		struct call c = t->calls.v[t->calls.n - 1];

		if (!is_new(c.site))
			return;
		call_drop(t);
		record_failed(t, &c);
	}
}

/* Is the release that was entered last still running, so that this is memory
 * for the allocator's own use?  (A debugging tcmalloc queues what is freed.) */
static bool inside_release(const struct task *t, const struct last_entry *release)
{
	const struct breakpoint *bp = bp_find(t->proc, release->addr);
	taddr_t after = release->sp + t->proc->abi->ret_pops;

	if (!bp || !bp->site || regs_sp(&t->regs) >= release->sp)
		return false;
	for (uint32_t i = 1; i < bt.n; i++) {
		if (bt.exact[i])
			return false; /* a handler interrupted it: its own memory */
		if (bt.cfa[i] == after)
			return bt.pc[i - 1] - bp->site->addr < bp->site->size;
	}
	return false;
}

/* A mapping that is none of the program's: what it is of is all that matters,
 * for the leak scan.  A wrapper around another mapping call, or one that gives
 * memory back with brk(), is nothing at all. */
static void enter_own_mapping(struct task *t, struct breakpoint *bp)
{
	const struct probe *pr = bp->site->probe;
	struct call c = { .site = bp->site, .sp = regs_sp(&t->regs), .own = true };

	if ((pr->op != OP_MAP && pr->op != OP_REMAP) || t->calls.n >= CALLS_MAX) {
		task_continue_over(t, bp);
		return;
	}
	c.return_addr = return_address(t);
	c.size = requested_size(t, pr);
	for (unsigned i = 0; i < ARRAY_SIZE(c.arg); i++)
		c.arg[i] = argument(t, i + 1);
	c.ret = plant_return(t, c.return_addr);
	t->last.what = LAST_CALL;
	task_continue_over(t, bp);
	if (c.ret)
		vec_push(&t->calls, c);
}

/* Is the call inside one of an allocator, not of mmap's own? */
static bool nested_in_allocator(const struct task *t)
{
	const struct call *c = &t->calls.v[t->calls.n - 1];

	return c->site && c->site->probe->family != FAMILY_MAP;
}

/* -- what is wrong ----------------------------------------------------------------------------- */

/* Tells it, once, even if a signal takes the call back and it comes again.
 * True: the task stays where it is. */
static bool tell_fault(struct task *t, const struct breakpoint *bp, const struct fault *f, uint32_t at)
{
	struct told_error now = { bp->addr, regs_sp(&t->regs), false };

	if (t->told.again && t->told.addr == now.addr && t->told.sp == now.sp) {
		t->told.again = false;
		return false;
	}
	t->told = now;
	return fault_tell(t, f, at) && fault_stops(t, bp, f);
}

static bool fault_in_call(struct task *t, const struct call *c, struct fault *f)
{
	const struct probe *pr = c->site->probe;

	if (c->had_old && redzone_overrun(t->proc, &c->old, f))
		return true;
	if (c->had_old && fault_in_release(t->proc, c->site, &c->old, 0, f) &&
	    !fault_is_inlined(t->proc, f, c->site, c->caller))
		return true;
	if (c->old.addr && !c->had_old && pr->op == OP_REALLOC &&
	    fault_in_unknown(t->proc, c->old.addr, f))
		return true;
	return fault_in_request(t->proc, pr, c->size, argument(t, pr->align_arg), f);
}

/* A block of an allocator's own making is none of our business. */
static bool call_stops(struct task *t, struct breakpoint *bp, const struct call *c,
		       const struct fault *f)
{
	if (f->kind == ERROR_INVALID_FREE && in_allocator(t, c->site->module))
		return false;
	return tell_fault(t, bp, f, c->stack);
}

/* For what needs the evidence while the task is stopped. */
static uint32_t stack_here(struct task *t, const struct breakpoint *bp)
{
	struct session *s = t->proc->session;

	read_stack(t, t->stack_want);
	unwind_entry(t->proc->unwinder, &t->regs, &stack, s->opts->depth, &bt);
	return recorder_stack(s->recorder, t->proc, t, bp->site->id, &bt, 0);
}

static bool fault_in_known(struct task *t, const struct probe_site *site,
			   const struct open_block *b, struct fault *f)
{
	if (!fault_in_release(t->proc, site, b, argument(t, site->size_arg), f))
		return false;
	if (!stack.len)
		read_stack(t, t->stack_want);
	return !fault_is_inlined(t->proc, f, site, return_address(t));
}

static bool release_stops(struct task *t, struct breakpoint *bp, taddr_t ptr,
			  const struct open_block *known, enum release_known how, uint32_t at)
{
	struct fault f;

	if (known && redzone_overrun(t->proc, known, &f) &&
	    tell_fault(t, bp, &f, at ? at : stack_here(t, bp)))
		return true;
	if (known ? !fault_in_known(t, bp->site, known, &f)
		  : how != RELEASE_UNKNOWN || !fault_in_unknown(t->proc, ptr, &f))
		return false;
	return tell_fault(t, bp, &f, at ? at : stack_here(t, bp));
}

/* -- entry --------------------------------------------------------------------------------------- */

/* The block that a realloc gives back. */
static void take_old(struct task *t, struct call *c)
{
	const struct probe *pr = c->site->probe;

	if (pr->op != OP_REALLOC || pr->kind == KIND_XALLOCX)
		return;
	c->old.addr = argument(t, pr->ptr_arg);
	c->had_old = c->old.addr && record_take(t, c->old.addr, &c->old);
}

static void intern(struct task *t, struct call *c, uint32_t skip, uint8_t families)
{
	struct recorder *r = t->proc->session->recorder;

	if (c->stack)
		return;
	c->stack = recorder_stack(r, t->proc, t, c->probe, &bt, skip);
	recorder_set_families(r, c->stack, families);
}

static void enter_call(struct task *t, struct breakpoint *bp)
{
	struct session *s = t->proc->session;
	const struct probe *pr = bp->site->probe;
	struct call c = { .site = bp->site, .probe = bp->site->id, .sp = regs_sp(&t->regs) };
	struct last_entry before = t->last;
	uint8_t families = bp->site->families;
	const struct range_probe *w, *outer = NULL;
	uint32_t skip = 0;
	struct fault f;

	read_stack(t, t->stack_want);
	c.return_addr = return_address(t);
	remember(t, LAST_FOLDED, bp, 0);
	if (t->calls.n && pr->op == OP_ALLOC && for_exception(t, c.return_addr))
		new_throws(t);
	if (t->calls.n && is_nested(t, pr, c.sp, c.return_addr)) {
		if (pr->family == FAMILY_MAP && nested_in_allocator(t))
			enter_own_mapping(t, bp);
		else
			task_continue_over(t, bp);
		return;
	}
	if (pr->family == FAMILY_MAP && is_allocators_own(t, c.return_addr)) {
		enter_own_mapping(t, bp);
		return;
	}
	w = pr->op == OP_ALLOC ? image_wrapper(t->proc, c.return_addr) : NULL;
	unwind_entry(t->proc->unwinder, &t->regs, &stack, s->opts->depth + (w ? 2 : 0), &bt);
	if (before.what == LAST_RELEASE && inside_release(t, &before)) {
		t->last = before;
		task_continue_over(t, bp);
		return;
	}
	c.size = requested_size(t, pr);
	if (w && c.size == 1 && asked_for_nothing(t, w))
		c.size = 0;
	while (w && skip < bt.n) {
		outer = w;
		skip++;
		w = skip < bt.n ? image_wrapper(t->proc, bt.pc[skip]) : NULL;
	}
	c.caller = skip < bt.n ? bt.pc[skip] : c.return_addr;
	if (outer) {
		c.probe = outer->probe;
		families = outer->families;
	}
	if (outer || pr->flags & PROBE_CPP)
		wrapper_called(t->proc, c.caller, &c.probe, &families);
	if (bt.n - skip > s->opts->depth) {
		bt.n = s->opts->depth + skip;
		bt.end = STACK_CUT;
	}
	for (unsigned i = 0; i < ARRAY_SIZE(c.arg); i++)
		c.arg[i] = argument(t, i + 1);
	if (skip && pr->size_arg)
		c.arg[pr->size_arg - 1] = c.size;
	if (pr->kind == KIND_BRK) {
		c.old.addr = heap_end(t->proc);
		c.size = c.arg[0] > c.old.addr ? c.arg[0] - c.old.addr : 0;
	}
	take_old(t, &c);
	if (fault_in_call(t, &c, &f)) {
		intern(t, &c, skip, families);
		if (call_stops(t, bp, &c, &f)) {
			if (c.had_old)
				openset_add(t->proc->open, &c.old, NULL);
			return;
		}
	}
	if (t->calls.n >= CALLS_MAX)
		forget_oldest(t);
	c.ret = plant_return(t, c.return_addr);
	fail_request(t, &c, &bt);
	redzone_request(t, &c);
	t->last.what = LAST_CALL;
	task_continue_over(t, bp);

	intern(t, &c, skip, families);
	if (c.had_old)
		record_realloc_begin(t, &c.old, c.probe, c.stack);
	fail_tell(s, &c);
	if (c.ret)
		vec_push(&t->calls, c);
	else
		t->proc->table_complete = false; /* what it returns stays unknown */
}

/* glibc empties a thread's cache at its end with free(): but for the outermost,
 * _start, all frames are its own.  In a static program all are of one file, and
 * the function's name tells; where it has none, the first thread at least is the
 * program's. */
static bool is_thread_end(struct task *t, const struct module *m)
{
	static const char *const functions[] = {
		"tcache_thread_shutdown", "__malloc_arena_thread_freeres",
		"arena_thread_freeres", "__libc_thread_freeres",
	};
	struct proc *p = t->proc;
	struct elf_symbol sym;

	if (!is_in(m, return_address(t)))
		return false;
	unwind_entry(p->unwinder, &t->regs, &stack, THREAD_END_DEPTH, &bt);
	if (bt.end == STACK_CUT)
		return false;
	for (uint32_t i = 0; i + 1 < bt.n; i++)
		if (!is_in(m, bt.pc[i]))
			return false;
	if (!is_in(m, p->entry))
		return true;
	if (!m->file || !elf_file_function_at(m->file, bt.pc[0] - 1 - m->bias, &sym))
		return !t->is_leader;
	for (size_t i = 0; i < ARRAY_SIZE(functions); i++)
		if (!strcmp(sym.name, functions[i]))
			return true;
	return false;
}

/* A release of a block that we do not know needs its evidence while the task
 * is stopped. */
static uint32_t unknown_release(struct task *t, struct breakpoint *bp, enum release_known *how)
{
	read_stack(t, t->stack_want);
	*how = RELEASE_UNKNOWN;
	if (bp->site->module && is_thread_end(t, bp->site->module)) {
		*how = RELEASE_SHUTDOWN;
		return 0;
	}
	/* After an attach they are many, and nothing is wrong with them. */
	if (!t->proc->table_complete && !t->proc->session->opts->sanity &&
	    (t->proc->how == PROC_ATTACHED || t->proc->how == PROC_FORKED))
		return 0;
	return stack_here(t, bp);
}

/* delete[] jumped to delete, which jumped to free: the return address is still
 * the same.  It is another one where a second release follows the first. */
static bool continues_release(struct task *t, struct breakpoint *bp, uint64_t ptr)
{
	struct breakpoint *before;

	if (t->last.what != LAST_RELEASE || t->last.sp != regs_sp(&t->regs) ||
	    t->last.ptr != ptr || t->last.addr == bp->addr)
		return false;
	if (!stack.len)
		read_stack(t, 64);
	if (t->last.ra != return_address(t))
		return false;
	before = bp_find(t->proc, t->last.addr);
	if (before && before->roles & BP_PROBE)
		bp_follow_chain(t->proc, before);
	return true;
}

/* Does this release only do its own work?  C libraries' free() does; an
 * operator delete, a wrapper or a pool may go on to the next one. */
static bool is_leaf(const struct breakpoint *bp)
{
	while (bp->chain)
		bp = bp->chain;
	return bp->site && bp->site->leaf;
}

/* What a release, or another function of an allocator, releases in turn is of its
 * own making when we do not know it: operator delete that finds its header in
 * front of the block.  It is called from there, or jumped to. */
static bool is_inner_release(struct task *t, const struct breakpoint *bp,
			     const struct last_entry *before)
{
	read_stack(t, t->stack_want);
	if (before->what != LAST_NONE && before->ra && before->sp == regs_sp(&t->regs) &&
	    before->addr != bp->addr && before->ra == return_address(t))
		return true;
	return in_allocator(t, bp->site->module);
}

static void enter_release(struct task *t, struct breakpoint *bp)
{
	const struct probe *pr = bp->site->probe;
	struct last_entry before = t->last;
	enum release_known how = RELEASE_KNOWN;
	struct open_block b;
	uint32_t at = 0;
	uint64_t ptr;
	taddr_t ra;
	bool known;

	stack.len = 0;
	if (t->calls.n)
		read_stack(t, t->stack_want);
	else if (!is_leaf(bp) || args_on_stack(t->proc->abi, pr) || t->proc->session->opts->calls)
		read_stack(t, 64);
	ra = return_address(t); /* 0 when the stack was not read */
	ptr = argument(t, pr->ptr_arg);
	if (!ptr || continues_release(t, bp, ptr)) {
		if (!ptr)
			t->last.what = LAST_NONE;
		task_continue_over(t, bp);
		return;
	}
	remember(t, LAST_FOLDED, bp, ptr);
	t->last.ra = ra;
	if (t->calls.n && is_nested(t, pr, regs_sp(&t->regs), ra)) {
		task_continue_over(t, bp);
		return;
	}
	known = record_take(t, ptr, &b);
	if (!known && (is_inner_release(t, bp, &before) || t->proc->hides_blocks)) {
		task_continue_over(t, bp);
		return;
	}
	if (!known)
		at = unknown_release(t, bp, &how);
	else if (t->proc->session->opts->sanity)
		at = stack_here(t, bp);
	if (release_stops(t, bp, ptr, known ? &b : NULL, how, at)) {
		if (known)
			openset_add(t->proc->open, &b, NULL);
		return;
	}
	t->last.what = LAST_RELEASE;
	t->last.known = known;
	t->last.at = at;
	if (known) {
		t->last.block = b;
		fill_freed(t, pr, &b);
		redzone_released(t, bp->site, &b);
	}
	task_continue_over(t, bp);
	record_release(t, bp->site, ptr, known ? &b : NULL, how, at);
	if (t->proc->session->opts->calls) {
		struct call c = { .site = bp->site, .probe = bp->site->id,
				  .caller = ra, .arg = { ptr } };

		for (unsigned i = 1; i < ARRAY_SIZE(c.arg); i++)
			c.arg[i] = argument(t, i + 1);
		record_call(t, &c, pr, false, 0);
	}
}

/* How large is a block?  As large as it was asked to be. */
static void enter_usable(struct task *t, struct breakpoint *bp)
{
	struct call c = { .site = bp->site, .sp = regs_sp(&t->regs) };

	read_stack(t, 64);
	c.return_addr = return_address(t);
	c.arg[0] = argument(t, 1);
	remember(t, LAST_FOLDED, bp, 0);
	redzone_usable(t, &c);
	if (c.zone && t->calls.n < CALLS_MAX)
		c.ret = plant_return(t, c.return_addr);
	if (c.ret)
		t->last.what = LAST_CALL;
	task_continue_over(t, bp);
	if (c.ret)
		vec_push(&t->calls, c);
}

static void enter_unmap(struct task *t, struct breakpoint *bp)
{
	const struct probe *pr = bp->site->probe;
	struct call c = { .site = bp->site, .probe = bp->site->id };
	uint64_t addr, size;

	read_stack(t, 64);
	c.caller = return_address(t);
	for (unsigned i = 0; i < ARRAY_SIZE(c.arg); i++)
		c.arg[i] = argument(t, i + 1);
	addr = argument(t, pr->ptr_arg);
	size = requested_size(t, pr);
	remember(t, LAST_FOLDED, bp, addr);
	task_continue_over(t, bp);
	if (addr % (uint64_t)sysconf(_SC_PAGESIZE) == 0) /* else it is refused */
		record_unmap(t, addr, size);
	if (t->proc->session->opts->calls)
		record_call(t, &c, pr, false, 0);
}

/* -- return ------------------------------------------------------------------------------------- */

struct outcome {
	taddr_t addr;
	bool failed;
};

static bool is_error(const struct abi *abi, uint64_t v)
{
	return abi->word == 4 ? (uint32_t)v > 0xfffff000u : v > (uint64_t)-4096;
}

/* While the task is still stopped: posix_memalign's block is in memory. */
static struct outcome read_outcome(struct task *t, const struct call *c)
{
	const struct abi *abi = t->proc->abi;
	uint64_t v = t->regs.w[abi->retval];
	struct outcome o = { v, v == 0 };

	if (abi->word == 4)
		o.addr = v = (uint32_t)v;
	switch (c->site->probe->kind) {
	case KIND_OUT:
		o.failed = (uint32_t)v != 0;
		o.addr = 0;
		if (!o.failed && proc_read_word(t->proc, c->arg[c->site->probe->out_arg - 1], &o.addr))
			o.failed = true;
		break;
	case KIND_MMAP:
	case KIND_SBRK:
		o.failed = is_error(abi, v);
		break;
	case KIND_BRK:
		o.failed = (uint32_t)v != 0;
		break;
	case KIND_XALLOCX:
	case KIND_PLAIN:
	case KIND_FREES_OLD:
		break;
	}
	return o;
}

static void leave_realloc(struct task *t, const struct call *c, struct outcome o)
{
	const struct probe *pr = c->site->probe;
	taddr_t old = c->arg[pr->ptr_arg - 1];
	const struct open_block *was = c->had_old ? &c->old : NULL;
	struct open_block b;

	if (pr->kind == KIND_XALLOCX) { /* the block grew in place, or not at all */
		if (o.addr >= c->size && record_take(t, old, &b))
			record_realloc(t, c, old, &b, old, c->size, false);
	} else if (!old && o.failed) {
		if (c->size)
			record_failed(t, c);
	} else if (!old) {
		record_alloc(t, c, o.addr);
	} else if (o.failed && (!c->size || pr->kind == KIND_FREES_OLD)) {
		record_realloc(t, c, old, was, 0, 0, false);
	} else {
		record_realloc(t, c, old, was, o.failed ? 0 : o.addr, c->size, o.failed);
	}
}

static void leave_sbrk(struct task *t, const struct call *c, struct outcome o)
{
	bool narrow = t->proc->abi->word == 4;
	int64_t by = narrow ? (int32_t)c->arg[0] : (int64_t)c->arg[0];

	if (o.failed) {
		if (by > 0)
			record_failed(t, c);
		return;
	}
	t->proc->brk_end = o.addr + (uint64_t)by;
	if (by)
		record_brk(t, o.addr, t->proc->brk_end, c->stack);
}

static void leave_mapping(struct task *t, const struct call *c, struct outcome o)
{
	const struct probe *pr = c->site->probe;

	if (pr->kind == KIND_SBRK) {
		leave_sbrk(t, c, o);
	} else if (o.failed) {
		record_failed(t, c);
	} else if (pr->op == OP_MAP) {
		record_map(t, o.addr, c->size, c->stack);
	} else if (pr->op == OP_REMAP) {
		/* The old addresses may stay mapped, to empty pages. */
		record_remap(t, c->arg[0], c->arg[3] & MREMAP_DONTUNMAP ? 0 : c->arg[1], o.addr,
			     c->arg[2], c->stack);
	} else {
		t->proc->brk_end = c->arg[0];
		record_brk(t, c->old.addr, c->arg[0], c->stack);
	}
}

static void leave_own_mapping(struct task *t, const struct call *c, struct outcome o)
{
	bool remap = c->site->probe->op == OP_REMAP;

	if (o.failed)
		return;
	if (remap)
		proc_note_mapping(t->proc, c->arg[0], c->arg[1], 0);
	proc_note_mapping(t->proc, o.addr, remap ? c->arg[2] : c->size, MAPPED_BY_ALLOCATOR);
}

static void leave_call(struct task *t, const struct call *c, struct outcome o)
{
	const struct probe *pr = c->site->probe;

	if (c->own) {
		leave_own_mapping(t, c, o);
		return;
	}
	switch (pr->op) {
	case OP_ALLOC:
		if (!o.failed && o.addr)
			record_alloc(t, c, o.addr);
		else if (c->size)
			record_failed(t, c);
		break;
	case OP_REALLOC:
		leave_realloc(t, c, o);
		break;
	case OP_MAP:
	case OP_REMAP:
	case OP_BRK:
		leave_mapping(t, c, o);
		break;
	case OP_RELEASE:
	case OP_UNMAP:
		break;
	}
	if (t->proc->session->opts->calls)
		record_call(t, c, pr, true, o.addr);
}

/* The pending call that returns here: its stack pointer decides. */
static bool take_returning(struct task *t, struct call *out)
{
	taddr_t entry_sp = regs_sp(&t->regs) - t->proc->abi->ret_pops;

	for (size_t i = t->calls.n; i--;) {
		if (t->calls.v[i].sp != entry_sp)
			continue;
		*out = t->calls.v[i];
		/* What was entered later and lies deeper did not return. */
		while (t->calls.n > i + 1)
			call_drop(t);
		call_drop(t);
		return true;
	}
	return false;
}

/* With its terminating byte; what is longer than the limit is that long. */
static uint64_t string_size(struct proc *p, taddr_t addr)
{
	const uint64_t limit = 1 << 20;
	char part[256]; /* aligned, so that the end of a mapping is met exactly */
	uint64_t n = 0;

	while (n < limit) {
		size_t want = sizeof part - (addr + n) % sizeof part;
		const char *end;

		if (proc_read(p, addr + n, part, want) != (ssize_t)want)
			break;
		end = memchr(part, 0, want);
		if (end)
			return n + (uint64_t)(end - part) + 1;
		n += want;
	}
	return n;
}

static void on_return(struct task *t, struct breakpoint *bp)
{
	struct outcome o;
	struct call c;

	bp->hits++;
	t->last.what = LAST_NONE;
	if (!take_returning(t, &c)) {
		if (++bp->idle > IDLE_LIMIT && bp->idle > bp->hits - bp->hits / 8 && !bp->transient &&
		    bp->roles == BP_RETURN) {
			bp->transient = true;
			if (!bp->pending)
				bp_lift(t->proc, bp);
		}
		task_continue_over(t, bp);
		return;
	}
	if (c.site && c.site->probe->flags & PROBE_USABLE) {
		redzone_usable_returned(t, &c);
		task_continue_over(t, bp);
		return;
	}
	o = read_outcome(t, &c);
	if (!c.own)
		redzone_returned(t, &c, &o.addr, o.failed);
	if (c.site->probe->flags & PROBE_STRING && !o.failed)
		c.size = string_size(t->proc, o.addr);
	else if (!o.failed && !c.own) /* a string is there already */
		fill_new(t, &c, o.addr);
	fail_returned(t, &c, o.failed);
	task_continue_over(t, bp);
	leave_call(t, &c, o);
}

/* -- all hits -------------------------------------------------------------------------------------- */

static void on_entry(struct task *t, struct breakpoint *bp)
{
	if (bp->site->resolver) {
		read_stack(t, 64);
		image_resolver_called(t, bp->site, return_address(t));
		task_continue_over(t, bp);
		return;
	}
	if (bp->site->probe->flags & PROBE_USABLE) {
		enter_usable(t, bp);
		return;
	}
	switch (bp->site->probe->op) {
	case OP_RELEASE:
		enter_release(t, bp);
		break;
	case OP_UNMAP:
		enter_unmap(t, bp);
		break;
	default:
		enter_call(t, bp);
	}
}

void engine_hit(struct task *t, struct breakpoint *bp)
{
	if (!(bp->roles & BP_PROBE))
		t->last.what = LAST_NONE;
	if (bp->roles & (BP_LINKMAP | BP_START)) {
		image_sync(t->proc, t);
		if (bp->roles & BP_START)
			bp_drop_role(t->proc, bp, BP_START);
	}
	if (bp->roles & BP_RESOLVED)
		image_resolver_returned(t, bp);
	if (bp->roles & BP_RETURN)
		on_return(t, bp);
	else if (bp->roles & BP_PROBE && bp->site)
		on_entry(t, bp);
	else
		task_continue_over(t, bp);
}

taddr_t engine_take_back(struct task *t, const struct breakpoint *bp, taddr_t otherwise)
{
	const struct breakpoint *entry = bp_find(t->proc, t->last.addr);
	taddr_t addr = otherwise;

	/* It may have hit something else since. */
	if (t->last.what == LAST_NONE || !entry || (entry != bp && entry->chain != bp))
		return otherwise;
	switch (t->last.what) {
	case LAST_NONE:
		return otherwise;
	case LAST_CALL:
		if (t->calls.n && t->calls.v[t->calls.n - 1].sp == t->last.sp) {
			struct call *c = &t->calls.v[t->calls.n - 1];

			if (c->had_old) {
				freed_drop(t->proc->freed, c->old.addr);
				openset_add(t->proc->open, &c->old, NULL);
			}
			fail_take_back(t, c);
			redzone_take_back(t, c);
			call_drop(t);
		}
		addr = t->last.addr;
		break;
	case LAST_RELEASE:
		redzone_release_undone(t, entry->site);
		record_release_undo(t, t->last.ptr, t->last.known ? &t->last.block : NULL, t->last.at);
		addr = t->last.addr;
		break;
	case LAST_FOLDED:
		addr = t->last.addr;
		break;
	}
	if (t->told.addr == t->last.addr && t->told.sp == t->last.sp)
		t->told.again = true;
	t->last.what = LAST_NONE;
	return addr;
}
