/* SPDX-License-Identifier: GPL-2.0-or-later */
/* An observed call has returned. */
#include <string.h>
#include <sys/mman.h>

#include "trace/engine-internal.h"
#include "trace/fail.h"
#include "trace/fill.h"
#include "trace/recorder.h"
#include "trace/redzone.h"
#include "trace/tracer.h"

/* Idle hits of a return site before it is only kept while a call pends. */
#define IDLE_LIMIT 256

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
	struct outcome o = { abi_data_addr(abi, v), v == 0 };

	if (abi->word == 4)
		o.addr = v = (uint32_t)v;
	switch (c->site->probe->kind) {
	case KIND_OUT:
		o.failed = (uint32_t)v != 0;
		o.addr = 0;
		if (!o.failed && proc_read_word(t->proc, c->arg[c->site->probe->out_arg - 1], &o.addr))
			o.failed = true;
		o.addr = abi_data_addr(abi, o.addr);
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

void on_return(struct task *t, struct breakpoint *bp)
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
