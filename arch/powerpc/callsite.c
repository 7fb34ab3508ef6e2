/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "arch/powerpc/powerpc.h"

#define LWZ_R11 0x816b0000u   /* lwz r11,lo(r11) */
#define LIS_R11 0x3d600000u   /* lis r11,hi */
#define MTCTR_R11 0x7d6903a6u
#define UPPER 0xffff0000u

unsigned ppc_call_before(const struct abi *abi, taddr_t ra, const uint8_t *code, size_t len,
			 taddr_t *target)
{
	uint32_t insn;

	(void)abi;
	if (len < 4)
		return 0;
	insn = ppc_insn(code + len - 4);
	if (!(insn & PPC_LINK))
		return 0;
	switch (ppc_op(insn)) {
	case PPC_OP_B:
	case PPC_OP_BC:
		*target = ppc_target(insn, ra - 4);
		/* One to the next instruction asks for the pc. */
		return *target == (uint32_t)ra ? 0 : CALL_DIRECT;
	case PPC_OP_XL:
		return ppc_xo(insn) == PPC_XL_BCLR || ppc_xo(insn) == PPC_XL_BCCTR ? CALL_INDIRECT : 0;
	default:
		return 0;
	}
}

/* lis r11,hi; lwz r11,lo(r11); mtctr r11; bctr: how code at a fixed place calls a
 * function of a library.  What may lie anywhere has the address in r30. */
static bool is_stub(const uint8_t *insn, size_t len, taddr_t *where)
{
	uint32_t first, second;

	if (len < 16)
		return false;
	first = ppc_insn(insn);
	second = ppc_insn(insn + 4);
	if ((first & UPPER) != LIS_R11 || (second & UPPER) != LWZ_R11 ||
	    ppc_insn(insn + 8) != MTCTR_R11 || ppc_insn(insn + 12) != PPC_BCTR)
		return false;
	*where = (first << 16) + (uint32_t)ppc_simm(second);
	return true;
}

enum jump_kind ppc_jump(const struct abi *abi, taddr_t addr, const uint8_t *insn, size_t len,
			taddr_t *where)
{
	uint32_t i;
	unsigned op;

	(void)abi;
	if (len < 4)
		return NOT_A_JUMP;
	i = ppc_insn(insn);
	op = ppc_op(i);
	if (i == PPC_NOP) {
		*where = (uint32_t)addr + 4;
		return JUMP_PAST;
	}
	if (!(i & PPC_LINK) && (op == PPC_OP_B || (op == PPC_OP_BC && ppc_always(i)))) {
		*where = ppc_target(i, addr);
		return JUMP_DIRECT;
	}
	return is_stub(insn, len, where) ? JUMP_MEMORY : NOT_A_JUMP;
}
