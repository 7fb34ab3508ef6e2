/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Displaced execution on AArch64.  A branch reaches 128 MB; what lies farther is
 * reached by way of x17 or x16, which veneers may overwrite wherever a call begins
 * or ends (AAPCS64, 6.1.1), as it does at our breakpoints.  The way is `ret x17`, not
 * `br`: in guarded pages (BTI) a `br` must arrive at a landing pad, a `ret` need not.
 *
 * Addresses come from words behind the code.  No slot address gets into a register;
 * what a task in a slot has done is told by its pc alone. */
#include <errno.h>
#include <string.h>

#include "arch/aarch64/aarch64.h"

#define WORDS_MAX 4

struct work {
	const struct abi *abi;
	taddr_t addr, slot;
	const uint8_t *bytes; /* the instruction and what follows */
	size_t len;
	struct a64_insn in;
	unsigned flags;
	unsigned via; /* x17 or x16, whichever the instruction does not have; 0: none */
	struct displaced *out;
	/* 64-bit words behind the code, and the loads that want them. */
	struct { uint64_t value; uint8_t at; } word[WORDS_MAX];
	unsigned nwords;
	bool fails; /* something is out of reach */
};

static void put(struct work *w, unsigned at, uint32_t v)
{
	for (unsigned i = 0; i < 4; i++)
		w->out->code[at + i] = (uint8_t)(v >> 8 * i);
}

static void emit(struct work *w, uint32_t insn)
{
	put(w, w->out->code_len, insn);
	w->out->code_len += 4;
}

/* ldr xREG, =value */
static void emit_load(struct work *w, unsigned reg, uint64_t value)
{
	w->word[w->nwords].value = value;
	w->word[w->nwords++].at = w->out->code_len;
	emit(w, 0x58000000 | reg);
}

/* The words go behind the code, each load gets its distance. */
static void finish(struct work *w)
{
	if (w->nwords)
		w->out->code_len = (uint8_t)((w->out->code_len + 7) & ~7);
	for (unsigned i = 0; i < w->nwords; i++) {
		unsigned at = w->word[i].at, to = w->out->code_len;

		put(w, at, a64_word(w->out->code + at) | (to - at) / 4 << 5);
		emit(w, (uint32_t)w->word[i].value);
		emit(w, (uint32_t)(w->word[i].value >> 32));
	}
}

static bool in_reach(const struct work *w, taddr_t target)
{
	int64_t d = (int64_t)(target - (w->slot + w->out->code_len));

	return !(target & 3) && d >= -(1 << 27) && d < 1 << 27;
}

/* Goes to target; to arrive before its first instruction is all that is left,
 * wherever in here a task stands. */
static void emit_jump(struct work *w, enum displace_where where, taddr_t target)
{
	displaced_mark(w->out, where, target);
	if (in_reach(w, target)) {
		emit(w, 0x14000000 | ((uint32_t)(target - w->slot - w->out->code_len) >> 2 &
				      0x03ffffff));
		return;
	}
	/* In the midst of code they may be in use; a shadow stack (GCS) would
	 * compare. */
	if (!w->via || w->flags & (DISPLACE_SYSCALL | DISPLACE_KEEP_SHADOW))
		w->fails = true;
	emit_load(w, w->via, target);
	displaced_mark(w->out, where, target);
	emit(w, 0xd65f0000 | w->via << 5);
}

static taddr_t next_insn(const struct work *w)
{
	return w->addr + 4;
}

/* ---- one function for each way of rewriting ------------------------------ */

static void displace_copy(struct work *w)
{
	displaced_mark(w->out, AT_ORIGINAL, w->addr);
	emit(w, w->in.w);
	if (w->in.kind != A64_TO_REG)
		emit_jump(w, AT_NEXT, next_insn(w));
}

static void displace_bl(struct work *w)
{
	displaced_mark(w->out, AT_ORIGINAL, w->addr);
	emit_load(w, A64_LR, next_insn(w));
	emit_jump(w, AT_NEXT, w->in.target);
}

