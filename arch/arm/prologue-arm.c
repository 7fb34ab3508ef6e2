/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The same for ARM instructions.  Encodings: ARM Architecture Reference Manual,
 * ARMv7-A edition, chapter A5. */
#include "arch/arm/unwind.h"

static void lost(struct frame_state *s, unsigned reg)
{
	if (reg < 15)
		frame_set(s, reg, ANYTHING, 0);
}

static enum flow through_register(const struct frame_state *s)
{
	return s->lr_is_next ? FLOW_CALL : FLOW_AWAY;
}

static uint32_t rotated(uint32_t w)
{
	unsigned by = 2 * bits(w, 11, 8);
	uint32_t imm = w & 0xff;

	return by ? imm >> by | imm << (32 - by) : imm;
}

/* Opcodes of data-processing instructions. */
enum { OP_SUB = 2, OP_ADD = 4, OP_TST = 8, OP_CMN = 11, OP_MOV = 13, OP_MVN = 15 };

static enum flow register_operand(taddr_t at, struct frame_state *s, uint32_t w, struct insn *out)
{
	unsigned op = bits(w, 24, 21), rn = bits(w, 19, 16), rd = bits(w, 15, 12), rm = w & 15;
	bool plain = !(w & 0xff0);

	if (op >= OP_TST && op <= OP_CMN)
		return FLOW_NEXT;
	if (rd == UNWIND_PC && op == OP_ADD && rn == UNWIND_PC && (w & 0xff0) == 0x100) {
		out->table = at + 8; /* add pc, pc, rm, lsl #2 */
		out->kind = TABLE_BRANCHES;
		return FLOW_TABLE;
	}
	if (rd == UNWIND_PC)
		return through_register(s);
	if (op == OP_MOV && plain)
		frame_move(s, rd, rm);
	else if ((op == OP_ADD || op == OP_SUB) && plain)
		frame_add_reg(s, rd, rn, rm, op == OP_SUB);
	else
		lost(s, rd);
	return FLOW_NEXT;
}

static enum flow immediate_operand(struct frame_state *s, uint32_t w)
{
	unsigned op = bits(w, 24, 21), rn = bits(w, 19, 16), rd = bits(w, 15, 12);
	uint32_t imm = rotated(w), imm16 = rn << 12 | (w & 0xfff);

	switch (bits(w, 27, 20)) {
	case 0x30: /* movw */
		frame_set(s, rd, CONSTANT, (int32_t)imm16);
		return FLOW_NEXT;
	case 0x34: /* movt */
		s->reg[rd].v = (int32_t)((uint32_t)(s->reg[rd].v & 0xffff) | imm16 << 16);
		return FLOW_NEXT;
	}
	if (op >= OP_TST && op <= OP_CMN)
		return FLOW_NEXT;
	if (rd == UNWIND_PC)
		return FLOW_AWAY;
	if (op == OP_MOV || op == OP_MVN)
		frame_set(s, rd, CONSTANT, (int32_t)(op == OP_MOV ? imm : ~imm));
	else if (op == OP_ADD || op == OP_SUB)
		frame_add(s, rd, rn, op == OP_SUB ? -(int64_t)imm : imm);
	else
		lost(s, rd);
	return FLOW_NEXT;
}

struct access {
	unsigned set, rn;
	int32_t off;
	bool load, kept; /* kept: whole words, whose places are remembered */
	bool before, back;
};

static void one_access(struct frame_state *s, const struct access *a)
{
	if (a->load && a->kept)
		frame_load(s, a->set, a->rn, a->before ? a->off : 0);
	else if (a->load)
		lost(s, (unsigned)__builtin_ctz(a->set));
	/* Before a store: what is stored lies at or above the stack pointer. */
	if (a->back)
		frame_add(s, a->rn, a->rn, a->off);
	if (a->kept && !a->load)
		frame_store(s, a->set, a->rn, a->before ? (a->back ? 0 : a->off) : -a->off);
}

static struct access access_of(uint32_t w, int32_t off, bool kept)
{
	return (struct access){
		.set = 1u << bits(w, 15, 12), .rn = bits(w, 19, 16), .off = w >> 23 & 1 ? off : -off,
		.load = w >> 20 & 1, .kept = kept, .before = w >> 24 & 1,
		/* without P the base always changes */
		.back = w >> 21 & 1 || !(w >> 24 & 1) };
}

/* Halfwords, signed bytes, ldrd and strd. */
static void extra_access(struct frame_state *s, uint32_t w)
{
	unsigned kind = bits(w, 6, 5);
	bool pair = !(w >> 20 & 1) && kind >= 2;
	struct access a = access_of(w, (int32_t)((w >> 4 & 0xf0) | (w & 15)), pair);

	if (pair) {
		a.load = kind == 2;
		a.set = 3u << bits(w, 15, 12);
	}
	if (!(w >> 22 & 1)) { /* a register is added */
		a.kept = a.back = false;
		if (pair && a.load)
			lost(s, bits(w, 15, 12) + 1);
	}
	one_access(s, &a);
}

