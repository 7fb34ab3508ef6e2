/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A function that allocates is entered: whose call it is, and what it asks for. */
#include <string.h>
#include <unistd.h>

#include "trace/engine-internal.h"
#include "trace/fail.h"
#include "trace/image.h"
#include "trace/recorder.h"
#include "trace/redzone.h"
#include "trace/tracer.h"
#include "trace/wrappers.h"

/* -- operator new ------------------------------------------------------------------- */

/* operator new(0) asks malloc for one byte; the report says what the program
 * asked for.  With arguments on the stack the request is still there. */
static bool asked_for_nothing(struct task *t, const struct range_probe *w)
{
	const struct abi *abi = t->proc->abi;
	uint64_t size;

	if (abi->nreg_args)
		return w->zero_flag && abi->flag_zero && abi->flag_zero(&t->regs);
	return look.bt.n > 1 && !proc_read_word(t->proc, look.bt.cfa[1], &size) && !size;
}

/* Is memory for an exception asked for?  libc++ does it by way of a helper. */
static bool for_exception(struct task *t, taddr_t ra)
{
	const struct probe_site *site = t->calls.v[t->calls.n - 1].site;

	if (!site_is_new(site) || ra - site->addr < site->size)
		return false;
	look_unwind(t, 3);
	for (uint32_t i = 0; i < look.bt.n; i++)
		if (image_throws(t->proc, look.bt.pc[i]))
			return true;
	return false;
}

/* The memory for an exception is asked for: the operator new in whose midst that
 * happens will not return. */
static void new_throws(struct task *t)
{
	while (t->calls.n) {
		struct call c = t->calls.v[t->calls.n - 1];

		if (!site_is_new(c.site))
			return;
		call_drop(t);
		record_failed(t, &c);
		if (t->proc->session->opts->calls)
			record_call(t, &c, c.site->probe, true, 0);
	}
}

/* -- memory for the allocator itself ------------------------------------------------ */

/* free() gives memory back with brk, and an allocator's library gets some for
 * itself before anybody asks: those are no mappings of the program's. */
static bool is_allocators_own(struct task *t, taddr_t ra)
{
	return image_allocator_library(t->proc, ra) || entry_in_allocator(t, NULL);
}

/* Is the release that was entered last still running, so that this is memory
 * for the allocator's own use?  (A debugging tcmalloc queues what is freed.) */
