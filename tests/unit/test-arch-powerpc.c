/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The hooks of PowerPC.  Everywhere: what they make of a list of instructions.
 * On that CPU, proven by execution: each instruction runs at its own place, from
 * a slot near and far, emulated, and from a slot up to each of its boundaries and
 * then, fixed, at its own place; all must leave the same registers and memory.
 * Everything that is not the instruction is a trap, so the handler sees where it
 * went on. */
#include <elf.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>
#include "../../arch/powerpc/powerpc.h"

#define PAGE 4096
#define AT_INSN 0x400   /* the instruction, in the code page */
#define AT_TARGET 0x800 /* where lr and ctr point */
#define TRAP 0x7fe00008u

static const uint32_t code_page = 0x20000000, near_slot = 0x21000000, far_slot = 0x41000000;

/* What displace() is to say: S a slot, G goto, T neither; near and far; and E: can
 * be emulated. */
struct insn {
	const char *name;
	uint32_t word;
	const char *kinds;
};

static const struct insn list[] = {
	{ "nop", 0x60000000, "GGE" },
	{ "mflr 0", 0x7c0802a6, "SSE" },
	{ "mflr 12", 0x7d8802a6, "STE" },
	{ "mtlr 0", 0x7c0803a6, "SSE" },
	{ "mtctr 9", 0x7d2903a6, "STE" },
	{ "mfctr 11", 0x7d6902a6, "STE" },
	{ "mfcr 12", 0x7d800026, "STE" },
	{ "mtcrf 0x20,12", 0x7d820120, "ST-" },
	{ "stwu 1,-32(1)", 0x9421ffe0, "SSE" },
	{ "stwux 1,1,9", 0x7c21496e, "SSE" },
	{ "stw 0,36(1)", 0x90010024, "SSE" },
	{ "lwz 0,36(1)", 0x80010024, "SSE" },
	{ "lwz 12,4(1)", 0x81810004, "STE" },
	{ "lwzu 9,4(14)", 0x852e0004, "SSE" },
	{ "lbz 9,3(14)", 0x892e0003, "SSE" },
	{ "lbzu 9,1(14)", 0x8d2e0001, "SSE" },
	{ "lhz 9,2(14)", 0xa12e0002, "SSE" },
	{ "lha 9,2(14)", 0xa92e0002, "SSE" },
	{ "sth 3,6(14)", 0xb06e0006, "SSE" },
	{ "stb 3,7(14)", 0x986e0007, "SSE" },
	{ "stmw 29,8(1)", 0xbfa10008, "SSE" },
	{ "lmw 29,8(1)", 0xbba10008, "SSE" },
	{ "lwzx 9,14,15", 0x7d2e782e, "SSE" },
	{ "stwx 9,14,15", 0x7d2e792e, "SSE" },
	{ "lhax 9,14,15", 0x7d2e7aae, "SSE" },
	{ "lwz 9,-4(0)", 0x8120fffc, "SSE" },
	{ "mr 31,3", 0x7c7f1b78, "SSE" },
	{ "mr. 31,3", 0x7c7f1b79, "SSE" },
	{ "li 3,-7", 0x3860fff9, "SSE" },
	{ "lis 9,0x1234", 0x3d201234, "SSE" },
	{ "addi 3,3,-1", 0x3863ffff, "SSE" },
	{ "addis 9,30,2", 0x3d3e0002, "SSE" },
	{ "addic. 3,3,-1", 0x3463ffff, "SS-" },
	{ "ori 9,9,0xabcd", 0x6129abcd, "SSE" },
	{ "oris 9,9,0x8000", 0x65298000, "SSE" },
	{ "xori 9,9,0xff", 0x692900ff, "SSE" },
	{ "andi. 9,3,0xff", 0x706900ff, "SSE" },
	{ "andis. 9,3,0xff00", 0x7469ff00, "SSE" },
	{ "cmpwi 7,3,0", 0x2f830000, "SSE" },
	{ "cmplwi 3,10", 0x2803000a, "SSE" },
	{ "cmpw 3,4", 0x7c032000, "SSE" },
	{ "cmplw 6,3,4", 0x7f032040, "SSE" },
	{ "add 3,3,4", 0x7c632214, "SSE" },
	{ "add. 3,3,4", 0x7c632215, "SSE" },
	{ "addo 3,3,4", 0x7c632614, "SS-" },
	{ "subf 3,4,3", 0x7c641850, "SSE" },
	{ "neg 3,3", 0x7c6300d0, "SSE" },
	{ "mullw 9,3,4", 0x7d2321d6, "SSE" },
	{ "mulli 9,3,-12", 0x1d23fff4, "SSE" },
	{ "rlwinm 9,3,3,0,28", 0x54691838, "SSE" },
	{ "rlwinm. 9,3,7,28,3", 0x54693f07, "SSE" },
	{ "rlwimi 9,3,8,8,15", 0x5069421e, "SSE" },
	{ "rlwnm 9,3,4,0,31", 0x5c69203e, "SSE" },
	{ "srwi 9,3,4", 0x5469e13e, "SSE" },
	{ "slw 9,3,4", 0x7c692030, "SSE" },
	{ "srw 9,3,4", 0x7c692430, "SSE" },
	{ "srawi 9,3,2", 0x7c691670, "SS-" },
	{ "extsh 9,3", 0x7c690734, "SSE" },
	{ "extsb. 9,3", 0x7c690775, "SSE" },
	{ "cntlzw 9,3", 0x7c690034, "SSE" },
	{ "nor 9,3,4", 0x7c6920f8, "SSE" },
	{ "and. 9,3,4", 0x7c692039, "SSE" },
	{ "isel 9,3,4,2", 0x7d23209e, "SS-" },
	{ "lfd 1,8(14)", 0xc82e0008, "SS-" },
	{ "fmr 1,2", 0xfc201090, "SS-" },
	{ "sync", 0x7c0004ac, "SS-" },
	{ "isync", 0x4c00012c, "SS-" },
	{ "b .+64", 0x48000040, "GGE" },
	{ "b .-64", 0x4bffffc0, "GGE" },
	{ "bl .+64", 0x48000041, "SSE" },
	{ "bl .-64", 0x4bffffc1, "SSE" },
	{ "bcl 20,31,.+4", 0x429f0005, "STE" },
	{ "beq .+64", 0x41820040, "STE" },
	{ "bne .-64", 0x4082ffc0, "STE" },
	{ "bgt 7,.+64", 0x419d0040, "STE" },
	{ "bdnz .+64", 0x42000040, "STE" },
	{ "bdz .-64", 0x4240ffc0, "STE" },
	{ "bdnzt eq,.+64", 0x41020040, "STE" },
	{ "bc 20,0,.+64", 0x42800040, "GGE" },
	{ "beql .+64", 0x41820041, "STE" },
	{ "bdnzl .+64", 0x42000041, "STE" },
	{ "blr", 0x4e800020, "SSE" },
	{ "beqlr", 0x4d820020, "SSE" },
	{ "bdnzlr", 0x4e000020, "STE" },
	{ "bctr", 0x4e800420, "SSE" },
	{ "beqctr", 0x4d820420, "SSE" },
	{ "bctrl", 0x4e800421, "SSE" },
	{ "bnectrl", 0x4c820421, "TTE" },
	{ "blrl", 0x4e800021, "TTE" },
	{ "beqlrl", 0x4d820021, "TTE" },
	{ "sc", 0x44000002, "TT-" },
	{ "twi 31,0,0", 0x0fe00000, "SS-" },
	{ "tweqi 3,5", 0x0c830005, "SS-" },
};

