/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The hooks of ARM, as far as no such CPU is needed (test-arch-arm-run.c is for
 * one). */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "arch/abi.h"
#include "../../arch/arm/arm.h"
#include "arm-insns.h"

#define CODE 0x10000
#define SLOT 0xb6f00000

static size_t parse(const char *hex, uint8_t *bytes)
{
	size_t n = 0;
	char *end;

	for (; *hex; hex = end + (*end == ' '))
		bytes[n++] = (uint8_t)strtoul(hex, &end, 16);
	return n;
}

static uint32_t get32(const uint8_t *b)
{
	return b[0] | b[1] << 8 | b[2] << 16 | (uint32_t)b[3] << 24;
}

/* ---- displacing -------------------------------------------------------------- */

/* A fix for each instruction up to the jump back, and the words behind that are no
 * slot's address. */
static void check_slot(const struct insn *insn, taddr_t mode, const struct displaced *d)
{
	unsigned at = 0;

	for (unsigned k = 0; k < d->nfix; k++) {
		int len = abi_arm.insn_length(&abi_arm, SLOT | mode, d->code + at, d->code_len - at);

		if (!displace_fix_at(d, at))
			fail_msg("%s: nothing known of offset %u", insn->name, at);
		assert_int_equal(d->fix[k].to & 1, mode);
		assert_true(len > 0);
		at += (unsigned)len;
	}
	assert_int_equal(at % 4, 0);
	assert_in_range(at, 4, d->code_len - 4);
	assert_int_equal(get32(d->code + at), (CODE + d->insn_len) | mode);
	for (; at < d->code_len; at += 4)
		assert_true(get32(d->code + at) - SLOT >= DISPLACE_MAX);
	assert_int_equal(d->fix[0].where, AT_ORIGINAL);
	assert_int_equal(d->fix[0].to, CODE | mode);
	assert_int_equal(d->fix[d->nfix - 1].where, AT_NEXT);
}

static void check_insn(const struct insn *insn, taddr_t mode)
{
	static const char letter[] = { [DISPLACE_GOTO] = 'G', [DISPLACE_SLOT] = 'S',
				       [DISPLACE_STEP] = 'T' };
	uint8_t b[4];
	size_t len = parse(insn->hex, b);
	struct displaced d;

	for (size_t cut = 0; cut < len; cut++)
		assert_int_equal(abi_arm.displace(&abi_arm, CODE | mode, b, cut, SLOT, 0, &d),
				 -EINVAL);
	if (abi_arm.displace(&abi_arm, CODE | mode, b, len, SLOT, 0, &d))
		fail_msg("%s: not displaced", insn->name);
	if (d.insn_len != len || letter[d.kind] != insn->kind)
		fail_msg("%s: kind %c, length %u", insn->name, letter[d.kind], d.insn_len);
	if (d.kind == DISPLACE_SLOT)
		check_slot(insn, mode, &d);
}

static void all_are_displaced(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(thumb_insns); i++)
		check_insn(&thumb_insns[i], 1);
	for (size_t i = 0; i < ARRAY_SIZE(arm_insns); i++)
		check_insn(&arm_insns[i], 0);
}

static void some_work_only_in_their_place(void **state)
{
	static const struct { const char *hex; taddr_t mode; } rows[] = {
		{ "51 e8 00 2f", 1 }, /* ldrex r2, [r1] */
		{ "41 e8 00 23", 1 }, /* strex r3, r2, [r1] */
		{ "d1 e8 7f 23", 1 }, /* ldrexd r2, r3, [r1] */
		{ "d1 e8 ef 2f", 1 }, /* ldaex r2, [r1] */
		{ "9f 2f 91 e1", 0 }, /* ldrex r2, [r1] */
		{ "92 3f 81 e1", 0 }, /* strex r3, r2, [r1] */
		{ "9f 2f d1 e1", 0 }, /* ldrexb r2, [r1] */
		{ "de f3 00 8f", 1 }, /* subs pc, lr, #0 */
		{ "58 b6", 1 },       /* setend be */
		{ "00 02 01 f1", 0 }, /* setend be */
		{ "70 00 60 e1", 0 }, /* smc */
		{ "00 a0 fd e8", 0 }, /* ldm sp!, {sp, pc}^ */
	};
	struct displaced d;
	uint8_t b[4];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		size_t n = parse(rows[i].hex, b);

		if (abi_arm.displace(&abi_arm, CODE | rows[i].mode, b, n, SLOT, 0, &d) != -EINVAL)
			fail_msg("%s is displaced", rows[i].hex);
	}
}

