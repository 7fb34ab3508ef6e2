/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a Thumb-2 instruction does to a frame.  Only what moves addresses of the
 * stack, or leads somewhere, is understood; of the rest it matters which
 * register is written.  Encodings: ARM Architecture Reference Manual, ARMv7-A
 * edition, chapter A6. */
#include "arch/arm/unwind.h"

static void lost(struct frame_state *s, unsigned reg)
{
	if (reg < 15)
		frame_set(s, reg, ANYTHING, 0);
}

/* A jump through a register: a call, where lr was set before. */
static enum flow through_register(const struct frame_state *s)
{
	return s->lr_is_next ? FLOW_CALL : FLOW_AWAY;
}

static enum flow pop(struct frame_state *s, unsigned set)
{
	unsigned n = (unsigned)__builtin_popcount(set);

	frame_load(s, set, UNWIND_SP, 0);
	if (!(set >> UNWIND_SP & 1))
		frame_add(s, UNWIND_SP, UNWIND_SP, 4 * n);
	return set >> UNWIND_PC & 1 ? FLOW_END : FLOW_NEXT;
}

static enum flow push(struct frame_state *s, unsigned set)
{
	frame_add(s, UNWIND_SP, UNWIND_SP, -4 * __builtin_popcount(set));
	frame_store(s, set, UNWIND_SP, 0);
	return FLOW_NEXT;
}

static void load_literal(const struct abi_code *c, taddr_t at, struct frame_state *s, unsigned rt)
{
	uint32_t v;

	if (code_u32(c, at, &v))
		frame_set(s, rt, CONSTANT, (int32_t)v);
	else
		lost(s, rt);
}

/* -- 16 bits ------------------------------------------------------------------ */

static void shift_add(struct frame_state *s, unsigned h)
{
	unsigned rd = bits(h, 2, 0), rn = bits(h, 5, 3), rm = bits(h, 8, 6);

	switch (bits(h, 12, 9)) {
	case 0xc: frame_add_reg(s, rd, rn, rm, false); break;
	case 0xd: frame_add_reg(s, rd, rn, rm, true); break;
	case 0xe: frame_add(s, rd, rn, rm); break;
	case 0xf: frame_add(s, rd, rn, -(int64_t)rm); break;
	default:
		if (bits(h, 12, 6) == 0)
			frame_move(s, rd, rn);
		else
			lost(s, rd);
	}
}

static void immediate(struct frame_state *s, unsigned h)
{
	unsigned rd = bits(h, 10, 8);

	switch (bits(h, 12, 11)) {
	case 0: frame_set(s, rd, CONSTANT, h & 0xff); break;
	case 1: break; /* cmp */
	case 2: frame_add(s, rd, rd, h & 0xff); break;
	case 3: frame_add(s, rd, rd, -(int64_t)(h & 0xff)); break;
	}
}

/* 4400 … 47ff: registers above r7 too */
static enum flow special(struct frame_state *s, unsigned h)
{
	unsigned rd = bits(h, 2, 0) | (h >> 4 & 8), rm = bits(h, 6, 3);

	switch (bits(h, 9, 8)) {
	case 0:
		if (rd == UNWIND_PC)
			return FLOW_AWAY;
		frame_add_reg(s, rd, rd, rm, false);
		return FLOW_NEXT;
	case 1: /* cmp */
		return FLOW_NEXT;
	case 2:
		if (rd == UNWIND_PC)
			return through_register(s);
		frame_move(s, rd, rm);
		return FLOW_NEXT;
	default:
		return h & 0x80 ? FLOW_CALL : through_register(s);
	}
}

static enum flow data_processing(const struct abi_code *c, taddr_t at, struct frame_state *s,
				 unsigned h)
{
	unsigned op = bits(h, 9, 6);

	if (h & 0x800)
		load_literal(c, (at & ~(taddr_t)3) + 4 + 4 * (h & 0xff), s, bits(h, 10, 8));
	else if (h & 0x400)
		return special(s, h);
	else if (op != 8 && op != 10 && op != 11) /* tst, cmp, cmn */
		lost(s, bits(h, 2, 0));
	return FLOW_NEXT;
}

