/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>

#include "arch/riscv/riscv.h"

/* ---- compressed instructions ------------------------------------------------ */

static uint32_t make_i(unsigned op, unsigned f3, unsigned rd, unsigned rs1, int32_t imm)
{
	return op | rd << 7 | f3 << 12 | rs1 << 15 | (uint32_t)imm << 20;
}

static uint32_t make_r(unsigned op, unsigned f3, unsigned f7, unsigned rd, unsigned rs1, unsigned rs2)
{
	return op | rd << 7 | f3 << 12 | rs1 << 15 | rs2 << 20 | f7 << 25;
}

static uint32_t make_s(unsigned f3, unsigned rs1, unsigned rs2, uint32_t imm)
{
	return RV_STORE | (imm & 31) << 7 | f3 << 12 | rs1 << 15 | rs2 << 20 | imm >> 5 << 25;
}

static uint32_t make_j(int32_t d)
{
	uint32_t u = (uint32_t)d;

	return RV_JAL | (u & 0xff000) | rv_bits(u, 11, 1) << 20 | rv_bits(u, 1, 10) << 21 |
	       rv_bits(u, 20, 1) << 31;
}

static uint32_t make_b(unsigned f3, unsigned rs1, int32_t d)
{
	uint32_t u = (uint32_t)d;

	return RV_BRANCH | f3 << 12 | rs1 << 15 | rv_bits(u, 11, 1) << 7 | rv_bits(u, 1, 4) << 8 |
	       rv_bits(u, 5, 6) << 25 | rv_bits(u, 12, 1) << 31;
}

/* Six bits of an immediate, with their sign. */
static int32_t imm6(uint32_t c)
{
	return (int32_t)((rv_bits(c, 12, 1) << 5 | rv_bits(c, 2, 5)) << 26) >> 26;
}

static uint32_t offset_w(uint32_t c)
{
	return rv_bits(c, 10, 3) << 3 | rv_bits(c, 6, 1) << 2 | rv_bits(c, 5, 1) << 6;
}

static uint32_t offset_d(uint32_t c)
{
	return rv_bits(c, 10, 3) << 3 | rv_bits(c, 5, 2) << 6;
}

static uint32_t quadrant_0(uint32_t c)
{
	unsigned rd = 8 + rv_bits(c, 2, 3), rs1 = 8 + rv_bits(c, 7, 3);
	uint32_t imm = rv_bits(c, 11, 2) << 4 | rv_bits(c, 7, 4) << 6 | rv_bits(c, 6, 1) << 2 |
		       rv_bits(c, 5, 1) << 3;

	switch (c >> 13) {
	case 0:
		return imm ? make_i(RV_OP_IMM, 0, rd, RV_SP, (int32_t)imm) : 1;
	case 2:
		return make_i(RV_LOAD, 2, rd, rs1, (int32_t)offset_w(c));
	case 3:
		return make_i(RV_LOAD, 3, rd, rs1, (int32_t)offset_d(c));
	case 6:
		return make_s(2, rs1, rd, offset_w(c));
	case 7:
		return make_s(3, rs1, rd, offset_d(c));
	case 4:
		return 1; /* reserved, or an extension's */
	default:
		return 0;
	}
}

static uint32_t quadrant_1_arithmetic(uint32_t c)
{
	static const uint8_t f3[] = { 0, 4, 6, 7 };
	unsigned rd = 8 + rv_bits(c, 7, 3), rs2 = 8 + rv_bits(c, 2, 3), kind = rv_bits(c, 5, 2);
	unsigned shift = rv_bits(c, 12, 1) << 5 | rv_bits(c, 2, 5);

	switch (rv_bits(c, 10, 2)) {
	case 0:
		return make_i(RV_OP_IMM, 5, rd, rd, (int32_t)shift);
	case 1:
		return make_i(RV_OP_IMM, 5, rd, rd, (int32_t)(shift | 0x400));
	case 2:
		return make_i(RV_OP_IMM, 7, rd, rd, imm6(c));
	default:
		if (rv_bits(c, 12, 1))
			return kind > 1 ? 1 : make_r(RV_OP_32, 0, kind ? 0 : 0x20, rd, rd, rs2);
		return make_r(RV_OP, f3[kind], kind ? 0 : 0x20, rd, rd, rs2);
	}
}

static int32_t jump_offset(uint32_t c)
{
	uint32_t u = rv_bits(c, 3, 3) << 1 | rv_bits(c, 11, 1) << 4 | rv_bits(c, 2, 1) << 5 |
		     rv_bits(c, 7, 1) << 6 | rv_bits(c, 6, 1) << 7 | rv_bits(c, 9, 2) << 8 |
		     rv_bits(c, 8, 1) << 10 | rv_bits(c, 12, 1) << 11;

	return (int32_t)(u << 20) >> 20;
}

