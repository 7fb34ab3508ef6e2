/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Thumb instructions (ARM Architecture Reference Manual, ARMv7-A and ARMv7-R, A6). */
#include <string.h>
#include "arm.h"

static bool bit(uint32_t w, unsigned n)
{
	return w >> n & 1;
}

static int32_t sign_extend(uint32_t v, unsigned bits)
{
	return (int32_t)(v << (32 - bits)) >> (32 - bits);
}

static void set_data(struct arm_insn *d, unsigned alu, unsigned rd, unsigned rn)
{
	d->op = ARM_DATA;
	d->alu = (uint8_t)alu;
	d->rd = (uint8_t)rd;
	d->rn = (uint8_t)rn;
}

static void set_imm(struct arm_insn *d, uint32_t imm)
{
	d->is_imm = true;
	d->imm = imm;
}

static void set_transfer(struct arm_insn *d, bool load, unsigned size, unsigned rd, unsigned rn)
{
	d->op = ARM_TRANSFER;
	d->load = load;
	d->size = (uint8_t)size;
	d->rd = (uint8_t)rd;
	d->rn = (uint8_t)rn;
	d->pre = d->add = true;
}

static void set_block(struct arm_insn *d, bool load, unsigned rn, unsigned list, bool wback)
{
	d->op = list ? ARM_BLOCK : ARM_INVALID;
	d->load = load;
	d->rn = (uint8_t)rn;
	d->list = (uint16_t)list;
	d->wback = wback;
	d->add = true;
}

/* ---- 16 bits --------------------------------------------------------------- */

static void short_shift_add(struct arm_insn *d, unsigned h)
{
	set_data(d, ALU_MOV, h & 7, 0);
	if (h >> 11 == 3) {
		set_data(d, bit(h, 9) ? ALU_SUB : ALU_ADD, h & 7, h >> 3 & 7);
		d->is_imm = bit(h, 10);
		d->imm = d->rm = h >> 6 & 7;
	} else {
		d->rm = h >> 3 & 7;
		arm_set_shift(d, h >> 11, h >> 6 & 31);
	}
	d->sets_flags = d->unless_it = true;
}

static void short_immediate(struct arm_insn *d, unsigned h)
{
	static const uint8_t alu[] = { ALU_MOV, ALU_CMP, ALU_ADD, ALU_SUB };
	unsigned rd = h >> 8 & 7;

	set_data(d, alu[h >> 11 & 3], rd, rd);
	set_imm(d, h & 0xff);
	d->sets_flags = true;
	d->unless_it = d->alu != ALU_CMP;
}

static void short_registers(struct arm_insn *d, unsigned h)
{
	static const uint8_t alu[] = {
		ALU_AND, ALU_EOR, ALU_MOV, ALU_MOV, ALU_MOV, ALU_ADC, ALU_SBC, ALU_MOV,
		ALU_TST, ALU_RSB, ALU_CMP, ALU_CMN, ALU_ORR, ALU_AND, ALU_BIC, ALU_MVN,
	};
	unsigned op = h >> 6 & 15, rd = h & 7, rm = h >> 3 & 7;

	set_data(d, alu[op], rd, rd);
	d->sets_flags = true;
	if (op == 13) {
		d->op = ARM_MULTIPLY;
		d->alu = MUL_PLAIN;
	}
	d->unless_it = !(op == 8 || op == 10 || op == 11);
	d->rm = rm;
	if (op == 9) { /* rsb rd, rm, #0 */
		d->rn = rm;
		set_imm(d, 0);
	} else if (d->alu == ALU_MOV) { /* shifted by a register */
		static const uint8_t type[] = { [2] = ARM_LSL, [3] = ARM_LSR, [4] = ARM_ASR,
						[7] = ARM_ROR };

		d->rm = rd;
		d->by_reg = true;
		d->rs = rm;
		d->shift = type[op];
	}
}

/* Of all sixteen registers. */
static void short_high(struct arm_insn *d, unsigned h)
{
	static const uint8_t alu[] = { ALU_ADD, ALU_CMP, ALU_MOV };
	unsigned op = h >> 8 & 3, rd = (h & 7) | (h >> 4 & 8);

	if (op == 3) {
		d->op = ARM_BRANCH_REG;
		d->link = bit(h, 7);
	} else {
		set_data(d, alu[op], rd, rd);
		d->sets_flags = op == 1;
	}
	d->rm = h >> 3 & 15;
	d->uses_pc = d->rm == ARM_PC || d->link || (op < 2 && rd == ARM_PC);
	if (h == 0x46c0) /* mov r8, r8 */
		d->op = ARM_NOP;
}

