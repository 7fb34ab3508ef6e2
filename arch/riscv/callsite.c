/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "arch/riscv/riscv.h"

static bool decode_4(const uint8_t *b, struct rv_insn *in)
{
	return !rv_decode(b, 4, in) && in->len == 4;
}

/* jal; auipc and jalr through the same register, which is one call; jalr; c.jalr. */
unsigned rv_call_before(const struct abi *abi, taddr_t ra, const uint8_t *code, size_t len,
			taddr_t *target)
{
	struct rv_insn in, before;
	unsigned found = 0;

	(void)abi;
	if (len >= 2 && !rv_decode(code + len - 2, 2, &in) && rv_op(in.w) == RV_JALR && rv_rd(in.w) == RV_RA)
		found |= CALL_INDIRECT;
	if (len < 4 || !decode_4(code + len - 4, &in) || rv_rd(in.w) != RV_RA)
		return found;
	if (rv_op(in.w) == RV_JAL) {
		*target = ra - 4 + (uint64_t)rv_imm_j(in.w);
		return found | CALL_DIRECT;
	}
	if (rv_op(in.w) != RV_JALR || rv_f3(in.w))
		return found;
	if (len >= 8 && decode_4(code + len - 8, &before) && rv_op(before.w) == RV_AUIPC &&
	    rv_rd(before.w) == rv_rs1(in.w)) {
		*target = ra - 8 + (uint64_t)rv_imm_u(before.w) + (uint64_t)rv_imm_i(in.w);
		return found | CALL_DIRECT;
	}
	return found | CALL_INDIRECT;
}

/* A PLT stub (psABI, "Program Linkage Table"): auipc t3; ld t3, (t3); jalr t1, t3; nop. */
static bool is_plt(taddr_t addr, const struct rv_insn *auipc, const uint8_t *insn, size_t len,
		   taddr_t *where)
{
	struct rv_insn ld, jalr;

	if (rv_op(auipc->w) != RV_AUIPC || rv_rd(auipc->w) != RV_T3 || len < 12 ||
	    !decode_4(insn + 4, &ld) || !decode_4(insn + 8, &jalr))
		return false;
	if ((ld.w & 0xfffff) != (RV_LOAD | RV_T3 << 7 | 3 << 12 | RV_T3 << 15) ||
	    jalr.w != (RV_JALR | RV_T1 << 7 | RV_T3 << 15))
		return false;
	*where = addr + (uint64_t)rv_imm_u(auipc->w) + (uint64_t)rv_imm_i(ld.w);
	return true;
}

enum jump_kind rv_jump(const struct abi *abi, taddr_t addr, const uint8_t *insn, size_t len,
		       taddr_t *where)
{
	struct rv_insn in;

	(void)abi;
	if (rv_decode(insn, len, &in))
		return NOT_A_JUMP;
	if (rv_is_nop(&in)) {
		*where = addr + in.len;
		return JUMP_PAST;
	}
	if (rv_op(in.w) == RV_JAL && !rv_rd(in.w)) {
		*where = addr + (uint64_t)rv_imm_j(in.w);
		return JUMP_DIRECT;
	}
	return in.len == 4 && is_plt(addr, &in, insn, len, where) ? JUMP_MEMORY : NOT_A_JUMP;
}
