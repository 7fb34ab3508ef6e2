/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "trace/fill.h"

/* MALLOCX_ZERO, jemalloc/jemalloc.h */
#define MALLOCX_ZERO 0x40

/* Functions of the program's own may hand out memory that means something, and
 * may look at what they are given back. */
static bool may_fill(const struct probe *pr)
{
	return pr->family != FAMILY_MAP && pr->family != FAMILY_CUSTOM;
}

bool call_zeroes(const struct call *c)
{
	const struct probe *pr = c->site->probe;

	return pr->flags & PROBE_ZEROES ||
	       (pr->mallocx_arg && c->arg[pr->mallocx_arg - 1] & MALLOCX_ZERO);
}

/* What of the block was there before; UINT64_MAX when that is not known. */
static uint64_t kept_bytes(const struct proc *p, const struct call *c)
{
	const struct probe *pr = c->site->probe;
	struct open_block b;

	if (pr->op != OP_REALLOC || !c->arg[pr->ptr_arg - 1])
		return 0;
	if (c->had_old)
		return c->old.size;
	if (pr->kind == KIND_XALLOCX && openset_find(p->open, c->arg[pr->ptr_arg - 1], &b))
		return b.size;
	return UINT64_MAX;
}

void fill_new(struct task *t, const struct call *c, taddr_t addr)
{
	const struct change_opts *o = &t->proc->session->opts->change;
	const struct probe *pr = c->site->probe;
	uint64_t kept;

	if (!o->malloc_fill.on || !may_fill(pr) || call_zeroes(c))
		return;
	kept = kept_bytes(t->proc, c);
	if (pr->kind == KIND_XALLOCX) { /* the result is a size */
		if (addr < c->size)
			return;
		addr = c->arg[pr->ptr_arg - 1];
	}
	if (kept < c->size)
		memory_fill(&t->proc->mem, addr + kept, o->malloc_fill.byte, c->size - kept);
}

void fill_freed(struct task *t, const struct probe *pr, const struct open_block *b)
{
	const struct change_opts *o = &t->proc->session->opts->change;

	if (o->free_fill.on && may_fill(pr))
		memory_fill(&t->proc->mem, b->addr, o->free_fill.byte, b->size);
}