/* Load and reserve, store conditional, in one piece. */
static const struct sequence {
	const char *name;
	uint32_t words[8];
	unsigned n; /* instructions that are taken along; 0: refused */
} sequences[] = {
	{ "lwarx; addi; stwcx.; bne-", { 0x7d207028, 0x39290001, 0x7d20712d, 0x40a2fff4 }, 4 },
	{ "lwarx; cmpw; bne 1f; stwcx.; bne-; 1:",
	  { 0x7d207028, 0x7c091800, 0x4082000c, 0x7c80712d, 0x40a2fff0 }, 5 },
	{ "lwarx; cmpw; bne far; stwcx.; bne-",
	  { 0x7d207028, 0x7c091800, 0x40820038, 0x7c80712d, 0x40a2fff0 }, 5 },
	{ "lwarx; stwcx.", { 0x7d207028, 0x7d20712d, TRAP }, 2 },
	{ "lwarx; no end", { 0x7d207028, PPC_NOP, PPC_NOP, PPC_NOP, PPC_NOP, PPC_NOP, PPC_NOP }, 0 },
	{ "lwarx; blr", { 0x7d207028, 0x4e800020, 0x7d20712d }, 0 },
	{ "lwarx; lwarx", { 0x7d207028, 0x7d207028, 0x7d20712d }, 0 },
	{ "stwcx.", { 0x7d20712d, 0x40a2fff0 }, 0 },
};

