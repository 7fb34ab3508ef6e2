/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Displaced execution on ARM: what has nothing to do with the pc is copied, and a
 * load of the pc leads back from any distance.  All that reads the pc is emulated
 * (emulate.c): exactly, in one step, and with no slot at all. */
#include <errno.h>
#include <string.h>
#include "arm.h"

struct work {
	taddr_t code;
	const struct arm_insn *d;
	const uint8_t *bytes;
	struct displaced *out;
};

static void emit16(struct work *w, unsigned v)
{
	w->out->code[w->out->code_len++] = (uint8_t)v;
	w->out->code[w->out->code_len++] = (uint8_t)(v >> 8);
}

static void emit32(struct work *w, uint32_t v)
{
	emit16(w, v & 0xffff);
	emit16(w, v >> 16);
}

static taddr_t next_insn(const struct work *w)
{
	return (uint32_t)(w->code + w->d->len);
}

/* ldr pc with the word behind it, which in Thumb code begins at a multiple of
 * four. */
static void emit_return(struct work *w)
{
	if (w->out->code_len & 2) {
		displaced_mark(w->out, AT_NEXT, next_insn(w));
		emit16(w, 0xbf00); /* nop */
	}
	displaced_mark(w->out, AT_NEXT, next_insn(w));
	if (w->d->thumb) {
		emit16(w, 0xf8df); /* ldr.w pc, [pc] */
		emit16(w, 0xf000);
	} else {
		emit32(w, 0xe51ff004); /* ldr pc, [pc, #-4] */
	}
	emit32(w, (uint32_t)next_insn(w));
}

static int displace_copy(struct work *w)
{
	displaced_mark(w->out, AT_ORIGINAL, w->code);
	memcpy(w->out->code, w->bytes, w->d->len);
	w->out->code_len = w->d->len;
	emit_return(w);
	return 0;
}

static void begin_popped(struct work *w, taddr_t to)
{
	displaced_mark(w->out, AT_POP, to);
	w->out->fix[w->out->nfix - 1].value = ARM_R0;
}

/* push {r0}; ldr r0, =literal; vldr …, [r0]; pop {r0}; what vldr loads is not
 * among the registers that could be emulated. */
static int displace_vldr_arm(struct work *w)
{
	uint32_t insn = (uint32_t)w->bytes[0] | (uint32_t)w->bytes[1] << 8 |
			(uint32_t)w->bytes[2] << 16 | (uint32_t)w->bytes[3] << 24;

	displaced_mark(w->out, AT_ORIGINAL, w->code);
	emit32(w, 0xe52d0004);
	begin_popped(w, w->code);
	emit32(w, 0xe59f000c);
	begin_popped(w, w->code);
	emit32(w, (insn & 0xfff0ff00) | 1u << 23);
	begin_popped(w, next_insn(w));
	emit32(w, 0xe49d0004);
	emit_return(w);
	return 0;
}

static int displace_vldr_thumb(struct work *w)
{
	unsigned a = w->bytes[0] | (unsigned)w->bytes[1] << 8;
	unsigned b = w->bytes[2] | (unsigned)w->bytes[3] << 8;

	displaced_mark(w->out, AT_ORIGINAL, w->code);
	emit16(w, 0xb401);
	begin_popped(w, w->code);
	emit16(w, 0x4804);
	begin_popped(w, w->code);
	emit16(w, (a & 0xfff0) | 1u << 7);
	emit16(w, b & 0xff00);
	begin_popped(w, next_insn(w));
	emit16(w, 0xbc01);
	emit_return(w);
	return 0;
}

static int displace_vldr(struct work *w)
{
	uint32_t base = arm_pc_value(w->code, w->d) & ~3u;

	(w->d->thumb ? displace_vldr_thumb : displace_vldr_arm)(w);
	emit32(w, base + w->d->imm);
	return 0;
}

int arm_displace(const struct abi *abi, taddr_t code, const uint8_t *insn, size_t len,
		 taddr_t slot, unsigned flags, struct displaced *out)
{
	struct arm_insn d;
	struct work w = { code, &d, insn, out };

	(void)abi;
	if (!arm_decode(code, insn, len, &d) || d.op == ARM_INVALID)
		return -EINVAL;
	memset(out, 0, sizeof *out);
	out->kind = DISPLACE_SLOT;
	out->resume = slot;
	out->insn_len = d.len;
	switch (d.op) {
	case ARM_NOP:
		return displaced_goto(out, next_insn(&w));
	case ARM_BRANCH:
		if (d.cond == ARM_ALWAYS && !d.link)
			return displaced_goto(out, arm_branch_target(code, &d));
		return displaced_step(out, w.code);
	case ARM_VLDR:
		return displace_vldr(&w);
	case ARM_SVC:
		return flags & DISPLACE_SYSCALL ? displace_copy(&w) : displaced_step(out, w.code);
	default:
		return d.uses_pc ? displaced_step(out, w.code) : displace_copy(&w);
	}
}

