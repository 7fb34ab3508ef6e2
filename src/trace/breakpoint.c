/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "arch/host.h"
#include "base/msg.h"
#include "base/xalloc.h"
#include "trace/breakpoint.h"
#include "trace/scratch.h"

#define INSN_MAX 32

struct breakpoint *bp_find(const struct proc *p, taddr_t addr)
{
	return u64map_getp(&p->bps, p->abi ? abi_code_addr(p->abi, addr) : addr);
}

bool bp_was(const struct proc *p, taddr_t addr)
{
	return u64map_get(&p->moribund, addr) != NULL;
}

static const uint8_t *bp_insn(const struct proc *p, const struct breakpoint *bp)
{
	unsigned len;

	return abi_bp(p->abi, bp_code(bp), &len);
}

/* Is the breakpoint's instruction at its place in this memory? */
static bool is_in(const struct proc *p, const struct memory *mem, const struct breakpoint *bp)
{
	uint8_t now[4];

	return memory_read(mem, bp->addr, now, bp->len) == bp->len &&
	       !memcmp(now, bp_insn(p, bp), bp->len);
}

/* Threads may run there meanwhile.  Less than a word the kernel may write byte by byte
 * (arch/arm/lib/memcpy.S), so a halfword goes there with its neighbour. */
static int write_code(struct proc *p, struct task *stopped, taddr_t addr, const uint8_t *code,
		      size_t len)
{
	taddr_t at = addr & ~(taddr_t)3;
	uint8_t word[4];

	if (len != 2 || memory_read(&p->mem, at, word, sizeof word) != sizeof word)
		return proc_write(p, stopped, addr, code, len);
	memcpy(word + (addr - at), code, len);
	return proc_write(p, stopped, at, word, sizeof word);
}

static int write_insn(struct proc *p, struct task *stopped, struct breakpoint *bp, bool in)
{
	int err = write_code(p, stopped, bp->addr, in ? bp_insn(p, bp) : bp->orig, bp->len);

	if (!err) {
		bp->planted = in;
		u64map_set(&p->dirty_pages, bp->addr >> 12, 1);
	}
	return err;
}

static ssize_t dry_read(void *arg, taddr_t addr, void *buf, size_t len)
{
	(void)arg, (void)addr;
	memset(buf, 0, len);
	return (ssize_t)len;
}

static ssize_t dry_write(void *arg, taddr_t addr, const void *buf, size_t len)
{
	(void)arg, (void)addr, (void)buf;
	return (ssize_t)len;
}

/* Why a single step does not help where there is no slot. */
#define NO_STEP "this machine has no single step"
#define NO_STEP_HERE "a single step would come between an exclusive load and its store"

/* The program's own breakpoint instruction stays the program's. */
static bool is_own_breakpoint(struct proc *p, taddr_t code)
{
	unsigned len;
	const uint8_t *insn = abi_bp(p->abi, code, &len);
	uint8_t now[4];

	return memory_read(&p->mem, abi_code_addr(p->abi, code), now, len) == (ssize_t)len &&
	       !memcmp(now, insn, len);
}

/* Can the instruction at a code pointer be got past? */
enum passage { PASS_NEVER, PASS_IN_SLOT, PASS_ANYHOW };

/* What cannot be displaced at all must be emulated, and what cannot be emulated
 * needs a slot, where there is no single step, or for what may not be stepped.  An
 * ABI that emulates nothing has a single step. */
static enum passage passage(struct proc *p, taddr_t code, uint8_t role)
{
	static const struct abi_memory dry = { dry_read, dry_write, NULL };
	struct regs regs = { .abi = p->abi };
	taddr_t addr = abi_code_addr(p->abi, code);
	struct displaced d;
	uint8_t insn[INSN_MAX];
	ssize_t n;

