/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Displaced execution on x86: one instruction is decoded and rewritten so that
 * it does in a slot what it did at its own place.  No slot address ever gets
 * into a register or onto the stack, so what a task in a slot has done is told
 * by its pc alone (struct displace_fix). */
#include <errno.h>
#include <string.h>
#include <Zydis/Zydis.h>
#include "x86.h"

enum {
	MAP_0F_JCC = 0x80,
	OP_JCC = 0x70,
	OP_LOOPNE = 0xe0, /* loopne, loope, loop, jrcxz */
	OP_JRCXZ = 0xe3,
	OP_CALL = 0xe8,
	OP_JMP = 0xe9,
	OP_JMP_SHORT = 0xeb,
	OP_GROUP5 = 0xff,
	GROUP5_CALL = 2,
	GROUP5_JMP = 4,
};

/* What is decoded, and where it goes. */
struct work {
	const struct abi *abi;
	taddr_t addr, slot;
	const uint8_t *bytes;
	ZydisDecodedInstruction in;
	struct displaced *out;
};

static int decode(const struct abi *abi, const uint8_t *insn, size_t len,
		  ZydisDecodedInstruction *in)
{
	ZydisDecoder decoder;
	ZyanStatus status;

	if (abi->word == 8)
		status = ZydisDecoderInit(&decoder, ZYDIS_MACHINE_MODE_LONG_64,
					  ZYDIS_STACK_WIDTH_64);
	else
		status = ZydisDecoderInit(&decoder, ZYDIS_MACHINE_MODE_LEGACY_32,
					  ZYDIS_STACK_WIDTH_32);
	if (ZYAN_SUCCESS(status))
		status = ZydisDecoderDecodeInstruction(&decoder, NULL, insn, len, in);
	return ZYAN_SUCCESS(status) ? 0 : -EINVAL;
}

static taddr_t in_word(const struct abi *abi, taddr_t a)
{
	return abi->word == 4 ? (uint32_t)a : a;
}

/* ---- what kind of instruction it is ------------------------------------- */

static bool is_plain(const ZydisDecodedInstruction *in, uint8_t opcode)
{
	return in->encoding == ZYDIS_INSTRUCTION_ENCODING_LEGACY &&
	       in->opcode_map == ZYDIS_OPCODE_MAP_DEFAULT && in->opcode == opcode;
}

static bool is_group5(const ZydisDecodedInstruction *in, unsigned reg)
{
	return is_plain(in, OP_GROUP5) && in->raw.modrm.reg == reg;
}

static bool is_nop(const ZydisDecodedInstruction *in)
{
	return in->mnemonic == ZYDIS_MNEMONIC_NOP || in->mnemonic == ZYDIS_MNEMONIC_ENDBR64 ||
	       in->mnemonic == ZYDIS_MNEMONIC_ENDBR32;
}

static bool is_jcc(const ZydisDecodedInstruction *in)
{
	if (in->encoding != ZYDIS_INSTRUCTION_ENCODING_LEGACY)
		return false;
	if (in->opcode_map == ZYDIS_OPCODE_MAP_DEFAULT)
		return (in->opcode & 0xf0) == OP_JCC;
	return in->opcode_map == ZYDIS_OPCODE_MAP_0F && (in->opcode & 0xf0) == MAP_0F_JCC;
}

static bool is_loop(const ZydisDecodedInstruction *in)
{
	return in->encoding == ZYDIS_INSTRUCTION_ENCODING_LEGACY &&
	       in->opcode_map == ZYDIS_OPCODE_MAP_DEFAULT && in->opcode >= OP_LOOPNE &&
	       in->opcode <= OP_JRCXZ;
}

/* A branch with an operand-size prefix cuts the pc to 16 bits, on AMD in 64-bit
 * mode too, unless REX.W is there as well (the calls of __tls_get_addr). */
static bool has_narrow_pc(const ZydisDecodedInstruction *in)
{
	if (!(in->attributes & ZYDIS_ATTRIB_HAS_OPERANDSIZE))
		return false;
	return !((in->attributes & ZYDIS_ATTRIB_HAS_REX) && in->raw.rex.W);
}

static bool is_branch(const ZydisDecodedInstruction *in)
{
	return in->meta.branch_type != ZYDIS_BRANCH_TYPE_NONE || is_group5(in, GROUP5_CALL) ||
	       is_group5(in, GROUP5_JMP);
}

