/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ARM's frames: instructions of .ARM.exidx, and real functions of Debian's C
 * libraries (armhf: Thumb-2, armel: ARM), of which the frames at all places are
 * known from their .debug_frame. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "arch/arm/unwind.h"

static const struct abi arm = { .name = "arm", .code_bit = 1 };

enum { SP = 13, R7 = 7 };
#define SAVED(reg) (1u << (reg))

/* -- code ------------------------------------------------------------------- */

/* From `at` on the frame is this one. */
struct truth {
	unsigned at;
	uint8_t base;
	int32_t cfa;
	int32_t ra; /* from the CFA; 0: in lr */
	uint32_t saved;
};

#define BASE 0x10000u

struct function {
	bool thumb;
	size_t n;
	uint8_t bytes[512];
};

static void put(struct function *f, uint32_t v, unsigned size)
{
	assert_true(f->n + size <= sizeof f->bytes);
	for (unsigned i = 0; i < size; i++)
		f->bytes[f->n++] = (uint8_t)(v >> 8 * i);
}

static struct function thumb_of(const uint16_t *code, size_t n)
{
	struct function f = { .thumb = true };

	for (size_t i = 0; i < n; i++)
		put(&f, code[i], 2);
	return f;
}

static struct function arm_of(const uint32_t *code, size_t n)
{
	struct function f = { 0 };

	for (size_t i = 0; i < n; i++)
		put(&f, code[i], 4);
	return f;
}

#define THUMB(...) thumb_of((const uint16_t[]){ __VA_ARGS__ }, \
			    sizeof((const uint16_t[]){ __VA_ARGS__ }) / 2)
#define ARM(...) arm_of((const uint32_t[]){ __VA_ARGS__ }, \
			sizeof((const uint32_t[]){ __VA_ARGS__ }) / 4)

static bool frame_at(const struct function *f, unsigned at, bool begins, struct abi_frame *out)
{
	struct abi_code code = { f->bytes, BASE, BASE + f->n, begins ? BASE + f->n : BASE };

	return arm_prologue(&arm, &code, (BASE + at) | f->thumb, out);
}

static void check_frame(const struct abi_frame *got, const struct truth *want)
{
	assert_false(got->outermost);
	assert_int_equal(got->base, want->base);
	assert_int_equal(got->cfa, want->cfa);
	assert_int_equal(got->ra_saved, want->ra != 0);
	assert_int_equal(got->ra_saved ? got->ra - got->cfa : got->ra_reg, want->ra ? want->ra : 14);
	assert_int_equal(got->saved, want->saved);
}

static void check(const struct function *f, const struct truth *t, size_t n)
{
	struct abi_frame got;

	for (size_t i = 0; i < n; i++) {
		if (!frame_at(f, t[i].at, true, &got))
			fail_msg("nothing is known at +0x%x", t[i].at);
		check_frame(&got, &t[i]);
	}
}

#define CHECK(f, ...) check(&(f), (const struct truth[]){ __VA_ARGS__ }, \
			    sizeof((const struct truth[]){ __VA_ARGS__ }) / sizeof(struct truth))

/* Arguments and lr pushed apart, an epilogue in the middle. */
static const uint16_t thumb_asprintf[] = {
	0xb40e, 0x2300, 0xf8df, 0xc044, 0xb500, 0x4911, 0x44fc, 0xb082, 0xaa03, 0xf85c, 0x1001,
	0x6809, 0x9101, 0xf04f, 0x0100, 0xf852, 0x1b04, 0x9200, 0xf01a, 0xfc2e, 0x4a0a, 0x4b09,
	0x447a, 0x58d3, 0x681a, 0x9b01, 0x405a, 0xf04f, 0x0300, 0xd104, 0xb002, 0xf85d, 0xeb04,
	0xb003, 0x4770, 0xf085, 0xfbbf, 0xbf00, 0x1acc, 0x000d, 0x008c, 0x0000, 0x1aac, 0x000d };

