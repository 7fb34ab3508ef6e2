/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "arch/aarch64/aarch64.h"

unsigned a64_call_before(const struct abi *abi, taddr_t ra, const uint8_t *code, size_t len,
			 taddr_t *target)
{
	struct a64_insn in;

	(void)abi;
	if (len < 4 || ra & 3 || a64_decode(ra - 4, code + len - 4, 4, &in))
		return 0;
	if (in.kind == A64_BL)
		*target = in.target;
	return in.kind == A64_BL ? CALL_DIRECT : in.kind == A64_CALL_REG ? CALL_INDIRECT : 0;
}

/* A PLT stub (AAELF64, 9.3; with pointer authentication `autia1716` comes before the
 * branch):
 *	adrp x16, page;  ldr x17, [x16, offset];  add x16, x16, offset;  br x17 */
static bool is_plt(const struct a64_insn *adrp, taddr_t addr, const uint8_t *insn, size_t len,
		   taddr_t *where)
{
	struct a64_insn in;
	uint32_t ldr;

	if (adrp->kind != A64_ADR || !(adrp->w >> 31) || adrp->rd != A64_X16 || len < 16)
		return false;
	ldr = a64_word(insn + 4);
	if ((ldr & 0xffc003ff) != (0xf9400000 | A64_X16 << 5 | A64_X17))
		return false;
	*where = adrp->target + a64_bits(ldr, 10, 12) * 8;
	for (size_t at = 8; at + 4 <= len && at < 20; at += 4)
		if (!a64_decode(addr + at, insn + at, 4, &in) && in.kind == A64_TO_REG)
			return in.rn == A64_X17;
	return false;
}

enum jump_kind a64_jump(const struct abi *abi, taddr_t addr, const uint8_t *insn, size_t len,
			taddr_t *where)
{
	struct a64_insn in;

	(void)abi;
	if (a64_decode(addr, insn, len, &in))
		return NOT_A_JUMP;
	if (in.kind == A64_NOTHING) {
		*where = addr + 4;
		return JUMP_PAST;
	}
	if (in.kind == A64_B) {
		*where = in.target;
		return JUMP_DIRECT;
	}
	return is_plt(&in, addr, insn, len, where) ? JUMP_MEMORY : NOT_A_JUMP;
}
