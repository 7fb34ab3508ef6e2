/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Executes what the decoders know by name: what needs the pc and cannot be
 * displaced without a register to spare, and, where there is no slot, what stands
 * at the entries of functions and behind calls.  There are kernels on which
 * nothing can be single-stepped. */
#include <errno.h>
#include <string.h>
#include "arm.h"

/* One instruction at work. */
struct machine {
	const struct abi_memory *mem;
	const struct arm_insn *d;
	struct regs *regs;
	taddr_t code;
	uint32_t cpsr;
	taddr_t next; /* where it goes on: a code pointer */
	uint8_t it;   /* state behind it */
};

/* ---- registers and flags ---------------------------------------------------- */

static uint8_t it_state(uint32_t cpsr)
{
	return (uint8_t)((cpsr >> 8 & 0xfc) | (cpsr >> 25 & 3));
}

static uint8_t it_advance(uint8_t it)
{
	return it & 7 ? (it & 0xe0) | (it << 1 & 0x1f) : 0;
}

static uint32_t get(const struct machine *m, unsigned reg)
{
	return reg == ARM_PC ? arm_pc_value(m->code, m->d) : (uint32_t)m->regs->w[reg];
}

/* The pc as an operand that is an address. */
static uint32_t get_base(const struct machine *m, unsigned reg)
{
	return reg == ARM_PC ? get(m, reg) & ~3u : get(m, reg);
}

/* BXWritePC, LoadWritePC: bit 0 is the instruction set. */
static void go(struct machine *m, uint32_t to)
{
	m->next = to & 1 ? to : to & ~3u;
}

/* ALUWritePC: Thumb stays Thumb. */
static void set_result(struct machine *m, unsigned reg, uint32_t v)
{
	if (reg != ARM_PC)
		m->regs->w[reg] = v;
	else
		go(m, m->d->thumb ? v | 1 : v);
}

static bool holds(uint32_t cpsr, unsigned cond)
{
	bool n = cpsr & ARM_N, z = cpsr & ARM_Z, c = cpsr & ARM_C, v = cpsr & ARM_V, yes;

	switch (cond >> 1) {
	case 0: yes = z; break;
	case 1: yes = c; break;
	case 2: yes = n; break;
	case 3: yes = v; break;
	case 4: yes = c && !z; break;
	case 5: yes = n == v; break;
	case 6: yes = n == v && !z; break;
	default: return true;
	}
	return yes != (cond & 1);
}

static void set_flag(struct machine *m, uint32_t flag, bool on)
{
	m->cpsr = on ? m->cpsr | flag : m->cpsr & ~flag;
}

/* ---- data processing -------------------------------------------------------- */

/* Shift_C: the value, and the bit that was shifted out last. */
static uint32_t shifted(uint32_t v, unsigned type, unsigned n, bool *carry)
{
	uint64_t wide = v;

	if (type == ARM_RRX) {
		uint32_t r = v >> 1 | (uint32_t)*carry << 31;

		*carry = v & 1;
		return r;
	}
	if (!n)
		return v;
	switch (type) {
	case ARM_LSL:
		*carry = n <= 32 && wide << n >> 32 & 1;
		return n < 32 ? v << n : 0;
	case ARM_LSR:
		*carry = n <= 32 && wide >> (n - 1) & 1;
		return n < 32 ? v >> n : 0;
	case ARM_ASR:
		n = n > 32 ? 32 : n;
		*carry = (uint64_t)(int64_t)(int32_t)v >> (n - 1) & 1;
		return (uint32_t)((int64_t)(int32_t)v >> n);
	default:
		n &= 31;
		v = n ? v >> n | v << (32 - n) : v;
		*carry = v >> 31;
		return v;
	}
}

static uint32_t operand(const struct machine *m, bool *carry)
{
	const struct arm_insn *d = m->d;

	if (d->is_imm) {
		if (d->imm_sets_carry)
			*carry = d->imm >> 31;
		return d->imm;
	}
	return shifted(get(m, d->rm), d->shift, d->by_reg ? get(m, d->rs) & 0xff : d->amount, carry);
}

/* AddWithCarry: a subtraction adds the complement. */
static uint32_t add(struct machine *m, uint32_t a, uint32_t b, bool carry, bool flags)
{
	uint64_t sum = (uint64_t)a + b + carry;
	uint32_t r = (uint32_t)sum;

	if (flags) {
		set_flag(m, ARM_C, sum >> 32);
		set_flag(m, ARM_V, (~(a ^ b) & (a ^ r)) >> 31);
	}
	return r;
}

/* Bits beyond the top are unpredictable. */
static uint32_t bit_field(const struct machine *m)
{
	const struct arm_insn *d = m->d;
	unsigned above = 32 - (d->imm + d->amount) % 33;
	uint32_t v = get(m, d->rm) << above % 32;

	above = 32 - d->imm;
	return d->alu == ALU_UBFX ? v >> above : (uint32_t)((int32_t)v >> above);
}

