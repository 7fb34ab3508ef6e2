/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "arch/x86/x86.h"

/* Bytes of `ff /2` with the ModRM byte at m[0], or 0: another instruction.
 * Prefixes lie before it and do not matter. */
static size_t indirect_length(const uint8_t *m, size_t len)
{
	unsigned mod = m[0] >> 6, rm = m[0] & 7;
	size_t n = 2;

	if ((m[0] >> 3 & 7) != 2)
		return 0;
	if (mod == 3)
		return n;
	if (rm == 4) {
		if (len < 2)
			return 0;
		n++;
		if (mod == 0 && (m[1] & 7) == 5)
			n += 4;
	} else if (mod == 0 && rm == 5) {
		n += 4;
	}
	return n + (mod == 1 ? 1 : mod == 2 ? 4 : 0);
}

static bool ends_indirect(const uint8_t *code, size_t len)
{
	for (size_t n = 2; n <= 7 && n <= len; n++) {
		const uint8_t *p = code + len - n;

		if (p[0] == 0xff && indirect_length(p + 1, n - 1) == n)
			return true;
	}
	return false;
}

unsigned x86_call_before(const struct abi *abi, taddr_t ra, const uint8_t *code, size_t len,
			 taddr_t *target)
{
	unsigned found = ends_indirect(code, len) ? CALL_INDIRECT : 0;
	const uint8_t *p = code + len - 5;
	int32_t rel;

	if (len < 5)
		return found;
	rel = (int32_t)((uint32_t)p[1] | (uint32_t)p[2] << 8 | (uint32_t)p[3] << 16 |
			(uint32_t)p[4] << 24);
	if (p[0] == 0xe8) {
		*target = ra + (taddr_t)(int64_t)rel;
		found |= CALL_DIRECT;
	} else if (len >= 6 && p[-1] == 0xff && p[0] == 0x15) {
		/* relative to the pc on x86-64, absolute on i386 */
		*target = (abi->word == 8 ? ra : 0) + (taddr_t)(int64_t)rel;
		found |= CALL_MEMORY;
	}
	if (abi->word == 4)
		*target &= UINT32_MAX;
	return found;
}
