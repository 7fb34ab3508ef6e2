/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Emulation of what functions begin with and calls return to, where there is no
 * memory for slots and a single step would stop every thread.  Operations: Arm
 * Architecture Reference Manual for A-profile, chapter C6. */
#include <errno.h>

#include "arch/aarch64/aarch64.h"

struct emu {
	const struct abi_memory *mem;
	struct regs *regs; /* a copy, taken over when all is done */
	struct a64_insn in;
};

static uint64_t get(const struct emu *e, unsigned reg)
{
	return reg == A64_ZR ? 0 : e->regs->w[reg];
}

/* Register 31 as the stack pointer: base of memory operands, add and sub. */
static uint64_t get_sp(const struct emu *e, unsigned reg)
{
	return e->regs->w[reg == A64_ZR ? A64_SP : reg];
}

static bool is_64(const struct emu *e)
{
	return e->in.w >> 31;
}

static uint64_t narrow(const struct emu *e, uint64_t v)
{
	return is_64(e) ? v : (uint32_t)v;
}

static void set(struct emu *e, unsigned reg, uint64_t v)
{
	if (reg != A64_ZR)
		e->regs->w[reg] = v;
}

/* ---- memory ------------------------------------------------------------------ */

static uint64_t number(const uint8_t *b, unsigned size, bool sign)
{
	uint64_t v = 0;

	for (unsigned i = 0; i < size; i++)
		v |= (uint64_t)b[i] << 8 * i;
	return sign ? (uint64_t)((int64_t)(v << (64 - 8 * size)) >> (64 - 8 * size)) : v;
}

static void bytes(uint8_t *b, unsigned size, uint64_t v)
{
	for (unsigned i = 0; i < size; i++)
		b[i] = (uint8_t)(v >> 8 * i);
}

static int read_bytes(struct emu *e, taddr_t at, uint8_t *b, size_t n)
{
	return e->mem->read(e->mem->arg, at, b, n) == (ssize_t)n ? 0 : -EFAULT;
}

static int write_bytes(struct emu *e, taddr_t at, const uint8_t *b, size_t n)
{
	return e->mem->write(e->mem->arg, at, b, n) == (ssize_t)n ? 0 : -EFAULT;
}

/* Index bits as pairs have them, and single registers: the base register changes
 * before or after the access, or not. */
enum { OFFSET, POST, PRE };

static void write_back(struct emu *e, unsigned mode, uint64_t base, int64_t off)
{
	if (mode != OFFSET)
		e->regs->w[e->in.rn == A64_ZR ? A64_SP : e->in.rn] = base + (uint64_t)off;
}

/* ldp, stp, ldpsw */
static int pair(struct emu *e)
{
	static const uint8_t modes[] = { OFFSET, POST, OFFSET, PRE };
	uint32_t w = e->in.w;
	unsigned opc = w >> 30, size = opc == 2 ? 8 : 4, rt2 = a64_bits(w, 10, 5);
	unsigned mode = modes[a64_bits(w, 23, 2)];
	bool is_load = w >> 22 & 1, sign = opc == 1;
	uint64_t base = get_sp(e, e->in.rn);
	int64_t off = a64_signed(w, 15, 7) * (int64_t)size;
	taddr_t at = mode == POST ? base : base + (uint64_t)off;
	uint8_t b[16];
	int err;

	if (w >> 26 & 1 || opc == 3 || (sign && !is_load)) /* vectors; stgp */
		return -ENOTSUP;
	if (is_load) {
		err = read_bytes(e, at, b, 2 * size);
		if (!err) {
			write_back(e, mode, base, off);
			set(e, e->in.rd, number(b, size, sign));
			set(e, rt2, number(b + size, size, sign));
		}
		return err;
	}
	bytes(b, size, get(e, e->in.rd));
	bytes(b + size, size, get(e, rt2));
	err = write_bytes(e, at, b, 2 * size);
	if (!err)
		write_back(e, mode, base, off);
	return err;
}

/* ldr, str and their kinds for bytes, halves and signed numbers. */
static int single_at(struct emu *e, uint64_t base, unsigned mode, int64_t off)
{
	unsigned size = 1u << (e->in.w >> 30), opc = a64_bits(e->in.w, 22, 2);
	taddr_t at = mode == POST ? base : base + (uint64_t)off;
	uint8_t b[8];
	uint64_t v;
	int err;

	if (opc == 0) {
		bytes(b, size, get(e, e->in.rd));
		err = write_bytes(e, at, b, size);
	} else {
		err = read_bytes(e, at, b, size);
	}
	if (err)
		return err;
	write_back(e, mode, base, off);
	if (opc) {
		v = number(b, size, opc > 1);
		set(e, e->in.rd, opc == 3 ? (uint32_t)v : v);
	}
	return 0;
}