static void system_calls_are_copied_when_that_is_safe(void **state)
{
	static const uint8_t svc[] = { 0, 0xdf }, svc_arm[] = { 0, 0, 0, 0xef };
	struct displaced d;

	(void)state;
	assert_int_equal(abi_arm.displace(&abi_arm, CODE | 1, svc, 2, SLOT, 0, &d), 0);
	assert_int_equal(d.kind, DISPLACE_STEP);
	assert_int_equal(abi_arm.displace(&abi_arm, CODE | 1, svc, 2, SLOT, DISPLACE_SYSCALL, &d), 0);
	assert_int_equal(d.kind, DISPLACE_SLOT);
	assert_int_equal(abi_arm.displace(&abi_arm, CODE, svc_arm, 4, SLOT, DISPLACE_SYSCALL, &d), 0);
	assert_int_equal(d.kind, DISPLACE_SLOT);
}

/* ---- emulating ----------------------------------------------------------------- */

#define MEM 0x20000

static uint8_t memory[64];
static bool gone;

static ssize_t mem_read(void *arg, taddr_t addr, void *buf, size_t len)
{
	(void)arg;
	if (gone || addr < MEM || addr + len > MEM + sizeof memory)
		return -EFAULT;
	memcpy(buf, memory + (addr - MEM), len);
	return (ssize_t)len;
}

static ssize_t mem_write(void *arg, taddr_t addr, const void *buf, size_t len)
{
	(void)arg;
	if (gone || addr < MEM || addr + len > MEM + sizeof memory)
		return -EFAULT;
	memcpy(memory + (addr - MEM), buf, len);
	return (ssize_t)len;
}

static const struct abi_memory mem = { mem_read, mem_write, NULL };

static int emulate(taddr_t code, const char *hex, struct regs *r)
{
	uint8_t b[4];
	size_t n = parse(hex, b);

	r->abi = &abi_arm;
	return abi_arm.emulate(&abi_arm, &mem, code, b, n, r);
}

static void emulated_as_the_list_says(const struct insn *insn, size_t n, taddr_t mode)
{
	for (size_t i = 0; i < n; i++) {
		struct regs r = { 0 };

		gone = true;
		if ((emulate(CODE | mode, insn[i].hex, &r) != -ENOTSUP) != insn[i].emulated)
			fail_msg("%s: emulation", insn[i].name);
		gone = false;
	}
}

static void all_are_emulated_or_not(void **state)
{
	(void)state;
	emulated_as_the_list_says(thumb_insns, ARRAY_SIZE(thumb_insns), 1);
	emulated_as_the_list_says(arm_insns, ARRAY_SIZE(arm_insns), 0);
}

