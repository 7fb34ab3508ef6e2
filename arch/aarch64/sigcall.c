/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "arch/aarch64/aarch64.h"

#define SITE_INSNS 12 /* from the number to the call, in the C libraries */

/* `mov x8, #nr`; moves of arguments; `svc #0`. */
int a64_syscall_site(const struct abi *abi, const uint8_t *code, size_t len, unsigned *at)
{
	struct a64_insn in;

	(void)abi;
	if (len < 8 || (a64_word(code) & 0x7fe0001f) != (0x52800000 | A64_X8))
		return -1;
	for (unsigned i = 4; i + 4 <= len && i <= 4 * SITE_INSNS; i += 4) {
		if (a64_decode(0, code + i, 4, &in) ||
		    (in.kind != A64_SYSCALL && in.kind != A64_PLAIN && in.kind != A64_ADR))
			return -1;
		if (in.kind == A64_SYSCALL) {
			*at = i;
			return (int)a64_bits(a64_word(code), 5, 16);
		}
	}
	return -1;
}