static void thumb_variadic(void **state)
{
	struct function f = thumb_of(thumb_asprintf, ARRAY_SIZE(thumb_asprintf));

	(void)state;
	CHECK(f, { 0, SP, 0, 0, 0 }, { 2, SP, 12, 0, 0 }, { 8, SP, 12, 0, 0 },
	      { 0xa, SP, 16, -16, 0 }, { 0xe, SP, 16, -16, 0 }, { 0x10, SP, 24, -16, 0 },
	      { 0x28, SP, 24, -16, 0 }, { 0x3c, SP, 24, -16, 0 }, { 0x3e, SP, 16, -16, 0 },
	      { 0x42, SP, 12, 0, 0 }, { 0x44, SP, 0, 0, 0 }, { 0x46, SP, 24, -16, 0 },
	      { 0x4a, SP, 24, -16, 0 });
}

static void thumb_tail_call(void **state)
{
	struct function f = THUMB( /* setenv */
		0xb570, 0xb178, 0x7803, 0x4604, 0xb163, 0x460d, 0x213d, 0x4616, 0xf03c, 0xf820,
		0x4602, 0xb928, 0x4633, 0x4629, 0x4620, 0xe8bd, 0x4070, 0xe689, 0x4b04, 0xee1d,
		0x2f70, 0x2116, 0xf04f, 0x30ff, 0x447b, 0x681b, 0x50d1, 0xbd70, 0xad70, 0x000d);
	uint32_t saved = SAVED(4) | SAVED(5) | SAVED(6);
	struct abi_frame got;

	(void)state;
	CHECK(f, { 0, SP, 0, 0, 0 }, { 2, SP, 16, -4, saved }, { 0x14, SP, 16, -4, saved },
	      { 0x22, SP, 0, 0, 0 }, { 0x24, SP, 16, -4, saved }, { 0x36, SP, 16, -4, saved });
	assert_true(frame_at(&f, 0x14, true, &got));
	assert_int_equal(got.off[4] - got.cfa, -16);
	assert_int_equal(got.off[6] - got.cfa, -8);
}

static void thumb_vfp(void **state)
{
	struct function f = THUMB( /* ldexpf */
		0xb508, 0xeeb0, 0x7ac0, 0xeef0, 0x7a40, 0xed2d, 0x8b02, 0xed9f, 0x8a15, 0xeeb4,
		0x7a48, 0xeef1, 0xfa10, 0xd804, 0xeeb5, 0x0a40, 0xeef1, 0xfa10, 0xd104, 0xee37,
		0x0aa7, 0xecbd, 0x8b02, 0xbd08, 0xf7ff, 0xff50, 0xeef0, 0x7ac0, 0xeef4, 0x7a48,
		0xeef1, 0xfa10, 0xd909, 0xecbd, 0x8b02, 0xee1d, 0x2f70, 0x4b07, 0x2122, 0x447b,
		0x681b, 0x50d1, 0xbd08, 0xeeb5, 0x0a40, 0xeef1, 0xfa10, 0xd1e4, 0xe7ef, 0xbf00);

	(void)state;
	CHECK(f, { 2, SP, 8, -4, 0 }, { 0xe, SP, 16, -4, 0 }, { 0x34, SP, 16, -4, 0 },
	      { 0x46, SP, 8, -4, 0 }, { 0x54, SP, 8, -4, 0 }, { 0x56, SP, 16, -4, 0 });
}