/* 5000 … 9fff */
static void load_store(struct frame_state *s, unsigned h)
{
	unsigned rt = bits(h, 2, 0), rn = bits(h, 5, 3);
	int32_t off = 4 * (int32_t)bits(h, 10, 6);
	bool load = h & 0x800;

	if (h >> 12 == 9) {
		rt = bits(h, 10, 8);
		rn = UNWIND_SP;
		off = 4 * (int32_t)(h & 0xff);
	} else if (h >> 12 == 5) {
		if (bits(h, 11, 9) >= 3)
			lost(s, rt);
		return;
	} else if (h >> 12 != 6) {
		if (load)
			lost(s, rt);
		return;
	}
	if (load)
		frame_load(s, 1u << rt, rn, off);
	else
		frame_store(s, 1u << rt, rn, off);
}

/* b000 … bfff */
static enum flow miscellaneous(taddr_t at, struct frame_state *s, unsigned h, struct insn *out)
{
	int32_t imm = 4 * (int32_t)(h & 0x7f);

	switch (bits(h, 11, 8)) {
	case 0x0:
		frame_add(s, UNWIND_SP, UNWIND_SP, h & 0x80 ? -imm : imm);
		return FLOW_NEXT;
	case 0x1: case 0x3: case 0x9: case 0xb: /* cbz, cbnz */
		out->to = at + 4 + (bits(h, 9, 9) << 6 | bits(h, 7, 3) << 1);
		return FLOW_BRANCH;
	case 0x2: case 0xa: /* extend, reverse */
		lost(s, bits(h, 2, 0));
		return FLOW_NEXT;
	case 0x4: case 0x5:
		return push(s, (h & 0xff) | (h & 0x100) << 6);
	case 0xc: case 0xd:
		return pop(s, (h & 0xff) | (h & 0x100) << 7);
	case 0xf:
		if (h & 15) /* it: as many as the mask's last 1 is from its end */
			s->conditional = (uint8_t)(4 - __builtin_ctz(h & 15));
		return FLOW_NEXT;
	default:
		return FLOW_NEXT;
	}
}

static void multiple(struct frame_state *s, unsigned h)
{
	unsigned rn = bits(h, 10, 8), set = h & 0xff;
	int n = __builtin_popcount(set);

	if (h & 0x800)
		frame_load(s, set, rn, 0);
	else
		frame_store(s, set, rn, 0);
	if (!(h & 0x800) || !(set >> rn & 1))
		frame_add(s, rn, rn, 4 * n);
}

static enum flow narrow(const struct abi_code *c, taddr_t at, struct frame_state *s, unsigned h,
			struct insn *out)
{
	switch (h >> 12) {
	case 0: case 1:
		shift_add(s, h);
		return FLOW_NEXT;
	case 2: case 3:
		immediate(s, h);
		return FLOW_NEXT;
	case 4:
		return data_processing(c, at, s, h);
	case 5: case 6: case 7: case 8: case 9:
		load_store(s, h);
		return FLOW_NEXT;
	case 0xa:
		if (h & 0x800)
			frame_add(s, bits(h, 10, 8), UNWIND_SP, 4 * (h & 0xff));
		else
			lost(s, bits(h, 10, 8));
		return FLOW_NEXT;
	case 0xb:
		return miscellaneous(at, s, h, out);
	case 0xc:
		multiple(s, h);
		return FLOW_NEXT;
	case 0xd:
		if (bits(h, 11, 8) == 14) /* udf */
			return FLOW_END;
		if (bits(h, 11, 8) == 15) {
			frame_syscall(s);
			return FLOW_NEXT;
		}
		out->to = at + 4 + (taddr_t)(int64_t)(sign_extend(h & 0xff, 8) * 2);
		return FLOW_BRANCH;
	default: /* e */
		out->to = at + 4 + (taddr_t)(int64_t)(sign_extend(h & 0x7ff, 11) * 2);
		return FLOW_JUMP;
	}
}