static struct displaced displaced;

static void to_bytes(const uint32_t *words, unsigned n, uint8_t *b)
{
	for (unsigned i = 0; i < 4 * n; i++)
		b[i] = (uint8_t)(words[i / 4] >> 8 * (3 - i % 4));
}

static int displace(uint32_t slot, const uint32_t *words, unsigned n)
{
	uint8_t b[32];

	to_bytes(words, n, b);
	return abi_powerpc.displace(&abi_powerpc, code_page + AT_INSN, b, 4 * n, slot, 0, &displaced);
}

static uint32_t slot_word(unsigned at)
{
	return ppc_insn(displaced.code + at);
}

/* Each instruction in the slot has its fix, and branches go to the slot or to
 * where a fix says that one is. */
static void check_slot(const char *name, uint32_t slot)
{
	assert_int_equal(displaced.code_len, 4 * displaced.nfix);
	for (unsigned i = 0; i < displaced.nfix; i++) {
		uint32_t insn = slot_word(4 * i), to;

		assert_int_equal(displaced.fix[i].at, 4 * i);
		assert_ptr_equal(displace_fix_at(&displaced, 4 * i), &displaced.fix[i]);
		if (ppc_op(insn) != PPC_OP_B && ppc_op(insn) != PPC_OP_BC)
			continue;
		to = ppc_target(insn, slot + 4 * i);
		if (insn & PPC_LINK)
			fail_msg("%s: the link register gets a place in the slot", name);
		if (to - slot >= displaced.code_len && to != displaced.fix[i].to)
			fail_msg("%s: goes to %#x instead of %#x", name, to,
				 (unsigned)displaced.fix[i].to);
	}
}

static void check_kind(const struct insn *insn, uint32_t slot, char kind)
{
	static const char letter[] = { [DISPLACE_GOTO] = 'G', [DISPLACE_SLOT] = 'S',
				       [DISPLACE_STEP] = 'T' };

	if (displace(slot, &insn->word, 1))
		fail_msg("%s: not displaced", insn->name);
	assert_int_equal(displaced.insn_len, 4);
	if (letter[displaced.kind] != kind)
		fail_msg("%s: kind %c", insn->name, letter[displaced.kind]);
	if (kind == 'S')
		check_slot(insn->name, slot);
}

static void displaces_as_listed(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(list); i++) {
		check_kind(&list[i], near_slot, list[i].kinds[0]);
		check_kind(&list[i], far_slot, list[i].kinds[1]);
	}
	for (size_t i = 0; i < ARRAY_SIZE(sequences); i++) {
		const struct sequence *s = &sequences[i];

		assert_int_equal(displace(near_slot, s->words, 8), 0);
		assert_true(displaced.whole);
		if ((displaced.kind == DISPLACE_SLOT) != (s->n != 0))
			fail_msg("%s: kind %d", s->name, displaced.kind);
		if (!s->n)
			continue;
		assert_int_equal(displaced.insn_len, 4 * s->n);
		check_slot(s->name, near_slot);
	}
}

static void system_calls_are_copied_when_that_is_safe(void **state)
{
	const uint8_t sc[] = { 0x44, 0, 0, 2 };

	(void)state;
	assert_int_equal(abi_powerpc.displace(&abi_powerpc, code_page, sc, 4, near_slot,
					      DISPLACE_SYSCALL, &displaced), 0);
	assert_int_equal(displaced.kind, DISPLACE_SLOT);
	check_slot("sc", near_slot);
}

/* The instruction set has them since 3.0. */
static void addpcis_is_computed(void **state)
{
	static const struct { uint32_t insn, value; } rows[] = {
		{ 0x4c600004, 0x20000404 },         /* lnia 3 */
		{ 0x4c610005, 0x20000404 + 0x30000 }, /* addpcis 3,3 */
		{ 0x4c7fffc5, 0x20000404 - 0x10000 }, /* addpcis 3,-1 */
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		assert_int_equal(displace(near_slot, &rows[i].insn, 1), 0);
		assert_int_equal(displaced.kind, DISPLACE_SLOT);
		assert_int_equal(slot_word(0), 0x3c600000 | rows[i].value >> 16);
		assert_int_equal(slot_word(4), 0x60630000 | (rows[i].value & 0xffff));
		check_slot("addpcis", near_slot);
	}
}