static int32_t branch_offset(uint32_t c)
{
	uint32_t u = rv_bits(c, 3, 2) << 1 | rv_bits(c, 10, 2) << 3 | rv_bits(c, 2, 1) << 5 |
		     rv_bits(c, 5, 2) << 6 | rv_bits(c, 12, 1) << 8;

	return (int32_t)(u << 23) >> 23;
}

static uint32_t quadrant_1(uint32_t c)
{
	unsigned rd = rv_bits(c, 7, 5);
	int32_t sp = (int32_t)((rv_bits(c, 12, 1) << 9 | rv_bits(c, 3, 2) << 7 | rv_bits(c, 5, 1) << 6 |
				rv_bits(c, 2, 1) << 5 | rv_bits(c, 6, 1) << 4) << 22) >> 22;

	switch (c >> 13) {
	case 0:
		return make_i(RV_OP_IMM, 0, rd, rd, imm6(c));
	case 1:
		return rd ? make_i(RV_OP_IMM_32, 0, rd, rd, imm6(c)) : 1;
	case 2:
		return make_i(RV_OP_IMM, 0, rd, 0, imm6(c));
	case 3:
		if (!imm6(c))
			return 1;
		if (rd == RV_SP)
			return make_i(RV_OP_IMM, 0, RV_SP, RV_SP, sp);
		return RV_LUI | rd << 7 | (uint32_t)imm6(c) << 12;
	case 4:
		return quadrant_1_arithmetic(c);
	case 5:
		return make_j(jump_offset(c));
	default:
		return make_b(c >> 13 & 1, 8 + rv_bits(c, 7, 3), branch_offset(c));
	}
}

static uint32_t quadrant_2(uint32_t c)
{
	unsigned rd = rv_bits(c, 7, 5), rs2 = rv_bits(c, 2, 5);
	uint32_t w = rv_bits(c, 12, 1) << 5 | rv_bits(c, 4, 3) << 2 | rv_bits(c, 2, 2) << 6;
	uint32_t d = rv_bits(c, 12, 1) << 5 | rv_bits(c, 5, 2) << 3 | rv_bits(c, 2, 3) << 6;

	switch (c >> 13) {
	case 0:
		return make_i(RV_OP_IMM, 1, rd, rd, (int32_t)(rv_bits(c, 12, 1) << 5 | rs2));
	case 2:
		return rd ? make_i(RV_LOAD, 2, rd, RV_SP, (int32_t)w) : 1;
	case 3:
		return rd ? make_i(RV_LOAD, 3, rd, RV_SP, (int32_t)d) : 1;
	case 4:
		if (rs2)
			return make_r(RV_OP, 0, 0, rd, rv_bits(c, 12, 1) ? rd : 0, rs2);
		if (!rd)
			return rv_bits(c, 12, 1) ? RV_SYSTEM | 1 << 20 : 1; /* ebreak */
		return make_i(RV_JALR, 0, rv_bits(c, 12, 1) ? RV_RA : 0, rd, 0);
	case 6:
		return make_s(2, RV_SP, rs2, rv_bits(c, 9, 4) << 2 | rv_bits(c, 7, 2) << 6);
	case 7:
		return make_s(3, RV_SP, rs2, rv_bits(c, 10, 3) << 3 | rv_bits(c, 7, 3) << 6);
	default:
		return 0;
	}
}

/* ---- all ------------------------------------------------------------------------ */

int rv_decode(const uint8_t *b, size_t len, struct rv_insn *out)
{
	uint32_t c;

	if (len < 2)
		return -EINVAL;
	c = b[0] | (uint32_t)b[1] << 8;
	if ((c & 3) == 3) {
		if ((c & 0x1c) == 0x1c || len < 4)
			return -EINVAL; /* longer ones are nobody's yet */
		out->w = c | (uint32_t)b[2] << 16 | (uint32_t)b[3] << 24;
		out->len = 4;
		return 0;
	}
	out->w = (c & 3) == 0 ? quadrant_0(c) : (c & 3) == 1 ? quadrant_1(c) : quadrant_2(c);
	out->len = 2;
	return out->w == 1 ? -EINVAL : 0;
}

bool rv_is_nop(const struct rv_insn *in)
{
	return (rv_op(in->w) == RV_AUIPC && !rv_rd(in->w)) || in->w == RV_OP_IMM;
}

int rv_insn_length(const struct abi *abi, taddr_t addr, const uint8_t *insn, size_t len)
{
	struct rv_insn in;
	int err = rv_decode(insn, len, &in);

	(void)abi, (void)addr;
	return err ? err : in.len;
}