static void short_transfer_register(struct arm_insn *d, unsigned h)
{
	static const uint8_t size[] = { 4, 2, 1, 1, 4, 2, 1, 2 };
	unsigned op = h >> 9 & 7;

	set_transfer(d, op >= 3, size[op], h & 7, h >> 3 & 7);
	d->sign = op == 3 || op == 7;
	d->rm = h >> 6 & 7;
}

static void short_transfer(struct arm_insn *d, unsigned h)
{
	unsigned size = h >> 12 == 8 ? 2 : bit(h, 12) ? 1 : 4;

	if (h >> 12 == 9) {
		set_transfer(d, bit(h, 11), 4, h >> 8 & 7, ARM_SP);
		set_imm(d, (h & 0xff) * 4);
		return;
	}
	set_transfer(d, bit(h, 11), size, h & 7, h >> 3 & 7);
	set_imm(d, (h >> 6 & 31) * size);
}

static void short_hint(struct arm_insn *d, unsigned h)
{
	if (h & 15) {
		d->op = ARM_IF_THEN;
		d->imm = h & 0xff;
		d->uses_pc = true;
		if ((h & 0xf0) == 0xf0)
			d->op = ARM_INVALID;
	} else {
		d->op = h & 0xf0 ? ARM_PLAIN : ARM_NOP;
	}
}

static void short_miscellaneous(struct arm_insn *d, unsigned h)
{
	static const uint8_t extend[] = { ALU_SXTH, ALU_SXTB, ALU_UXTH, ALU_UXTB };

	switch (h >> 8 & 15) {
	case 0: /* add, sub of the stack pointer */
		set_data(d, bit(h, 7) ? ALU_SUB : ALU_ADD, ARM_SP, ARM_SP);
		set_imm(d, (h & 0x7f) * 4);
		break;
	case 1: case 3: case 9: case 11:
		d->op = ARM_COMPARE_BRANCH;
		d->rn = h & 7;
		d->imm = (h >> 3 & 0x1f) * 2 + (bit(h, 9) ? 64 : 0);
		d->negate = bit(h, 11);
		d->uses_pc = true;
		break;
	case 2:
		set_data(d, extend[h >> 6 & 3], h & 7, 0);
		d->rm = h >> 3 & 7;
		break;
	case 4: case 5: /* push */
		set_block(d, false, ARM_SP, (h & 0xff) | (bit(h, 8) ? 1u << ARM_LR : 0), true);
		d->add = false;
		d->pre = true;
		break;
	case 12: case 13: /* pop */
		set_block(d, true, ARM_SP, (h & 0xff) | (bit(h, 8) ? 1u << ARM_PC : 0), true);
		break;
	case 10: /* rev; not hlt */
		d->op = (h >> 6 & 3) == 2 ? ARM_INVALID : ARM_PLAIN;
		break;
	case 14: /* bkpt */
		d->op = ARM_PLAIN;
		break;
	case 15:
		short_hint(d, h);
		break;
	default: /* setend, cps */
		break;
	}
}

static void short_branch(struct arm_insn *d, unsigned h)
{
	unsigned cond = h >> 8 & 15;

	d->op = ARM_BRANCH;
	d->uses_pc = true;
	if (h >> 11 == 0x1c) {
		d->imm = (uint32_t)sign_extend(h & 0x7ff, 11) * 2;
		return;
	}
	d->imm = (uint32_t)sign_extend(h & 0xff, 8) * 2;
	d->cond = (uint8_t)cond;
	if (cond < ARM_ALWAYS)
		return;
	d->cond = ARM_ALWAYS;
	d->uses_pc = false;
	d->op = cond == 15 ? ARM_SVC : ARM_PLAIN; /* svc, udf */
}

static void begin(struct arm_insn *d, unsigned len)
{
	memset(d, 0, sizeof *d);
	d->len = (uint8_t)len;
	d->cond = ARM_ALWAYS;
	d->thumb = true;
}

void arm_decode_thumb16(unsigned h, struct arm_insn *d)
{
	begin(d, 2);
	switch (h >> 11) {
	case 0 ... 3:
		short_shift_add(d, h);
		break;
	case 4 ... 7:
		short_immediate(d, h);
		break;
	case 8:
		(bit(h, 10) ? short_high : short_registers)(d, h);
		break;
	case 9:
		set_transfer(d, true, 4, h >> 8 & 7, ARM_PC);
		set_imm(d, (h & 0xff) * 4);
		d->uses_pc = true;
		break;
	case 10: case 11:
		short_transfer_register(d, h);
		break;
	case 12 ... 19:
		short_transfer(d, h);
		break;
	case 20: case 21:
		set_data(d, ALU_ADD, h >> 8 & 7, bit(h, 11) ? ARM_SP : ARM_PC);
		set_imm(d, (h & 0xff) * 4);
		d->align = d->uses_pc = !bit(h, 11);
		break;
	case 22: case 23:
		short_miscellaneous(d, h);
		break;
	case 24: case 25:
		set_block(d, bit(h, 11), h >> 8 & 7, h & 0xff,
			  !bit(h, 11) || !bit(h, h >> 8 & 7));
		break;
	case 26 ... 28:
		short_branch(d, h);
		break;
	}
}

