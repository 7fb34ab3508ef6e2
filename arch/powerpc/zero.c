/* SPDX-License-Identifier: GPL-2.0-or-later */
/* libstdc++'s operator new makes one byte of none before it calls malloc: the
 * request itself is overwritten by then, but the condition field of the comparison
 * that did it is not, nor by a PLT stub. */
#include "arch/powerpc/powerpc.h"

#define CR0_EQUAL 0x20000000u
#define BCL_NEXT 0x429f0005u   /* bcl 20,31,.+4: asks for the pc */
#define CMPWI_R3_0 0x2c030000u /* of condition field 0 */
#define CMPLWI_R3_0 0x28030000u

/* or. rX,r3,r3 counts as well. */
static bool tests_r3(uint32_t insn)
{
	return insn == CMPWI_R3_0 || insn == CMPLWI_R3_0 || (insn & 0xffe0ffffu) == 0x7c601b79u;
}

/* Moves, addresses, loads, stores, and short jumps ahead. */
static bool leaves_cr0(uint32_t insn)
{
	unsigned xo = ppc_xo(insn);

	switch (ppc_op(insn)) {
	case 14: case 15: case 24: case 32: case 36: case 37: case 47:
		return true;
	case PPC_OP_BC:
		return insn == BCL_NEXT || (!(insn & 3) && ppc_simm(insn) > 0 && ppc_simm(insn) <= 8 &&
					    ppc_rt(insn) & PPC_NO_CTR);
	case PPC_OP_X:
		return !(insn & 1) && (xo == 444 || xo == PPC_X_MFSPR || xo == PPC_X_MTSPR);
	default:
		return false;
	}
}

/* Does it put something into r3?  (Not: store it.) */
static bool changes_r3(uint32_t insn)
{
	switch (ppc_op(insn)) {
	case 14: case 15: case 32:
		return ppc_rt(insn) == 3;
	case 24:
		return ppc_ra(insn) == 3 && insn != PPC_NOP;
	case PPC_OP_X:
		return ppc_xo(insn) == 444 ? ppc_ra(insn) == 3 : ppc_xo(insn) == PPC_X_MFSPR && ppc_rt(insn) == 3;
	default:
		return false;
	}
}

bool ppc_tests_zero(const struct abi *abi, const uint8_t *code, size_t len)
{
	bool tested = false;

	(void)abi;
	for (size_t i = 0; i + 4 <= len; i += 4) {
		uint32_t insn = ppc_insn(code + i);

		if (ppc_op(insn) == PPC_OP_B && insn & PPC_LINK)
			return tested;
		if (tests_r3(insn))
			tested = true;
		else if (!leaves_cr0(insn) || (!tested && changes_r3(insn)))
			return false;
	}
	return false;
}

bool ppc_flag_zero(const struct regs *regs)
{
	return regs->w[PPC_CCR] & CR0_EQUAL;
}