/* -- 32 bits ------------------------------------------------------------------ */

/* The constant of a "modified immediate" (section A6.3.2). */
static uint32_t expand(unsigned h1, unsigned h2)
{
	uint32_t imm = bits(h1, 10, 10) << 11 | bits(h2, 14, 12) << 8 | (h2 & 0xff), b = imm & 0xff;
	unsigned by = imm >> 7;

	switch (imm >> 8) {
	case 0: return b;
	case 1: return b | b << 16;
	case 2: return b << 8 | b << 24;
	case 3: return b * 0x01010101u;
	}
	b |= 0x80;
	return b >> by | b << (32 - by);
}

static enum flow wide_multiple(struct frame_state *s, unsigned h1, unsigned set)
{
	unsigned rn = bits(h1, 3, 0);
	int32_t bytes = 4 * __builtin_popcount(set);
	bool before = bits(h1, 8, 8), load = bits(h1, 4, 4), back = bits(h1, 5, 5);

	if (load)
		frame_load(s, set, rn, before ? -bytes : 0);
	if (back && !(load && set >> rn & 1))
		frame_add(s, rn, rn, before ? -bytes : bytes);
	if (!load)
		frame_store(s, set, rn, before == back ? 0 : -bytes);
	return load && set >> UNWIND_PC & 1 ? FLOW_END : FLOW_NEXT;
}

/* ldrd, strd, exclusive ones, tbb, tbh */
static enum flow dual(taddr_t at, struct frame_state *s, unsigned h1, unsigned h2,
		      struct insn *out)
{
	unsigned rn = bits(h1, 3, 0), rt = bits(h2, 15, 12), rt2 = bits(h2, 11, 8);
	int32_t imm = 4 * (int32_t)(h2 & 0xff), off = bits(h1, 7, 7) ? imm : -imm;
	bool before = bits(h1, 8, 8), back = bits(h1, 5, 5), load = bits(h1, 4, 4);

	if ((h1 & 0xfff0) == 0xe8d0 && (h2 & 0xffe0) == 0xf000) {
		out->table = at + 4;
		out->kind = h2 & 0x10 ? TABLE_HALFWORDS : TABLE_BYTES;
		return rn == UNWIND_PC ? FLOW_TABLE : FLOW_AWAY;
	}
	if (!before && !back) {
		lost(s, rt);
		lost(s, load ? rt2 : h2 & 15);
		return FLOW_NEXT;
	}
	if (load) {
		frame_load(s, 1u << rt, rn, before ? off : 0);
		frame_load(s, 1u << rt2, rn, before ? off + 4 : 4);
	}
	if (back)
		frame_add(s, rn, rn, off);
	if (!load) {
		off = before ? (back ? 0 : off) : -off;
		frame_store(s, 1u << rt, rn, off);
		frame_store(s, 1u << rt2, rn, off + 4);
	}
	return FLOW_NEXT;
}

static void shifted_register(struct frame_state *s, unsigned h1, unsigned h2)
{
	unsigned rd = bits(h2, 11, 8), rn = bits(h1, 3, 0), rm = h2 & 15, op = bits(h1, 8, 5);
	bool plain = !(h2 & 0x70f0);

	if (rd == UNWIND_PC)
		return; /* a comparison */
	if (op == 2 && rn == UNWIND_PC && plain)
		frame_move(s, rd, rm);
	else if ((op == 8 || op == 13) && plain)
		frame_add_reg(s, rd, rn, rm, op == 13);
	else
		lost(s, rd);
}

static void modified_immediate(struct frame_state *s, unsigned h1, unsigned h2)
{
	unsigned rd = bits(h2, 11, 8), rn = bits(h1, 3, 0), op = bits(h1, 8, 5);
	int32_t imm = (int32_t)expand(h1, h2);

	if (rd == UNWIND_PC)
		return;
	if ((op == 2 || op == 3) && rn == UNWIND_PC)
		frame_set(s, rd, CONSTANT, op == 3 ? ~imm : imm);
	else if (op == 8 || op == 13)
		frame_add(s, rd, rn, op == 13 ? -(int64_t)imm : imm);
	else
		lost(s, rd);
}