	if (!p->abi->emulate)
		return PASS_ANYHOW;
	n = proc_read(p, addr, insn, MIN(sizeof insn, (size_t)p->abi->max_insn));
	if (n <= 0 || p->abi->displace(p->abi, code, insn, (size_t)n, addr,
				       role & BP_SYSCALLS ? DISPLACE_SYSCALL : 0, &d))
		return PASS_NEVER;
	if (d.kind == DISPLACE_GOTO || (p->abi->has_singlestep && !d.whole))
		return PASS_ANYHOW;
	regs_set_code(&regs, code);
	if (p->abi->emulate(p->abi, &dry, code, insn, (size_t)n, &regs) != -ENOTSUP)
		return PASS_ANYHOW;
	return d.kind == DISPLACE_SLOT ? PASS_IN_SLOT : PASS_NEVER;
}

const char *bp_why_not(struct proc *p, taddr_t code)
{
	if (is_own_breakpoint(p, code))
		return "the program has a breakpoint instruction of its own there";
	switch (passage(p, code, BP_PROBE)) {
	case PASS_NEVER:
		return "its first instruction works only in its place";
	case PASS_IN_SLOT:
		return p->abi->has_singlestep ?
			       "there is no memory for its first instruction, and " NO_STEP_HERE :
			       "there is no memory for its first instruction, and " NO_STEP;
	case PASS_ANYHOW:
		break;
	}
	return "its memory cannot be written";
}

static void tell_stuck(struct proc *p)
{
	if (!p->told_stepping)
		msg_warn("%s (%d): there is no memory for breakpoints' instructions, and %s: some calls are "
			 "not observed", p->name, p->pid, p->abi->has_singlestep ? NO_STEP_HERE : NO_STEP);
	p->told_stepping = true;
}

struct breakpoint *bp_plant(struct proc *p, struct task *stopped, taddr_t code, uint8_t role)
{
	taddr_t addr = abi_code_addr(p->abi, code);
	struct breakpoint *bp = bp_find(p, addr);
	enum passage way = PASS_ANYHOW;

	if (bp && bp->abandoned)
		return NULL;
	if (!bp) {
		unsigned len;
		const uint8_t *insn = abi_bp(p->abi, code, &len);

		bp = xcalloc(1, sizeof *bp);
		bp->addr = addr;
		bp->mode = code & p->abi->code_bit;
		bp->len = (uint8_t)len;
		bp->module = modules_find(&p->modules, addr);
		if (memory_read(&p->mem, addr, bp->orig, len) != (ssize_t)len)
			goto fail;
		/* The program's own breakpoint instruction stays the program's. */
		if (!memcmp(bp->orig, insn, len) || (way = passage(p, code, role)) == PASS_NEVER)
			goto fail;
		u64map_set(&p->bps, addr, (uintptr_t)bp);
	}
	bp->roles |= role;
	if (way == PASS_IN_SLOT && stopped && !bp_resume(p, stopped, bp)) {
		tell_stuck(p);
		goto fail_listed;
	}
	if (!bp->planted && write_insn(p, stopped, bp, true)) {
		if (bp->roles == role)
			goto fail_listed;
		bp->roles &= (uint8_t)~role;
		return NULL;
	}
	u64map_del(&p->moribund, addr);
	return bp;
fail_listed:
	u64map_del(&p->bps, addr);
	scratch_disown(p, bp);
fail:
	free(bp);
	return NULL;
}

/* Code that can be written may have been rewritten since (a JIT): then its
 * bytes are the program's, and putting the old ones back would break it. */
static bool still_ours(const struct proc *p, const struct breakpoint *bp)
{
	return !bp->transient || is_in(p, &p->mem, bp);
}

void bp_lift(struct proc *p, struct breakpoint *bp)
{
	if (!bp->planted)
		return;
	if (still_ours(p, bp))
		write_insn(p, proc_stopped_task(p), bp, false);
	bp->planted = false;
	u64map_set(&p->moribund, bp->addr, 1);
}

void bp_replant(struct proc *p, struct breakpoint *bp)
{
	uint8_t now[4];

	if (bp->abandoned || (bp->planted && still_ours(p, bp)))
		return;
	if (bp->transient && memory_read(&p->mem, bp->addr, now, bp->len) == bp->len) {
		memcpy(bp->orig, now, bp->len);
		bp->prepared = false; /* the bytes behind may be new too */
		bp->ninsn = 0;
	}
	write_insn(p, proc_stopped_task(p), bp, true);
}