/* The stack pointer moves by a number of the program's. */
static void thumb_frame_pointer(void **state)
{
	struct function f = THUMB( /* group_member */
		0x4a1b, 0x4b1c, 0x447a, 0xb5f0, 0xf44f, 0x3480, 0xb083, 0x58d3, 0xaf00, 0x4606,
		0x681b, 0x607b, 0xf04f, 0x0300, 0x466b, 0x4620, 0xeba3, 0x0384, 0x469d, 0x466d,
		0x4629, 0xf7ff, 0xff59, 0x4284, 0xea4f, 0x0444, 0xd0f2, 0xeb05, 0x0580, 0xe004,
		0xf855, 0x3d04, 0x3801, 0x42b3, 0xd00f, 0x2800, 0xdcf8, 0x2000, 0x4a0a, 0x4b09,
		0x447a, 0x58d3, 0x681a, 0x687b, 0x405a, 0xf04f, 0x0300, 0xd104, 0x370c, 0x46bd,
		0xbdf0, 0x2001, 0xe7f0, 0xf035, 0xfe6f, 0xbf00);
	uint32_t saved = SAVED(4) | SAVED(5) | SAVED(6) | SAVED(7);

	(void)state;
	CHECK(f, { 6, SP, 0, 0, 0 }, { 8, SP, 20, -4, saved }, { 0xe, SP, 32, -4, saved },
	      { 0x2e, R7, 32, -4, saved }, { 0x62, R7, 20, -4, saved }, { 0x64, R7, 20, -4, saved },
	      { 0x66, R7, 32, -4, saved });
}

static void thumb_large_frame(void **state)
{
	struct function f = THUMB( /* __assert_perror_fail */
		0x460e, 0x4910, 0x461c, 0x4b10, 0x4479, 0xb580, 0x4617, 0xf5ad, 0x6d82, 0xf44f,
		0x6280, 0x58cb, 0xa903, 0x681b, 0xf8cd, 0x340c, 0xf04f, 0x0300, 0xf042, 0xfeda,
		0x4908, 0x4605, 0x4808, 0x2205, 0x4479, 0x4478, 0xf000, 0xfb3a);

	(void)state;
	CHECK(f, { 0xa, SP, 0, 0, 0 }, { 0xc, SP, 8, -4, SAVED(7) }, { 0x12, SP, 1048, -4, SAVED(7) },
	      { 0x28, SP, 1048, -4, SAVED(7) }, { 0x38, SP, 1048, -4, SAVED(7) });
}

/* "if (!r0) return; push …", a table of jumps, and a return behind it. */
static void thumb_table(void **state)
{
	struct function f = THUMB( /* gcc -O2 of a switch */
		0xb570, 0x1e0c, 0xbfb8, 0x2000, 0xdb1b, 0x4605, 0x2805, 0xd838, 0xe8df, 0xf000,
		0x1d18, 0x2c26, 0x0332, 0x2004, 0xeb04, 0x0444, 0xf7ff, 0xfffe, 0x4601, 0x2005,
		0x2600, 0xf7ff, 0xfffe, 0x4631, 0x4620, 0xf7ff, 0xfffe, 0x4631, 0x4604, 0x4628,
		0xf7ff, 0xfffe, 0x4420, 0xbd70, 0x2001, 0xf7ff, 0xfffe, 0x4606, 0xe7ef, 0x2016,
		0xf7ff, 0xfffe, 0x4606, 0x4631, 0x4620, 0xf7ff, 0xfffe, 0xe7e6, 0x2021, 0x3403,
		0xf7ff, 0xfffe, 0x4606, 0xe7e0, 0x2100, 0x2001, 0x460e, 0xf7ff, 0xfffe, 0xe7da,
		0x4620, 0xf7ff, 0xfffe, 0x4606, 0xe7d5, 0x2005, 0xbd70, 0xbf00);
	uint32_t saved = SAVED(4) | SAVED(5) | SAVED(6);

	(void)state;
	CHECK(f, { 0x24, SP, 16, -4, saved }, { 0x4a, SP, 16, -4, saved }, { 0x54, SP, 16, -4, saved },
	      { 0x68, SP, 16, -4, saved }, { 0x76, SP, 16, -4, saved }, { 0x7e, SP, 16, -4, saved },
	      { 0x84, SP, 16, -4, saved });
}