/* Calls that cannot be taken apart: far ones push cs as well; and what enters
 * the kernel, since a restarted call, or a clone's child, goes on at the pc
 * that the kernel saw. */
static bool must_step(const ZydisDecodedInstruction *in, unsigned flags)
{
	switch (in->mnemonic) {
	case ZYDIS_MNEMONIC_SYSCALL:
	case ZYDIS_MNEMONIC_INT:
		return !(flags & DISPLACE_SYSCALL);
	case ZYDIS_MNEMONIC_SYSENTER:
	case ZYDIS_MNEMONIC_INTO:
		return true;
	case ZYDIS_MNEMONIC_CALL:
		return in->meta.branch_type == ZYDIS_BRANCH_TYPE_FAR || has_narrow_pc(in);
	default:
		return is_branch(in) && has_narrow_pc(in);
	}
}

static bool never_goes_on(const ZydisDecodedInstruction *in)
{
	return in->meta.category == ZYDIS_CATEGORY_RET || in->mnemonic == ZYDIS_MNEMONIC_JMP;
}

/* Is the memory operand pc + disp32? */
static bool is_rip_relative(const ZydisDecodedInstruction *in)
{
	return in->machine_mode == ZYDIS_MACHINE_MODE_LONG_64 &&
	       (in->attributes & ZYDIS_ATTRIB_HAS_MODRM) && in->raw.modrm.mod == 0 &&
	       in->raw.modrm.rm == 5 && in->raw.disp.size == 32;
}

/* Is the memory operand's base the stack pointer? */
static bool is_sp_based(const ZydisDecodedInstruction *in)
{
	bool rex_b = (in->attributes & ZYDIS_ATTRIB_HAS_REX) && in->raw.rex.B;

	return in->raw.modrm.mod != 3 && (in->attributes & ZYDIS_ATTRIB_HAS_SIB) &&
	       in->raw.sib.base == 4 && !rex_b;
}

static taddr_t branch_target(const struct abi *abi, taddr_t addr, const ZydisDecodedInstruction *in)
{
	return in_word(abi, addr + in->length + (uint64_t)in->raw.imm[0].value.s);
}

/* ---- code --------------------------------------------------------------- */

static void emit(struct work *w, const void *bytes, size_t n)
{
	memcpy(w->out->code + w->out->code_len, bytes, n);
	w->out->code_len += n;
}

static void emit8(struct work *w, uint8_t b)
{
	emit(w, &b, 1);
}

static void emit32(struct work *w, uint32_t v)
{
	emit(w, (uint8_t[]){ v, v >> 8, v >> 16, v >> 24 }, 4);
}

static void mark(struct work *w, enum displace_where where, taddr_t to, uint64_t value)
{
	displaced_mark(w->out, where, to)->value = value;
}

/* The displacement to `target` from the end of an instruction `n` bytes from
 * here.  False: too far. */
static bool relative(const struct work *w, unsigned n, taddr_t target, uint32_t *disp)
{
	int64_t d = (int64_t)(target - (w->slot + w->out->code_len + n));

	*disp = (uint32_t)d;
	return w->abi->word == 4 || d == (int32_t)d;
}

static void emit_jump(struct work *w, taddr_t target)
{
	uint32_t disp;

	if (relative(w, 5, target, &disp)) {
		emit8(w, OP_JMP);
		emit32(w, disp);
		return;
	}
	emit(w, (uint8_t[]){ OP_GROUP5, 0x25, 0, 0, 0, 0 }, 6); /* jmp *0(%rip) */
	emit32(w, target);
	emit32(w, target >> 32);
}

static taddr_t next_insn(const struct work *w)
{
	return in_word(w->abi, w->addr + w->in.length);
}

/* ---- one function for each way of rewriting ------------------------------ */

/* As it is, but for an operand relative to the pc: a memory operand, or the
 * fallback address of xbegin. */
static int displace_copy(struct work *w)
{
	const ZydisDecodedInstruction *in = &w->in;
	uint8_t *code = w->out->code;
	int field = 0;
	taddr_t target = 0;
	uint32_t disp;

	if (is_rip_relative(in)) {
		field = in->raw.disp.offset;
		target = next_insn(w) + (uint64_t)in->raw.disp.value;
	} else if (in->raw.imm[0].is_relative) {
		if (in->raw.imm[0].size != 32)
			return displaced_step(w->out, w->addr);
		field = in->raw.imm[0].offset;
		target = branch_target(w->abi, w->addr, in);
	}
	if (field && (in->address_width != w->abi->word * 8 ||
		      !relative(w, in->length, target, &disp)))
		return displaced_step(w->out, w->addr);
	mark(w, AT_ORIGINAL, w->addr, 0);
	emit(w, w->bytes, in->length);
	if (field)
		for (int i = 0; i < 4; i++)
			code[field + i] = disp >> 8 * i;
	if (never_goes_on(in))
		return 0;
	mark(w, AT_NEXT, next_insn(w), 0);
	emit_jump(w, next_insn(w));
	return 0;
}