static void plain_immediate(struct frame_state *s, unsigned h1, unsigned h2)
{
	unsigned rd = bits(h2, 11, 8), rn = bits(h1, 3, 0);
	uint32_t imm = bits(h1, 10, 10) << 11 | bits(h2, 14, 12) << 8 | (h2 & 0xff);

	if (rd == UNWIND_PC)
		return;
	switch (bits(h1, 8, 4)) {
	case 0x00: frame_add(s, rd, rn, imm); break;
	case 0x0a: frame_add(s, rd, rn, -(int64_t)imm); break;
	case 0x04: frame_set(s, rd, CONSTANT, rn << 12 | imm); break;
	case 0x0c:
		if (s->reg[rd].what == CONSTANT)
			s->reg[rd].v = (int32_t)((uint32_t)(s->reg[rd].v & 0xffff) |
						 (rn << 12 | imm) << 16);
		break;
	default:   lost(s, rd); break;
	}
}

static taddr_t branch_target(taddr_t at, unsigned h1, unsigned h2, bool far)
{
	unsigned sign = bits(h1, 10, 10), j1 = bits(h2, 13, 13), j2 = bits(h2, 11, 11);
	uint32_t v;

	if (!far) {
		v = sign << 19 | j2 << 18 | j1 << 17 | bits(h1, 5, 0) << 11 | bits(h2, 10, 0);
		return at + 4 + (taddr_t)(int64_t)(sign_extend(v, 20) * 2);
	}
	v = sign << 23 | (j1 == sign) << 22 | (j2 == sign) << 21 | bits(h1, 9, 0) << 11 |
	    bits(h2, 10, 0);
	return at + 4 + (taddr_t)(int64_t)(sign_extend(v, 24) * 2);
}

static enum flow wide_branch(taddr_t at, unsigned h1, unsigned h2, struct insn *out)
{
	if (h2 & 0x4000)
		return FLOW_CALL;
	out->to = branch_target(at, h1, h2, h2 & 0x1000);
	if (h2 & 0x1000)
		return FLOW_JUMP;
	if (bits(h1, 9, 6) < 14)
		return FLOW_BRANCH;
	/* subs pc, lr, #n and udf.w; the rest goes on */
	return (h1 & 0xfff0) == 0xf3d0 || ((h1 & 0xfff0) == 0xf7f0 && h2 >> 12 == 0xa) ? FLOW_END
											: FLOW_NEXT;
}

struct access {
	unsigned rt, rn;
	int32_t off;
	bool load, word, before, back;
};

static enum flow one_access(struct frame_state *s, const struct access *a)
{
	if (a->load && a->rt == UNWIND_PC && !a->word)
		return FLOW_NEXT; /* pld */
	if (a->load && a->rt == UNWIND_PC)
		return a->rn == UNWIND_SP ? FLOW_END : through_register(s);
	if (a->load && a->word)
		frame_load(s, 1u << a->rt, a->rn, a->before ? a->off : 0);
	else if (a->load)
		lost(s, a->rt);
	if (a->back)
		frame_add(s, a->rn, a->rn, a->off);
	if (a->word && !a->load)
		frame_store(s, 1u << a->rt, a->rn, a->before ? (a->back ? 0 : a->off) : -a->off);
	return FLOW_NEXT;
}

