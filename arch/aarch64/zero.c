/* SPDX-License-Identifier: GPL-2.0-or-later */
/* libstdc++'s operator new makes one byte of none before it calls malloc.  The
 * request itself is overwritten by then, but the flags of the comparison that did
 * it are not. */
#include "arch/aarch64/aarch64.h"

#define CMP_X0_0 0xf100001f

/* add, sub, logical and conditional-compare instructions that set the flags; of what
 * is not of the general registers no more is asked. */
static bool sets_flags(uint32_t w)
{
	switch (a64_bits(w, 25, 4)) {
	case 8:
		return (w & 0x3f000000) == 0x31000000; /* adds, subs (immediate) */
	case 9:
		return (w & 0x7f800000) == 0x72000000; /* ands (immediate) */
	case 5: case 13:
		return (w & 0x3f000000) == 0x2b000000 || (w & 0x7f000000) == 0x6a000000 ||
		       (w & 0x3fa00000) == 0x3a000000;
	case 4: case 6: case 12: case 14:
		return false;
	default:
		return true;
	}
}

/* Straight code up to the first call in which nothing but one `cmp x0, #0` touches
 * the flags. */
bool a64_tests_zero(const struct abi *abi, const uint8_t *code, size_t len)
{
	bool tested = false;
	struct a64_insn in;

	(void)abi;
	for (size_t at = 0; at + 4 <= len; at += 4) {
		if (a64_decode(0, code + at, 4, &in))
			return false;
		if (in.kind == A64_BL)
			return tested;
		if (in.w == CMP_X0_0)
			tested = true;
		else if (in.kind != A64_NOTHING && (in.w & 0xfffff01f) != 0xd503201f &&
			 (in.kind == A64_COND || sets_flags(in.w)))
			return false;
	}
	return false;
}

bool a64_flag_zero(const struct regs *regs)
{
	return regs->w[A64_PSTATE] & A64_Z;
}
