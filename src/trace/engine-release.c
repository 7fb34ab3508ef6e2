/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A release is entered, or another function that returns nothing to wait for. */
#include <string.h>
#include <unistd.h>

#include "trace/engine-internal.h"
#include "trace/fill.h"
#include "trace/image.h"
#include "trace/recorder.h"
#include "trace/redzone.h"
#include "trace/tracer.h"

/* More than a thread has at its end. */
#define THREAD_END_DEPTH 10

/* -- what is wrong ------------------------------------------------------------------ */

static bool fault_in_known(struct task *t, const struct probe_site *site,
			   const struct open_block *b, struct fault *f)
{
	if (!fault_in_release(t->proc, site, b, look_argument(t, site->size_arg), f))
		return false;
	if (!look.stack.len)
		look_stack(t, t->stack_want);
	return !fault_is_inlined(t->proc, f, site, look_return_address(t));
}

static bool release_stops(struct task *t, struct breakpoint *bp, taddr_t ptr,
			  const struct open_block *known, enum release_known how, uint32_t at)
{
	struct fault f;

	if (known && redzone_overrun(t->proc, known, &f) &&
	    entry_tell_fault(t, bp, &f, at ? at : entry_stack(t, bp)))
		return true;
	if (known ? !fault_in_known(t, bp->site, known, &f)
		  : how != RELEASE_UNKNOWN || !fault_in_unknown(t->proc, ptr, &f))
		return false;
	return entry_tell_fault(t, bp, &f, at ? at : entry_stack(t, bp));
}

/* -- whose release it is ------------------------------------------------------------ */

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

	if (!module_covers(m, look_return_address(t)))
		return false;
	look_unwind(t, THREAD_END_DEPTH);
	if (look.bt.end == STACK_CUT)
		return false;
	for (uint32_t i = 0; i + 1 < look.bt.n; i++)
		if (!module_covers(m, look.bt.pc[i]))
			return false;
	if (!module_covers(m, p->entry))
		return true;
	if (!m->file || !elf_file_function_at(m->file, look.bt.pc[0] - 1 - m->bias, &sym))
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
	look_stack(t, t->stack_want);
	*how = RELEASE_UNKNOWN;
	if (bp->site->module && is_thread_end(t, bp->site->module)) {
		*how = RELEASE_SHUTDOWN;
		return 0;
	}
	/* After an attach they are many, and nothing is wrong with them. */
	if (!t->proc->table_complete && !t->proc->session->opts->sanity &&
	    (t->proc->how == PROC_ATTACHED || t->proc->how == PROC_FORKED))
		return 0;
	return entry_stack(t, bp);
}

/* delete[] jumped to delete, which jumped to free: the return address is still
 * the same.  It is another one where a second release follows the first. */
static bool continues_release(struct task *t, struct breakpoint *bp, uint64_t ptr)
{
	struct breakpoint *before;

	if (t->last.what != LAST_RELEASE || t->last.sp != regs_sp(&t->regs) ||
	    t->last.ptr != ptr || t->last.addr == bp->addr)
		return false;
	if (!look.stack.len)
		look_stack(t, 64);
	if (t->last.ra != look_return_address(t))
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
	look_stack(t, t->stack_want);
	if (before->what != LAST_NONE && before->ra && before->sp == regs_sp(&t->regs) &&
	    before->addr != bp->addr && before->ra == look_return_address(t))
		return true;
	return entry_in_allocator(t, bp->site->module);
}

/* -- entry -------------------------------------------------------------------------- */

void enter_release(struct task *t, struct breakpoint *bp)
{
	const struct probe *pr = bp->site->probe;
	struct last_entry before = t->last;
	enum release_known how = RELEASE_KNOWN;
	struct open_block b;
	uint32_t at = 0;
	uint64_t ptr;
	taddr_t ra;
	bool known;

	look.stack.len = 0;
	if (t->calls.n)
		look_stack(t, t->stack_want);
	else if (!is_leaf(bp) || args_on_stack(t->proc->abi, pr) || t->proc->session->opts->calls)
		look_stack(t, 64);
	ra = look_return_address(t); /* 0 when the stack was not read */
	ptr = look_pointer(t, pr->ptr_arg);
	if (!ptr || continues_release(t, bp, ptr)) {
		if (!ptr)
			t->last.what = LAST_NONE;
		task_continue_over(t, bp);
		return;
	}
	entry_remember(t, LAST_FOLDED, bp, ptr);
	t->last.ra = ra;
	if (t->calls.n && calls_nested(t, pr, regs_sp(&t->regs), ra) &&
	    !(calls_in_own_function(t) && openset_find(t->proc->open, ptr, &b))) {
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
		at = entry_stack(t, bp);
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
		struct call c = { .site = bp->site, .probe = bp->site->id, .caller = ra };

		look_arguments(t, pr, c.arg);
		record_call(t, &c, pr, false, 0);
	}
}

void enter_usable(struct task *t, struct breakpoint *bp)
{
	struct call c = { .site = bp->site, .sp = regs_sp(&t->regs) };

	look_stack(t, 64);
	c.return_addr = look_return_address(t);
	c.arg[0] = look_pointer(t, 1);
	entry_remember(t, LAST_FOLDED, bp, 0);
	redzone_usable(t, &c);
	if (c.zone && t->calls.n < CALLS_MAX)
		c.ret = calls_plant_return(t, c.return_addr);
	if (c.ret)
		t->last.what = LAST_CALL;
	task_continue_over(t, bp);
	if (c.ret)
		vec_push(&t->calls, c);
}

void enter_unmap(struct task *t, struct breakpoint *bp)
{
	const struct probe *pr = bp->site->probe;
	struct call c = { .site = bp->site, .probe = bp->site->id };
	uint64_t addr, size;

	look_stack(t, 64);
	c.caller = look_return_address(t);
	look_arguments(t, pr, c.arg);
	addr = look_pointer(t, pr->ptr_arg);
	size = look_size(t, pr);
	entry_remember(t, LAST_FOLDED, bp, addr);
	task_continue_over(t, bp);
	if (addr % (uint64_t)sysconf(_SC_PAGESIZE) == 0) /* else it is refused */
		record_unmap(t, addr, size);
	if (t->proc->session->opts->calls)
		record_call(t, &c, pr, false, 0);
}
