/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ARM instructions (ARM Architecture Reference Manual, ARMv7-A and ARMv7-R, A5;
 * what ARMv8-A adds to them is in DDI 0487, F4). */
#include <string.h>
#include "arm.h"

static bool bit(uint32_t w, unsigned n)
{
	return w >> n & 1;
}

void arm_set_shift(struct arm_insn *d, unsigned type, unsigned amount)
{
	d->shift = (uint8_t)type;
	d->amount = (uint8_t)amount;
	if (!amount && (type == ARM_LSR || type == ARM_ASR))
		d->amount = 32;
	if (!amount && type == ARM_ROR)
		d->shift = ARM_RRX;
}

static uint32_t ror(uint32_t v, unsigned n)
{
	return n ? v >> n | v << (32 - n) : v;
}

static void operand_register(struct arm_insn *d, uint32_t w)
{
	d->rm = w & 15;
	d->by_reg = bit(w, 4);
	if (d->by_reg) {
		d->rs = w >> 8 & 15;
		d->shift = w >> 5 & 3;
	} else {
		arm_set_shift(d, w >> 5 & 3, w >> 7 & 31);
	}
}

static void data(struct arm_insn *d, uint32_t w)
{
	unsigned rotate = (w >> 8 & 15) * 2;
	bool compares, moves;

	d->op = ARM_DATA;
	d->alu = w >> 21 & 15;
	d->sets_flags = bit(w, 20);
	d->rn = w >> 16 & 15;
	d->rd = w >> 12 & 15;
	d->is_imm = bit(w, 25);
	if (d->is_imm) {
		d->imm = ror(w & 0xff, rotate);
		d->imm_sets_carry = rotate != 0;
	} else {
		operand_register(d, w);
	}
	compares = d->alu >= ALU_TST && d->alu <= ALU_CMN;
	moves = d->alu == ALU_MOV || d->alu == ALU_MVN;
	if (d->rd == ARM_PC && d->sets_flags) { /* an exception's return, or obsolete */
		d->op = ARM_INVALID;
		return;
	}
	if (compares)
		d->rd = ARM_PC;
	d->uses_pc = (!moves && d->rn == ARM_PC) || (!d->is_imm && d->rm == ARM_PC) ||
		     (d->by_reg && d->rs == ARM_PC);
	if (w == 0xe1a00000) /* mov r0, r0 */
		d->op = ARM_NOP;
}

/* movw, movt */
static void wide_move(struct arm_insn *d, uint32_t w)
{
	d->op = ARM_DATA;
	d->alu = bit(w, 22) ? ALU_MOVT : ALU_MOV;
	d->rd = d->rn = w >> 12 & 15;
	d->is_imm = true;
	d->imm = (w >> 4 & 0xf000) | (w & 0xfff);
	if (d->rd == ARM_PC)
		d->op = ARM_INVALID;
}

static void immediates(struct arm_insn *d, uint32_t w)
{
	if ((w & 0x01900000) != 0x01000000)
		data(d, w);
	else if (!bit(w, 21))
		wide_move(d, w);
	else /* msr, and hints, which are msr of nothing */
		d->op = (w & 0x004f00ff) ? ARM_PLAIN : ARM_NOP;
}

static void of_register(struct arm_insn *d, unsigned alu, uint32_t w)
{
	d->op = ARM_DATA;
	d->alu = (uint8_t)alu;
	d->rd = w >> 12 & 15;
	d->rm = w & 15;
	if (d->rd == ARM_PC || d->rm == ARM_PC)
		d->op = ARM_INVALID;
}

/* Extensions and bit fields, among others; the undefined one, too. */
static void media(struct arm_insn *d, uint32_t w)
{
	d->op = ARM_PLAIN;
	switch (w & 0x0fff0ff0) { /* without rotation */
	case 0x06af0070:
		of_register(d, ALU_SXTB, w);
		break;
	case 0x06bf0070:
		of_register(d, ALU_SXTH, w);
		break;
	case 0x06ef0070:
		of_register(d, ALU_UXTB, w);
		break;
	case 0x06ff0070:
		of_register(d, ALU_UXTH, w);
		break;
	}
	if ((w & 0x0fa00070) != 0x07a00050)
		return;
	of_register(d, bit(w, 22) ? ALU_UBFX : ALU_SBFX, w);
	d->is_imm = true;
	d->imm = (w >> 16 & 31) + 1;
	d->amount = w >> 7 & 31;
}