static void nonsense_is_refused(void **state)
{
	static const uint32_t bad[] = { 0, 0x04000000, 0x58000000, 0x78000000, 0xe8000000,
					0xf8000000 };
	uint8_t b[4];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		to_bytes(&bad[i], 1, b);
		assert_int_equal(displace(near_slot, &bad[i], 1), -EINVAL);
		assert_int_equal(abi_powerpc.insn_length(&abi_powerpc, 0, b, 4), -EINVAL);
	}
	to_bytes(&list[0].word, 1, b);
	assert_int_equal(abi_powerpc.insn_length(&abi_powerpc, 0, b, 4), 4);
	for (size_t n = 0; n < 4; n++) {
		assert_int_equal(abi_powerpc.insn_length(&abi_powerpc, 0, b, n), -EINVAL);
		assert_int_equal(abi_powerpc.displace(&abi_powerpc, 0, b, n, near_slot, 0, &displaced),
				 -EINVAL);
	}
}

/* ---- jumps, calls, system calls -------------------------------------------- */

static void jumps_are_found(void **state)
{
	static const struct {
		uint32_t words[4];
		enum jump_kind kind;
		uint32_t where;
	} rows[] = {
		{ { 0x48000010 }, JUMP_DIRECT, 0x1010 },
		{ { 0x4bfffff0 }, JUMP_DIRECT, 0xff0 },
		{ { 0x48002002 }, JUMP_DIRECT, 0x2000 }, /* ba */
		{ { 0x42800010 }, JUMP_DIRECT, 0x1010 },
		{ { PPC_NOP }, JUMP_PAST, 0x1004 },
		{ { 0x48000011 }, NOT_A_JUMP, 0 },
		{ { 0x41820010 }, NOT_A_JUMP, 0 },
		{ { 0x42000010 }, NOT_A_JUMP, 0 }, /* bdnz */
		{ { 0x4e800020 }, NOT_A_JUMP, 0 },
		{ { PPC_BCTR }, NOT_A_JUMP, 0 },
		{ { 0x3d601002, 0x816b8004, 0x7d6903a6, PPC_BCTR }, JUMP_MEMORY, 0x10018004 },
		{ { 0x3d601002, 0x816b0004, 0x7d6903a6, PPC_BCTR }, JUMP_MEMORY, 0x10020004 },
		{ { 0x3d601002, 0x816b0004, 0x7d6903a6, 0x4e800421 }, NOT_A_JUMP, 0 },
		{ { 0x817e0004, 0x7d6903a6, PPC_BCTR }, NOT_A_JUMP, 0 },
	};
	uint8_t b[16];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		taddr_t where = 0;

		to_bytes(rows[i].words, 4, b);
		if (abi_powerpc.jump(&abi_powerpc, 0x1000, b, sizeof b, &where) != rows[i].kind ||
		    where != rows[i].where)
			fail_msg("row %zu: where %#llx", i, (unsigned long long)where);
		assert_int_equal(abi_powerpc.jump(&abi_powerpc, 0x1000, b, 3, &where), NOT_A_JUMP);
	}
}

static void calls_are_told_by_what_is_before(void **state)
{
	static const struct { uint32_t insn; unsigned bits; uint32_t target; } rows[] = {
		{ 0x48000101, CALL_DIRECT, 0x10fc }, { 0x4bffff01, CALL_DIRECT, 0xefc },
		{ 0x4e800421, CALL_INDIRECT, 0 },    { 0x4e800021, CALL_INDIRECT, 0 },
		{ 0x41820011, CALL_DIRECT, 0x100c }, { 0x429f0005, 0, 0x1000 }, /* bcl 20,31,.+4 */
		{ 0x48000100, 0, 0 },		     { 0x38600001, 0, 0 },
		{ 0x4c00012d, 0, 0 },
	};
	uint8_t b[4];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		taddr_t target = 0;

		to_bytes(&rows[i].insn, 1, b);
		assert_int_equal(abi_powerpc.call_before(&abi_powerpc, 0x1000, b, 4, &target),
				 rows[i].bits);
		assert_int_equal(target, rows[i].target);
		assert_int_equal(abi_powerpc.call_before(&abi_powerpc, 0x1000, b, 3, &target), 0);
	}
}

