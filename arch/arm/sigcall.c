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

/* What every instruction that loads_number() accepts looks like: all of a library's code is
 * gone through, and to decode it takes half of an attach. */
static bool may_load_number(taddr_t mode, const uint8_t *code, size_t len)
{
	uint32_t first, second, w;
	unsigned rd;

	if (len < 4)
		return false;
	first = code[0] | (uint32_t)code[1] << 8;
	second = code[2] | (uint32_t)code[3] << 8;
	w = first | second << 16;
	if (mode && first >> 8 == 0x27) /* movs r7, #imm8 */
		return true;
	rd = (mode ? second >> 8 : w >> 12) & 15;
	if (rd != ARM_R7 && rd != ARM_IP)
		return false;
	if (mode) /* mov.w, movw */
		return (first & 0xfbef) == 0xf04f || (first & 0xfbf0) == 0xf240;
	return (w & 0xffe00000) == 0xe3a00000 || (w & 0xfff00000) == 0xe3000000;
}

static int site_in(taddr_t mode, const uint8_t *code, size_t len, unsigned *at)
{
	struct arm_insn d;
	unsigned reg;
	size_t i;
	int nr;

	if (!may_load_number(mode, code, len) || !arm_decode(mode, code, len, &d) ||
	    !loads_number(&d, &reg))
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
