/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>

#include "arch/aarch64/aarch64.h"

/* Hints that change nothing that a program could see: nop, yield, dgh, csdb and the
 * landing pads.  Those of pointer authentication are plain instructions. */
static bool does_nothing(uint32_t w)
{
	switch (a64_bits(w, 5, 7)) {
	case 0: case 1: case 6: case 20: case 32: case 34: case 36: case 38:
		return true;
	default:
		return false;
	}
}

/* br, blr, ret and their forms with pointer authentication (C4.1, unconditional
 * branch (register)). */
static int decode_to_reg(struct a64_insn *in)
{
	unsigned opc = a64_bits(in->w, 21, 4), op3 = a64_bits(in->w, 10, 6);
	bool signed_too = op3 == 2 || op3 == 3;

	if (a64_bits(in->w, 16, 5) != 31 || (op3 && !signed_too))
		return -EINVAL;
	if (!op3 && in->rd)
		return -EINVAL;
	if (opc > 7 && !signed_too)
		return -EINVAL;
	switch (opc & 7) {
	case 0:
		in->kind = A64_TO_REG;
		return 0;
	case 1:
		in->kind = A64_CALL_REG;
		return 0;
	case 2:
		in->kind = A64_TO_REG;
		return opc > 7 ? -EINVAL : 0;
	default: /* eret, drps: not for programs */
		return -EINVAL;
	}
}

static int decode_branch(taddr_t addr, struct a64_insn *in)
{
	uint32_t w = in->w;

	if ((w & 0x7c000000) == 0x14000000) {
		in->kind = w >> 31 ? A64_BL : A64_B;
		in->target = addr + (uint64_t)a64_signed(w, 0, 26) * 4;
	} else if ((w & 0xff000000) == 0x54000000 || (w & 0x7e000000) == 0x34000000) {
		in->kind = A64_COND;
		in->target = addr + (uint64_t)a64_signed(w, 5, 19) * 4;
	} else if ((w & 0x7e000000) == 0x36000000) {
		in->kind = A64_COND;
		in->target = addr + (uint64_t)a64_signed(w, 5, 14) * 4;
	} else if ((w & 0xff000000) == 0xd4000000) {
		if ((w & 0xffe0001f) == 0xd4000001)
			in->kind = A64_SYSCALL;
	} else if ((w & 0xff000000) == 0xd5000000) {
		if ((w & 0xfffff01f) == 0xd503201f && does_nothing(w))
			in->kind = A64_NOTHING;
	} else if ((w & 0xfe000000) == 0xd6000000) {
		return decode_to_reg(in);
	} else {
		return -EINVAL; /* none that we know */
	}
	return 0;
}

static int decode_immediate(taddr_t addr, struct a64_insn *in)
{
	uint64_t imm = (uint64_t)a64_signed(in->w, 5, 19) << 2 | a64_bits(in->w, 29, 2);

	if ((in->w & 0x1f000000) == 0x10000000) {
		in->kind = A64_ADR;
		in->target = in->w >> 31 ? (addr & ~(taddr_t)4095) + (imm << 12) : addr + imm;
	} else if ((in->w & 0xff800000) == 0xf3800000) {
		in->kind = A64_WITH_PC; /* autiasppc, autibsppc */
	}
	return 0;
}

static int decode_memory(taddr_t addr, struct a64_insn *in)
{
	uint32_t w = in->w;

	if ((w & 0x3b000000) == 0x18000000) {
		if (w >> 30 == 3 && w >> 26 & 1)
			return -EINVAL;
		in->kind = w >> 30 == 3 ? A64_NOTHING : A64_LITERAL; /* prfm is a hint */
		in->target = addr + (uint64_t)a64_signed(w, 5, 19) * 4;
	} else if ((w & 0x3f000000) == 0x08000000 && !(w >> 23 & 1) && w >> 22 & 1 &&
		   (!(w >> 21 & 1) || w >> 31)) {
		in->kind = A64_EXCLUSIVE;
	}
	return 0;
}

int a64_decode(taddr_t addr, const uint8_t *insn, size_t len, struct a64_insn *out)
{
	uint32_t w;

	if (len < 4)
		return -EINVAL;
	w = a64_word(insn);
	*out = (struct a64_insn){ .w = w, .kind = A64_PLAIN, .rd = w & 31, .rn = w >> 5 & 31,
				  .rm = w >> 16 & 31 };
	switch (a64_bits(w, 25, 4)) {
	case 0: /* udf and what is reserved; with the highest bit, SME */
		return w >> 31 ? 0 : -EINVAL;
	case 1: case 3:
		return -EINVAL;
	case 8: case 9:
		return decode_immediate(addr, out);
	case 10: case 11:
		return decode_branch(addr, out);
	case 4: case 6: case 12: case 14:
		return decode_memory(addr, out);
	case 5: case 13:
		if ((w & 0xffff8000) == 0xdac18000) /* paciasppc … */
			out->kind = A64_WITH_PC;
		return 0;
	default: /* SVE, floating point and vectors */
		return 0;
	}
}

int a64_insn_length(const struct abi *abi, taddr_t addr, const uint8_t *insn, size_t len)
{
	struct a64_insn in;
	int err = a64_decode(addr, insn, len, &in);

	(void)abi;
	return err ? err : 4;
}