/* Pushed late, in one of the ways through the function. */
static void thumb_conditional_return(void **state)
{
	struct function f = THUMB(
		0x2800,         /* cmp r0, #0 */
		0xbf08, 0x4770, /* it eq; bxeq lr */
		0xb510,         /* push {r4, lr} */
		0xf7ff, 0xfffe, /* bl */
		0xb918,         /* cbnz r0, +0x16 */
		0xe8bd, 0x4010, /* pop.w {r4, lr} */
		0x4770,         /* bx lr */
		0xbf00,
		0xf7ff, 0xfffe, /* +0x16: bl */
		0xbd10);

	(void)state;
	CHECK(f, { 4, SP, 0, 0, 0 }, { 6, SP, 0, 0, 0 }, { 0xc, SP, 8, -4, SAVED(4) },
	      { 0x12, SP, 0, 0, 0 }, { 0x16, SP, 8, -4, SAVED(4) }, { 0x1a, SP, 8, -4, SAVED(4) });
}

/* A jump through a register: where no way leads, the frame is that of the jump. */
static void thumb_computed(void **state)
{
	struct function f = THUMB(
		0xb570, 0xb084, /* push {r4 - r6, lr}; sub sp, #16 */
		0x4697,         /* mov pc, r2 */
		0xf7ff, 0xfffe, /* bl */
		0xb004, 0xbd70);
	uint32_t saved = SAVED(4) | SAVED(5) | SAVED(6);

	(void)state;
	CHECK(f, { 0xa, SP, 32, -4, saved });
}

static void outermost(void **state)
{
	struct function clone = THUMB(
		0x2800, 0xf021, 0x0107, 0xbf14, 0x2900, 0xf06f, 0x0015, 0xf42a, 0xa557, 0xf841,
		0x3d04, 0xf841, 0x0d04, 0x4610, 0x4694, 0xb490, 0x9a02, 0x9b03, 0x9c04, 0xf04f,
		0x0778, 0xdf00, 0x2800, 0xd003, 0xbc90, 0xf6ea, 0xa545, 0x4770, 0x9801, 0xf85d,
		0xcb08, 0x47e0, 0xf04f, 0x0701, 0xdf00, 0xbf00);
	struct function start = THUMB(
		0xf04f, 0x0b00, 0xf04f, 0x0e00, 0xbc02, 0x466a, 0xb404, 0xb401, 0xf8df, 0xa018,
		0xa305, 0x449a, 0xf04f, 0x0300, 0xb408, 0x4804, 0xf85a, 0x0000, 0xf7ff, 0xfffe,
		0xf7ff, 0xfffe);
	struct function noreturn = THUMB(0xf7ff, 0xfffe, 0xbf00); /* did not keep lr */
	struct abi_frame got;

	(void)state;
	CHECK(clone, { 0x2c, SP, 8, 0, SAVED(4) | SAVED(7) }, { 0x36, SP, 0, 0, 0 });
	assert_true(frame_at(&clone, 0x40, true, &got) && got.outermost);
	assert_true(frame_at(&start, 0x28, true, &got) && got.outermost);
	assert_false(frame_at(&noreturn, 4, true, &got));
}

static void arm_functions(void **state)
{
	struct function variadic = ARM( /* asprintf */
		0xe92d000e, 0xe52de004, 0xe59fe064, 0xe59fc064, 0xe08fe00e, 0xe24dd008, 0xe79ec00c,
		0xe28d2010, 0xe3a03000, 0xe59d100c, 0xe59cc000, 0xe58dc004, 0xe3a0c000, 0xe58d2000,
		0xeb009df1, 0xe59f2038, 0xe59f3030, 0xe08f2002, 0xe7923003, 0xe5932000, 0xe59d3004,
		0xe0332002, 0xe3a03000, 0x1a000003, 0xe28dd008, 0xe49de004, 0xe28dd00c, 0xe12fff1e,
		0xeb0321a9, 0x0012e4e4, 0x00000084, 0x0012e4b0);
	struct function late = ARM( /* __wcscpy_chk */
		0xe240c004, 0xea000004, 0xe4913004, 0xe5ac3004, 0xe3530000, 0xe2422001, 0x012fff1e,
		0xe3520000, 0x1afffff8, 0xe92d4010, 0xebfffdab);
	struct function early = ARM( /* _rpc_dtablesize */
		0xe92d4010, 0xe59f4018, 0xe08f4004, 0xe5940000, 0xe3500000, 0x18bd8010, 0xebfefa9e,
		0xe5840000, 0xe8bd8010, 0x00049618);

	(void)state;
	CHECK(variadic, { 4, SP, 12, 0, 0 }, { 8, SP, 16, -16, 0 }, { 0x18, SP, 24, -16, 0 },
	      { 0x3c, SP, 24, -16, 0 }, { 0x68, SP, 12, 0, 0 }, { 0x6c, SP, 0, 0, 0 },
	      { 0x74, SP, 24, -16, 0 });
	CHECK(late, { 0x24, SP, 0, 0, 0 }, { 0x2c, SP, 8, -4, SAVED(4) });
	CHECK(early, { 0x14, SP, 8, -4, SAVED(4) }, { 0x1c, SP, 8, -4, SAVED(4) });
}