static bool inside_release(const struct task *t, const struct last_entry *release)
{
	const struct breakpoint *bp = bp_find(t->proc, release->addr);
	taddr_t after = release->sp + t->proc->abi->ret_pops;

	if (!bp || !bp->site || regs_sp(&t->regs) >= release->sp)
		return false;
	for (uint32_t i = 1; i < look.bt.n; i++) {
		if (look.bt.exact[i])
			return false; /* a handler interrupted it: its own memory */
		if (look.bt.cfa[i] == after)
			return look.bt.pc[i - 1] - bp->site->addr < bp->site->size;
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
	c.return_addr = look_return_address(t);
	c.size = look_size(t, pr);
	look_arguments(t, pr, c.arg);
	c.ret = calls_plant_return(t, c.return_addr);
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

/* -- what is wrong ------------------------------------------------------------------ */

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
	return fault_in_request(t->proc, pr, c->size, look_argument(t, pr->align_arg), f);
}

/* A block of an allocator's own making is none of our business. */
static bool call_stops(struct task *t, struct breakpoint *bp, const struct call *c,
		       const struct fault *f)
{
	if (f->kind == ERROR_INVALID_FREE && entry_in_allocator(t, c->site->module))
		return false;
	return entry_tell_fault(t, bp, f, c->stack);
}

/* -- entry -------------------------------------------------------------------------- */

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

/* The block that a realloc gives back. */
static void take_old(struct task *t, struct call *c)
{
	const struct probe *pr = c->site->probe;

	if (pr->op != OP_REALLOC || pr->kind == KIND_XALLOCX)
		return;
	c->old.addr = look_pointer(t, pr->ptr_arg);
	c->had_old = c->old.addr && record_take(t, c->old.addr, &c->old);
}

/* Where a call is told to come from: behind `skip` frames of wrappers. */
struct origin {
	uint32_t skip;
	uint8_t families;
};

static void intern(struct task *t, struct call *c, const struct origin *from)
{
	struct recorder *r = t->proc->session->recorder;

	if (c->stack)
		return;
	c->stack = recorder_stack(r, t->proc, t, c->probe, &look.bt, from->skip);
	recorder_set_families(r, c->stack, from->families);
}

/* What is part of a pending call, or the allocator's own doing, is resumed at once:
 * true. */
static bool fold(struct task *t, struct breakpoint *bp, const struct call *c)
{
	const struct probe *pr = bp->site->probe;

	if (t->calls.n && pr->op == OP_ALLOC && for_exception(t, c->return_addr))
		new_throws(t);
	if (t->calls.n && calls_nested(t, pr, c->sp, c->return_addr) &&
	    !calls_for_library(t, c->return_addr)) {
		if (pr->family == FAMILY_MAP && nested_in_allocator(t))
			enter_own_mapping(t, bp);
		else
			task_continue_over(t, bp);
		return true;
	}
	if (pr->family != FAMILY_MAP || !is_allocators_own(t, c->return_addr))
		return false;
	enter_own_mapping(t, bp);
	return true;
}

/* Unwinds, so far that the depth asked for is left behind wrappers. */
static const struct range_probe *unwind_call(struct task *t, const struct call *c)
{
	const struct range_probe *w = NULL;

	if (c->site->probe->op == OP_ALLOC)
		w = image_wrapper(t->proc, c->return_addr);
	look_unwind(t, t->proc->session->depth + (w ? 2 : 0));
	return w;
}

/* Who called, and what: around malloc may be an operator new, `w`. */
static void find_caller(struct task *t, struct call *c, const struct range_probe *w,
			struct origin *from)
{
	unsigned depth = t->proc->session->depth;

	c->size = look_size(t, c->site->probe);
	if (w && c->size == 1 && asked_for_nothing(t, w))
		c->size = 0;
	for (; w && from->skip < look.bt.n;
	     w = from->skip < look.bt.n ? image_wrapper(t->proc, look.bt.pc[from->skip]) : NULL) {
		c->probe = w->probe;
		from->families = w->families;
		from->skip++;
	}
	c->caller = from->skip < look.bt.n ? look.bt.pc[from->skip] : c->return_addr;
	if (from->skip || c->site->probe->flags & PROBE_CPP)
		wrapper_called(t->proc, c->caller, &c->probe, &from->families);
	if (look.bt.n - from->skip > depth) {
		look.bt.n = depth + from->skip;
		look.bt.end = STACK_CUT;
	}
}

static void take_arguments(struct task *t, struct call *c, const struct origin *from)
{
	const struct probe *pr = c->site->probe;

	look_arguments(t, pr, c->arg);
	if (from->skip && pr->size_arg)
		c->arg[pr->size_arg - 1] = c->size;
	if (pr->kind == KIND_BRK) {
		c->old.addr = heap_end(t->proc);
		c->size = c->arg[0] > c->old.addr ? c->arg[0] - c->old.addr : 0;
	}
}

/* Tells what is wrong with the call.  True: the task stays where it is. */
static bool stops_here(struct task *t, struct breakpoint *bp, struct call *c,
		       const struct origin *from)
{
	struct fault f;

	if (!fault_in_call(t, c, &f))
		return false;
	intern(t, c, from);
	if (!call_stops(t, bp, c, &f))
		return false;
	if (c->had_old)
		openset_add(t->proc->open, &c->old, NULL);
	return true;
}

/* The task runs again: what was seen is told. */
static void tell_entry(struct task *t, struct call *c, const struct origin *from)
{
	intern(t, c, from);
	if (c->had_old)
		record_realloc_begin(t, &c->old, c->probe, c->stack);
	fail_tell(t->proc->session, c);
	if (c->ret)
		vec_push(&t->calls, *c);
	else
		t->proc->table_complete = false; /* what it returns stays unknown */
}

void enter_call(struct task *t, struct breakpoint *bp)
{
	struct call c = { .site = bp->site, .probe = bp->site->id, .sp = regs_sp(&t->regs) };
	struct origin from = { 0, bp->site->families };
	struct last_entry before = t->last;
	const struct range_probe *w;

	look_stack(t, t->stack_want);
	c.return_addr = look_return_address(t);
	entry_remember(t, LAST_FOLDED, bp, 0);
	if (fold(t, bp, &c))
		return;
	w = unwind_call(t, &c);
	if (before.what == LAST_RELEASE && inside_release(t, &before)) {
		t->last = before;
		task_continue_over(t, bp);
		return;
	}
	find_caller(t, &c, w, &from);
	take_arguments(t, &c, &from);
	take_old(t, &c);
	if (stops_here(t, bp, &c, &from))
		return;
	if (t->calls.n >= CALLS_MAX)
		calls_forget_oldest(t);
	c.ret = calls_plant_return(t, c.return_addr);
	fail_request(t, &c, &look.bt);
	redzone_request(t, &c);
	t->last.what = LAST_CALL;
	task_continue_over(t, bp);
	tell_entry(t, &c, &from);
}