/* br is blr without bit 21.  Until the jump the call can be made anew, unless it
 * goes through the link register itself. */
static void displace_call_reg(struct work *w)
{
	bool two = a64_bits(w->in.w, 21, 4) > 7;

	w->fails = w->in.rn == A64_LR || (two && w->in.rd == A64_LR);
	displaced_mark(w->out, AT_ORIGINAL, w->addr);
	emit_load(w, A64_LR, next_insn(w));
	displaced_mark(w->out, AT_ORIGINAL, w->addr);
	emit(w, w->in.w & ~(1u << 21));
}

/* The branch at `at` is to go to `to`, both in the slot. */
static void set_branch(struct work *w, unsigned at, uint32_t insn, unsigned to)
{
	unsigned bits = (insn & 0x7e000000) == 0x36000000 ? 14 : 19;

	insn &= ~(((1u << bits) - 1) << 5);
	put(w, at, insn | (uint32_t)(to - at) / 4 << 5);
}

/* insn 1f; jump next; 1: jump target */
static void displace_cond(struct work *w)
{
	unsigned at = w->out->code_len;

	displaced_mark(w->out, AT_ORIGINAL, w->addr);
	emit(w, 0);
	emit_jump(w, AT_NEXT, next_insn(w));
	set_branch(w, at, w->in.w, w->out->code_len);
	emit_jump(w, AT_NEXT, w->in.target);
}

static void displace_adr(struct work *w)
{
	if (w->in.rd == A64_ZR) {
		displaced_goto(w->out, next_insn(w));
		return;
	}
	displaced_mark(w->out, AT_ORIGINAL, w->addr);
	emit_load(w, w->in.rd, w->in.target);
	emit_jump(w, AT_NEXT, next_insn(w));
}

/* By way of the register that is loaded, or of a veneer's where that is no general
 * one. */
static void displace_literal(struct work *w)
{
	static const uint32_t general[] = { 0xb9400000, 0xf9400000, 0xb9800000 },
			      vector[] = { 0xbd400000, 0xfd400000, 0x3dc00000 };
	bool is_vector = w->in.w >> 26 & 1;
	unsigned opc = w->in.w >> 30;
	bool has_own = !is_vector && w->in.rd != A64_ZR;
	unsigned base = has_own ? w->in.rd : w->via;

	w->fails = !base && !has_own;
	displaced_mark(w->out, AT_ORIGINAL, w->addr);
	emit_load(w, base, w->in.target);
	displaced_mark(w->out, AT_ORIGINAL, w->addr);
	emit(w, (is_vector ? vector : general)[opc] | base << 5 | w->in.rd);
	emit_jump(w, AT_NEXT, next_insn(w));
}

/* ---- load-exclusive and store-exclusive ----------------------------------- */

/* Between them no exception may come, or the store fails, and tries again, for ever:
 * what stands at the load goes to the slot as a whole, loop and all. */
#define SEQUENCE_MAX 6

static bool stores_exclusive(uint32_t w)
{
	return (w & 0x3fc00000) == 0x08000000 && (!(w >> 21 & 1) || w >> 31);
}

/* Instructions up to the branch that tries again; 0: it is not found. */
static unsigned sequence_length(const struct work *w)
{
	bool stored = false;
	struct a64_insn in;

	for (unsigned i = 1; i < SEQUENCE_MAX && 4 * i + 4 <= w->len; i++) {
		if (a64_decode(w->addr + 4 * i, w->bytes + 4 * i, 4, &in) ||
		    (in.kind != A64_PLAIN && in.kind != A64_COND && in.kind != A64_NOTHING))
			return 0;
		stored |= stores_exclusive(in.w);
		if (stored && in.kind == A64_COND && in.target == w->addr)
			return i + 1;
	}
	return 0;
}

