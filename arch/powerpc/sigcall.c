/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "arch/powerpc/powerpc.h"

#define LI_R0 0x38000000u
#define SC 0x44000002u
#define INSNS_MAX 10

/* `li r0,nr`, a few moves of arguments, `sc`. */
int ppc_syscall_site(const struct abi *abi, const uint8_t *code, size_t len, unsigned *at)
{
	(void)abi;
	if (len < 4 || (ppc_insn(code) & 0xffff8000u) != LI_R0)
		return -1;
	for (unsigned i = 4; i + 4 <= len && i <= 4 * INSNS_MAX; i += 4) {
		uint32_t insn = ppc_insn(code + i);
		unsigned op = ppc_op(insn);

		if (insn == SC) {
			*at = i;
			return (int)(ppc_insn(code) & 0x7fff);
		}
		/* A branch ends it, and so does another number. */
		if (op == PPC_OP_B || op == PPC_OP_BC || op == PPC_OP_XL || (insn & UINT32_C(0xffff0000)) == LI_R0)
			return -1;
	}
	return -1;
}