/* The space where comparisons without flags would be (A5.2.12, A5.2.7). */
static void miscellaneous(struct arm_insn *d, uint32_t w)
{
	unsigned op = w >> 21 & 3;

	switch (w >> 4 & 15) {
	case 1:
		if (op == 1)
			d->op = ARM_BRANCH_REG;
		else if (op == 3)
			of_register(d, ALU_CLZ, w);
		break;
	case 3:
		if (op == 1) {
			d->op = ARM_BRANCH_REG;
			d->link = true;
		}
		break;
	case 7: /* bkpt; not hvc, smc */
		if (op == 1)
			d->op = ARM_PLAIN;
		break;
	case 2: case 6: /* bxj, eret */
		break;
	default: /* mrs, msr, crc32, saturating arithmetic, multiplications of halves */
		d->op = ARM_PLAIN;
	}
	d->rm = w & 15;
	if (d->op == ARM_BRANCH_REG)
		d->uses_pc = d->link || d->rm == ARM_PC;
}

static void multiply(struct arm_insn *d, uint32_t w)
{
	unsigned high = w >> 16 & 15, low = w >> 12 & 15;

	d->alu = w >> 21 & 7;
	d->op = d->alu == 2 ? ARM_PLAIN : ARM_MULTIPLY; /* umaal */
	d->rd = (uint8_t)(d->alu < MUL_ULONG ? high : low);
	d->rs = (uint8_t)(d->alu < MUL_ULONG ? low : high);
	d->rn = w & 15;
	d->rm = w >> 8 & 15;
	d->sets_flags = bit(w, 20);
	if (high == ARM_PC || low == ARM_PC || d->rn == ARM_PC || d->rm == ARM_PC)
		d->op = ARM_INVALID;
}

/* Multiplications, swp, and exclusive or ordered accesses. */
static void multiply_or_exclusive(struct arm_insn *d, uint32_t w)
{
	bool ordered = (w >> 8 & 3) == 0; /* lda, stl */

	if (!bit(w, 24))
		multiply(d, w);
	else if (!bit(w, 23) || (bit(w, 11) && ordered))
		d->op = ARM_PLAIN;
}

static void transfer_fields(struct arm_insn *d, uint32_t w)
{
	d->rn = w >> 16 & 15;
	d->rd = w >> 12 & 15;
	d->pre = bit(w, 24);
	d->add = bit(w, 23);
	d->wback = bit(w, 21) || !d->pre;
	d->load = bit(w, 20);
}

static void transfer_pc(struct arm_insn *d)
{
	d->uses_pc = d->rn == ARM_PC || (!d->is_imm && d->rm == ARM_PC) ||
		     (!d->load && d->rd == ARM_PC);
	if (d->wback && (d->rn == ARM_PC || (d->load && d->rn == d->rd)))
		d->op = ARM_INVALID;
}

/* Of halfwords, signed bytes, two words. */
static void extra_transfer(struct arm_insn *d, uint32_t w)
{
	unsigned kind = w >> 5 & 3;

	transfer_fields(d, w);
	d->op = ARM_TRANSFER;
	d->is_imm = bit(w, 22);
	if (d->is_imm)
		d->imm = (w >> 4 & 0xf0) | (w & 15);
	else
		d->rm = w & 15;
	d->size = kind == 2 ? 1 : 2;
	d->sign = d->load && kind >= 2;
	if (!d->load && kind >= 2) {
		d->op = d->rd & 1 || d->rd == ARM_LR ? ARM_INVALID : ARM_DUAL;
		d->load = kind == 2;
		d->size = 4;
		d->sign = false;
		d->rs = d->rd + 1;
		if (d->wback && (d->rn == d->rd || d->rn == d->rs))
			d->op = ARM_INVALID;
	} else if (d->rd == ARM_PC) {
		d->op = ARM_INVALID;
	}
	transfer_pc(d);
}

static void registers(struct arm_insn *d, uint32_t w)
{
	if ((w & 0x90) == 0x90) {
		if (w & 0x60)
			extra_transfer(d, w);
		else
			multiply_or_exclusive(d, w);
	} else if ((w & 0x01900000) == 0x01000000) {
		miscellaneous(d, w);
	} else {
		data(d, w);
	}
}