static int single(struct emu *e)
{
	static const uint8_t modes[] = { OFFSET, POST, OFFSET, PRE };
	uint32_t w = e->in.w;
	unsigned size = w >> 30, opc = a64_bits(w, 22, 2);
	uint64_t base = get_sp(e, e->in.rn);

	if (w >> 26 & 1 || (opc > 1 && size == 3) || (opc == 3 && size == 2))
		return -ENOTSUP; /* vectors, prfm */
	if ((w & 0x3b000000) == 0x39000000)
		return single_at(e, base, OFFSET, (int64_t)((uint64_t)a64_bits(w, 10, 12) << size));
	if ((w & 0x3b200000) == 0x38000000 && a64_bits(w, 10, 2) != 2)
		return single_at(e, base, modes[a64_bits(w, 10, 2)], a64_signed(w, 12, 9));
	return -ENOTSUP;
}

static int literal(struct emu *e)
{
	unsigned opc = e->in.w >> 30, size = opc == 1 ? 8 : 4;
	uint8_t b[8];
	int err;

	if (e->in.w >> 26 & 1)
		return -ENOTSUP;
	err = read_bytes(e, e->in.target, b, size);
	if (!err)
		set(e, e->in.rd, number(b, size, opc == 2));
	return err;
}

/* ---- arithmetic -------------------------------------------------------------------- */

static void set_flags(struct emu *e, uint64_t result, bool carry, bool overflow)
{
	uint64_t f = e->regs->w[A64_PSTATE] & ~(uint64_t)(A64_N | A64_Z | A64_C | A64_V);

	f |= result >> (is_64(e) ? 63 : 31) & 1 ? A64_N : 0;
	f |= result ? 0 : A64_Z;
	f |= carry ? A64_C : 0;
	f |= overflow ? A64_V : 0;
	e->regs->w[A64_PSTATE] = f;
}

/* a + b, or a − b (which is a + ~b + 1), with flags if bit 29 is set. */
static uint64_t add(struct emu *e, uint64_t a, uint64_t b, bool minus)
{
	unsigned top = is_64(e) ? 63 : 31;
	uint64_t result;
	bool carry;

	a = narrow(e, a);
	b = narrow(e, minus ? ~b : b);
	result = narrow(e, a + b + minus);
	carry = result < a || (minus && result == a);
	if (e->in.w >> 29 & 1)
		set_flags(e, result, carry, ((a ^ result) & (b ^ result)) >> top & 1);
	return result;
}

static int add_immediate(struct emu *e)
{
	uint32_t w = e->in.w;
	uint64_t imm = (uint64_t)a64_bits(w, 10, 12) << (w >> 22 & 1 ? 12 : 0);
	uint64_t v = add(e, get_sp(e, e->in.rn), imm, w >> 30 & 1);

	if (e->in.rd == A64_ZR && !(w >> 29 & 1))
		e->regs->w[A64_SP] = v;
	else
		set(e, e->in.rd, v);
	return 0;
}

/* movn, movz, movk */
static int move_wide(struct emu *e)
{
	unsigned opc = a64_bits(e->in.w, 29, 2), shift = 16 * a64_bits(e->in.w, 21, 2);
	uint64_t imm = (uint64_t)a64_bits(e->in.w, 5, 16) << shift, v;

	if (opc == 1 || (!is_64(e) && shift > 16))
		return -ENOTSUP;
	v = opc == 0 ? ~imm : opc == 2 ? imm : (get(e, e->in.rd) & ~((uint64_t)0xffff << shift)) | imm;
	set(e, e->in.rd, narrow(e, v));
	return 0;
}

static uint64_t shifted(const struct emu *e)
{
	unsigned kind = a64_bits(e->in.w, 22, 2), by = a64_bits(e->in.w, 10, 6);
	unsigned width = is_64(e) ? 64 : 32;
	uint64_t v = narrow(e, get(e, e->in.rm));

	if (kind == 0 || !by)
		return narrow(e, v << by);
	if (kind == 1)
		return v >> by;
	if (kind == 2)
		return narrow(e, (uint64_t)((int64_t)(v << (64 - width)) >> (64 - width) >> by));
	return narrow(e, v >> by | v << (width - by)); /* ror */
}