static void system_calls_are_found(void **state)
{
	static const struct { uint32_t words[4]; int nr; unsigned at; } rows[] = {
		{ { 0x380000ae, 0x38600002, 0x38c00008, 0x44000002 }, 174, 12 },
		{ { 0x380000ad, 0x44000002 }, 173, 4 },
		{ { 0x380000ae, 0x48000010, 0x44000002 }, -1, 0 },
		{ { 0x380000ae, 0x380000ad, 0x44000002 }, -1, 0 },
		{ { 0x38600002, 0x380000ae, 0x44000002 }, -1, 0 },
		{ { 0x3800ffff, 0x44000002 }, -1, 0 },
		{ { 0x380000ae, 0x38600002, 0x38600002, 0x38600002 }, -1, 0 },
	};
	uint8_t b[16];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		unsigned at = 0;

		to_bytes(rows[i].words, 4, b);
		assert_int_equal(abi_powerpc.syscall_site(&abi_powerpc, b, 16, &at), rows[i].nr);
		assert_int_equal(at, rows[i].at);
		assert_int_equal(abi_powerpc.syscall_site(&abi_powerpc, b, 3, &at), -1);
	}
}

static void requests_for_nothing_are_seen(void **state)
{
	static const struct { uint32_t words[8]; bool tests; } rows[] = {
		/* stwu; bcl; mr. r31,r3; bne .+8; li r31,1; mr r3,r31; bl */
		{ { 0x9421fff0, 0x429f0005, 0x7c7f1b79, 0x40820008, 0x3be00001, 0x7fe3fb78, 0x48000101 },
		  true },
		{ { 0x2c030000, 0x40820008, 0x38600001, 0x48000101 }, true },
		{ { 0x9421fff0, 0x48000101 }, false },
		{ { 0x38600001, 0x2c030000, 0x48000101 }, false },             /* li r3,1 before */
		{ { 0x2c030000, 0x70690001, 0x48000101 }, false },             /* andi. */
		{ { 0x2c030000, 0x40820010, 0x48000101 }, false },             /* far ahead */
		{ { 0x2f830000, 0x48000101 }, false },                         /* field 7 */
		{ { 0x2c030000, PPC_NOP, PPC_NOP, PPC_NOP, PPC_NOP, PPC_NOP, PPC_NOP, PPC_NOP }, false },
	};
	struct regs r = { .abi = &abi_powerpc };
	uint8_t b[32];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		to_bytes(rows[i].words, 8, b);
		if (abi_powerpc.tests_zero(&abi_powerpc, b, sizeof b) != rows[i].tests)
			fail_msg("row %zu", i);
	}
	r.w[PPC_CCR] = 0x20000000;
	assert_true(abi_powerpc.flag_zero(&r));
	r.w[PPC_CCR] = 0x40000002;
	assert_false(abi_powerpc.flag_zero(&r));
}

/* An error is a flag, and errno is positive. */
static void errors_of_system_calls_are_seen(void **state)
{
	struct regs r = { .abi = &abi_powerpc };

	(void)state;
	r.w[PPC_R3] = ENOMEM;
	assert_int_equal(regs_syscall_result(&r), ENOMEM);
	r.w[PPC_CCR] = 0x10000000;
	assert_int_equal(regs_syscall_result(&r), -ENOMEM);
	r.w[PPC_CCR] = 0x80000000;
	r.w[PPC_R3] = 0xb7c00000;
	assert_int_equal(regs_syscall_result(&r), 0xb7c00000);
}

static void large_dwarf_numbers_are_known(void **state)
{
	int lr = abi_dwarf_known(&abi_powerpc, 65);

	(void)state;
	assert_int_equal(abi_powerpc.dwarf_reg[lr], PPC_LR);
	assert_int_equal(abi_dwarf_known(&abi_powerpc, 108), lr);
	assert_int_equal(abi_dwarf_number(&abi_powerpc, (unsigned)lr), 65);
	assert_int_equal(abi_dwarf_known(&abi_powerpc, (unsigned)lr), -1); /* f0 */
	assert_int_equal(abi_dwarf_known(&abi_powerpc, 67), abi_powerpc.dwarf_pc);
	assert_int_equal(abi_dwarf_number(&abi_powerpc, abi_powerpc.dwarf_pc), 67);
	assert_int_equal(abi_dwarf_known(&abi_powerpc, 31), 31);
	assert_int_equal(abi_dwarf_known(&abi_powerpc, 70), -1);
	assert_int_equal(abi_dwarf_known(&abi_powerpc, 1124), -1);
}

/* ---- emulation --------------------------------------------------------------- */

static ssize_t no_read(void *arg, taddr_t addr, void *buf, size_t len)
{
	(void)arg, (void)addr;
	memset(buf, 0x5a, len);
	return (ssize_t)len;
}