static void arm_shapes(void **state)
{
	struct function table = ARM(
		0xe92d4070, 0xe3500001, /* push {r4 - r6, lr}; cmp r0, #1 */
		0x908ff100,             /* addls pc, pc, r0, lsl #2 */
		0xea000005, 0xea000000, 0xea000001, /* b; b; b */
		0xeb000000, 0xe8bd8070, /* bl; pop {r4 - r6, pc} */
		0xeb000000, 0xe8bd8070,
		0xe8bd8070);
	struct function apcs = ARM( /* the frame of the old procedure call standard */
		0xe1a0c00d, 0xe92dd810, /* mov ip, sp; push {r4, fp, ip, lr, pc} */
		0xe24cb004, 0xe04dd001, /* sub fp, ip, #4; sub sp, sp, r1 */
		0xeb000000, 0xe24bd010, 0xe89da810); /* bl; sub sp, fp, #16; ldm sp, {r4, fp, sp, pc} */
	struct function old_call = ARM(0xe92d4010, 0xe1a0e00f, 0xe12fff13, 0xe8bd8010);

	(void)state;
	CHECK(table, { 0x1c, SP, 16, -4, 0x70 }, { 0x24, SP, 16, -4, 0x70 },
	      { 0x28, SP, 16, -4, 0x70 });
	CHECK(apcs, { 8, SP, 20, -8, SAVED(4) | SAVED(11) }, { 0x14, 11, 4, -8, SAVED(4) | SAVED(11) });
	CHECK(old_call, { 0xc, SP, 8, -4, SAVED(4) });
}

/* The function begins somewhere. */
static void unknown_beginning(void **state)
{
	struct function f = THUMB(0xb510, 0xf7ff, 0xfffe, 0xbd10, /* another one */
				  0x0000, 0x0000);
	struct truth want = { 0x34, SP, 24, -16, 0 };
	struct abi_frame got;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(thumb_asprintf); i++)
		put(&f, thumb_asprintf[i], 2);
	assert_true(frame_at(&f, want.at, false, &got));
	check_frame(&got, &want);
}

/* Data in it look like another beginning, from which ways lead to one side of the place
 * only; vfprintf is such a function. */
static void unknown_computed(void **state)
{
	struct function f = THUMB(
		0xb510, 0xf7ff, 0xfffe, 0xbd10, /* another one */
		0xe92d, 0x4ff0, 0xb084,         /* push {r4 - r11, lr}; sub sp, #16 */
		0x2800, 0xd006,                 /* cmp r0, #0; beq +0x20 */
		0x4697,                         /* mov pc, r2 */
		0xb550, 0x2000, 0x4697,         /* data: push {r4, r6, lr}; mov pc, r2 */
		0xf7ff, 0xfffe, 0x4697,         /* bl; mov pc, r2 */
		0xb004, 0xe8bd, 0x8ff0);        /* +0x20: add sp, #16; pop {r4 - r11, pc} */
	struct truth want = { 0x1e, SP, 52, -4, 0xff0 };
	struct abi_frame got;

	(void)state;
	assert_true(frame_at(&f, want.at, false, &got));
	check_frame(&got, &want);
}