void bp_abandon(struct proc *p, struct breakpoint *bp)
{
	msg_warn("%s (%d): %s is no longer observed: there is no memory for its breakpoint's "
		 "instruction, and %s", p->name, p->pid,
		 bp->site ? probe_symbol(bp->site->probe) : "a place in the program",
		 bp->d.whole ? NO_STEP_HERE : NO_STEP);
	bp->abandoned = true;
	bp_drop_role(p, bp, bp->roles);
}

void bp_drop_role(struct proc *p, struct breakpoint *bp, uint8_t role)
{
	bp->roles &= (uint8_t)~role;
	if (!bp->roles)
		bp_lift(p, bp);
}

/* -- displaced execution ---------------------------------------------------------- */

/* The instruction under bp, and what follows, up to abi->max_insn; bytes. */
static ssize_t original(struct proc *p, const struct breakpoint *bp, uint8_t insn[INSN_MAX])
{
	ssize_t n = proc_read(p, bp->addr, insn, MIN(INSN_MAX, (size_t)p->abi->max_insn));

	if (n > 0)
		memcpy(insn, bp->orig, MIN((size_t)n, (size_t)bp->len));
	return n;
}

/* What the instruction under bp becomes in a given slot. */
static int prepare_at(struct proc *p, struct breakpoint *bp, taddr_t slot, struct displaced *d)
{
	uint8_t insn[INSN_MAX];
	ssize_t n = original(p, bp, insn);

	if (n <= 0)
		return -EFAULT;
	return p->abi->displace(p->abi, bp_code(bp), insn, (size_t)n, slot,
				(p->shadow_stack ? DISPLACE_KEEP_SHADOW : 0) |
					(bp->roles & BP_SYSCALLS ? DISPLACE_SYSCALL : 0), d);
}

static void settle(struct breakpoint *bp, const struct displaced *d, taddr_t slot)
{
	bp->d = *d;
	bp->slot = slot;
	bp->prepared = true;
	bp->resume = d->kind == DISPLACE_GOTO ? d->resume :
		     d->kind == DISPLACE_SLOT ? slot | bp->mode : 0;
}

static void tell_stepping(struct proc *p)
{
	if (p->told_stepping)
		return;
	p->told_stepping = true;
	msg_info("%s: %s; some calls are single-stepped, which is slow", p->name,
		 proc_status_number(p->pid, "Seccomp", 10, 0) ?
			 "its seccomp filter leaves no memory for breakpoints' instructions" :
			 "there is no memory for breakpoints' instructions");
}

taddr_t bp_resume(struct proc *p, struct task *stopped, struct breakpoint *bp)
{
	bool whole = false;
	struct displaced d;
	taddr_t slot;

	if (bp->prepared)
		return bp->resume;
	/* Many need no slot; ask with the address itself. */
	if (!prepare_at(p, bp, bp->addr, &d)) {
		whole = d.whole;
		if (d.kind == DISPLACE_GOTO) {
			settle(bp, &d, bp->slot);
			return bp->resume;
		}
	}
	if (stopped && !p->shadow_stack)
		p->shadow_stack = host_has_shadow_stack(stopped->tid);
	slot = bp->slot ? bp->slot : scratch_take(p, stopped, bp);
	if (!slot || prepare_at(p, bp, slot, &d) || d.kind != DISPLACE_SLOT ||
	    scratch_write(p, stopped, slot, d.code, d.code_len)) {
		if (slot)
			scratch_give_back(p, slot);
		if (!slot && !p->abi->emulate)
			tell_stepping(p);
		memset(&d, 0, sizeof d);
		d.kind = DISPLACE_STEP;
		d.whole = whole;
		slot = 0;
		msg_debug("0x%llx cannot be displaced: will be emulated or single-stepped",
			  (unsigned long long)bp->addr);
	}
	settle(bp, &d, slot);
	return bp->resume;
}

static ssize_t emulation_read(void *arg, taddr_t addr, void *buf, size_t len)
{
	struct task *t = arg;

	return proc_read(t->proc, addr, buf, len);
}

static ssize_t emulation_write(void *arg, taddr_t addr, const void *buf, size_t len)
{
	struct task *t = arg;
	int err = memory_poke(&t->proc->mem, addr, buf, len);

	return err ? err : (ssize_t)len;
}