/* One instruction: registers in and out, and where it goes on. */
static const struct step {
	const char *name, *hex;
	taddr_t code;
	uint32_t in[3], psr; /* r0, sp, lr */
	uint32_t out[3];
	taddr_t next;
	uint32_t psr_out;
} steps[] = {
	{ "bl", "00 f0 1e f9", CODE | 1, { 0 }, ARM_T, { 0, 0, CODE + 5 }, CODE + 0x241, ARM_T },
	{ "blx to ARM", "00 f0 1e e9", CODE | 1, { 0 }, ARM_T, { 0, 0, CODE + 5 }, CODE + 0x240, 0 },
	{ "blx to ARM, unaligned", "00 f0 1e e9", CODE | 3, { 0 }, ARM_T, { 0, 0, CODE + 7 },
	  CODE + 0x240, 0 },
	{ "blx to Thumb", "8e 00 00 fb", CODE, { 0 }, 0, { 0, 0, CODE + 4 }, CODE + 0x243, ARM_T },
	{ "bx r0", "10 ff 2f e1", CODE, { CODE + 0x101 }, 0, { CODE + 0x101 }, CODE + 0x101, ARM_T },
	{ "blx lr", "f0 47", CODE | 1, { 0, 0, CODE + 0x100 }, ARM_T, { 0, 0, CODE + 3 },
	  CODE + 0x100, 0 },
	{ "bx pc", "78 47", CODE | 1, { 0 }, ARM_T, { 0 }, CODE + 4, 0 },
	{ "cbz, taken", "80 b1", CODE | 1, { 0 }, ARM_T, { 0 }, CODE + 0x25, ARM_T },
	{ "cbz, not taken", "80 b1", CODE | 1, { 1 }, ARM_T, { 1 }, CODE + 3, ARM_T },
	{ "itt ne", "1c bf", CODE | 1, { 0 }, ARM_T, { 0 }, CODE + 3, ARM_T | 0x1c00 },
	{ "second of itt ne", "01 20", CODE | 1, { 9 }, ARM_T | 0x1800, { 1 }, CODE + 3, ARM_T },
	{ "second of itt eq, not", "01 20", CODE | 1, { 9 }, ARM_T | 0x800, { 9 }, CODE + 3, ARM_T },
	{ "adr, unaligned", "10 a0", CODE | 3, { 0 }, ARM_T, { CODE + 0x44 }, CODE + 5, ARM_T },
	{ "add r0, pc, unaligned", "78 44", CODE | 3, { 1 }, ARM_T, { CODE + 7 }, CODE + 5, ARM_T },
	{ "push {r0, lr}", "01 b5", CODE | 1, { 7, MEM + 16, 8 }, ARM_T, { 7, MEM + 8, 8 },
	  CODE + 3, ARM_T },
	{ "pop {r0, pc}", "01 bd", CODE | 1, { 0, MEM + 32 }, ARM_T, { 0x23222120, MEM + 40 },
	  0x27262525, ARM_T },
	{ "popne {r0, pc}, not", "01 80 bd 18", CODE, { 5, MEM + 32 }, ARM_Z, { 5, MEM + 32 },
	  CODE + 4, ARM_Z },
	{ "subs r0, #1", "01 38", CODE | 1, { 0 }, ARM_T, { UINT32_MAX }, CODE + 3, ARM_T | ARM_N },
};

static void steps_are_exact(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(steps); i++) {
		const struct step *s = &steps[i];
		struct regs r = { .w[ARM_CPSR] = s->psr, .w[ARM_R0] = s->in[0],
				  .w[ARM_SP] = s->in[1], .w[ARM_LR] = s->in[2],
				  .w[ARM_PC] = s->code & ~(taddr_t)1 };

		for (unsigned k = 0; k < sizeof memory; k++)
			memory[k] = (uint8_t)k;
		memory[36] = 0x25;
		if (emulate(s->code, s->hex, &r))
			fail_msg("%s: not emulated", s->name);
		if (r.w[ARM_R0] != s->out[0] || r.w[ARM_SP] != s->out[1] || r.w[ARM_LR] != s->out[2])
			fail_msg("%s: r0 %#llx sp %#llx lr %#llx", s->name, (unsigned long long)r.w[0],
				 (unsigned long long)r.w[ARM_SP], (unsigned long long)r.w[ARM_LR]);
		if (regs_code(&r) != s->next || r.w[ARM_CPSR] != s->psr_out)
			fail_msg("%s: goes on at %#llx, psr %#llx", s->name,
				 (unsigned long long)regs_code(&r),
				 (unsigned long long)r.w[ARM_CPSR]);
	}
	assert_int_equal(get32(memory + 8), 0x0b0a0908);
}

static void what_faults_changes_nothing(void **state)
{
	struct regs before = { .abi = &abi_arm, .w[ARM_SP] = 0x1000, .w[ARM_PC] = CODE }, r = before;

	(void)state;
	assert_int_equal(emulate(CODE | 1, "10 b5", &r), -EFAULT);
	assert_memory_equal(&r, &before, sizeof r);
	assert_int_equal(emulate(CODE, "04 80 bd e8", &r), -EFAULT);
	assert_memory_equal(&r, &before, sizeof r);
}