static int run_data(struct machine *m)
{
	const struct arm_insn *d = m->d;
	bool c = m->cpsr & ARM_C, out = c;
	bool flags = d->sets_flags && !(d->unless_it && it_state(m->cpsr));
	uint32_t a = d->align ? get_base(m, d->rn) : get(m, d->rn), b = operand(m, &out), r;
	bool adds = false;

	switch (d->alu) {
	case ALU_AND: case ALU_TST: r = a & b; break;
	case ALU_EOR: case ALU_TEQ: r = a ^ b; break;
	case ALU_ORR: r = a | b; break;
	case ALU_ORN: r = a | ~b; break;
	case ALU_MOV: r = b; break;
	case ALU_BIC: r = a & ~b; break;
	case ALU_MVN: r = ~b; break;
	case ALU_MOVT: r = (a & 0xffff) | b << 16; break;
	case ALU_UXTB: r = b & 0xff; break;
	case ALU_UXTH: r = b & 0xffff; break;
	case ALU_SXTB: r = (uint32_t)(int8_t)b; break;
	case ALU_SXTH: r = (uint32_t)(int16_t)b; break;
	case ALU_CLZ: r = b ? (uint32_t)__builtin_clz(b) : 32; break;
	case ALU_UBFX: case ALU_SBFX: r = bit_field(m); break;
	default:
		adds = true;
		switch (d->alu) {
		case ALU_SUB: case ALU_CMP: r = add(m, a, ~b, true, flags); break;
		case ALU_RSB: r = add(m, ~a, b, true, flags); break;
		case ALU_ADC: r = add(m, a, b, c, flags); break;
		case ALU_SBC: r = add(m, a, ~b, c, flags); break;
		case ALU_RSC: r = add(m, ~a, b, c, flags); break;
		default: r = add(m, a, b, false, flags); /* add, cmn */
		}
	}
	if (flags) {
		set_flag(m, ARM_N, r >> 31);
		set_flag(m, ARM_Z, !r);
		if (!adds)
			set_flag(m, ARM_C, out);
	}
	if (d->alu < ALU_TST || d->alu > ALU_CMN)
		set_result(m, d->rd, r);
	return 0;
}

static int run_multiply(struct machine *m)
{
	const struct arm_insn *d = m->d;
	uint32_t a = get(m, d->rn), b = get(m, d->rm), low = get(m, d->rd), high = get(m, d->rs);
	uint64_t wide = d->alu >= MUL_SLONG ? (uint64_t)((int64_t)(int32_t)a * (int32_t)b)
					    : (uint64_t)a * b;
	bool flags = d->sets_flags && !(d->unless_it && it_state(m->cpsr));

	switch (d->alu) {
	case MUL_ADD: wide = (uint32_t)(high + wide); break;
	case MUL_SUB: wide = (uint32_t)(high - wide); break;
	case MUL_PLAIN: wide = (uint32_t)wide; break;
	case MUL_ULONG_ADD: case MUL_SLONG_ADD: wide += (uint64_t)high << 32 | low; break;
	}
	m->regs->w[d->rd] = (uint32_t)wide;
	if (d->alu >= MUL_ULONG)
		m->regs->w[d->rs] = (uint32_t)(wide >> 32);
	if (flags) {
		set_flag(m, ARM_N, wide >> (d->alu >= MUL_ULONG ? 63 : 31) & 1);
		set_flag(m, ARM_Z, !wide);
	}
	return 0;
}

/* ---- memory ------------------------------------------------------------------ */

static int load(const struct machine *m, uint32_t at, void *buf, size_t len)
{
	return m->mem->read(m->mem->arg, at, buf, len) == (ssize_t)len ? 0 : -EFAULT;
}

static int store(const struct machine *m, uint32_t at, const void *buf, size_t len)
{
	return m->mem->write(m->mem->arg, at, buf, len) == (ssize_t)len ? 0 : -EFAULT;
}

static uint32_t from_bytes(const uint8_t *b, unsigned size)
{
	uint32_t v = 0;

	for (unsigned i = 0; i < size; i++)
		v |= (uint32_t)b[i] << 8 * i;
	return v;
}

static void to_bytes(uint32_t v, uint8_t *b)
{
	for (unsigned i = 0; i < 4; i++)
		b[i] = (uint8_t)(v >> 8 * i);
}

/* The address that is accessed, and what the base register becomes. */
static uint32_t address(const struct machine *m, uint32_t *after)
{
	const struct arm_insn *d = m->d;
	bool carry = m->cpsr & ARM_C;
	uint32_t base = get_base(m, d->rn), off = operand(m, &carry);

	*after = d->add ? base + off : base - off;
	return d->pre ? *after : base;
}

static int run_transfer(struct machine *m)
{
	const struct arm_insn *d = m->d;
	uint32_t after, at = address(m, &after), v;
	uint8_t b[4];
	int err;

	if (!d->load) {
		to_bytes(get(m, d->rd), b);
		err = store(m, at, b, d->size);
	} else {
		err = load(m, at, b, d->size);
	}
	if (err)
		return err;
	if (d->wback)
		m->regs->w[d->rn] = after;
	if (!d->load)
		return 0;
	v = from_bytes(b, d->size);
	if (d->sign)
		v = d->size == 1 ? (uint32_t)(int8_t)v : (uint32_t)(int16_t)v;
	if (d->rd == ARM_PC)
		go(m, v);
	else
		m->regs->w[d->rd] = v;
	return 0;
}