/* Any bytes are tolerated, and nothing outside of them is read. */
static void any_bytes(void **state)
{
	uint64_t r = 88172645463325252u;
	struct function f;
	struct abi_frame got;

	(void)state;
	for (int round = 0; round < 20000; round++) {
		f = (struct function){ .thumb = round & 1, .n = 1 + round % 120 };
		for (size_t i = 0; i < f.n; i++) {
			r ^= r << 13, r ^= r >> 7, r ^= r << 17;
			f.bytes[i] = (uint8_t)(r >> 20);
		}
		if (round % 3 == 0)
			f.bytes[1] = 0xb5;
		frame_at(&f, (unsigned)(r >> 40) % 130, round & 2, &got);
	}
}

/* -- tables ------------------------------------------------------------------ */

static bool exidx(struct abi_frame *out, const uint8_t *ops, size_t n)
{
	return arm_exidx(&arm, ops, n, out);
}

#define OPS(...) (const uint8_t[]){ __VA_ARGS__ }, sizeof((const uint8_t[]){ __VA_ARGS__ })

static void exidx_pops(void **state)
{
	struct abi_frame f;

	(void)state;
	assert_true(exidx(&f, OPS(0x02, 0xaf, 0xb0))); /* vsp += 12; pop {r4 - r11, lr} */
	check_frame(&f, &(struct truth){ 0, SP, 48, -4, 0xff0 });
	assert_int_equal(f.off[4], 12);
	assert_true(exidx(&f, OPS(0x97, 0x0c, 0xaf))); /* vsp = r7; …; finished by the end */
	assert_int_equal(f.base, 7);
	assert_int_equal(f.cfa, 52 + 36);
	assert_true(exidx(&f, OPS(0xb1, 0x08, 0x84, 0x00, 0xb0))); /* pop {r3}; pop {lr} */
	check_frame(&f, &(struct truth){ 0, SP, 8, -4, SAVED(3) });
	assert_true(exidx(&f, OPS(0x84, 0x00, 0x02))); /* pop {lr}; vsp += 12 */
	check_frame(&f, &(struct truth){ 0, SP, 16, -16, 0 });
	assert_true(exidx(&f, OPS(0x88, 0x01))); /* pop {r4, pc} */
	check_frame(&f, &(struct truth){ 0, SP, 8, -4, SAVED(4) });
	assert_true(exidx(&f, OPS(0x00, 0xb0))); /* a leaf: lr is in its register */
	check_frame(&f, &(struct truth){ 0, SP, 4, 0, 0 });
	assert_true(exidx(&f, OPS(0x41, 0x01, 0xb0))); /* down and up */
	check_frame(&f, &(struct truth){ 0, SP, 0, 0, 0 });
}

static void exidx_other_registers(void **state)
{
	struct abi_frame f;

	(void)state;
	assert_true(exidx(&f, OPS(0xb2, 0x81, 0x01, 0xa8))); /* vsp += 0x204 + (129 << 2) */
	assert_int_equal(f.cfa, 0x204 + (129 << 2) + 8);
	assert_true(exidx(&f, OPS(0xd1, 0xa8))); /* d8, d9 */
	assert_int_equal(f.cfa, 24);
	assert_true(exidx(&f, OPS(0xb3, 0x83, 0xa8))); /* FSTMFDX d8 - d11 */
	assert_int_equal(f.cfa, 36 + 8);
	assert_true(exidx(&f, OPS(0xb9, 0xa8))); /* FSTMFDX d8, d9 */
	assert_int_equal(f.cfa, 20 + 8);
	assert_true(exidx(&f, OPS(0xc9, 0x01, 0xc8, 0x00, 0xa8)));
	assert_int_equal(f.cfa, 16 + 8 + 8);
	assert_true(exidx(&f, OPS(0xc1, 0xc6, 0x11, 0xc7, 0x03, 0xa8))); /* WMMX */
	assert_int_equal(f.cfa, 16 + 16 + 8 + 8);
	assert_true(exidx(&f, OPS(0xb5, 0xb4, 0xa8))); /* signed return address */
	check_frame(&f, &(struct truth){ 0, SP, 12, -4, SAVED(4) });
}