static void displace_exclusive(struct work *w)
{
	unsigned n = sequence_length(w), ways = 0, behind = 4 * n;
	struct { unsigned at; struct a64_insn in; } way[SEQUENCE_MAX]; /* out of it */
	taddr_t end = w->addr + 4 * n;
	struct a64_insn in;

	for (unsigned i = 0; i < n; i++) {
		a64_decode(w->addr + 4 * i, w->bytes + 4 * i, 4, &in);
		displaced_mark(w->out, i ? AT_NEXT : AT_ORIGINAL, w->addr + 4 * i);
		if (in.kind == A64_COND && in.target - w->addr >= 4 * n) {
			way[ways].at = w->out->code_len;
			way[ways++].in = in;
		}
		emit(w, in.w);
	}
	emit_jump(w, AT_NEXT, end);
	for (unsigned i = 0; i < ways; i++) {
		bool out = way[i].in.target != end;

		set_branch(w, way[i].at, way[i].in.w, out ? w->out->code_len : behind);
		if (out && w->out->nfix + 2 <= DISPLACE_MAX_FIX)
			emit_jump(w, AT_NEXT, way[i].in.target);
		else
			w->fails |= out;
	}
	w->fails |= !n;
}

/* Is it nowhere in the instruction, as far as that can be told from all the fields
 * that hold registers? */
static bool is_unused(const struct a64_insn *in, unsigned reg)
{
	return in->rd != reg && in->rn != reg && in->rm != reg && a64_bits(in->w, 10, 5) != reg;
}

/* A veneer's register that none of the instructions has; 0: there is none. */
static unsigned free_register(const struct work *w)
{
	unsigned n = w->in.kind == A64_EXCLUSIVE ? sequence_length(w) : 1;

	for (unsigned reg = A64_X17; reg >= A64_X16; reg--) {
		bool used = false;
		struct a64_insn in;

		for (unsigned i = 0; i < n; i++)
			used |= a64_decode(w->addr + 4 * i, w->bytes + 4 * i, 4, &in) ||
				!is_unused(&in, reg);
		if (!used)
			return reg;
	}
	return 0;
}

static void rewrite(struct work *w)
{
	switch (w->in.kind) {
	case A64_PLAIN: case A64_TO_REG: case A64_SYSCALL:
		displace_copy(w);
		break;
	case A64_BL:
		displace_bl(w);
		break;
	case A64_CALL_REG:
		displace_call_reg(w);
		break;
	case A64_COND:
		displace_cond(w);
		break;
	case A64_ADR:
		displace_adr(w);
		break;
	case A64_LITERAL:
		displace_literal(w);
		break;
	case A64_EXCLUSIVE:
		displace_exclusive(w);
		break;
	default:
		w->fails = true;
	}
}

int a64_displace(const struct abi *abi, taddr_t addr, const uint8_t *insn, size_t len,
		 taddr_t slot, unsigned flags, struct displaced *out)
{
	struct work w = { .abi = abi, .addr = addr, .slot = slot, .bytes = insn, .len = len,
			  .flags = flags, .out = out };
	int err = a64_decode(addr, insn, len, &w.in);
	bool is_call = w.in.kind == A64_BL || w.in.kind == A64_CALL_REG;

	if (err)
		return err;
	memset(out, 0, sizeof *out);
	out->kind = DISPLACE_SLOT;
	out->resume = slot;
	out->insn_len = 4;
	if (w.in.kind == A64_NOTHING)
		return displaced_goto(out, next_insn(&w));
	if (w.in.kind == A64_B)
		return displaced_goto(out, w.in.target);
	if ((is_call && flags & DISPLACE_KEEP_SHADOW) ||
	    (w.in.kind == A64_SYSCALL && !(flags & DISPLACE_SYSCALL)))
		return displaced_step(out, w.addr);
	out->whole = w.in.kind == A64_EXCLUSIVE || stores_exclusive(w.in.w);
	if (stores_exclusive(w.in.w))
		return displaced_step(out, w.addr);
	w.via = free_register(&w);
	rewrite(&w);
	if (w.fails)
		return displaced_step(out, w.addr);
	finish(&w);
	return 0;
}