/* ---- 32 bits --------------------------------------------------------------- */

/* The operation and its forms without a destination or a first operand.  False:
 * there is none, or it is another kind of instruction. */
static bool long_alu(struct arm_insn *d, unsigned a, unsigned b)
{
	static const uint8_t alu[16] = {
		ALU_AND, ALU_BIC, ALU_ORR, ALU_ORN, ALU_EOR, 0, 0, 0,
		ALU_ADD, 0, ALU_ADC, ALU_SBC, 0, ALU_SUB, ALU_RSB, 0,
	};
	unsigned op = a >> 5 & 15, rd = b >> 8 & 15, rn = a & 15;

	if (op && !alu[op])
		return false;
	set_data(d, alu[op], rd, rn);
	d->sets_flags = bit(a, 4);
	if (rn == ARM_PC && (op == 2 || op == 3)) {
		d->alu = op == 2 ? ALU_MOV : ALU_MVN;
		d->rn = 0;
	}
	if (rd != ARM_PC)
		return d->rn != ARM_PC;
	d->alu = op == 0 ? ALU_TST : op == 4 ? ALU_TEQ : op == 8 ? ALU_CMN : ALU_CMP;
	return d->sets_flags && (op == 0 || op == 4 || op == 8 || op == 13) && rn != ARM_PC;
}

/* ThumbExpandImm: bytes repeated, or one with its top bit set, rotated. */
static void long_immediate(struct arm_insn *d, unsigned a, unsigned b)
{
	unsigned imm12 = (a << 1 & 0x800) | (b >> 4 & 0x700) | (b & 0xff);
	uint32_t byte = imm12 & 0xff;
	unsigned rotate = imm12 >> 7;

	if (!long_alu(d, a, b)) {
		d->op = ARM_INVALID;
		return;
	}
	switch (imm12 >> 8) {
	case 0:
		break;
	case 1:
		byte |= byte << 16;
		break;
	case 2:
		byte = byte << 8 | byte << 24;
		break;
	case 3:
		byte *= 0x01010101u;
		break;
	default:
		byte = (byte & 0x7f) | 0x80;
		byte = byte >> rotate | byte << (32 - rotate);
		d->imm_sets_carry = true;
	}
	set_imm(d, byte);
}

/* add and sub of twelve bits, adr, movw, movt; saturation and bit fields. */
static void long_plain_immediate(struct arm_insn *d, unsigned a, unsigned b)
{
	unsigned op = a >> 4 & 31, rd = b >> 8 & 15, rn = a & 15;
	uint32_t imm = (a << 1 & 0x800) | (b >> 4 & 0x700) | (b & 0xff);

	switch (op) {
	case 0: case 10:
		set_data(d, op ? ALU_SUB : ALU_ADD, rd, rn);
		set_imm(d, imm);
		d->align = d->uses_pc = rn == ARM_PC;
		break;
	case 4: case 12:
		set_data(d, op == 4 ? ALU_MOV : ALU_MOVT, rd, rd);
		set_imm(d, imm | rn << 12);
		break;
	case 20: case 28:
		set_data(d, op == 20 ? ALU_SBFX : ALU_UBFX, rd, 0);
		set_imm(d, (b & 31) + 1);
		d->rm = rn;
		d->amount = (b >> 10 & 0x1c) | (b >> 6 & 3);
		break;
	case 16: case 18: case 22: case 24: case 26:
		d->op = ARM_PLAIN;
		break;
	}
	if (rd == ARM_PC)
		d->op = ARM_INVALID;
}

static void long_shifted(struct arm_insn *d, unsigned a, unsigned b)
{
	if ((a >> 5 & 15) == 6) { /* pkh */
		d->op = ARM_PLAIN;
		return;
	}
	if (!long_alu(d, a, b) || (b & 15) == ARM_PC) {
		d->op = ARM_INVALID;
		return;
	}
	d->rm = b & 15;
	arm_set_shift(d, b >> 4 & 3, (b >> 10 & 0x1c) | (b >> 6 & 3));
}

