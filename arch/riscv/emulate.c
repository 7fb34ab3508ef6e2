/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Emulation on RISC-V: what depends on the pc, and what functions begin with. */
#include <errno.h>

#include "arch/riscv/riscv.h"

struct emu {
	const struct abi_memory *mem;
	struct regs *regs; /* a copy, taken over when all is done */
	uint32_t w;
	taddr_t pc, next;
};

static uint64_t get(const struct emu *e, unsigned reg)
{
	return reg ? e->regs->w[reg] : 0;
}

static void set(struct emu *e, uint64_t v)
{
	if (rv_rd(e->w))
		e->regs->w[rv_rd(e->w)] = v;
}

static bool taken(const struct emu *e)
{
	uint64_t a = get(e, rv_rs1(e->w)), b = get(e, rv_rs2(e->w));
	unsigned f3 = rv_f3(e->w);
	bool is = f3 < 2 ? a == b : f3 < 6 ? (int64_t)a < (int64_t)b : a < b;

	return is != (f3 & 1);
}

static int load(struct emu *e)
{
	unsigned f3 = rv_f3(e->w), size = 1u << (f3 & 3);
	taddr_t at = get(e, rv_rs1(e->w)) + (uint64_t)rv_imm_i(e->w);
	uint64_t v = 0;
	uint8_t b[8];

	if (f3 == 7)
		return -ENOTSUP;
	if (e->mem->read(e->mem->arg, at, b, size) != (ssize_t)size)
		return -EFAULT;
	for (unsigned i = 0; i < size; i++)
		v |= (uint64_t)b[i] << 8 * i;
	if (f3 < 4)
		v = (uint64_t)((int64_t)(v << (64 - 8 * size)) >> (64 - 8 * size));
	set(e, v);
	return 0;
}

static int store(struct emu *e)
{
	unsigned size = 1u << rv_f3(e->w);
	int64_t imm = ((int32_t)e->w >> 25) * 32 + (int32_t)rv_rd(e->w);
	uint64_t v = get(e, rv_rs2(e->w));
	uint8_t b[8];

	if (size > 8)
		return -ENOTSUP;
	for (unsigned i = 0; i < size; i++)
		b[i] = (uint8_t)(v >> 8 * i);
	return e->mem->write(e->mem->arg, get(e, rv_rs1(e->w)) + (uint64_t)imm, b, size) == (ssize_t)size
		       ? 0 : -EFAULT;
}

/* add, shifts, comparisons and logic; `alt`: sub, sra. */
static uint64_t operate(unsigned f3, uint64_t a, uint64_t b, bool alt)
{
	switch (f3) {
	case 0: return alt ? a - b : a + b;
	case 1: return a << (b & 63);
	case 2: return (int64_t)a < (int64_t)b;
	case 3: return a < b;
	case 4: return a ^ b;
	case 5: return alt ? (uint64_t)((int64_t)a >> (b & 63)) : a >> (b & 63);
	case 6: return a | b;
	default: return a & b;
	}
}

static int immediate(struct emu *e)
{
	unsigned f3 = rv_f3(e->w), high = e->w >> 26;
	uint64_t imm = (uint64_t)rv_imm_i(e->w);

	if ((f3 == 1 && high) || (f3 == 5 && high & ~0x10u)) /* extensions */
		return -ENOTSUP;
	set(e, operate(f3, get(e, rv_rs1(e->w)), imm, f3 == 5 && high));
	return 0;
}

static int arithmetic(struct emu *e)
{
	unsigned f3 = rv_f3(e->w), f7 = e->w >> 25;
	bool alt = f7 == 0x20;

	if (f7 && !(alt && (f3 == 0 || f3 == 5)))
		return -ENOTSUP;
	set(e, operate(f3, get(e, rv_rs1(e->w)), get(e, rv_rs2(e->w)), alt));
	return 0;
}

/* addiw; addw, subw */
static int word(struct emu *e)
{
	bool imm = rv_op(e->w) == RV_OP_IMM_32;
	unsigned f7 = e->w >> 25;
	uint64_t b = imm ? (uint64_t)rv_imm_i(e->w) : get(e, rv_rs2(e->w));

	if (rv_f3(e->w) || (!imm && f7 & ~0x20u))
		return -ENOTSUP;
	set(e, (uint64_t)(int64_t)(int32_t)operate(0, get(e, rv_rs1(e->w)), b, !imm && f7));
	return 0;
}

static int execute(struct emu *e, taddr_t behind)
{
	uint64_t target;

	switch (rv_op(e->w)) {
	case RV_LUI:
		set(e, (uint64_t)rv_imm_u(e->w));
		return 0;
	case RV_AUIPC:
		set(e, e->pc + (uint64_t)rv_imm_u(e->w));
		return 0;
	case RV_JAL:
		e->next = e->pc + (uint64_t)rv_imm_j(e->w);
		set(e, behind);
		return 0;
	case RV_JALR:
		target = (get(e, rv_rs1(e->w)) + (uint64_t)rv_imm_i(e->w)) & ~(taddr_t)1;
		if (rv_f3(e->w))
			return -ENOTSUP;
		set(e, behind);
		e->next = target;
		return 0;
	case RV_BRANCH:
		if (rv_f3(e->w) == 2 || rv_f3(e->w) == 3)
			return -ENOTSUP;
		if (taken(e))
			e->next = e->pc + (uint64_t)rv_imm_b(e->w);
		return 0;
	case RV_LOAD:
		return load(e);
	case RV_STORE:
		return store(e);
	case RV_OP_IMM:
		return immediate(e);
	case RV_OP:
		return arithmetic(e);
	case RV_OP_IMM_32: case RV_OP_32:
		return word(e);
	default:
		return -ENOTSUP;
	}
}

int rv_emulate(const struct abi *abi, const struct abi_memory *mem, taddr_t addr,
	       const uint8_t *insn, size_t len, struct regs *regs)
{
	struct regs after = *regs;
	struct emu e = { .mem = mem, .regs = &after, .pc = addr };
	struct rv_insn in;
	int err;

	(void)abi;
	if (rv_decode(insn, len, &in))
		return -ENOTSUP;
	e.w = in.w;
	e.next = addr + in.len;
	err = execute(&e, addr + in.len);
	if (err)
		return err;
	after.w[RV_PC] = e.next;
	*regs = after;
	return 0;
}