int arm_insn_length(const struct abi *abi, taddr_t code, const uint8_t *insn, size_t len)
{
	struct arm_insn d;

	(void)abi;
	return arm_decode(code, insn, len, &d) ? d.len : -EINVAL;
}

/* ---- jumps ------------------------------------------------------------------- */

/* What is known of ip, the register of linkers' stubs: a number, or the word at
 * an address. */
struct stub {
	const struct arm_insn *d;
	taddr_t code;
	enum { IP_UNKNOWN, IP_NUMBER, IP_WORD } known;
	uint32_t ip;
};

static bool number(const struct stub *s, unsigned reg, uint32_t *v)
{
	if (reg == ARM_IP)
		*v = s->ip;
	else
		*v = arm_pc_value(s->code, s->d) & (s->d->align ? ~3u : ~0u);
	return reg == ARM_PC || (reg == ARM_IP && s->known == IP_NUMBER);
}

/* mov, movt, add and sub of ip.  False: anything else. */
static bool stub_data(struct stub *s)
{
	const struct arm_insn *d = s->d;
	uint32_t a, b = d->imm;

	if (d->rd != ARM_IP || d->sets_flags)
		return false;
	if (d->alu == ALU_MOV && d->is_imm) {
		s->known = IP_NUMBER;
		s->ip = d->imm;
		return true;
	}
	if (!number(s, d->rn, &a) ||
	    (!d->is_imm && (d->by_reg || d->shift || d->amount || !number(s, d->rm, &b))))
		return false;
	if (d->alu == ALU_MOVT)
		s->ip = (a & 0xffff) | b << 16;
	else if (d->alu == ALU_ADD)
		s->ip = a + b;
	else if (d->alu == ALU_SUB)
		s->ip = a - b;
	else
		return false;
	s->known = IP_NUMBER;
	return true;
}

/* The address of a word that is loaded from a place that is known. */
static bool stub_load(const struct stub *s, uint32_t *at)
{
	const struct arm_insn *d = s->d;
	uint32_t base = s->ip;

	if (!d->load || d->size != 4 || !d->is_imm || (d->wback && !d->pre))
		return false;
	if (d->rn == ARM_PC)
		base = arm_pc_value(s->code, d) & ~3u;
	else if (d->rn != ARM_IP || s->known != IP_NUMBER)
		return false;
	*at = d->add ? base + d->imm : base - d->imm;
	return true;
}

static enum jump_kind stub_branch(const struct stub *s, taddr_t *where)
{
	const struct arm_insn *d = s->d;
	enum jump_kind kind = s->known == IP_WORD ? JUMP_MEMORY : JUMP_DIRECT;

	if (d->link)
		return NOT_A_JUMP;
	if (d->op == ARM_BRANCH) {
		*where = arm_branch_target(s->code, d);
		return JUMP_DIRECT;
	}
	if (d->rm == ARM_PC) { /* from Thumb to ARM */
		*where = arm_pc_value(s->code, d) & ~3u;
		return JUMP_DIRECT;
	}
	if (d->rm != ARM_IP || s->known == IP_UNKNOWN)
		return NOT_A_JUMP;
	*where = s->ip;
	return kind;
}

/* One instruction of it: true when the answer is *kind. */
static bool stub_step(struct stub *s, enum jump_kind *kind, taddr_t *where)
{
	const struct arm_insn *d = s->d;
	uint32_t at;

	*kind = NOT_A_JUMP;
	if (d->cond != ARM_ALWAYS)
		return true;
	switch (d->op) {
	case ARM_BRANCH: case ARM_BRANCH_REG:
		*kind = stub_branch(s, where);
		return true;
	case ARM_DATA:
		return !stub_data(s);
	case ARM_TRANSFER:
		if (!stub_load(s, &at))
			return true;
		s->known = IP_WORD;
		s->ip = at;
		if (d->rd == ARM_PC) {
			*where = at;
			*kind = JUMP_MEMORY;
		}
		return d->rd != ARM_IP;
	default:
		return true;
	}
}

/* An unconditional branch, or a linker's stub as a whole: of the PLT, between the
 * instruction sets, or for a distance. */
enum jump_kind arm_jump(const struct abi *abi, taddr_t code, const uint8_t *insn, size_t len,
			taddr_t *where)
{
	struct arm_insn d;
	struct stub s = { .d = &d, .code = code };
	enum jump_kind kind;
	size_t at = 0;

	(void)abi;
	for (int n = 0; n < 5 && arm_decode(s.code, insn + at, len - at, &d); n++) {
		if (!n && d.op == ARM_NOP) {
			*where = (uint32_t)(code + d.len);
			return JUMP_PAST;
		}
		if (stub_step(&s, &kind, where))
			return kind;
		at += d.len;
		s.code = (uint32_t)(code + at);
	}
	return NOT_A_JUMP;
}