/* Several words are accessed at multiples of four only. */
static int run_dual(struct machine *m)
{
	const struct arm_insn *d = m->d;
	uint32_t after, at = address(m, &after);
	uint8_t b[8];
	int err;

	if (at & 3)
		return -EFAULT;
	if (!d->load) {
		to_bytes(get(m, d->rd), b);
		to_bytes(get(m, d->rs), b + 4);
		err = store(m, at, b, 8);
	} else {
		err = load(m, at, b, 8);
	}
	if (err)
		return err;
	if (d->wback)
		m->regs->w[d->rn] = after;
	if (d->load) {
		m->regs->w[d->rd] = from_bytes(b, 4);
		m->regs->w[d->rs] = from_bytes(b + 4, 4);
	}
	return 0;
}

static int run_block(struct machine *m)
{
	const struct arm_insn *d = m->d;
	uint32_t base = get(m, d->rn), bytes = 4 * (uint32_t)__builtin_popcount(d->list);
	uint32_t after = d->add ? base + bytes : base - bytes;
	uint32_t at = (d->add ? base : after) + (d->pre == d->add ? 4 : 0);
	uint8_t b[64], *p = b;
	int err;

	if (at & 3)
		return -EFAULT;
	for (unsigned r = 0; r < 16 && !d->load; r++)
		if (d->list >> r & 1) {
			to_bytes(get(m, r), p);
			p += 4;
		}
	err = d->load ? load(m, at, b, bytes) : store(m, at, b, bytes);
	if (err)
		return err;
	if (d->wback)
		m->regs->w[d->rn] = after;
	for (unsigned r = 0; r < 16 && d->load; r++)
		if (d->list >> r & 1) {
			if (r == ARM_PC)
				go(m, from_bytes(p, 4));
			else
				m->regs->w[r] = from_bytes(p, 4);
			p += 4;
		}
	return 0;
}

/* ---- branches ------------------------------------------------------------------ */

static int run_branch_reg(struct machine *m)
{
	uint32_t to = get(m, m->d->rm);

	if (m->d->link)
		m->regs->w[ARM_LR] = m->next;
	go(m, to);
	return 0;
}

static int run_table(struct machine *m)
{
	const struct arm_insn *d = m->d;
	uint32_t base = get(m, d->rn), at = base + get(m, d->rm) * d->size;
	uint8_t b[2];
	int err = load(m, at, b, d->size);

	if (!err)
		m->next = (get(m, ARM_PC) + 2 * from_bytes(b, d->size)) | 1;
	return err;
}

static int run(struct machine *m)
{
	const struct arm_insn *d = m->d;

	switch (d->op) {
	case ARM_NOP:
		return 0;
	case ARM_DATA:
		return run_data(m);
	case ARM_MULTIPLY:
		return run_multiply(m);
	case ARM_TRANSFER:
		return run_transfer(m);
	case ARM_DUAL:
		return run_dual(m);
	case ARM_BLOCK:
		return run_block(m);
	case ARM_BRANCH:
		if (d->link)
			m->regs->w[ARM_LR] = m->next;
		m->next = arm_branch_target(m->code, d);
		return 0;
	case ARM_BRANCH_REG:
		return run_branch_reg(m);
	case ARM_COMPARE_BRANCH:
		if ((get(m, d->rn) != 0) == d->negate)
			m->next = (get(m, ARM_PC) + d->imm) | 1;
		return 0;
	case ARM_TABLE:
		return run_table(m);
	case ARM_IF_THEN:
		m->it = (uint8_t)d->imm;
		return 0;
	default:
		return -ENOTSUP;
	}
}

int arm_emulate(const struct abi *abi, const struct abi_memory *mem, taddr_t code,
		const uint8_t *insn, size_t len, struct regs *regs)
{
	struct regs after = *regs;
	struct arm_insn d;
	struct machine m = { mem, &d, &after, code, (uint32_t)regs->w[ARM_CPSR], 0, 0 };
	uint8_t it = code & 1 ? it_state(m.cpsr) : 0;
	int err = 0;

	(void)abi;
	if (!arm_decode(code, insn, len, &d))
		return -ENOTSUP;
	m.next = (uint32_t)(code + d.len);
	m.it = it_advance(it);
	if (d.op == ARM_PLAIN || d.op == ARM_INVALID || d.op == ARM_SVC || d.op == ARM_VLDR)
		return -ENOTSUP;
	if (holds(m.cpsr, it ? it >> 4 : d.cond))
		err = run(&m);
	if (err)
		return err;
	m.cpsr = (m.cpsr & ~(ARM_IT | ARM_T)) | (m.next & 1 ? ARM_T : 0);
	m.cpsr |= (m.it & 0xfcu) << 8 | (m.it & 3u) << 25;
	after.w[ARM_CPSR] = m.cpsr;
	after.w[ARM_PC] = m.next & ~(taddr_t)1;
	*regs = after;
	return 0;
}