/* 000x: registers, multiplications, and what found no other place */
static enum flow group_0(taddr_t at, struct frame_state *s, uint32_t w, struct insn *out)
{
	if ((w & 0x0fffffd0) == 0x012fff10) /* bx, blx */
		return w & 0x20 ? FLOW_CALL : through_register(s);
	if ((w & 0x90) == 0x90) {
		if (w & 0x60) {
			extra_access(s, w);
			return FLOW_NEXT;
		}
		lost(s, bits(w, 15, 12)); /* mul, swp, ldrex */
		if (!(w >> 24 & 1))
			lost(s, bits(w, 19, 16));
		return FLOW_NEXT;
	}
	if ((w & 0x01900000) == 0x01000000) { /* mrs, msr, clz, bkpt */
		lost(s, bits(w, 15, 12));
		return FLOW_NEXT;
	}
	return register_operand(at, s, w, out);
}

static enum flow load_store(const struct abi_code *c, taddr_t at, struct frame_state *s, uint32_t w)
{
	struct access a = access_of(w, (int32_t)(w & 0xfff), !(w >> 22 & 1));
	unsigned rt = bits(w, 15, 12);
	uint32_t v;

	if (a.load && rt == UNWIND_PC)
		return a.rn == UNWIND_SP ? FLOW_END : through_register(s);
	if (a.load && a.kept && a.rn == UNWIND_PC) {
		if (code_u32(c, at + 8 + (taddr_t)(int64_t)a.off, &v))
			frame_set(s, rt, CONSTANT, (int32_t)v);
		else
			lost(s, rt);
		return FLOW_NEXT;
	}
	one_access(s, &a);
	return FLOW_NEXT;
}

/* 011x: a register is added; media instructions */
static enum flow group_3(taddr_t at, struct frame_state *s, uint32_t w, struct insn *out)
{
	unsigned rt = bits(w, 15, 12), rn = bits(w, 19, 16);

	if (w & 0x10) {
		lost(s, rt);
		if ((w & 0x0f000000) == 0x07000000)
			lost(s, rn);
		return FLOW_NEXT;
	}
	if (!(w >> 20 & 1))
		return FLOW_NEXT;
	if (rt != UNWIND_PC) {
		lost(s, rt);
		return FLOW_NEXT;
	}
	out->table = at + 8;
	out->kind = TABLE_WORDS;
	return rn == UNWIND_PC ? FLOW_TABLE : through_register(s);
}

static enum flow multiple(struct frame_state *s, uint32_t w)
{
	unsigned set = w & 0xffff, rn = bits(w, 19, 16);
	int32_t bytes = 4 * __builtin_popcount(set), low;
	bool before = w >> 24 & 1, up = w >> 23 & 1, back = w >> 21 & 1, load = w >> 20 & 1;

	low = up ? (before ? 4 : 0) : (before ? -bytes : 4 - bytes);
	if (load)
		frame_load(s, set, rn, low);
	if (back && !(load && set >> rn & 1)) {
		frame_add(s, rn, rn, up ? bytes : -bytes);
		low -= up ? bytes : -bytes;
	}
	if (!load)
		frame_store(s, set, rn, low);
	return load && set >> UNWIND_PC & 1 ? FLOW_END : FLOW_NEXT;
}

static void coprocessor(struct frame_state *s, uint32_t w)
{
	int32_t bytes = 4 * (int32_t)(w & 0xff);
	bool vfp = bits(w, 11, 9) == 5;

	if ((w & 0x0fbf0000) == 0x0d2d0000 && vfp) /* vpush */
		frame_add(s, UNWIND_SP, UNWIND_SP, -bytes);
	else if ((w & 0x0fbf0000) == 0x0cbd0000 && vfp)
		frame_add(s, UNWIND_SP, UNWIND_SP, bytes);
	else if ((w & 0x0f100010) == 0x0e100010) /* mrc, vmov */
		lost(s, bits(w, 15, 12));
	else if ((w & 0x0ff00000) == 0x0c500000) {
		lost(s, bits(w, 15, 12));
		lost(s, bits(w, 19, 16));
	} else if ((w & 0x0e200000) == 0x0c200000) {
		lost(s, bits(w, 19, 16));
	}
}

static enum flow unconditional(struct frame_state *s, uint32_t w)
{
	if (bits(w, 27, 25) == 5) /* blx */
		return FLOW_CALL;
	if ((w & 0x0f100000) == 0x04000000 && (w & 15) != 15) /* vector loads and stores */
		lost(s, bits(w, 19, 16));
	return FLOW_NEXT;
}

static enum flow decode(const struct abi_code *c, taddr_t at, struct frame_state *s, uint32_t w,
			struct insn *out)
{
	switch (bits(w, 27, 25)) {
	case 0:
		return group_0(at, s, w, out);
	case 1:
		return immediate_operand(s, w);
	case 2:
		return load_store(c, at, s, w);
	case 3:
		return (w & 0x0ff000f0) == 0x07f000f0 ? FLOW_END : group_3(at, s, w, out);
	case 4:
		return multiple(s, w);
	case 5:
		out->to = at + 8 + (taddr_t)(int64_t)(sign_extend(w & 0xffffff, 24) * 4);
		return w >> 24 & 1 ? FLOW_CALL : FLOW_JUMP;
	default:
		if (bits(w, 27, 24) == 15)
			frame_syscall(s);
		else
			coprocessor(s, w);
		return FLOW_NEXT;
	}
}

bool prologue_arm_step(const struct abi_code *c, taddr_t at, struct frame_state *s, struct insn *out)
{
	uint32_t w;

	*out = (struct insn){ .len = 4 };
	if (!code_u32(c, at, &w))
		return false;
	if (w >> 28 == 15) {
		out->flow = unconditional(s, w);
		return true;
	}
	out->conditional = w >> 28 != 14;
	out->flow = decode(c, at, s, w, out);
	return true;
}