int bp_emulate(struct task *t, struct breakpoint *bp, struct regs *regs)
{
	struct proc *p = t->proc;
	struct abi_memory mem = { emulation_read, emulation_write, t };
	int err;

	if (!p->abi->emulate || bp->no_emulation)
		return -ENOTSUP;
	if (!bp->ninsn) {
		uint8_t insn[INSN_MAX];
		ssize_t n = original(p, bp, insn);

		if (n <= 0)
			return -EFAULT;
		bp->ninsn = (uint8_t)MIN((size_t)n, sizeof bp->insn);
		memcpy(bp->insn, insn, bp->ninsn);
	}
	err = p->abi->emulate(p->abi, &mem, bp_code(bp), bp->insn, bp->ninsn, regs);
	bp->no_emulation = err == -ENOTSUP;
	return err;
}

enum jump_kind bp_hop(struct proc *p, taddr_t *at)
{
	uint8_t insn[INSN_MAX];
	uint64_t word;
	taddr_t where;
	ssize_t n = proc_read(p, abi_code_addr(p->abi, *at), insn,
			      MIN(sizeof insn, (size_t)p->abi->max_insn));
	enum jump_kind kind;

	if (n <= 0)
		return NOT_A_JUMP;
	kind = p->abi->jump(p->abi, *at, insn, (size_t)n, &where);
	if (kind == NOT_A_JUMP || (kind == JUMP_MEMORY && proc_read_word(p, where, &word)))
		return NOT_A_JUMP;
	*at = kind == JUMP_MEMORY ? word : where;
	return kind;
}

/* delete[] → delete → free: where the jumps end, when that is a probe. */
static struct breakpoint *chain_end(struct proc *p, taddr_t at)
{
	struct breakpoint *bp;

	for (int hops = 0; hops < 12; hops++) {
		if (bp_hop(p, &at) != NOT_A_JUMP)
			continue;
		bp = bp_find(p, at);
		return bp && bp->roles & BP_PROBE && hops ? bp : NULL;
	}
	return NULL;
}

void bp_follow_chain(struct proc *p, struct breakpoint *bp)
{
	struct breakpoint *end;

	if (!bp->chain && (end = chain_end(p, bp_code(bp))) && end != bp)
		bp->chain = end;
}

/* -- views of memory ------------------------------------------------------------------ */

static void splice_one(const struct breakpoint *bp, taddr_t addr, uint8_t *buf, size_t len)
{
	for (unsigned i = 0; i < bp->len; i++)
		if (bp->addr + i >= addr && bp->addr + i - addr < len)
			buf[bp->addr + i - addr] = bp->orig[i];
}

/* Only pages that we wrote to are looked through: nearly every read is of a
 * stack. */
void bp_splice(const struct proc *p, taddr_t addr, uint8_t *buf, size_t len)
{
	for (taddr_t at = addr, end = addr + len; at < end; at = (at | 4095) + 1) {
		taddr_t stop = MIN((at | 4095) + 1, end);

		if (!u64map_get(&p->dirty_pages, at >> 12))
			continue;
		for (taddr_t a = at - sizeof p->abi->bp_insn + 1; a != stop; a++) {
			struct breakpoint *bp = bp_find(p, a);

			if (bp && bp->planted)
				splice_one(bp, addr, buf, len);
		}
	}
}

void bp_remove_all(struct proc *p)
{
	u64map_for_each(&p->bps, s)
		bp_lift(p, (struct breakpoint *)(uintptr_t)s->value);
}

void bp_plant_again(struct proc *p)
{
	u64map_for_each(&p->bps, s) {
		struct breakpoint *bp = (struct breakpoint *)(uintptr_t)s->value;
		uint8_t now[4];

		if (bp->planted || !(bp->roles & ~BP_RETURN))
			continue;
		if (memory_read(&p->mem, bp->addr, now, bp->len) == bp->len &&
		    !memcmp(now, bp->orig, bp->len))
			write_insn(p, proc_stopped_task(p), bp, true);
	}
}

