/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stddef.h>
#include "arm.h"

/* Is the instruction of n bytes before ra, in the instruction set of ra, a call? */
static unsigned call_of(taddr_t ra, const uint8_t *end, unsigned n, taddr_t *target)
{
	struct arm_insn d;

	if (!arm_decode((uint32_t)(ra - n), end - n, n, &d) || d.len != n || !d.link)
		return 0;
	if (d.op == ARM_BRANCH_REG)
		return CALL_INDIRECT;
	if (d.op != ARM_BRANCH)
		return 0;
	*target = arm_branch_target((uint32_t)(ra - n), &d);
	return CALL_DIRECT;
}

/* mov lr, pc, and then the pc is set: how ARMv4 calls through a pointer. */
static bool sets_link_by_hand(taddr_t ra, const uint8_t *end)
{
	struct arm_insn d;

	if (!arm_decode((uint32_t)(ra - 8), end - 8, 4, &d) || d.op != ARM_DATA ||
	    d.alu != ALU_MOV || d.is_imm || d.rd != ARM_LR || d.rm != ARM_PC)
		return false;
	return arm_decode((uint32_t)(ra - 4), end - 4, 4, &d) &&
	       (d.op == ARM_BRANCH_REG ||
		((d.op == ARM_DATA || d.op == ARM_TRANSFER) && d.rd == ARM_PC));
}

static unsigned in_thumb(taddr_t ra, const uint8_t *code, size_t len, taddr_t *target)
{
	unsigned found = len >= 4 ? call_of(ra | 1, code + len, 4, target) : 0;

	return found ? found : len >= 2 ? call_of(ra | 1, code + len, 2, target) : 0;
}

static unsigned in_arm(taddr_t ra, const uint8_t *code, size_t len, taddr_t *target)
{
	unsigned found = len >= 4 && !(ra & 3) ? call_of(ra, code + len, 4, target) : 0;

	if (!found && len >= 8 && !(ra & 3) && sets_link_by_hand(ra, code + len))
		found = CALL_INDIRECT;
	return found;
}

/* Do the instructions from an it on reach `end`, before it has said all? */
static bool block_reaches(const uint8_t *it, const uint8_t *end)
{
	unsigned mask = it[0] & 15, n = 4 - (unsigned)__builtin_ctz(mask);
	struct arm_insn d;

	for (it += 2; n && it < end && arm_decode(1, it, (size_t)(end - it), &d); n--)
		it += d.len;
	return n && it == end;
}

bool arm_in_block(const struct abi *abi, taddr_t code, const uint8_t *before, size_t len)
{
	const uint8_t *end = before + len;

	(void)abi;
	for (size_t back = 2; code & 1 && back <= len; back += 2)
		if (end[-(ptrdiff_t)back + 1] == 0xbf && end[-(ptrdiff_t)back] & 15 &&
		    block_reaches(end - back, end))
			return true;
	return false;
}

/* An address that has lost its instruction set may be of either. */
unsigned arm_call_before(const struct abi *abi, taddr_t ra, const uint8_t *code, size_t len,
			 taddr_t *target)
{
	unsigned found;

	(void)abi;
	if (ra & 1)
		return in_thumb(ra, code, len, target);
	found = in_arm(ra, code, len, target);
	return found ? found : in_thumb(ra, code, len, target);
}
