/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The DWARF expressions that call-frame information may hold, as libdw hands
 * them out: DWARF 5, sections 2.5 and 6.4.2.3. */
#include <dwarf.h>
#include <errno.h>

#include "unwind-internal.h"

/* The longest expression seen in the field (a PLT's) has 9 operations and
 * needs 3 places; these only stop what was written to hurt. */
#define STACK_MAX 64
#define STEPS_MAX 1024

struct machine {
	const struct expr_env *env;
	const Dwarf_Op *ops;
	size_t nops;
	size_t at;     /* the operation after this one */
	unsigned depth;
	uint64_t stack[STACK_MAX];
};

static int push(struct machine *m, uint64_t v)
{
	if (m->depth == STACK_MAX)
		return -EINVAL;
	m->stack[m->depth++] = v & m->env->mask;
	return 0;
}

/* A pointer to the i-th value from the top, NULL when there are not so many. */
static uint64_t *top(struct machine *m, uint64_t i)
{
	return i < m->depth ? &m->stack[m->depth - 1 - i] : NULL;
}

static int64_t sign(const struct machine *m, uint64_t v)
{
	return m->env->word == 4 ? (int64_t)(int32_t)v : (int64_t)v;
}

static int push_reg(struct machine *m, unsigned reg, uint64_t off)
{
	uint64_t v;

	if (!m->env->reg(m->env->arg, reg, &v))
		return -EFAULT;
	return push(m, v + off);
}

static int deref(struct machine *m, uint64_t size)
{
	uint64_t *a = top(m, 0);

	if (!a || (size != 1 && size != 2 && size != 4 && size != 8) || size > m->env->word)
		return -EINVAL;
	if (!m->env->load(m->env->arg, *a, (unsigned)size, a))
		return -EFAULT;
	return 0;
}

/* Branches name a distance in bytes from the end of their three bytes. */
static int jump(struct machine *m, const Dwarf_Op *op)
{
	uint64_t target = op->offset + 3 + (uint64_t)(int64_t)(int16_t)op->number;
	const Dwarf_Op *last = &m->ops[m->nops - 1];

	for (size_t i = 0; i < m->nops; i++) {
		if (m->ops[i].offset == target) {
			m->at = i;
			return 0;
		}
	}
	if (target <= last->offset + (op == last ? 2 : 0) || target > last->offset + UINT16_MAX)
		return -EINVAL;
	m->at = m->nops; /* past the last operation: the end */
	return 0;
}

static int shuffle(struct machine *m, const Dwarf_Op *op)
{
	uint64_t *a = top(m, 0), *b = top(m, 1), *c = top(m, 2), t;

	switch (op->atom) {
	case DW_OP_dup:
		return a ? push(m, *a) : -EINVAL;
	case DW_OP_drop:
		if (!a)
			return -EINVAL;
		m->depth--;
		return 0;
	case DW_OP_over:
		return b ? push(m, *b) : -EINVAL;
	case DW_OP_pick:
		a = top(m, op->number);
		return a ? push(m, *a) : -EINVAL;
	case DW_OP_swap:
		if (!b)
			return -EINVAL;
		t = *a, *a = *b, *b = t;
		return 0;
	default: /* DW_OP_rot: the top becomes the third */
		if (!c)
			return -EINVAL;
		t = *a, *a = *b, *b = *c, *c = t;
		return 0;
	}
}

static int unary(struct machine *m, const Dwarf_Op *op)
{
	uint64_t *a = top(m, 0);

	if (!a)
		return -EINVAL;
	switch (op->atom) {
	case DW_OP_abs:
		if (sign(m, *a) < 0)
			*a = -*a;
		break;
	case DW_OP_neg:
		*a = -*a;
		break;
	case DW_OP_not:
		*a = ~*a;
		break;
	default: /* DW_OP_plus_uconst */
		*a += op->number;
		break;
	}
	*a &= m->env->mask;
	return 0;
}

static uint64_t shift(const struct machine *m, uint8_t atom, uint64_t v, uint64_t by)
{
	unsigned bits = m->env->word * 8;

	if (atom == DW_OP_shra)
		return (uint64_t)(sign(m, v) >> MIN(by, bits - 1));
	if (by >= bits)
		return 0;
	return atom == DW_OP_shl ? v << by : v >> by;
}

static int divide(const struct machine *m, uint8_t atom, uint64_t a, uint64_t b, uint64_t *out)
{
	if (!b)
		return -EINVAL;
	if (atom == DW_OP_mod)
		*out = a % b;
	else if (sign(m, b) == -1)
		*out = -a; /* the only quotient that can overflow */
	else
		*out = (uint64_t)(sign(m, a) / sign(m, b));
	return 0;
}