void bp_clean_copy(const struct proc *p, const struct memory *copy)
{
	/* What it holds is what was planted at the time of the fork, which need
	 * not be what is planted now. */
	u64map_for_each(&p->bps, s) {
		const struct breakpoint *bp = (void *)(uintptr_t)s->value;

		if (is_in(p, copy, bp))
			memory_write(copy, copy->pid, bp->addr, bp->orig, bp->len);
	}
	scratch_clean_copy(p, copy);
}

bool bp_is_in_copy(const struct proc *p, const struct memory *copy)
{
	u64map_for_each(&p->bps, s) {
		const struct breakpoint *bp = (void *)(uintptr_t)s->value;

		if (is_in(p, copy, bp))
			return true;
	}
	return false;
}

void bp_copy_table(const struct proc *from, struct proc *to)
{
	u64map_for_each(&from->bps, s) {
		struct breakpoint *bp = xmemdup((void *)(uintptr_t)s->value, sizeof *bp);

		bp->module = NULL;
		bp->chain = NULL;
		bp->site = NULL;
		bp->pending = 0;
		u64map_set(&to->bps, bp->addr, (uintptr_t)bp);
	}
	u64map_for_each(&from->bps, s) {
		const struct breakpoint *was = (void *)(uintptr_t)s->value;

		if (was->chain)
			bp_find(to, was->addr)->chain = bp_find(to, was->chain->addr);
	}
	u64map_for_each(&from->moribund, s)
		u64map_set(&to->moribund, s->key, 1);
	scratch_copy_table(from, to);
}

/* -- forgetting -------------------------------------------------------------------------- */

/* A breakpoint whose memory is gone.  Calls that would have returned to it
 * keep a reference: those are told by address, not by pointer. */
static void forget(struct proc *p, struct breakpoint *bp)
{
	for (size_t i = 0; i < p->tasks.n; i++) {
		struct task *t = p->tasks.v[i];

		for (size_t k = 0; k < t->calls.n; k++)
			if (t->calls.v[k].ret == bp)
				t->calls.v[k].ret = NULL;
		if (t->stepping == bp)
			t->stepping = NULL;
	}
	u64map_for_each(&p->bps, s) {
		struct breakpoint *other = (void *)(uintptr_t)s->value;

		if (other->chain == bp)
			other->chain = NULL;
	}
	scratch_disown(p, bp);
	free(bp);
}

void bp_forget_module(struct proc *p, struct module *m)
{
	VEC(taddr_t) gone = { 0 };

	u64map_for_each(&p->bps, s) {
		struct breakpoint *bp = (void *)(uintptr_t)s->value;

		if (bp->addr >= m->start && bp->addr < m->end)
			vec_push(&gone, bp->addr);
	}
	for (size_t i = 0; i < gone.n; i++) {
		struct breakpoint *bp = bp_find(p, gone.v[i]);

		u64map_del(&p->bps, gone.v[i]);
		u64map_set(&p->moribund, gone.v[i], 1);
			forget(p, bp);
	}
	vec_release(&gone);
	scratch_forget_module(p, m);
}

void bp_forget_all(struct proc *p)
{
	if (p->dirty_pages.n)
		msg_debug("%s (%d): %zu pages of text were written", p->name, p->pid,
			  p->dirty_pages.n);
	u64map_for_each(&p->bps, s)
		free((void *)(uintptr_t)s->value);
	u64map_release(&p->bps);
	u64map_release(&p->moribund);
	u64map_release(&p->dirty_pages);
	scratch_forget_all(p);
}

struct breakpoint *bp_slot_at(const struct proc *p, taddr_t pc, uint64_t *offset)
{
	return scratch_owner(p, pc, offset);
}

bool bp_ends_slot(const struct proc *p, taddr_t pc)
{
	uint64_t offset;
	const struct breakpoint *bp = bp_slot_at(p, pc, &offset);

	return bp && bp->d.trap_at && offset == bp->d.trap_at;
}

void call_drop(struct task *t)
{
	struct call *c = &t->calls.v[--t->calls.n];
	struct breakpoint *bp = c->ret;

	if (!bp)
		return;
	if (bp->pending)
		bp->pending--;
	if (bp->transient && !bp->pending && !(bp->roles & ~BP_RETURN))
		bp_lift(t->proc, bp);
}
