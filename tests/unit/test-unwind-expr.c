/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <dwarf.h>
#include <errno.h>

#include "../../src/trace/unwind-internal.h"

/* Register n holds 1000 × n, but 9 is unknown; memory at a holds a + 1, but
 * below 4096 there is none. */
static bool reg(void *arg, unsigned n, uint64_t *v)
{
	(void)arg;
	*v = 1000 * (uint64_t)n;
	return n != 9;
}

static bool load(void *arg, taddr_t addr, unsigned size, uint64_t *v)
{
	(void)arg;
	*v = size == 1 ? 0xee : addr + 1;
	return addr >= 4096;
}

static const struct expr_env env64 = { reg, load, NULL, UINT64_MAX, 8, 0x7000 };
static const struct expr_env env32 = { reg, load, NULL, UINT32_MAX, 4, 0x7000 };

/* Gives each operation a place, so that branches find their way: all are one
 * byte long but branches (three). */
static int run(const struct expr_env *env, Dwarf_Op *ops, size_t n, uint64_t *v)
{
	uint64_t at = 0;

	for (size_t i = 0; i < n; i++) {
		ops[i].offset = at;
		at += ops[i].atom == DW_OP_bra || ops[i].atom == DW_OP_skip ? 3 : 1;
	}
	return expr_eval(env, ops, n, v);
}

#define RUN(env, v, ...)                                                       \
	run(env, (Dwarf_Op[]){ __VA_ARGS__ },                                  \
	    sizeof((Dwarf_Op[]){ __VA_ARGS__ }) / sizeof(Dwarf_Op), v)
#define OP(...) { __VA_ARGS__ }

static void assert_value(const struct expr_env *env, uint64_t a, uint64_t b, uint8_t op,
			 uint64_t expected)
{
	Dwarf_Op ops[] = { { .atom = DW_OP_constu, .number = a },
			   { .atom = DW_OP_constu, .number = b },
			   { .atom = op } };
	uint64_t v = 0;

	assert_int_equal(run(env, ops, 3, &v), EXPR_ADDRESS);
	assert_int_equal(v, expected);
}

static void arithmetic(void **state)
{
	const uint64_t minus_1 = UINT64_MAX;

	(void)state;
	assert_value(&env64, 6, 3, DW_OP_plus, 9);
	assert_value(&env64, 6, 7, DW_OP_minus, minus_1);
	assert_value(&env32, 6, 7, DW_OP_minus, UINT32_MAX);
	assert_value(&env64, 6, 7, DW_OP_mul, 42);
	assert_value(&env64, (uint64_t)-42, 7, DW_OP_div, (uint64_t)-6);
	assert_value(&env32, (uint32_t)-42, 7, DW_OP_div, (uint32_t)-6);
	assert_value(&env64, (uint64_t)INT64_MIN, minus_1, DW_OP_div, (uint64_t)INT64_MIN);
	assert_value(&env64, 42, 5, DW_OP_mod, 2);
	assert_value(&env64, 12, 10, DW_OP_and, 8);
	assert_value(&env64, 12, 10, DW_OP_or, 14);
	assert_value(&env64, 12, 10, DW_OP_xor, 6);
	assert_value(&env64, 1, 3, DW_OP_shl, 8);
	assert_value(&env64, 1, 64, DW_OP_shl, 0);
	assert_value(&env32, 1, 32, DW_OP_shl, 0);
	assert_value(&env64, 8, 3, DW_OP_shr, 1);
	assert_value(&env64, minus_1, 200, DW_OP_shra, minus_1);
	assert_value(&env32, 0x80000000, 4, DW_OP_shra, 0xf8000000);
	assert_value(&env64, minus_1, 0, DW_OP_lt, 1);
	assert_value(&env32, UINT32_MAX, 0, DW_OP_lt, 1);
	assert_value(&env64, 11, 11, DW_OP_ge, 1);
	assert_value(&env64, 11, 12, DW_OP_ge, 0);
	assert_value(&env64, 11, 11, DW_OP_le, 1);
	assert_value(&env64, 11, 12, DW_OP_gt, 0);
	assert_value(&env64, 11, 11, DW_OP_eq, 1);
	assert_value(&env64, 11, 11, DW_OP_ne, 0);
}

static void assert_unary(uint8_t op, uint64_t number, uint64_t a, uint64_t expected)
{
	uint64_t v = 0;

	assert_int_equal(RUN(&env64, &v, OP(.atom = DW_OP_constu, .number = a),
			     OP(.atom = op, .number = number)), EXPR_ADDRESS);
	assert_int_equal(v, expected);
}