static void transfer(struct arm_insn *d, uint32_t w)
{
	transfer_fields(d, w);
	d->op = ARM_TRANSFER;
	d->size = bit(w, 22) ? 1 : 4;
	d->is_imm = !bit(w, 25);
	if (d->is_imm) {
		d->imm = w & 0xfff;
	} else {
		d->rm = w & 15;
		arm_set_shift(d, w >> 5 & 3, w >> 7 & 31);
	}
	if (d->size == 1 && d->rd == ARM_PC)
		d->op = ARM_INVALID;
	transfer_pc(d);
}

static void block(struct arm_insn *d, uint32_t w)
{
	transfer_fields(d, w);
	d->op = ARM_BLOCK;
	d->wback = bit(w, 21);
	d->list = w & 0xffff;
	d->uses_pc = !d->load && bit(w, ARM_PC);
	/* With bit 22 it is of other modes' registers, or an exception's return. */
	if (bit(w, 22) || d->rn == ARM_PC || !d->list)
		d->op = ARM_INVALID;
}

static void branch(struct arm_insn *d, uint32_t w)
{
	d->op = ARM_BRANCH;
	d->imm = (uint32_t)((int32_t)(w << 8) >> 6);
	d->link = bit(w, 24);
	d->uses_pc = true;
}

void arm_decode_coprocessor(struct arm_insn *d, uint32_t w)
{
	d->op = ARM_PLAIN;
	if ((w >> 16 & 15) != ARM_PC || (w & 0x0fe00000) == 0x0c400000)
		return;
	d->op = ARM_INVALID;
	if ((w & 0x0f300e00) != 0x0d100a00)
		return;
	d->op = ARM_VLDR;
	d->uses_pc = true;
	d->imm = (w & 0xff) * 4;
	if (!bit(w, 23))
		d->imm = -d->imm;
}

static void unconditional(struct arm_insn *d, uint32_t w)
{
	d->cond = ARM_ALWAYS;
	switch (w >> 24 & 15) {
	case 0xa: case 0xb: /* blx */
		branch(d, w);
		d->imm |= bit(w, 24) ? 2 : 0;
		d->link = d->exchange = true;
		break;
	case 1: case 8: case 9: case 0xf: /* setend, cps, srs, rfe */
		break;
	case 4: case 5: case 6: case 7:
		d->op = ARM_PLAIN;
		if ((w & 0x0ff00000) == 0x05700000) /* barriers */
			break;
		if ((w >> 16 & 15) == ARM_PC) /* a preload, or unpredictable */
			d->op = bit(w, 20) ? ARM_NOP : ARM_INVALID;
		break;
	default: /* Advanced SIMD, coprocessors */
		d->op = ARM_PLAIN;
	}
}

void arm_decode_arm(uint32_t w, struct arm_insn *d)
{
	memset(d, 0, sizeof *d);
	d->len = 4;
	d->cond = (uint8_t)(w >> 28);
	if (d->cond == 15) {
		unconditional(d, w);
		return;
	}
	switch (w >> 25 & 7) {
	case 0:
		registers(d, w);
		break;
	case 1:
		immediates(d, w);
		break;
	case 3:
		if (bit(w, 4)) {
			media(d, w);
			break;
		} /* fall through */
	case 2:
		transfer(d, w);
		break;
	case 4:
		block(d, w);
		break;
	case 5:
		branch(d, w);
		break;
	case 6:
		arm_decode_coprocessor(d, w);
		break;
	case 7:
		d->op = bit(w, 24) ? ARM_SVC : ARM_PLAIN;
		break;
	}
}

bool arm_decode(taddr_t code, const uint8_t *b, size_t len, struct arm_insn *d)
{
	unsigned first;

	if (len < 2)
		return false;
	first = b[0] | b[1] << 8;
	if (!(code & 1)) {
		if (len < 4)
			return false;
		arm_decode_arm(first | (uint32_t)b[2] << 16 | (uint32_t)b[3] << 24, d);
	} else if (first < 0xe800) {
		arm_decode_thumb16(first, d);
	} else {
		if (len < 4)
			return false;
		arm_decode_thumb32(first, b[2] | (unsigned)b[3] << 8, d);
	}
	return true;
}