/* ldrd, strd, exclusive and ordered accesses, table branches. */
static void long_dual(struct arm_insn *d, unsigned a, unsigned b)
{
	unsigned op = b >> 4 & 15;

	d->rn = a & 15;
	if (a & 0x120) {
		d->op = ARM_DUAL;
		d->rd = b >> 12;
		d->rs = b >> 8 & 15;
		d->pre = bit(a, 8);
		d->add = bit(a, 7);
		d->wback = bit(a, 5);
		d->load = bit(a, 4);
		set_imm(d, (b & 0xff) * 4);
		d->uses_pc = d->rn == ARM_PC;
		if (d->rd == ARM_PC || d->rs == ARM_PC || (d->uses_pc && (d->wback || !d->load)) ||
		    (d->wback && (d->rn == d->rd || d->rn == d->rs)))
			d->op = ARM_INVALID;
	} else if (bit(a, 7) && bit(a, 4) && op < 2) {
		d->op = ARM_TABLE;
		d->rm = b & 15;
		d->size = op ? 2 : 1;
		d->uses_pc = true;
	} else if (bit(a, 7) && op >= 8 && op < 11) { /* lda, stl */
		d->op = ARM_PLAIN;
	}
}

static void long_block(struct arm_insn *d, unsigned a, unsigned b)
{
	unsigned order = a >> 7 & 3;

	if (order == 0 || order == 3 || (a & 15) == ARM_PC) /* srs, rfe */
		return;
	set_block(d, bit(a, 4), a & 15, b, bit(a, 5));
	d->add = order == 1;
	d->pre = !d->add;
	/* Of a store the pc, and of both the stack pointer, are unpredictable. */
	if (bit(b, ARM_SP) || (!d->load && bit(b, ARM_PC)))
		d->op = ARM_INVALID;
}

static void long_transfer(struct arm_insn *d, unsigned a, unsigned b)
{
	unsigned size = a >> 5 & 3, rt = b >> 12, rn = a & 15;
	bool is_hint = rt == ARM_PC && size < 2 && bit(a, 4);

	if ((a & 0xff10) == 0xf900) { /* Advanced SIMD */
		d->op = rn == ARM_PC ? ARM_INVALID : ARM_PLAIN;
		return;
	}
	if (size == 3 || (rt == ARM_PC && !bit(a, 4)))
		return;
	set_transfer(d, bit(a, 4), 1u << size, rt, rn);
	d->sign = bit(a, 8);
	if (rn == ARM_PC) {
		d->add = bit(a, 7);
		d->uses_pc = true;
		set_imm(d, b & 0xfff);
		if (!d->load)
			d->op = ARM_INVALID;
	} else if (bit(a, 7)) {
		set_imm(d, b & 0xfff);
	} else if (bit(b, 11)) {
		set_imm(d, b & 0xff);
		d->pre = bit(b, 10);
		d->add = bit(b, 9);
		d->wback = bit(b, 8);
		if (!d->pre && !d->wback)
			d->op = ARM_INVALID;
	} else {
		d->rm = b & 15;
		arm_set_shift(d, ARM_LSL, b >> 4 & 3);
		if (b & 0x7c0 || d->rm == ARM_PC)
			d->op = ARM_INVALID;
	}
	if (d->wback && rn == rt)
		d->op = ARM_INVALID;
	if (is_hint) /* a preload */
		d->op = ARM_NOP;
}

/* Shifts by registers, extensions; parallel arithmetic and more. */
static void long_registers(struct arm_insn *d, unsigned a, unsigned b)
{
	static const uint8_t extend[] = { ALU_SXTH, ALU_UXTH, 0, 0, ALU_SXTB, ALU_UXTB };
	unsigned op = a >> 4 & 15;

	d->op = (b & 0xf000) == 0xf000 ? ARM_PLAIN : ARM_INVALID;
	if ((b & 0xf0f0) == 0xf000 && op < 8) {
		set_data(d, ALU_MOV, b >> 8 & 15, 0);
		d->sets_flags = bit(a, 4);
		d->rm = a & 15;
		d->by_reg = true;
		d->rs = b & 15;
		d->shift = op >> 1;
	} else if ((b & 0xf0f0) == 0xf080 && (op < 2 || op == 4 || op == 5) && (a & 15) == ARM_PC) {
		set_data(d, extend[op], b >> 8 & 15, 0);
		d->rm = b & 15;
	} else if ((b & 0xf0f0) == 0xf080 && op == 11) { /* clz */
		set_data(d, ALU_CLZ, b >> 8 & 15, 0);
		d->rm = b & 15;
	}
	if (d->op == ARM_DATA && (d->rd == ARM_PC || d->rm == ARM_PC || (d->by_reg && d->rs == ARM_PC)))
		d->op = ARM_INVALID;
}

