/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Looks at the task that has hit a breakpoint, and decides what the hit is. */
#include "trace/engine-internal.h"
#include "trace/entry.h"
#include "trace/fail.h"
#include "trace/image.h"
#include "trace/recorder.h"
#include "trace/redzone.h"
#include "trace/tracer.h"

#define STACK_MAX 65536
/* From the system's mmap() up to the allocator's function that needs it. */
#define ALLOCATOR_DEPTH 24

static uint8_t stack_bytes[STACK_MAX];
/* Not initialised: it is large, and would be as large in the file. */
struct look look;

/* -- looking at the stopped task --------------------------------------------------- */

void look_stack(struct task *t, size_t want)
{
	ssize_t n;

	look.stack.addr = regs_sp(&t->regs);
	look.stack.bytes = stack_bytes;
	look.stack.cap = sizeof stack_bytes;
	n = memory_read(&t->proc->mem, look.stack.addr, look.stack.bytes, MIN(want, look.stack.cap));
	look.stack.len = n > 0 ? (size_t)n : 0;
}

static uint64_t stack_word(const struct abi *abi, size_t offset)
{
	if (offset + abi->word > look.stack.len)
		return 0;
	return abi_load(abi, look.stack.bytes + offset, abi->word);
}

taddr_t look_return_code(const struct task *t)
{
	const struct abi *abi = t->proc->abi;

	return abi->link >= 0 ? t->regs.w[abi->link] : stack_word(abi, 0);
}

taddr_t look_return_address(const struct task *t)
{
	return abi_code_addr(t->proc->abi, look_return_code(t));
}

uint64_t look_argument(const struct task *t, unsigned n)
{
	const struct abi *abi = t->proc->abi;

	if (!n)
		return 0;
	if (n <= abi->nreg_args)
		return t->regs.w[abi->reg_arg[n - 1]];
	return stack_word(abi, abi->stack_arg + (n - 1u - abi->nreg_args) * abi->word);
}

taddr_t look_pointer(const struct task *t, unsigned n)
{
	return abi_data_addr(t->proc->abi, look_argument(t, n));
}

void look_arguments(const struct task *t, const struct probe *pr, uint64_t arg[CALL_ARGS])
{
	for (unsigned n = 1; n <= CALL_ARGS; n++)
		arg[n - 1] = n == pr->ptr_arg || n == pr->out_arg ? look_pointer(t, n)
								  : look_argument(t, n);
}

bool args_on_stack(const struct abi *abi, const struct probe *pr)
{
	unsigned most = MAX(MAX(pr->ptr_arg, pr->size_arg), MAX(pr->count_arg, pr->out_arg));

	return most > abi->nreg_args;
}

uint64_t look_size(const struct task *t, const struct probe *pr)
{
	uint64_t size = look_argument(t, pr->size_arg), count = look_argument(t, pr->count_arg);

	if (!pr->count_arg)
		return size;
	return __builtin_mul_overflow(size, count, &size) ? UINT64_MAX : size;
}

void look_unwind(struct task *t, unsigned depth)
{
	unwind_entry(t->proc->unwinder, &t->regs, &look.stack, depth, &look.bt);
}

/* -- every entry -------------------------------------------------------------------- */

void entry_remember(struct task *t, int what, const struct breakpoint *bp, uint64_t ptr)
{
	t->last.what = what;
	t->last.addr = bp->addr;
	t->last.sp = regs_sp(&t->regs);
	t->last.ptr = ptr;
	t->last.ra = 0;
	t->last.known = false;
	t->last.zone = 0;
}

bool entry_in_allocator(struct task *t, const struct module *within)
{
	static struct backtrace around; /* the call's own is still needed */
	taddr_t ra = look_return_address(t);

	if (within && module_covers(within, ra))
		return image_in_allocator(t->proc, ra);
	unwind_entry(t->proc->unwinder, &t->regs, &look.stack, ALLOCATOR_DEPTH, &around);
	for (uint32_t i = 0; i < around.n; i++)
		if (image_in_allocator(t->proc, around.pc[i]))
			return true;
	return false;
}

uint32_t entry_stack(struct task *t, const struct breakpoint *bp)
{
	struct session *s = t->proc->session;

	look_stack(t, t->stack_want);
	look_unwind(t, s->depth);
	return recorder_stack(s->recorder, t->proc, t, bp->site->id, &look.bt, 0);
}

bool entry_tell_fault(struct task *t, const struct breakpoint *bp, const struct fault *f,
		      uint32_t at)
{
	struct told_error now = { bp->addr, regs_sp(&t->regs), false };

	if (t->told.again && t->told.addr == now.addr && t->told.sp == now.sp) {
		t->told.again = false;
		return false;
	}
	t->told = now;
	return fault_tell(t, f, at) && fault_stops(t, bp, f);
}

/* -- all hits ----------------------------------------------------------------------- */

static void on_entry(struct task *t, struct breakpoint *bp)
{
	if (bp->site->resolver) {
		look_stack(t, 64);
		image_resolver_called(t, bp->site, look_return_code(t));
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
		bool held;

		image_sync(t->proc, t);
		held = entry_hold(t, bp);
		if (bp->roles & BP_START)
			bp_drop_role(t->proc, bp, BP_START);
		if (held)
			return;
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
		addr = bp_code(entry);
		break;
	case LAST_RELEASE:
		redzone_release_undone(t, entry->site);
		record_release_undo(t, t->last.ptr, t->last.known ? &t->last.block : NULL, t->last.at);
		addr = bp_code(entry);
		break;
	case LAST_FOLDED:
		addr = bp_code(entry);
		break;
	}
	if (t->told.addr == t->last.addr && t->told.sp == t->last.sp)
		t->told.again = true;
	t->last.what = LAST_NONE;
	return addr;
}