static int logical_register(struct emu *e)
{
	uint64_t a = narrow(e, get(e, e->in.rn)), b = shifted(e), v;
	unsigned opc = a64_bits(e->in.w, 29, 2);

	if (e->in.w >> 21 & 1)
		b = narrow(e, ~b);
	v = opc == 1 ? a | b : opc == 2 ? a ^ b : a & b;
	if (opc == 3)
		set_flags(e, v, false, false);
	set(e, e->in.rd, v);
	return 0;
}

static int arithmetic(struct emu *e)
{
	uint32_t w = e->in.w;
	bool too_far = !is_64(e) && w >> 15 & 1;

	if ((w & 0x1f800000) == 0x11000000)
		return add_immediate(e);
	if ((w & 0x1f800000) == 0x12800000)
		return move_wide(e);
	if ((w & 0x1f000000) == 0x0a000000 && !too_far)
		return logical_register(e);
	if ((w & 0x1f200000) == 0x0b000000 && !too_far && a64_bits(w, 22, 2) != 3) {
		set(e, e->in.rd, add(e, get(e, e->in.rn), shifted(e), w >> 30 & 1));
		return 0;
	}
	return -ENOTSUP;
}

/* ---- branches ------------------------------------------------------------------------ */

static bool condition(uint64_t f, unsigned cond)
{
	bool n = f & A64_N, z = f & A64_Z, c = f & A64_C, v = f & A64_V, r;

	switch (cond >> 1) {
	case 0: r = z; break;
	case 1: r = c; break;
	case 2: r = n; break;
	case 3: r = v; break;
	case 4: r = c && !z; break;
	case 5: r = n == v; break;
	case 6: r = n == v && !z; break;
	default: return true;
	}
	return r != (cond & 1);
}

static bool taken(const struct emu *e)
{
	uint32_t w = e->in.w;
	bool wanted = w >> 24 & 1, nonzero;

	if (w >> 24 == 0x54)
		return condition(e->regs->w[A64_PSTATE], w & 15);
	if ((w & 0x7e000000) == 0x36000000) /* tbz, tbnz */
		nonzero = get(e, e->in.rd) >> (w >> 31 << 5 | a64_bits(w, 19, 5)) & 1;
	else
		nonzero = narrow(e, get(e, e->in.rd));
	return nonzero == wanted;
}

static int branch(struct emu *e, taddr_t next, taddr_t *to)
{
	switch (e->in.kind) {
	case A64_COND:
		if (taken(e))
			*to = e->in.target;
		return 0;
	case A64_TO_REG: case A64_CALL_REG:
		if (e->in.w & 0xc00) /* its target is signed */
			return -ENOTSUP;
		*to = get(e, e->in.rn);
		break;
	default:
		*to = e->in.target;
	}
	if (e->in.kind == A64_BL || e->in.kind == A64_CALL_REG)
		e->regs->w[A64_LR] = next;
	return 0;
}

static int execute(struct emu *e, taddr_t next, taddr_t *to)
{
	uint32_t w = e->in.w;

	switch (e->in.kind) {
	case A64_NOTHING:
		return 0;
	case A64_B: case A64_BL: case A64_COND: case A64_TO_REG: case A64_CALL_REG:
		return branch(e, next, to);
	case A64_ADR:
		set(e, e->in.rd, e->in.target);
		return 0;
	case A64_LITERAL:
		return literal(e);
	case A64_PLAIN:
		break;
	default:
		return -ENOTSUP;
	}
	if ((w & 0x3a000000) == 0x28000000)
		return pair(e);
	if ((w & 0x3a000000) == 0x38000000)
		return single(e);
	return arithmetic(e);
}

int a64_emulate(const struct abi *abi, const struct abi_memory *mem, taddr_t addr,
		const uint8_t *insn, size_t len, struct regs *regs)
{
	struct regs after = *regs;
	struct emu e = { .mem = mem, .regs = &after };
	taddr_t to = addr + 4;
	int err = a64_decode(addr, insn, len, &e.in);

	(void)abi;
	if (err)
		return -ENOTSUP;
	err = execute(&e, addr + 4, &to);
	if (err)
		return err;
	after.w[A64_PC] = to;
	after.w[A64_PSTATE] &= ~(uint64_t)A64_BTYPE;
	*regs = after;
	return 0;
}