static ssize_t no_write(void *arg, taddr_t addr, const void *buf, size_t len)
{
	(void)arg, (void)addr, (void)buf;
	return (ssize_t)len;
}

static ssize_t half(void *arg, taddr_t addr, void *buf, size_t len)
{
	(void)arg, (void)addr, (void)buf;
	return (ssize_t)len / 2;
}

static int emulate(const struct abi_memory *mem, uint32_t word, struct regs *r)
{
	uint8_t b[4];

	to_bytes(&word, 1, b);
	return abi_powerpc.emulate(&abi_powerpc, mem, code_page + AT_INSN, b, 4, r);
}

static void emulates_as_listed(void **state)
{
	const struct abi_memory mem = { no_read, no_write, NULL }, bad = { half, no_write, NULL };
	struct regs r = { .abi = &abi_powerpc }, was = r;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(list); i++)
		if ((emulate(&mem, list[i].word, &r) == 0) != (list[i].kinds[2] == 'E'))
			fail_msg("%s", list[i].name);
	r = was;
	assert_int_equal(emulate(&bad, 0x80010024, &r), -EFAULT); /* lwz 0,36(1) */
	assert_memory_equal(&r, &was, sizeof r);
}

/* Whatever the bytes are, the answer is within its bounds. */
static void random_words_do_no_harm(void **state)
{
	const struct abi_memory mem = { no_read, no_write, NULL };
	struct regs r = { .abi = &abi_powerpc };
	uint64_t seed = 1;
	uint32_t w[8];
	uint8_t b[32];
	taddr_t t;
	unsigned at;

	(void)state;
	for (unsigned i = 0; i < 400000; i++) {
		unsigned n = 1 + i % 8;

		for (unsigned k = 0; k < n; k++) {
			seed = seed * 6364136223846793005u + 1442695040888963407u;
			w[k] = (uint32_t)(seed >> 32);
			if (i % 3 == 1) /* sequences, or nearly */
				w[k] = k == 0 ? 0x7d207028 : w[k] & 1 ? 0x7d20712d :
				       (w[k] & 0xfc) | 0x40820000 | (w[k] & 2 ? 0xff00 : 0);
		}
		to_bytes(w, n, b);
		abi_powerpc.jump(&abi_powerpc, 0x1000, b, 4 * n, &t);
		abi_powerpc.call_before(&abi_powerpc, 0x1000, b, 4 * n, &t);
		abi_powerpc.syscall_site(&abi_powerpc, b, 4 * n, &at);
		emulate(&mem, w[0], &r);
		if (displace(i & 1 ? near_slot : far_slot, w, n))
			continue;
		assert_in_range(displaced.insn_len, 4, 4 * n);
		assert_true(displaced.code_len <= DISPLACE_MAX && displaced.nfix <= DISPLACE_MAX_FIX);
		assert_true((displaced.kind == DISPLACE_SLOT) == (displaced.nfix > 0));
		if (displaced.kind == DISPLACE_SLOT)
			check_slot("random", i & 1 ? near_slot : far_slot);
	}
}

/* ---- on the CPU itself --------------------------------------------------------- */

#if defined __powerpc__ && !defined __powerpc64__
#include <signal.h>
#include <sys/mman.h>
#include <ucontext.h>
#include "run-code.h"

static const uint32_t stack_page = 0x50000000, data_page = 0x51000000;

struct outcome {
	uint32_t w[PPC_NREGS];
	int sig;
	uint8_t stack[PAGE], data[PAGE];
};

static struct {
	bool running;
	uint32_t in[PPC_NREGS], out[PPC_NREGS], home[PPC_NREGS];
	uint32_t stop; /* here the fix is applied, once; 0: nowhere */
	int sig;
} run;

static void fix(unsigned long *g)
{
	uint64_t at = g[PPC_NIP] - displaced.resume;

	if (displaced.kind == DISPLACE_SLOT && at < displaced.code_len)
		g[PPC_NIP] = (unsigned long)displace_fix_at(&displaced, at)->to;
}

static void on_signal(int sig, siginfo_t *si, void *ctx)
{
	unsigned long *g = ((ucontext_t *)ctx)->uc_mcontext.uc_regs->gregs;

	(void)si;
	if (!run.running) {
		memcpy(run.home, g, sizeof run.home);
		for (unsigned i = 0; i < PPC_NREGS; i++)
			if (i <= PPC_NIP || (i >= PPC_CTR && i <= PPC_CCR))
				g[i] = run.in[i];
		g[PPC_R2] = run.home[PPC_R2]; /* the thread's own, which a handler needs */
		run.running = true;
		return;
	}
	if (run.stop && g[PPC_NIP] == run.stop) {
		fix(g);
		run.stop = 0;
		return;
	}
	fix(g); /* a fault in the slot */
	memcpy(run.out, g, sizeof run.out);
	run.sig = sig;
	run.running = false;
	memcpy(g, run.home, sizeof run.home);
	g[PPC_NIP] += 4; /* the trap that began it */
}