static void one_operand(void **state)
{
	(void)state;
	assert_unary(DW_OP_abs, 0, (uint64_t)-5, 5);
	assert_unary(DW_OP_neg, 0, 5, (uint64_t)-5);
	assert_unary(DW_OP_not, 0, 0, UINT64_MAX);
	assert_unary(DW_OP_plus_uconst, 7, 5, 12);
	assert_unary(DW_OP_deref, 0, 5000, 5001);
	assert_unary(DW_OP_deref_size, 1, 5000, 0xee);
}

static void stack_operations(void **state)
{
	uint64_t v = 0;

	(void)state;
	/* 1 2 3 rot → 3 1 2; minus → 3 −1; plus → 2 */
	assert_int_equal(RUN(&env64, &v, OP(.atom = DW_OP_lit1), OP(.atom = DW_OP_lit2),
			     OP(.atom = DW_OP_lit3), OP(.atom = DW_OP_rot),
			     OP(.atom = DW_OP_minus), OP(.atom = DW_OP_plus)), EXPR_ADDRESS);
	assert_int_equal(v, 2);
	/* 9 4 swap minus → −5; dup mul → 25 */
	assert_int_equal(RUN(&env64, &v, OP(.atom = DW_OP_lit9), OP(.atom = DW_OP_lit4),
			     OP(.atom = DW_OP_swap), OP(.atom = DW_OP_minus),
			     OP(.atom = DW_OP_dup), OP(.atom = DW_OP_mul)), EXPR_ADDRESS);
	assert_int_equal(v, 25);
	/* 9 4 over pick 2 → 9 4 9 9; drop minus → 9 −5 */
	assert_int_equal(RUN(&env64, &v, OP(.atom = DW_OP_lit9), OP(.atom = DW_OP_lit4),
			     OP(.atom = DW_OP_over), OP(.atom = DW_OP_pick, .number = 2),
			     OP(.atom = DW_OP_drop), OP(.atom = DW_OP_minus)), EXPR_ADDRESS);
	assert_int_equal(v, (uint64_t)-5);
}

static void registers(void **state)
{
	uint64_t v = 0;

	(void)state;
	assert_int_equal(RUN(&env64, &v, OP(.atom = DW_OP_breg7, .number = (uint64_t)-8)),
			 EXPR_ADDRESS);
	assert_int_equal(v, 6992);
	assert_int_equal(RUN(&env64, &v, OP(.atom = DW_OP_bregx, .number = 12, .number2 = 5)),
			 EXPR_ADDRESS);
	assert_int_equal(v, 12005);
	assert_int_equal(RUN(&env64, &v, OP(.atom = DW_OP_regx, .number = 12)), EXPR_VALUE);
	assert_int_equal(v, 12000);
	assert_int_equal(RUN(&env64, &v, OP(.atom = DW_OP_reg3)), EXPR_VALUE);
	assert_int_equal(v, 3000);
	assert_int_equal(RUN(&env64, &v, OP(.atom = DW_OP_call_frame_cfa),
			     OP(.atom = DW_OP_plus_uconst, .number = (uint64_t)-16),
			     OP(.atom = DW_OP_stack_value)), EXPR_VALUE);
	assert_int_equal(v, 0x7000 - 16);
	assert_int_equal(RUN(&env64, &v, OP(.atom = DW_OP_breg9)), -EFAULT);
	assert_int_equal(RUN(&env64, &v, OP(.atom = DW_OP_regx, .number = 9)), -EFAULT);
	assert_int_equal(RUN(&env64, &v, OP(.atom = DW_OP_bregx, .number = 1u << 30)), -EINVAL);
}

/* CFA of a PLT entry: sp + 8, and 8 more from its 11th byte on. */
static void plt(void **state)
{
	uint64_t v = 0;

	(void)state;
	for (int pick = 0; pick < 2; pick++) {
		assert_int_equal(RUN(&env64, &v, OP(.atom = DW_OP_breg7, .number = 8),
				     OP(.atom = DW_OP_breg16, .number = pick ? 11 : 10),
				     OP(.atom = DW_OP_lit15), OP(.atom = DW_OP_and),
				     OP(.atom = DW_OP_lit11), OP(.atom = DW_OP_ge),
				     OP(.atom = DW_OP_lit3), OP(.atom = DW_OP_shl),
				     OP(.atom = DW_OP_plus)), EXPR_ADDRESS);
		/* 16010 & 15 = 10, 16011 & 15 = 11 */
		assert_int_equal(v, pick ? 7016 : 7008);
	}
}