static void long_multiply(struct arm_insn *d, unsigned a, unsigned b)
{
	static const uint8_t longs[] = { [0] = MUL_SLONG, [2] = MUL_ULONG,
					 [4] = MUL_SLONG_ADD, [6] = MUL_ULONG_ADD };
	unsigned op = a >> 4 & 15, high = b >> 8 & 15, low = b >> 12;

	d->op = ARM_PLAIN;
	if (op == 0 && !(b & 0xe0)) {
		d->op = ARM_MULTIPLY;
		d->alu = low == ARM_PC ? MUL_PLAIN : bit(b, 4) ? MUL_SUB : MUL_ADD;
		d->rd = (uint8_t)high;
		d->rs = (uint8_t)low;
	} else if (op >= 8 && op < 16 && !(b & 0xf0) && longs[op & 6]) {
		if (bit(op, 0)) /* of a division the fields differ */
			return;
		d->op = ARM_MULTIPLY;
		d->alu = longs[op & 7];
		d->rd = (uint8_t)low;
		d->rs = (uint8_t)high;
	}
	d->rn = a & 15;
	d->rm = b & 15;
	if (d->op == ARM_MULTIPLY && (high == ARM_PC || d->rn == ARM_PC || d->rm == ARM_PC ||
				      (d->alu >= MUL_ULONG && low == ARM_PC)))
		d->op = ARM_INVALID;
}

static void long_branch(struct arm_insn *d, unsigned a, unsigned b)
{
	uint32_t s = bit(a, 10), j1 = bit(b, 13), j2 = bit(b, 11);

	d->op = ARM_BRANCH;
	d->uses_pc = true;
	if (!bit(b, 12) && !bit(b, 14)) {
		d->cond = a >> 6 & 15;
		d->imm = (uint32_t)sign_extend(s << 20 | j2 << 19 | j1 << 18 | (a & 0x3f) << 12 |
						       (b & 0x7ff) << 1, 21);
		return;
	}
	d->imm = (uint32_t)sign_extend(s << 24 | (j1 ^ s ^ 1) << 23 | (j2 ^ s ^ 1) << 22 |
					       (a & 0x3ff) << 12 | (b & 0x7ff) << 1, 25);
	d->link = bit(b, 14);
	d->exchange = d->link && !bit(b, 12);
	if (d->exchange && bit(b, 0))
		d->op = ARM_INVALID;
}

/* What looks like a branch on the conditions 14 and 15. */
static void long_control(struct arm_insn *d, unsigned a, unsigned b)
{
	switch (a >> 4 & 0x7f) {
	case 0x38: case 0x39: case 0x3b: case 0x3e: case 0x3f: /* msr, barriers, mrs */
		d->op = ARM_PLAIN;
		break;
	case 0x3a: /* hints; not cps */
		if (!(b & 0x700))
			d->op = b & 0xff ? ARM_PLAIN : ARM_NOP;
		break;
	case 0x7f: /* udf; not smc, hvc */
		d->op = (b & 0xf000) == 0xa000 ? ARM_PLAIN : ARM_INVALID;
		break;
	}
}

static void long_coprocessor(struct arm_insn *d, unsigned a, unsigned b)
{
	uint32_t w = (uint32_t)a << 16 | b;

	d->op = ARM_PLAIN;
	if ((a & 0xfe00) == 0xec00)
		arm_decode_coprocessor(d, w);
}

void arm_decode_thumb32(unsigned a, unsigned b, struct arm_insn *d)
{
	begin(d, 4);
	switch (a >> 9 & 15) {
	case 4: /* e8, e9 */
		(bit(a, 6) ? long_dual : long_block)(d, a, b);
		break;
	case 5: /* ea, eb */
		long_shifted(d, a, b);
		break;
	case 8 ... 11: /* f0 to f7 */
		if (!bit(b, 15))
			(bit(a, 9) ? long_plain_immediate : long_immediate)(d, a, b);
		else if (bit(b, 12) || bit(b, 14) || (a >> 6 & 14) != 14)
			long_branch(d, a, b);
		else
			long_control(d, a, b);
		break;
	case 12: /* f8, f9 */
		long_transfer(d, a, b);
		break;
	case 13: /* fa, fb */
		(bit(a, 8) ? long_multiply : long_registers)(d, a, b);
		break;
	default: /* ec to ef, fc to ff */
		long_coprocessor(d, a, b);
	}
}