static void fill(uint32_t page, uint32_t word)
{
	for (unsigned i = 0; i < PAGE / 4; i++)
		((volatile uint32_t *)page)[i] = word;
}

static void prepare(const uint32_t *words, unsigned n)
{
	fill(code_page, TRAP);
	for (unsigned i = 0; i < n; i++)
		((uint32_t *)(code_page + AT_INSN))[i] = words[i];
	for (unsigned i = 0; i < PAGE; i++)
		((uint8_t *)stack_page)[i] = ((uint8_t *)data_page)[i] = (uint8_t)(i * 37 + 1);
	if (displaced.kind == DISPLACE_SLOT) {
		fill((uint32_t)displaced.resume & -PAGE, TRAP);
		memcpy((void *)(uint32_t)displaced.resume, displaced.code, displaced.code_len);
	}
}

static void flush(void)
{
	__builtin___clear_cache((char *)code_page, (char *)code_page + PAGE);
	if (displaced.kind == DISPLACE_SLOT)
		__builtin___clear_cache((char *)(uint32_t)displaced.resume,
					(char *)(uint32_t)displaced.resume + PAGE);
}

static void take(struct outcome *o)
{
	memcpy(o->w, run.out, sizeof o->w);
	o->sig = run.sig;
	memcpy(o->stack, (void *)stack_page, PAGE);
	memcpy(o->data, (void *)data_page, PAGE);
}

static void execute(uint32_t pc, const uint32_t *in, struct outcome *o)
{
	flush();
	memcpy(run.in, in, sizeof run.in);
	run.in[PPC_NIP] = pc;
	run.running = false;
	__asm__ volatile("trap\n\tnop" ::: "memory");
	take(o);
}

/* Register contents number `seed`: pointers where the list expects them. */
static void registers(unsigned seed, uint32_t *in)
{
	static const uint32_t values[] = { 0, 1, 5, 0x7fffffff, 0x80000000, 0xffffffff, 0x12345678 };

	for (unsigned i = 0; i < PPC_NREGS; i++)
		in[i] = 0x01010101u * (i + 1);
	in[PPC_R1] = stack_page + 2048;
	in[14] = data_page + 1024;
	in[15] = 16 + 4 * (seed % 3);
	in[PPC_R9] = (uint32_t)-64;
	in[PPC_R3] = values[seed % 7];
	in[PPC_R4] = values[seed / 2 % 7];
	in[PPC_LR] = code_page + AT_TARGET;
	in[PPC_CTR] = seed % 4 == 3 ? code_page + AT_TARGET + 64 : seed % 4;
	in[PPC_CCR] = 0x11111111u * (seed * 5 % 16) ^ seed << 24;
	in[PPC_XER] = seed & 1 ? 0x80000000 : seed & 2 ? 0x20000000 : 0;
}

static bool is_loose(unsigned reg, bool veneer)
{
	if (reg == PPC_R2 || reg == PPC_MSR || reg == PPC_ORIG_R3 || reg >= PPC_MQ)
		return true;
	return veneer && (reg == PPC_R12 || reg == PPC_CTR);
}

static void same(const char *name, const char *how, unsigned seed, const struct outcome *a,
		 const struct outcome *b, bool veneer)
{
	for (unsigned i = 0; i < PPC_NREGS; i++) {
		if (!is_loose(i, veneer) && a->w[i] != b->w[i])
			fail_msg("%s, %s, %u: register %u is %#x instead of %#x", name, how, seed, i,
				 b->w[i], a->w[i]);
		if (i < PPC_MSR && (b->w[i] & -PAGE) == ((uint32_t)displaced.resume & -PAGE) &&
		    displaced.kind == DISPLACE_SLOT)
			fail_msg("%s, %s: register %u has a place in the slot", name, how, i);
	}
	if (a->sig != b->sig)
		fail_msg("%s, %s, %u: signal %d instead of %d", name, how, seed, b->sig, a->sig);
	if (memcmp(a->stack, b->stack, PAGE) || memcmp(a->data, b->data, PAGE))
		fail_msg("%s, %s, %u: memory differs", name, how, seed);
}