static int binary(struct machine *m, const Dwarf_Op *op)
{
	uint64_t *pb = top(m, 0), *pa = top(m, 1), a, b, r;

	if (!pa)
		return -EINVAL;
	a = *pa;
	b = *pb;
	switch (op->atom) {
	case DW_OP_and: r = a & b; break;
	case DW_OP_or: r = a | b; break;
	case DW_OP_xor: r = a ^ b; break;
	case DW_OP_plus: r = a + b; break;
	case DW_OP_minus: r = a - b; break;
	case DW_OP_mul: r = a * b; break;
	case DW_OP_eq: r = a == b; break;
	case DW_OP_ne: r = a != b; break;
	case DW_OP_lt: r = sign(m, a) < sign(m, b); break;
	case DW_OP_le: r = sign(m, a) <= sign(m, b); break;
	case DW_OP_gt: r = sign(m, a) > sign(m, b); break;
	case DW_OP_ge: r = sign(m, a) >= sign(m, b); break;
	case DW_OP_div:
	case DW_OP_mod:
		if (divide(m, op->atom, a, b, &r) < 0)
			return -EINVAL;
		break;
	default: /* shl, shr, shra */
		r = shift(m, op->atom, a, b);
		break;
	}
	*pa = r & m->env->mask;
	m->depth--;
	return 0;
}

static int branch(struct machine *m, const Dwarf_Op *op)
{
	uint64_t *a;

	if (op->atom == DW_OP_bra) {
		a = top(m, 0);
		if (!a)
			return -EINVAL;
		m->depth--;
		if (!*a)
			return 0;
	}
	return jump(m, op);
}

static int execute(struct machine *m, const Dwarf_Op *op)
{
	if (op->atom >= DW_OP_lit0 && op->atom <= DW_OP_lit31)
		return push(m, (uint64_t)(op->atom - DW_OP_lit0));
	if (op->atom >= DW_OP_breg0 && op->atom <= DW_OP_breg31)
		return push_reg(m, (unsigned)(op->atom - DW_OP_breg0), op->number);
	switch (op->atom) {
	case DW_OP_bregx:
		return op->number <= UINT16_MAX
			       ? push_reg(m, (unsigned)op->number, op->number2)
			       : -EINVAL;
	case DW_OP_addr:
	case DW_OP_const1u: case DW_OP_const1s:
	case DW_OP_const2u: case DW_OP_const2s:
	case DW_OP_const4u: case DW_OP_const4s:
	case DW_OP_const8u: case DW_OP_const8s:
	case DW_OP_constu: case DW_OP_consts:
		return push(m, op->number);
	case DW_OP_call_frame_cfa:
		return push(m, m->env->cfa);
	case DW_OP_deref:
		return deref(m, m->env->word);
	case DW_OP_deref_size:
		return deref(m, op->number);
	case DW_OP_dup: case DW_OP_drop: case DW_OP_over:
	case DW_OP_pick: case DW_OP_swap: case DW_OP_rot:
		return shuffle(m, op);
	case DW_OP_abs: case DW_OP_neg: case DW_OP_not: case DW_OP_plus_uconst:
		return unary(m, op);
	case DW_OP_and: case DW_OP_or: case DW_OP_xor:
	case DW_OP_plus: case DW_OP_minus: case DW_OP_mul:
	case DW_OP_div: case DW_OP_mod:
	case DW_OP_shl: case DW_OP_shr: case DW_OP_shra:
	case DW_OP_eq: case DW_OP_ne:
	case DW_OP_lt: case DW_OP_le: case DW_OP_gt: case DW_OP_ge:
		return binary(m, op);
	case DW_OP_bra: case DW_OP_skip:
		return branch(m, op);
	case DW_OP_nop:
		return 0;
	default:
		return -EINVAL;
	}
}

/* "In that other register" is a location of its own, never part of an
 * expression. */
static int whole_register(const struct expr_env *env, const Dwarf_Op *op, uint64_t *result)
{
	uint64_t reg = op->atom == DW_OP_regx ? op->number : (uint64_t)(op->atom - DW_OP_reg0);

	if (reg > UINT16_MAX)
		return -EINVAL;
	return env->reg(env->arg, (unsigned)reg, result) ? EXPR_VALUE : -EFAULT;
}

static bool is_register(const Dwarf_Op *op)
{
	return op->atom == DW_OP_regx || (op->atom >= DW_OP_reg0 && op->atom <= DW_OP_reg31);
}

int expr_eval(const struct expr_env *env, const Dwarf_Op *ops, size_t n, uint64_t *result)
{
	struct machine m = { .env = env, .ops = ops, .nops = n };
	enum expr_result kind = EXPR_ADDRESS;

	if (n == 1 && is_register(ops))
		return whole_register(env, ops, result);
	for (unsigned steps = 0; m.at < n; steps++) {
		const Dwarf_Op *op = &ops[m.at++];
		int err;

		if (steps == STEPS_MAX)
			return -EINVAL;
		if (op->atom == DW_OP_stack_value && m.at == n) {
			kind = EXPR_VALUE;
			break;
		}
		err = execute(&m, op);
		if (err < 0)
			return err;
	}
	if (!m.depth)
		return -EINVAL;
	*result = m.stack[m.depth - 1];
	return (int)kind;
}