/* jcc target; jmp next, or, when the target is out of reach,
 * jncc 1f; jmp target; 1: jmp next */
static int displace_jcc(struct work *w)
{
	taddr_t target = branch_target(w->abi, w->addr, &w->in);
	uint8_t cc = w->in.opcode & 0xf;
	uint32_t disp;
	unsigned over;

	mark(w, AT_ORIGINAL, w->addr, 0);
	if (relative(w, 6, target, &disp)) {
		emit8(w, 0x0f);
		emit8(w, MAP_0F_JCC | cc);
		emit32(w, disp);
	} else {
		emit8(w, OP_JCC | (cc ^ 1));
		over = w->out->code_len;
		emit8(w, 0);
		mark(w, AT_NEXT, target, 0);
		emit_jump(w, target);
		w->out->code[over] = w->out->code_len - over - 1;
	}
	mark(w, AT_NEXT, next_insn(w), 0);
	emit_jump(w, next_insn(w));
	return 0;
}

/* loop and jrcxz have a short form only: loop 1f; jmp next; 1: jmp target */
static int displace_loop(struct work *w)
{
	taddr_t target = branch_target(w->abi, w->addr, &w->in);
	unsigned over;

	mark(w, AT_ORIGINAL, w->addr, 0);
	emit(w, w->bytes, w->in.length); /* an address-size prefix chooses ecx */
	over = w->out->code_len;
	mark(w, AT_NEXT, next_insn(w), 0);
	emit_jump(w, next_insn(w));
	w->out->code[over - 1] = w->out->code_len - over;
	mark(w, AT_NEXT, target, 0);
	emit_jump(w, target);
	return 0;
}

/* Pushes the return address that the call would have pushed, flags and
 * registers untouched.  `half` says what a task is that stands behind the
 * first of two instructions. */
static void emit_push_return(struct work *w, enum displace_where half, taddr_t to)
{
	taddr_t ret = next_insn(w);

	mark(w, AT_ORIGINAL, w->addr, 0);
	emit8(w, 0x68); /* push $imm32, sign-extended */
	emit32(w, ret);
	if (w->abi->word == 4 || ret == (uint64_t)(int32_t)ret)
		return;
	mark(w, half, to, half == AT_CALL_PUSHED ? ret : 0);
	emit(w, (uint8_t[]){ 0xc7, 0x44, 0x24, 0x04 }, 4); /* movl $imm32, 4(%rsp) */
	emit32(w, ret >> 32);
}

static int displace_call(struct work *w)
{
	taddr_t target = branch_target(w->abi, w->addr, &w->in);

	emit_push_return(w, AT_CALL_PUSHED, target);
	mark(w, AT_NEXT, target, 0);
	emit_jump(w, target);
	return 0;
}

/* Memory operand of the jump that takes the place of a call: `pushed` bytes
 * lie on the stack already. */
static bool emit_sp_operand(struct work *w, unsigned pushed)
{
	const ZydisDecodedInstruction *in = &w->in;
	int64_t disp = in->raw.modrm.mod ? in->raw.disp.value : 0;
	uint8_t sib = w->bytes[in->raw.sib.offset];
	uint8_t modrm = GROUP5_JMP << 3 | 4;

	/* Below the stack pointer the push may have overwritten the operand. */
	if (disp < 0 || disp + pushed > INT32_MAX)
		return false;
	disp += pushed;
	emit8(w, modrm | (disp > INT8_MAX ? 0x80 : 0x40));
	emit8(w, sib);
	if (disp > INT8_MAX)
		emit32(w, disp);
	else
		emit8(w, disp);
	return true;
}

