/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The instructions of .ARM.exidx and .ARM.extab, which move a virtual stack
 * pointer from a call site in a function to its caller's.  Source: Exception
 * Handling ABI for the Arm Architecture (IHI 0038), section 10.3, table 4.
 *
 * They are reduced to offsets from one register.  What has no such form (a
 * second base, a stack pointer that is popped) is not told. */
#include "arch/arm/unwind.h"

struct unwinding {
	const uint8_t *ops;
	size_t n, at;
	int64_t vsp;  /* from `base` */
	uint8_t base;
	bool moved;   /* something was popped or added: the base is fixed */
	struct abi_frame *out;
};

static bool next(struct unwinding *u, uint8_t *op)
{
	if (u->at == u->n)
		return false;
	*op = u->ops[u->at++];
	return true;
}

static bool move(struct unwinding *u, int64_t by)
{
	u->vsp += by;
	u->moved = true;
	return u->vsp > -(1 << 30) && u->vsp < 1 << 30;
}

/* Bit n of the mask: register n is popped. */
static bool pop(struct unwinding *u, uint32_t mask)
{
	if (mask & 1u << UNWIND_SP)
		return false;
	for (unsigned reg = 0; reg < ABI_FRAME_REGS; reg++) {
		if (!(mask >> reg & 1))
			continue;
		u->out->saved |= 1u << reg;
		u->out->off[reg] = (int32_t)u->vsp;
		if (!move(u, 4))
			return false;
	}
	return true;
}

static bool set_base(struct unwinding *u, unsigned reg)
{
	if (u->moved || reg == UNWIND_SP || reg == UNWIND_PC)
		return false;
	u->base = (uint8_t)reg;
	return true;
}

static bool add_uleb(struct unwinding *u)
{
	uint64_t v = 0;
	uint8_t b;

	for (unsigned shift = 0; shift < 28; shift += 7) {
		if (!next(u, &b))
			return false;
		v |= (uint64_t)(b & 0x7f) << shift;
		if (!(b & 0x80))
			return move(u, 0x204 + (int64_t)(v << 2));
	}
	return false;
}

/* Registers that nobody asks for: so many of 8 bytes, and `more`. */
static bool skip(struct unwinding *u, unsigned n, unsigned more)
{
	return move(u, 8 * (int64_t)n + more);
}

static bool skip_listed(struct unwinding *u, unsigned more)
{
	uint8_t list;

	return next(u, &list) && skip(u, (list & 15u) + 1, more);
}

static bool pop_low(struct unwinding *u)
{
	uint8_t mask;

	return next(u, &mask) && mask && mask < 16 && pop(u, mask);
}

/* 1011xxxx */
static bool op_b(struct unwinding *u, uint8_t op)
{
	switch (op) {
	case 0xb1: return pop_low(u);
	case 0xb2: return add_uleb(u);
	case 0xb3: return skip_listed(u, 4); /* FSTMFDX */
	case 0xb4: return move(u, 4); /* return address authentication code */
	case 0xb5: return true;       /* the modifier for that */
	default:   return op >= 0xb8 && skip(u, (op & 7u) + 1, 4);
	}
}

/* 1100xxxx */
static bool op_c(struct unwinding *u, uint8_t op)
{
	uint8_t mask;

	switch (op) {
	case 0xc6: /* WMMX data, … */
	case 0xc8: /* D16 … D31, … */
	case 0xc9: /* D0 … D15 */
		return skip_listed(u, 0);
	case 0xc7:
		return next(u, &mask) && mask && mask < 16 &&
		       move(u, 4 * __builtin_popcount(mask));
	default:
		return op < 0xc6 && skip(u, (op & 7u) + 1, 0);
	}
}

static bool one(struct unwinding *u, uint8_t op)
{
	uint8_t low;

	switch (op >> 4) {
	case 0: case 1: case 2: case 3:
		return move(u, ((op & 0x3f) << 2) + 4);
	case 4: case 5: case 6: case 7:
		return move(u, -((op & 0x3f) << 2) - 4);
	case 8: /* a mask of 0: refuse to unwind */
		if (!next(u, &low))
			return false;
		return (op & 15) | low ? pop(u, ((op & 15u) << 8 | low) << 4) : false;
	case 9:
		return set_base(u, op & 15);
	case 0xa:
		return pop(u, ((2u << (op & 7)) - 1) << 4 | (op & 8 ? 1u << UNWIND_LR : 0));
	case 0xb:
		return op_b(u, op);
	case 0xc:
		return op_c(u, op);
	case 0xd:
		return op < 0xd8 && skip(u, (op & 7u) + 1, 0);
	default:
		return false;
	}
}

bool arm_exidx(const struct abi *abi, const uint8_t *ops, size_t n, struct abi_frame *out)
{
	struct unwinding u = { .ops = ops, .n = n, .base = UNWIND_SP, .out = out };
	uint8_t op;

	(void)abi;
	*out = (struct abi_frame){ .ra_reg = UNWIND_LR };
	while (next(&u, &op) && op != 0xb0)
		if (!one(&u, op))
			return false;
	out->base = u.base;
	out->cfa = (int32_t)u.vsp;
	for (unsigned reg = UNWIND_LR; reg <= UNWIND_PC; reg++) {
		if (out->saved >> reg & 1) {
			out->ra_saved = true;
			out->ra = out->off[reg];
		}
	}
	out->saved &= (1u << UNWIND_SP) - 1;
	return true;
}