/* ---- what the code looks like ---------------------------------------------------- */

static void jumps_and_stubs_are_followed(void **state)
{
	static const struct {
		const char *hex;
		taddr_t code;
		enum jump_kind kind;
		taddr_t where;
	} rows[] = {
		/* of the PLT: add ip, pc, #0; add ip, ip, #0xee000; ldr pc, [ip, #0xc60]! */
		{ "00 c6 8f e2 ee ca 8c e2 60 fc bc e5", CODE, JUMP_MEMORY, CODE + 8 + 0xee000 + 0xc60 },
		/* ldr ip, [pc, #4]; add ip, pc, ip; ldr pc, [ip]: the word is not known */
		{ "04 c0 9f e5 0c c0 8f e0 00 f0 9c e5", CODE, NOT_A_JUMP, 0 },
		/* between the instruction sets: bx pc; nop / b.n .-2 */
		{ "78 47 c0 46", CODE | 1, JUMP_DIRECT, CODE + 4 },
		{ "78 47 fd e7", CODE | 1, JUMP_DIRECT, CODE + 4 },
		/* for a distance */
		{ "04 f0 1f e5 78 56 34 12", CODE, JUMP_MEMORY, CODE + 4 },
		{ "df f8 00 f0 78 56 34 12", CODE | 1, JUMP_MEMORY, CODE + 4 },
		{ "00 c0 9f e5 1c ff 2f e1 78 56 34 12", CODE, JUMP_MEMORY, CODE + 8 },
		/* movw ip, #0x5678; movt ip, #0x1234; bx ip; with add ip, pc before it */
		{ "78 c6 05 e3 34 c2 41 e3 1c ff 2f e1", CODE, JUMP_DIRECT, 0x12345678 },
		{ "78 c6 05 e3 34 c2 41 e3 0f c0 8c e0 1c ff 2f e1", CODE, JUMP_DIRECT,
		  0x12345678 + CODE + 16 },
		/* movw ip, movt ip, add ip, pc, ldr.w pc, [ip] */
		{ "45 f2 78 6c c1 f2 34 2c fc 44 dc f8 00 f0", CODE | 1, JUMP_MEMORY,
		  0x12345678 + CODE + 12 },
		{ "0e 00 00 ea", CODE, JUMP_DIRECT, CODE + 0x40 },
		{ "1e e0", CODE | 1, JUMP_DIRECT, CODE + 0x41 },
		{ "00 f0 1e b9", CODE | 1, JUMP_DIRECT, CODE + 0x241 },
		{ "00 bf", CODE | 1, JUMP_PAST, CODE + 3 },
		{ "00 f0 20 e3", CODE, JUMP_PAST, CODE + 4 },
		{ "0e 00 00 0a", CODE, NOT_A_JUMP, 0 },
		{ "0e 00 00 eb", CODE, NOT_A_JUMP, 0 },
		{ "1e ff 2f e1", CODE, NOT_A_JUMP, 0 },
		{ "70 47", CODE | 1, NOT_A_JUMP, 0 },
		{ "00 48 00 47", CODE | 1, NOT_A_JUMP, 0 },
	};
	uint8_t b[20];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		taddr_t where = 0;
		size_t n = parse(rows[i].hex, b);
		enum jump_kind kind = abi_arm.jump(&abi_arm, rows[i].code, b, n, &where);

		if (kind != rows[i].kind || where != rows[i].where)
			fail_msg("%s: kind %d, where %#llx", rows[i].hex, kind, (unsigned long long)where);
	}
}

