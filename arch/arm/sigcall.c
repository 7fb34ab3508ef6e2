/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How C libraries make a system call with a constant number.  ARM code and musl
 * load r7 and execute svc; glibc's Thumb code, whose frame pointer is r7, loads
 * ip and calls __libc_do_syscall, which moves it to r7. */
#include "arm.h"

#define INSNS_MAX 10

/* mov reg, #nr, of r7 or ip. */
static bool loads_number(const struct arm_insn *d, unsigned *reg)
{
	*reg = d->rd;
	return d->op == ARM_DATA && d->alu == ALU_MOV && d->is_imm && d->cond == ARM_ALWAYS &&
	       (d->rd == ARM_R7 || d->rd == ARM_IP) && d->imm < 0x1000;
}

static bool is_door(const struct arm_insn *d, unsigned reg)
{
	if (reg == ARM_IP)
		return d->op == ARM_BRANCH && d->link && d->thumb && d->cond == ARM_ALWAYS;
	return d->op == ARM_SVC;
}

static bool ends_stretch(const struct arm_insn *d)
{
	return d->op == ARM_INVALID || d->op == ARM_BRANCH || d->op == ARM_BRANCH_REG ||
	       d->op == ARM_COMPARE_BRANCH || d->op == ARM_TABLE || d->op == ARM_SVC ||
	       (d->op == ARM_BLOCK && d->load && d->list >> ARM_PC);
}

static int site_in(taddr_t mode, const uint8_t *code, size_t len, unsigned *at)
{
	struct arm_insn d;
	unsigned reg;
	size_t i;
	int nr;

	if (!arm_decode(mode, code, len, &d) || !loads_number(&d, &reg))
		return -1;
	nr = (int)d.imm;
	i = d.len;
	for (int n = 0; n < INSNS_MAX && arm_decode(mode, code + i, len - i, &d); n++) {
		if (is_door(&d, reg)) {
			*at = (unsigned)i | (unsigned)mode;
			return nr;
		}
		if (ends_stretch(&d) || (d.op == ARM_DATA && d.rd == reg))
			break;
		i += d.len;
	}
	return -1;
}

int arm_syscall_site(const struct abi *abi, const uint8_t *code, size_t len, unsigned *at)
{
	int nr = site_in(abi->code_bit, code, len, at);

	return nr >= 0 ? nr : site_in(0, code, len, at);
}