static void run_emulated(const char *name, const uint32_t *words, const uint32_t *in, unsigned seed,
			 const struct outcome *want)
{
	const struct abi_memory mem = { run_code_read, run_code_write, NULL };
	struct regs r = { .abi = &abi_powerpc };
	static struct outcome got;

	if (want->sig != SIGTRAP)
		return;
	prepare(words, 1);
	for (unsigned i = 0; i < PPC_NREGS; i++)
		r.w[i] = in[i];
	assert_int_equal(emulate(&mem, words[0], &r), 0);
	for (unsigned i = 0; i < PPC_NREGS; i++)
		run.out[i] = (uint32_t)r.w[i];
	run.sig = SIGTRAP;
	take(&got);
	same(name, "emulated", seed, want, &got, false);
}

/* A stop takes a reservation away: only what tries again ends the same. */
static bool may_be_stopped(const uint32_t *words, unsigned n)
{
	return n == 1 || ppc_op(words[n - 1]) == PPC_OP_BC;
}

static void check_runs(const char *name, const uint32_t *words, unsigned n, uint32_t slot, bool emulated)
{
	static struct outcome want, got;
	bool veneer = slot == far_slot || (words[0] & PPC_LINK && ppc_op(words[0]) <= PPC_OP_XL);
	uint32_t in[PPC_NREGS], own = code_page + AT_INSN;

	for (unsigned seed = 0; seed < 16; seed++) {
		registers(seed, in);
		run.stop = 0;
		prepare(words, n);
		execute(own, in, &want);
		if (emulated)
			run_emulated(name, words, in, seed, &want);
		if (displaced.kind == DISPLACE_STEP)
			continue;
		run.stop = 0;
		prepare(words, n);
		execute((uint32_t)displaced.resume, in, &got);
		same(name, "displaced", seed, &want, &got, veneer);
		if (displaced.kind != DISPLACE_SLOT || !may_be_stopped(words, n))
			continue;
		for (unsigned k = 0; k < displaced.nfix; k++) {
			char how[40];

			prepare(words, n);
			run.stop = slot + displaced.fix[k].at;
			*(uint32_t *)run.stop = TRAP;
			execute((uint32_t)displaced.resume, in, &got);
			snprintf(how, sizeof how, "stopped at boundary %u", k);
			same(name, how, seed, &want, &got, veneer);
		}
	}
	run.stop = 0;
}

static void map_pages(void)
{
	const uint32_t at[] = { code_page, near_slot, far_slot, stack_page, data_page };

	for (size_t i = 0; i < ARRAY_SIZE(at); i++)
		assert_non_null(run_code_map(at[i], PAGE));
}

static void executes_the_same(void **state)
{
	(void)state;
	map_pages();
	run_code_catch(on_signal);
	for (size_t i = 0; i < ARRAY_SIZE(list); i++) {
		const struct insn *l = &list[i];

		if (ppc_op(l->word) == PPC_OP_SC)
			continue;
		assert_int_equal(displace(near_slot, &l->word, 1), 0);
		check_runs(l->name, &l->word, 1, near_slot, l->kinds[2] == 'E');
		assert_int_equal(displace(far_slot, &l->word, 1), 0);
		check_runs(l->name, &l->word, 1, far_slot, false);
	}
	for (size_t i = 0; i < ARRAY_SIZE(sequences); i++) {
		const struct sequence *s = &sequences[i];

		if (!s->n)
			continue;
		assert_int_equal(displace(near_slot, s->words, 8), 0);
		check_runs(s->name, s->words, s->n, near_slot, false);
	}
}
#endif

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(displaces_as_listed),
		cmocka_unit_test(system_calls_are_copied_when_that_is_safe),
		cmocka_unit_test(addpcis_is_computed),
		cmocka_unit_test(nonsense_is_refused),
		cmocka_unit_test(jumps_are_found),
		cmocka_unit_test(calls_are_told_by_what_is_before),
		cmocka_unit_test(system_calls_are_found),
		cmocka_unit_test(requests_for_nothing_are_seen),
		cmocka_unit_test(errors_of_system_calls_are_seen),
		cmocka_unit_test(large_dwarf_numbers_are_known),
		cmocka_unit_test(emulates_as_listed),
		cmocka_unit_test(random_words_do_no_harm),
#if defined __powerpc__ && !defined __powerpc64__
		cmocka_unit_test(executes_the_same),
#endif
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