static void calls_are_recognised(void **state)
{
	static const struct {
		const char *hex; /* eight bytes before the return address */
		taddr_t ra;
		unsigned calls;
		taddr_t target;
	} rows[] = {
		{ "00 00 a0 e1 0e 00 00 eb", CODE, CALL_DIRECT, CODE + 0x3c },
		{ "00 00 a0 e1 0e 00 00 1b", CODE, CALL_DIRECT, CODE + 0x3c },
		{ "00 00 a0 e1 8e 00 00 fb", CODE, CALL_DIRECT, CODE + 0x23f },
		{ "00 00 a0 e1 33 ff 2f e1", CODE, CALL_INDIRECT, 0 },
		{ "0f e0 a0 e1 13 ff 2f e1", CODE, CALL_INDIRECT, 0 },
		{ "0f e0 a0 e1 10 f0 93 e5", CODE, CALL_INDIRECT, 0 },
		{ "00 00 a0 e1 1e ff 2f e1", CODE, 0, 0 },
		{ "00 00 a0 e1 0e 00 00 ea", CODE, 0, 0 },
		{ "00 bf 00 bf 00 f0 1e f9", CODE | 1, CALL_DIRECT, CODE + 0x23d },
		{ "00 bf 00 bf 00 f0 1e e9", CODE | 1, CALL_DIRECT, CODE + 0x23c },
		{ "00 bf 00 bf 00 bf 98 47", CODE | 1, CALL_INDIRECT, 0 },
		{ "00 bf 00 bf 00 bf 70 47", CODE | 1, 0, 0 },
		/* where the instruction set is not known */
		{ "00 bf 00 bf 00 f0 1e f9", CODE + 2, CALL_DIRECT, CODE + 0x23f },
		{ "00 bf 00 bf 00 f0 1e f9", CODE, CALL_DIRECT, CODE + 0x23d },
	};
	uint8_t b[8];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		taddr_t target = 0;
		size_t n = parse(rows[i].hex, b);
		unsigned calls = abi_arm.call_before(&abi_arm, rows[i].ra, b, n, &target);

		if (calls != rows[i].calls || target != rows[i].target)
			fail_msg("%s: %u, %#llx", rows[i].hex, calls, (unsigned long long)target);
	}
}

static void it_blocks_are_recognised(void **state)
{
	static const struct { const char *hex; bool inside; } rows[] = {
		{ "00 bf 00 bf 18 bf", true },              /* it ne */
		{ "00 bf 18 bf 01 20", false },
		{ "00 bf 1c bf 01 20", true },              /* itt ne; movs */
		{ "1c bf 4f f0 01 00", true },              /* … mov.w */
		{ "01 bf 4f f0 01 00 4f f0 01 00 01 20", true }, /* itttt eq */
		{ "01 bf 4f f0 01 00 4f f0 01 00 01 20 01 20", false },
		{ "00 bf 00 bf 10 bf", false },             /* yield */
	};
	uint8_t b[16];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		size_t n = parse(rows[i].hex, b);

		assert_int_equal(abi_arm.in_block(&abi_arm, CODE | 1, b, n), rows[i].inside);
		assert_false(abi_arm.in_block(&abi_arm, CODE, b, n));
	}
}

static void system_calls_are_found(void **state)
{
	static const struct { const char *hex; int nr; unsigned at; } rows[] = {
		{ "ae 70 a0 e3 00 00 00 ef", 174, 4 },
		{ "af 70 a0 e3 3e 00 cd e5 3f 00 cd e5 00 00 00 ef", 175, 12 },
		{ "4f f0 0b 07 00 df", 11, 5 },
		{ "ae 27 00 df", 174, 3 },
		/* mov.w ip, #175; movs r3, #8; bl __libc_do_syscall */
		{ "4f f0 af 0c 08 23 00 f0 1e f9", 175, 7 },
		{ "4f f0 af 0c 08 23 70 47 00 f0 1e f9", -1, 0 },
		{ "af 70 a0 e3 0e 00 00 eb 00 00 00 ef", -1, 0 },
		{ "af 70 a0 e3 01 70 a0 e3 00 00 00 ef", -1, 0 },
		{ "00 bf 00 bf 00 df 00 df", -1, 0 },
	};
	uint8_t b[20];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		unsigned at = 0;
		size_t n = parse(rows[i].hex, b);
		int nr = abi_arm.syscall_site(&abi_arm, b, n, &at);

		if (nr != rows[i].nr || at != rows[i].at)
			fail_msg("%s: %d at %u", rows[i].hex, nr, at);
	}
}