static void branches(void **state)
{
	uint64_t v = 0;

	(void)state;
	/* 5 0 bra(+1: not taken) lit3 → 3;  5 1 bra(+1: over lit3) → 5 */
	assert_int_equal(RUN(&env64, &v, OP(.atom = DW_OP_lit5), OP(.atom = DW_OP_lit0),
			     OP(.atom = DW_OP_bra, .number = 1), OP(.atom = DW_OP_lit3),
			     OP(.atom = DW_OP_nop)), EXPR_ADDRESS);
	assert_int_equal(v, 3);
	assert_int_equal(RUN(&env64, &v, OP(.atom = DW_OP_lit5), OP(.atom = DW_OP_lit1),
			     OP(.atom = DW_OP_bra, .number = 1), OP(.atom = DW_OP_lit3),
			     OP(.atom = DW_OP_nop)), EXPR_ADDRESS);
	assert_int_equal(v, 5);
	/* to the very end */
	assert_int_equal(RUN(&env64, &v, OP(.atom = DW_OP_lit5),
			     OP(.atom = DW_OP_skip, .number = 1), OP(.atom = DW_OP_lit3)),
			 EXPR_ADDRESS);
	assert_int_equal(v, 5);
	/* round and round */
	assert_int_equal(RUN(&env64, &v, OP(.atom = DW_OP_nop),
			     OP(.atom = DW_OP_skip, .number = (uint16_t)-4)), -EINVAL);
	/* before the beginning; into the middle */
	assert_int_equal(RUN(&env64, &v, OP(.atom = DW_OP_lit1),
			     OP(.atom = DW_OP_skip, .number = (uint16_t)-40)), -EINVAL);
	assert_int_equal(RUN(&env64, &v, OP(.atom = DW_OP_lit1),
			     OP(.atom = DW_OP_skip, .number = (uint16_t)-2)), -EINVAL);
}

static void damage(void **state)
{
	static const uint8_t need[] = { DW_OP_dup, DW_OP_drop, DW_OP_over, DW_OP_swap, DW_OP_rot,
					DW_OP_neg, DW_OP_plus, DW_OP_deref, DW_OP_bra, DW_OP_pick };
	Dwarf_Op many[100];
	uint64_t v = 0;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(need); i++) {
		Dwarf_Op op = { .atom = need[i] };

		assert_int_equal(run(&env64, &op, 1, &v), -EINVAL);
	}
	for (size_t i = 0; i < ARRAY_SIZE(many); i++)
		many[i] = (Dwarf_Op){ .atom = DW_OP_lit1 };
	assert_int_equal(run(&env64, many, ARRAY_SIZE(many), &v), -EINVAL);
	assert_int_equal(run(&env64, many, 0, &v), -EINVAL);
	assert_int_equal(RUN(&env64, &v, OP(.atom = DW_OP_lit1), OP(.atom = DW_OP_lit0),
			     OP(.atom = DW_OP_div)), -EINVAL);
	assert_int_equal(RUN(&env64, &v, OP(.atom = DW_OP_lit1), OP(.atom = DW_OP_lit0),
			     OP(.atom = DW_OP_mod)), -EINVAL);
	assert_int_equal(RUN(&env64, &v, OP(.atom = DW_OP_lit1), OP(.atom = DW_OP_deref)),
			 -EFAULT);
	assert_int_equal(RUN(&env64, &v, OP(.atom = DW_OP_breg7),
			     OP(.atom = DW_OP_deref_size, .number = 3)), -EINVAL);
	assert_int_equal(RUN(&env32, &v, OP(.atom = DW_OP_breg7),
			     OP(.atom = DW_OP_deref_size, .number = 8)), -EINVAL);
	assert_int_equal(RUN(&env64, &v, OP(.atom = DW_OP_push_object_address)), -EINVAL);
	/* a value only when it is last */
	assert_int_equal(RUN(&env64, &v, OP(.atom = DW_OP_lit1), OP(.atom = DW_OP_stack_value),
			     OP(.atom = DW_OP_lit1)), -EINVAL);
	assert_int_equal(v, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(arithmetic),
		cmocka_unit_test(one_operand),
		cmocka_unit_test(stack_operations),
		cmocka_unit_test(registers),
		cmocka_unit_test(plt),
		cmocka_unit_test(branches),
		cmocka_unit_test(damage),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