static void exidx_refused(void **state)
{
	static const uint8_t refused[][4] = {
		{ 0x80, 0x00, 0xb0, 0xb0 }, /* refuse to unwind */
		{ 0x82, 0x00, 0xb0, 0xb0 }, /* pop {sp} */
		{ 0x00, 0x97, 0xb0, 0xb0 }, /* another base, too late */
		{ 0x9d, 0xb0, 0xb0, 0xb0 }, { 0x9f, 0xb0, 0xb0, 0xb0 },
		{ 0xb1, 0x00, 0xb0, 0xb0 }, { 0xb1, 0x10, 0xb0, 0xb0 },
		{ 0xb6, 0xb0, 0xb0, 0xb0 }, { 0xc7, 0x00, 0xb0, 0xb0 },
		{ 0xca, 0xb0, 0xb0, 0xb0 }, { 0xd8, 0xb0, 0xb0, 0xb0 }, { 0xff, 0xb0, 0xb0, 0xb0 },
		{ 0xb0 - 0x30, 0, 0, 0 },
	};
	struct abi_frame f;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(refused); i++)
		assert_false(exidx(&f, refused[i], 4));
	assert_false(exidx(&f, OPS(0x80))); /* cut off */
	assert_false(exidx(&f, OPS(0xb2, 0x80, 0x80, 0x80, 0x80, 0x80, 0x01)));
}

/* -- signals ------------------------------------------------------------------ */

static void trampolines(void **state)
{
	static const uint8_t a[] = { 0x77, 0x70, 0xa0, 0xe3, 0, 0, 0, 0xef };
	static const uint8_t rt[] = { 0xad, 0x70, 0xa0, 0xe3, 0xad, 0, 0x90, 0xef };
	static const uint8_t t[] = { 0xad, 0x27, 0x00, 0xdf };
	static const uint8_t wide[] = { 0x4f, 0xf0, 0x77, 0x07, 0x00, 0xdf };
	struct abi_frame f;

	(void)state;
	assert_true(arm_sigreturn(&arm, BASE, a, 8, &f));
	assert_true(f.signal);
	assert_int_equal(f.ra, 32 + 60);
	assert_int_equal(f.off[4], 32 + 16);
	assert_int_equal(f.mode, 32 + 64);
	assert_true(arm_sigreturn(&arm, BASE, rt, 8, &f));
	assert_int_equal(f.cfa, 160 + 52);
	assert_true(arm_sigreturn(&arm, BASE | 1, t, 4, &f));
	assert_int_equal(f.ra, 160 + 60);
	assert_true(arm_sigreturn(&arm, BASE | 1, wide, 6, &f));
	assert_int_equal(f.ra, 32 + 60);
	assert_false(arm_sigreturn(&arm, BASE, t, 4, &f));
	assert_false(arm_sigreturn(&arm, BASE | 1, a, 8, &f));
	for (size_t n = 0; n < 8; n++)
		assert_false(arm_sigreturn(&arm, BASE, a, n, &f));
	for (size_t n = 0; n < 4; n++)
		assert_false(arm_sigreturn(&arm, BASE | 1, t, n, &f));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(thumb_variadic),
		cmocka_unit_test(thumb_tail_call),
		cmocka_unit_test(thumb_vfp),
		cmocka_unit_test(thumb_frame_pointer),
		cmocka_unit_test(thumb_large_frame),
		cmocka_unit_test(thumb_table),
		cmocka_unit_test(thumb_conditional_return),
		cmocka_unit_test(thumb_computed),
		cmocka_unit_test(outermost),
		cmocka_unit_test(arm_functions),
		cmocka_unit_test(arm_shapes),
		cmocka_unit_test(unknown_beginning), cmocka_unit_test(unknown_computed),
		cmocka_unit_test(any_bytes),
		cmocka_unit_test(exidx_pops),
		cmocka_unit_test(exidx_other_registers),
		cmocka_unit_test(exidx_refused),
		cmocka_unit_test(trampolines),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