/* Whichever way a number is loaded, as the decoder understands it, the call is found. */
static void all_numbers_are_found(void **state)
{
	static const uint16_t lows[] = { 0x7005, 0xc005, 0x0705, 0x0c05, 0x1705, 0x1c05 };
	static const uint8_t svc[][4] = { { 0, 0, 0, 0xef }, { 0, 0xdf, 0, 0 } },
		bl[] = { 0, 0xf0, 0, 0xf8 };
	unsigned found[2] = { 0, 0 };

	(void)state;
	for (uint32_t i = 0; i < 65536 * ARRAY_SIZE(lows) * 2; i++) {
		uint16_t high = (uint16_t)(i / 2), low = lows[i / 2 / 65536];
		taddr_t mode = i % 2;
		uint8_t b[12] = { 0 };
		struct arm_insn d;
		unsigned at = 0;

		memcpy(b, mode ? &high : &low, 2);
		memcpy(b + 2, mode ? &low : &high, 2);
		if (!arm_decode(mode, b, sizeof b, &d) || d.op != ARM_DATA || d.alu != ALU_MOV || !d.is_imm ||
		    d.cond != ARM_ALWAYS || d.imm >= 0x1000 ||
		    (d.rd != ARM_R7 && (d.rd != ARM_IP || !mode)))
			continue;
		memcpy(b + d.len, d.rd == ARM_R7 ? svc[mode] : bl, 4);
		if (abi_arm.syscall_site(&abi_arm, b, sizeof b, &at) != (int)d.imm || at != (d.len | mode))
			fail_msg("%04x %04x, mode %d: at %u", high, low, (int)mode, at);
		found[mode]++;
	}
	assert_true(found[0] >= 4 && found[1] >= 256);
}

static uint8_t random_byte(void)
{
	static uint64_t seed = 1;

	seed = seed * 6364136223846793005u + 1442695040888963407u;
	return (uint8_t)(seed >> 56);
}

/* Whatever the bytes are, the answer is within its bounds. */
static void random_bytes_do_no_harm(void **state)
{
	(void)state;
	gone = true;
	for (unsigned i = 0; i < 300000; i++) {
		taddr_t code = CODE | (i & 1), where, target;
		size_t len = i % 21;
		struct displaced d;
		struct regs r = { .abi = &abi_arm };
		uint8_t b[20];
		unsigned at = 0;

		for (size_t k = 0; k < sizeof b; k++)
			b[k] = random_byte();
		for (size_t k = 0; k < ARM_NREGS; k++)
			r.w[k] = random_byte();
		abi_arm.jump(&abi_arm, code, b, len, &where);
		abi_arm.call_before(&abi_arm, code, b, len, &target);
		abi_arm.in_block(&abi_arm, code, b, len);
		if (abi_arm.syscall_site(&abi_arm, b, len, &at) >= 0)
			assert_true((at & ~1u) < len);
		abi_arm.emulate(&abi_arm, &mem, code, b, len, &r);
		if (abi_arm.displace(&abi_arm, code, b, len, SLOT, 0, &d))
			continue;
		assert_in_range(d.insn_len, 2, len);
		assert_true(d.code_len <= DISPLACE_MAX && d.nfix <= DISPLACE_MAX_FIX);
		assert_true((d.kind == DISPLACE_SLOT) == (d.nfix > 0));
	}
	gone = false;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_are_displaced),
		cmocka_unit_test(some_work_only_in_their_place),
		cmocka_unit_test(system_calls_are_copied_when_that_is_safe),
		cmocka_unit_test(all_are_emulated_or_not),
		cmocka_unit_test(steps_are_exact),
		cmocka_unit_test(what_faults_changes_nothing),
		cmocka_unit_test(jumps_and_stubs_are_followed),
		cmocka_unit_test(calls_are_recognised),
		cmocka_unit_test(it_blocks_are_recognised),
		cmocka_unit_test(system_calls_are_found),
		cmocka_unit_test(all_numbers_are_found),
		cmocka_unit_test(random_bytes_do_no_harm),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