/* push return address; jmp *operand */
static int displace_call_indirect(struct work *w)
{
	const ZydisDecodedInstruction *in = &w->in;
	unsigned at = in->raw.modrm.offset, tail = in->length - at - 1;
	uint8_t modrm = w->bytes[at];
	bool rex_b = (in->attributes & ZYDIS_ATTRIB_HAS_REX) && in->raw.rex.B;
	uint32_t disp = 0;

	if (in->raw.modrm.mod == 3 && in->raw.modrm.rm == 4 && !rex_b)
		return displaced_step(w->out, w->addr); /* call *%rsp */
	if (in->raw.modrm.mod != 3 && in->address_width != w->abi->word * 8)
		return displaced_step(w->out, w->addr);
	emit_push_return(w, AT_CALL_UNDO, w->addr);
	mark(w, AT_CALL_UNDO, w->addr, 0);
	if (is_rip_relative(in) &&
	    !relative(w, in->length, next_insn(w) + (uint64_t)in->raw.disp.value, &disp))
		return displaced_step(w->out, w->addr);
	emit(w, w->bytes, at);
	if (is_sp_based(in))
		return emit_sp_operand(w, w->abi->word) ? 0 : displaced_step(w->out, w->addr);
	emit8(w, (modrm & ~(7 << 3)) | GROUP5_JMP << 3);
	if (is_rip_relative(in))
		emit32(w, disp);
	else
		emit(w, w->bytes + at + 1, tail);
	return 0;
}

/* ---- hooks of struct abi -------------------------------------------------- */

int x86_displace(const struct abi *abi, taddr_t addr, const uint8_t *insn, size_t len,
		 taddr_t slot, unsigned flags, struct displaced *out)
{
	struct work w = { .abi = abi, .addr = addr, .slot = slot, .bytes = insn, .out = out };
	int err = decode(abi, insn, len, &w.in);

	if (err)
		return err;
	memset(out, 0, sizeof *out);
	out->kind = DISPLACE_SLOT;
	out->resume = slot;
	out->insn_len = w.in.length;
	if (must_step(&w.in, flags))
		return displaced_step(out, w.addr);
	if (is_nop(&w.in))
		return displaced_goto(out, next_insn(&w));
	if (is_plain(&w.in, OP_JMP) || is_plain(&w.in, OP_JMP_SHORT))
		return displaced_goto(out, branch_target(abi, addr, &w.in));
	if (is_jcc(&w.in))
		return displace_jcc(&w);
	if (is_loop(&w.in))
		return displace_loop(&w);
	if (is_plain(&w.in, OP_CALL))
		return flags & DISPLACE_KEEP_SHADOW ? displaced_step(out, w.addr) : displace_call(&w);
	if (is_group5(&w.in, GROUP5_CALL))
		return flags & DISPLACE_KEEP_SHADOW ? displaced_step(out, w.addr) : displace_call_indirect(&w);
	return displace_copy(&w);
}

/* Where an indirect jump takes its target from, when that needs no register. */
static bool fixed_operand(const struct abi *abi, taddr_t next, const ZydisDecodedInstruction *in,
			  taddr_t *where)
{
	if (in->attributes & (ZYDIS_ATTRIB_HAS_SEGMENT_FS | ZYDIS_ATTRIB_HAS_SEGMENT_GS))
		return false;
	if (in->address_width != abi->word * 8 || in->raw.modrm.mod != 0 || in->raw.modrm.rm != 5)
		return false;
	*where = in_word(abi, (abi->word == 8 ? next : 0) + (uint64_t)in->raw.disp.value);
	return true;
}

enum jump_kind x86_jump(const struct abi *abi, taddr_t addr, const uint8_t *insn, size_t len,
			taddr_t *where)
{
	ZydisDecodedInstruction in;

	if (decode(abi, insn, len, &in))
		return NOT_A_JUMP;
	if (is_nop(&in)) {
		*where = in_word(abi, addr + in.length);
		return JUMP_PAST;
	}
	if (is_branch(&in) && has_narrow_pc(&in))
		return NOT_A_JUMP;
	if (is_plain(&in, OP_JMP) || is_plain(&in, OP_JMP_SHORT)) {
		*where = branch_target(abi, addr, &in);
		return JUMP_DIRECT;
	}
	if (is_group5(&in, GROUP5_JMP) && fixed_operand(abi, addr + in.length, &in, where))
		return JUMP_MEMORY;
	return NOT_A_JUMP;
}

int x86_insn_length(const struct abi *abi, taddr_t addr, const uint8_t *insn, size_t len)
{
	ZydisDecodedInstruction in;
	int err = decode(abi, insn, len, &in);

	(void)addr;
	return err ? err : in.length;
}