static enum flow single(const struct abi_code *c, taddr_t at, struct frame_state *s, unsigned h1,
			unsigned h2)
{
	struct access a = { .rt = bits(h2, 15, 12), .rn = bits(h1, 3, 0), .before = true };

	a.load = bits(h1, 4, 4);
	a.word = bits(h1, 8, 8) == 0 && bits(h1, 6, 5) == 2;
	if ((h1 & 0xff10) == 0xf900) { /* vector loads and stores */
		if ((h2 & 15) != 15)
			lost(s, a.rn);
		return FLOW_NEXT;
	}
	if (a.rn == UNWIND_PC) {
		a.off = (int32_t)bits(h2, 11, 0) * (bits(h1, 7, 7) ? 1 : -1);
		if (!a.word || a.rt == UNWIND_PC)
			return one_access(s, &a);
		load_literal(c, (at & ~(taddr_t)3) + 4 + (taddr_t)(int64_t)a.off, s, a.rt);
		return FLOW_NEXT;
	}
	if (bits(h1, 7, 7)) {
		a.off = (int32_t)bits(h2, 11, 0);
	} else if (bits(h2, 11, 11)) {
		a.off = (int32_t)(h2 & 0xff) * (bits(h2, 9, 9) ? 1 : -1);
		a.before = bits(h2, 10, 10);
		a.back = bits(h2, 8, 8);
	} else { /* a register is added */
		if (a.load && a.rt == UNWIND_PC && a.word)
			return FLOW_AWAY;
		if (a.load)
			lost(s, a.rt);
		return FLOW_NEXT;
	}
	return one_access(s, &a);
}

/* ec00 …: vpush and vpop move the stack pointer. */
static void coprocessor(struct frame_state *s, unsigned h1, unsigned h2)
{
	int32_t bytes = 4 * (int32_t)(h2 & 0xff);

	if ((h1 & 0xffbf) == 0xed2d && bits(h2, 11, 9) == 5)
		frame_add(s, UNWIND_SP, UNWIND_SP, -bytes);
	else if ((h1 & 0xffbf) == 0xecbd && bits(h2, 11, 9) == 5)
		frame_add(s, UNWIND_SP, UNWIND_SP, bytes);
	else if ((h1 & 0xef10) == 0xee10) /* mrc, vmov */
		lost(s, bits(h2, 15, 12));
	else if ((h1 & 0xeff0) == 0xec50) { /* two of them */
		lost(s, bits(h2, 15, 12));
		lost(s, bits(h1, 3, 0));
	} else if ((h1 & 0xee00) == 0xec00 && bits(h1, 5, 5)) {
		lost(s, bits(h1, 3, 0));
	}
}

static enum flow wide(const struct abi_code *c, taddr_t at, struct frame_state *s, unsigned h1,
		      unsigned h2, struct insn *out)
{
	switch (bits(h1, 15, 9)) {
	case 0x74: /* e800 */
		return bits(h1, 6, 6) ? dual(at, s, h1, h2, out) : wide_multiple(s, h1, h2);
	case 0x75: /* ea00 */
		shifted_register(s, h1, h2);
		return FLOW_NEXT;
	case 0x76: case 0x77: case 0x7e: case 0x7f:
		coprocessor(s, h1, h2);
		return FLOW_NEXT;
	case 0x78: case 0x79: case 0x7a: case 0x7b: /* f000 … f7ff */
		if (h2 & 0x8000)
			return wide_branch(at, h1, h2, out);
		if (bits(h1, 9, 9))
			plain_immediate(s, h1, h2);
		else
			modified_immediate(s, h1, h2);
		return FLOW_NEXT;
	case 0x7c: /* f800, f900 */
		return single(c, at, s, h1, h2);
	default: /* fa00, fb00 */
		lost(s, bits(h2, 11, 8));
		if ((h1 & 0xff80) == 0xfb80)
			lost(s, bits(h2, 15, 12));
		return FLOW_NEXT;
	}
}

bool prologue_thumb_step(const struct abi_code *c, taddr_t at, struct frame_state *s, struct insn *out)
{
	uint32_t h1, h2 = 0;

	*out = (struct insn){ .len = 2 };
	if (!code_u16(c, at, &h1))
		return false;
	if (h1 >= 0xe800) {
		out->len = 4;
		if (!code_u16(c, at + 2, &h2))
			return false;
	}
	out->conditional = s->conditional > 0;
	s->conditional -= out->conditional;
	out->flow = out->len == 4 ? wide(c, at, s, h1, h2, out) : narrow(c, at, s, h1, out);
	return true;
}
