/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Displaced execution on RISC-V: what does not depend on the pc is copied, with a jump
 * back.  That reaches 1 MB; what lies farther is reached by way of t1 or t3, which PLT
 * stubs overwrite too, or, where they are in use, by the tracer.  Everything else is
 * emulated: there is no single step. */
#include <errno.h>
#include <string.h>

#include "arch/riscv/riscv.h"

struct work {
	taddr_t addr, slot;
	struct displaced *out;
};

static void emit(struct work *w, uint32_t insn, unsigned len)
{
	for (unsigned i = 0; i < len; i++)
		w->out->code[w->out->code_len++] = (uint8_t)(insn >> 8 * i);
}

static void emit_next(struct work *w, taddr_t to, uint32_t insn)
{
	displaced_mark(w->out, AT_NEXT, to);
	emit(w, insn, 4);
}

/* auipc; ld; jalr, and behind them the address, which they load: user space may have 56
 * bits (Sv57), more than a sequence of constants of this length makes. */
static void emit_far_jump(struct work *w, taddr_t to, unsigned reg)
{
	uint32_t rd = reg << 7, rs = reg << 15;
	unsigned here = w->out->code_len, behind = (here + 12 + 7) / 8 * 8;

	emit_next(w, to, RV_AUIPC | rd);
	emit_next(w, to, RV_LOAD | 3 << 12 | rd | rs | (behind - here) << 20);
	emit_next(w, to, RV_JALR | rs);
	emit(w, 0, behind - w->out->code_len);
	emit(w, (uint32_t)to, 4);
	emit(w, (uint32_t)(to >> 32), 4);
}

/* The tracer goes back. */
static void emit_trap(struct work *w, taddr_t to)
{
	w->out->trap_at = w->out->code_len;
	displaced_mark(w->out, AT_NEXT, to);
	emit(w, RV_C_EBREAK, 2);
}

static bool emit_near_jump(struct work *w, taddr_t to)
{
	int64_t d = (int64_t)(to - (w->slot + w->out->code_len));
	uint32_t u = (uint32_t)d;

	if (d < -(1 << 20) || d >= 1 << 20)
		return false;
	emit_next(w, to, RV_JAL | (u & 0xff000) | rv_bits(u, 11, 1) << 20 | rv_bits(u, 1, 10) << 21 |
			 rv_bits(u, 20, 1) << 31);
	return true;
}

/* t1 or t3, whichever no field of the instruction can mean; 0: both are there. */
static unsigned free_register(const struct rv_insn *in)
{
	for (unsigned reg = RV_T1; reg; reg = reg == RV_T1 ? RV_T3 : 0)
		if (rv_rd(in->w) != reg && rv_rs1(in->w) != reg && rv_rs2(in->w) != reg)
			return reg;
	return 0;
}

static bool knows_its_place(const struct rv_insn *in)
{
	switch (rv_op(in->w)) {
	case RV_AUIPC: case RV_JAL: case RV_JALR: case RV_BRANCH:
		return true;
	default:
		return false;
	}
}

/* lr: what comes between it and its sc must come undisturbed. */
static bool reserves(const struct rv_insn *in)
{
	return rv_op(in->w) == RV_AMO && in->w >> 27 == 2;
}

int rv_displace(const struct abi *abi, taddr_t addr, const uint8_t *insn, size_t len,
		taddr_t slot, unsigned flags, struct displaced *out)
{
	struct work w = { addr, slot, out };
	struct rv_insn in;
	int err = rv_decode(insn, len, &in);
	unsigned reg;

	(void)abi;
	if (err || reserves(&in))
		return -EINVAL;
	memset(out, 0, sizeof *out);
	out->kind = DISPLACE_SLOT;
	out->resume = slot;
	out->insn_len = in.len;
	if (rv_is_nop(&in))
		return displaced_goto(out, addr + in.len);
	if (rv_op(in.w) == RV_JAL && !rv_rd(in.w))
		return displaced_goto(out, addr + (uint64_t)rv_imm_j(in.w));
	if (knows_its_place(&in) || (in.w == RV_ECALL && !(flags & DISPLACE_SYSCALL)))
		return displaced_step(out, addr);
	displaced_mark(w.out, AT_ORIGINAL, addr);
	for (unsigned i = 0; i < in.len; i++)
		emit(&w, insn[i], 1);
	if (emit_near_jump(&w, addr + in.len))
		return 0;
	/* At a system call no register is free: it may be anywhere in a function. */
	reg = flags & DISPLACE_SYSCALL ? 0 : free_register(&in);
	if (reg)
		emit_far_jump(&w, addr + in.len, reg);
	else
		emit_trap(&w, addr + in.len);
	return 0;
}
