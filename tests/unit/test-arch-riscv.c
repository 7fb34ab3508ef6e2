/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The hooks of RISC-V.  No such CPU is needed: the emulator, which is compared with what
 * the manual says, runs the code of slots, too. */
#include <elf.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

#include "arch/riscv/riscv.h"

#define CODE ((taddr_t)0xffffffb7a01000) /* of 56 bits: Sv57 */
#define NEAR (CODE + 0xf0000)
#define FAR 0x2aaaab0040

static const struct abi *const rv = &abi_riscv64;

/* Compressed instructions and what they stand for. */
static const struct { const char *name; uint16_t c; uint32_t w; } pairs[] = {
	{ "c.addi4spn a0, sp, 16", 0x0808, 0x01010513 },
	{ "c.addi4spn s1, sp, 1020", 0x1fe4, 0x3fc10493 },
	{ "c.lw a0, 124(s0)", 0x5c68, 0x07c42503 },
	{ "c.ld a5, 248(s1)", 0x7cfc, 0x0f84b783 },
	{ "c.sw a0, 68(a1)", 0xc1e8, 0x04a5a223 },
	{ "c.sd a4, 200(a3)", 0xe6f8, 0x0ce6b423 },
	{ "c.nop", 0x0001, 0x00000013 },
	{ "c.addi a0, -1", 0x157d, 0xfff50513 },
	{ "c.addi t1, 31", 0x037d, 0x01f30313 },
	{ "c.addiw a0, -32", 0x3501, 0xfe05051b },
	{ "c.li a7, -5", 0x58ed, 0xffb00893 },
	{ "c.addi16sp sp, -64", 0x7139, 0xfc010113 },
	{ "c.addi16sp sp, 496", 0x617d, 0x1f010113 },
	{ "c.addi16sp sp, -512", 0x7101, 0xe0010113 },
	{ "c.lui a0, 0xfffe1", 0x7505, 0xfffe1537 },
	{ "c.lui t1, 31", 0x637d, 0x0001f337 },
	{ "c.srli a0, 63", 0x917d, 0x03f55513 },
	{ "c.srai a1, 33", 0x9585, 0x4215d593 },
	{ "c.andi a2, -3", 0x9a75, 0xffd67613 },
	{ "c.sub a0, a1", 0x8d0d, 0x40b50533 },
	{ "c.xor a0, a1", 0x8d2d, 0x00b54533 },
	{ "c.or a0, a1", 0x8d4d, 0x00b56533 },
	{ "c.and s0, a5", 0x8c7d, 0x00f47433 },
	{ "c.subw a0, a1", 0x9d0d, 0x40b5053b },
	{ "c.addw a0, a1", 0x9d2d, 0x00b5053b },
	{ "c.j .+0x7fe", 0xaffd, 0x7fe0006f },
	{ "c.j .-0x800", 0xb001, 0x801ff06f },
	{ "c.beqz a0, .+0xfe", 0xcd7d, 0x0e050f63 },
	{ "c.bnez s1, .-0x100", 0xf081, 0xf00490e3 },
	{ "c.slli a0, 40", 0x1522, 0x02851513 },
	{ "c.lwsp ra, 252(sp)", 0x50fe, 0x0fc12083 },
	{ "c.ldsp ra, 504(sp)", 0x70fe, 0x1f813083 },
	{ "c.jr ra", 0x8082, 0x00008067 },
	{ "c.jr t1", 0x8302, 0x00030067 },
	{ "c.jalr a5", 0x9782, 0x000780e7 },
	{ "c.mv a0, s1", 0x8526, 0x00900533 },
	{ "c.add a0, t6", 0x957e, 0x01f50533 },
	{ "c.ebreak", 0x9002, 0x00100073 },
	{ "c.swsp a0, 252(sp)", 0xdfaa, 0x0ea12e23 },
	{ "c.sdsp ra, 504(sp)", 0xff86, 0x1e113c23 },
	{ "c.sdsp s0, 8(sp)", 0xe422, 0x00813423 },
};

/* What displace() is to say: S a slot, G goto, T emulation, X no instruction that can be
 * moved; near and far.  Emulated: emulate() can do it. */
static const struct insn {
	const char *name;
	uint32_t w;
	uint8_t len;
	const char *kinds;
	bool emulated;
} insns[] = {
	{ "nop", 0x00000013, 4, "GG", true },
	{ "c.nop", 0x0001, 2, "GG", true },
	{ "auipc zero, 0x123", 0x00123017, 4, "GG", true },
	{ "c.j .+0x20", 0xa005, 2, "GG", true },
	{ "j .+0x400", 0x4000006f, 4, "GG", true },
	{ "c.addi16sp sp, -48", 0x7179, 2, "SS", true },
	{ "addi sp, sp, -608", 0xda010113, 4, "SS", true },
	{ "c.sdsp ra, 40(sp)", 0xf406, 2, "SS", true },
	{ "sd ra, 568(sp)", 0x22113c23, 4, "SS", true },
	{ "c.ldsp ra, 40(sp)", 0x70a2, 2, "SS", true },
	{ "ld s0, 16(sp)", 0x01013403, 4, "SS", true },
	{ "c.mv a5, a0", 0x87aa, 2, "SS", true },
	{ "c.li a5, 3", 0x478d, 2, "SS", true },
	{ "lui a5, 0x12345", 0x123457b7, 4, "SS", true },
	{ "add t1, t3, a0", 0x00ae0333, 4, "SS", true },
	{ "add t1, a0, a0", 0x00a50333, 4, "SS", true },
	{ "andi a0, a0, 255", 0x0ff57513, 4, "SS", true },
	{ "sltu a0, zero, a0", 0x00a03533, 4, "SS", true },
	{ "mul a0, a0, a1", 0x02b50533, 4, "SS", false },
	{ "fld fa0, 0(a0)", 0x00053507, 4, "SS", false },
	{ "c.fldsp fa0, 8(sp)", 0x2522, 2, "SS", false },
	{ "amoadd.w a0, a1, (a2)", 0x00b6252f, 4, "SS", false },
	{ "fence", 0x0ff0000f, 4, "SS", false },
	{ "rdcycle a0", 0xc0002573, 4, "SS", false },
	{ "auipc a5, 0x123", 0x00123797, 4, "TT", true },
	{ "jal ra, .+0x400", 0x400000ef, 4, "TT", true },
	{ "jalr ra, 16(ra)", 0x010080e7, 4, "TT", true },
	{ "c.jalr a5", 0x9782, 2, "TT", true },
	{ "c.jr ra", 0x8082, 2, "TT", true },
	{ "ret", 0x00008067, 4, "TT", true },
	{ "c.beqz a0, .+0x20", 0xc105, 2, "TT", true },
	{ "bltu a0, a1, .-0x20", 0xfeb560e3, 4, "TT", true },
	{ "ecall", 0x00000073, 4, "TT", false },
	{ "lr.w a0, (a1)", 0x1005a52f, 4, "XX", false },
	{ "lr.d.aq a0, (a1)", 0x1405b52f, 4, "XX", false },
};

static void put(uint8_t *b, uint32_t w)
{
	for (unsigned i = 0; i < 4; i++)
		b[i] = (uint8_t)(w >> 8 * i);
}

static size_t put_all(uint8_t *b, const uint32_t *w, size_t n)
{
	for (size_t i = 0; i < n; i++)
		put(b + 4 * i, w[i]);
	return 4 * n;
}

static void compressed_ones_are_expanded(void **state)
{
	struct rv_insn in;
	uint8_t b[4];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(pairs); i++) {
		put(b, pairs[i].c);
		assert_int_equal(rv_decode(b, 2, &in), 0);
		if (in.len != 2 || in.w != pairs[i].w)
			fail_msg("%s: %#x instead of %#x", pairs[i].name, in.w, pairs[i].w);
	}
	put(b, 0); /* defined as none */
	assert_int_equal(rv_decode(b, 4, &in), -EINVAL);
	put(b, 0x0000001f); /* of more than 32 bits */
	assert_int_equal(rv_decode(b, 4, &in), -EINVAL);
}

/* -- emulation ------------------------------------------------------------------ */

static uint8_t memory[1024]; /* at MEMORY */
#define MEMORY 0x3fffff0000

static const struct displaced *slot; /* the one that is run, at slot_at; NULL */
static taddr_t slot_at;

static ssize_t read_memory(void *arg, taddr_t addr, void *buf, size_t len)
{
	(void)arg;
	if (slot && len <= slot->code_len && addr - slot_at <= slot->code_len - len) {
		memcpy(buf, slot->code + (addr - slot_at), len);
		return (ssize_t)len;
	}
	if (addr - MEMORY > sizeof memory - len)
		return -EFAULT;
	memcpy(buf, memory + (addr - MEMORY), len);
	return (ssize_t)len;
}

static ssize_t write_memory(void *arg, taddr_t addr, const void *buf, size_t len)
{
	(void)arg;
	if (addr - MEMORY > sizeof memory - len)
		return -EFAULT;
	memcpy(memory + (addr - MEMORY), buf, len);
	return (ssize_t)len;
}

static const struct abi_memory mem = { read_memory, write_memory, NULL };

static int emulate(uint32_t w, struct regs *r)
{
	uint8_t b[4];

	put(b, w);
	return rv->emulate(rv, &mem, r->w[RV_PC], b, 4, r);
}

static void registers(struct regs *r)
{
	r->abi = rv;
	for (unsigned i = 0; i < RV_NREGS; i++)
		r->w[i] = 0x0101010101010101u * i;
	r->w[RV_PC] = CODE;
	r->w[RV_RA] = CODE + 0x50;
	r->w[RV_SP] = MEMORY + 64;
	r->w[15] = CODE + 0x60; /* a5 */
	memset(memory, 0x5a, sizeof memory);
}

/* As the manual has it. */
static void operations_are_right(void **state)
{
	static const struct { const char *name; uint32_t w; unsigned reg; uint64_t value; } rows[] = {
		{ "addi a0, sp, 16", 0x01010513, 10, MEMORY + 80 },
		{ "addi a0, zero, -1", 0xfff00513, 10, UINT64_MAX },
		{ "addiw a0, a1, 0", 0x0005851b, 10, 0x0b0b0b0b },
		{ "subw a0, zero, a1", 0x40b0053b, 10, 0xfffffffff4f4f4f5 },
		{ "lui a0, 0x80000", 0x80000537, 10, 0xffffffff80000000 },
		{ "auipc a0, 0xfffff", 0xfffff517, 10, CODE - 4096 },
		{ "srai a0, a1, 60", 0x43c5d513, 10, 0 },
		{ "srli a0, a1, 4", 0x0045d513, 10, 0x00b0b0b0b0b0b0b0 },
		{ "slli a0, a1, 4", 0x00459513, 10, 0xb0b0b0b0b0b0b0b0 },
		{ "sltu a0, zero, a1", 0x00b03533, 10, 1 },
		{ "slt a0, a1, zero", 0x0005a533, 10, 0 },
		{ "sub a0, zero, a1", 0x40b00533, 10, 0xf4f4f4f4f4f4f4f5 },
		{ "xori a0, a1, -1", 0xfff5c513, 10, 0xf4f4f4f4f4f4f4f4 },
		{ "lb a0, 0(sp)", 0x00010503, 10, 0x5a },
		{ "ld a0, 0(sp)", 0x00013503, 10, 0x5a5a5a5a5a5a5a5a },
		{ "jal ra, .+0x400", 0x400000ef, RV_RA, CODE + 4 },
		{ "jal ra, .+0x400", 0x400000ef, RV_PC, CODE + 0x400 },
		{ "j .-0x100", 0xf01ff06f, RV_PC, CODE - 0x100 },
		{ "jalr ra, 16(ra)", 0x010080e7, RV_PC, CODE + 0x60 },
		{ "jalr ra, 16(ra)", 0x010080e7, RV_RA, CODE + 4 },
		{ "bltu a0, a1, .-0x20", 0xfeb560e3, RV_PC, CODE - 0x20 },
		{ "bgeu a0, a1, .-0x20", 0xfeb570e3, RV_PC, CODE + 4 },
		{ "c.jalr a5", 0x9782, RV_RA, CODE + 2 },
		{ "c.jalr a5", 0x9782, RV_PC, CODE + 0x60 },
	};
	struct regs r;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		registers(&r);
		assert_int_equal(emulate(rows[i].w, &r), 0);
		if (r.w[rows[i].reg] != rows[i].value)
			fail_msg("%s: %#llx", rows[i].name, (unsigned long long)r.w[rows[i].reg]);
	}
	registers(&r);
	assert_int_equal(emulate(0xf406, &r), 0); /* c.sdsp ra, 40(sp) */
	assert_memory_equal(memory + 104, &(uint64_t){ CODE + 0x50 }, 5);
	assert_int_equal(memory[112], 0x5a);
	r.w[RV_SP] = 16;
	assert_int_equal(emulate(0xf406, &r), -EFAULT);
	assert_int_equal(emulate(0x02b50533, &r), -ENOTSUP); /* mul */
}

/* -- displacing ----------------------------------------------------------------------- */

/* Runs a slot's code in the emulator; where a breakpoint ends it, what the tracer does. */
static void run_slot(const struct insn *insn, const struct displaced *d, taddr_t at, struct regs *r)
{
	slot = d;
	slot_at = at;
	for (int steps = 0; r->w[RV_PC] - at < d->code_len && steps < 16; steps++) {
		unsigned offset = (unsigned)(r->w[RV_PC] - at);

		if (!displace_fix_at(d, offset))
			fail_msg("%s: nothing known of offset %u", insn->name, offset);
		if (steps && displace_fix_at(d, offset)->to != CODE + insn->len)
			fail_msg("%s: offset %u", insn->name, offset);
		if (d->trap_at && offset == d->trap_at) {
			assert_memory_equal(d->code + offset, rv->bp_insn, rv->bp_len);
			r->w[RV_PC] = displace_fix_at(d, offset)->to;
		} else {
			assert_int_equal(rv->emulate(rv, &mem, r->w[RV_PC], d->code + offset,
						     d->code_len - offset, r), 0);
		}
	}
	slot = NULL;
}

static void check_slot(const struct insn *insn, const uint8_t *b, const struct displaced *d, taddr_t at)
{
	struct regs want, got;
	uint8_t there[sizeof memory];

	registers(&want);
	if (!insn->emulated)
		return;
	assert_int_equal(rv->emulate(rv, &mem, CODE, b, 4, &want), 0);
	memcpy(there, memory, sizeof there);
	registers(&got);
	got.w[RV_PC] = d->resume;
	run_slot(insn, d, at, &got);
	assert_memory_equal(there, memory, sizeof there);
	for (unsigned i = 0; i < RV_NREGS; i++)
		if (got.w[i] != want.w[i] && !(at == FAR && (i == RV_T1 || i == RV_T3)))
			fail_msg("%s: register %u is %#llx instead of %#llx", insn->name, i,
				 (unsigned long long)got.w[i], (unsigned long long)want.w[i]);
}

static void check_insn(const struct insn *insn, bool far)
{
	static const char letter[] = { [DISPLACE_GOTO] = 'G', [DISPLACE_SLOT] = 'S',
				       [DISPLACE_STEP] = 'T' };
	taddr_t at = far ? FAR : NEAR;
	struct displaced d;
	uint8_t b[4];
	int err;

	put(b, insn->w);
	for (size_t cut = 0; cut < insn->len; cut++)
		assert_int_equal(rv->displace(rv, CODE, b, cut, at, 0, &d), -EINVAL);
	err = rv->displace(rv, CODE, b, 4, at, 0, &d);
	if (insn->kinds[far] == 'X') {
		assert_int_equal(err, -EINVAL);
		return;
	}
	if (err || letter[d.kind] != insn->kinds[far] || d.insn_len != insn->len)
		fail_msg("%s: error %d, kind %c", insn->name, err, letter[d.kind]);
	assert_true(d.code_len <= DISPLACE_MAX && d.nfix <= DISPLACE_MAX_FIX);
	if (d.kind == DISPLACE_SLOT)
		check_slot(insn, b, &d, at);
}

static void all_are_displaced(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(insns); i++) {
		check_insn(&insns[i], false);
		check_insn(&insns[i], true);
	}
}

/* There is no single step: what is not displaced must be emulated, but for system calls,
 * which are displaced where they may be. */
static void nothing_needs_a_step(void **state)
{
	struct displaced d;

	(void)state;
	assert_false(rv->has_singlestep);
	for (size_t i = 0; i < ARRAY_SIZE(insns); i++)
		if (insns[i].kinds[0] == 'T' && insns[i].w != RV_ECALL)
			assert_true(insns[i].emulated);
	assert_int_equal(rv->displace(rv, CODE, rv->syscall_insn, 4, NEAR, DISPLACE_SYSCALL, &d), 0);
	assert_int_equal(d.kind, DISPLACE_SLOT);
	assert_int_equal(d.trap_at, 0);
	/* All registers may be in use there. */
	assert_int_equal(rv->displace(rv, CODE, rv->syscall_insn, 4, FAR, DISPLACE_SYSCALL, &d), 0);
	assert_int_equal(d.kind, DISPLACE_SLOT);
	assert_int_equal(d.trap_at, 4);
	assert_memory_equal(d.code + 4, rv->bp_insn, rv->bp_len);
	assert_int_equal(displace_fix_at(&d, 4)->to, CODE + 4);
}

static void anything_is_tolerated(void **state)
{
	struct displaced d;
	uint32_t x = 1;
	uint8_t b[16];
	struct regs r;
	taddr_t where;
	unsigned at;

	(void)state;
	for (int i = 0; i < 1000000; i++) {
		x = x * 1664525 + 1013904223;
		put(b + 4 * (i % 4), x ^ x >> 16);
		if (!rv->displace(rv, CODE, b, sizeof b, i & 1 ? NEAR : FAR, 0, &d))
			assert_true(d.code_len <= DISPLACE_MAX && d.nfix <= DISPLACE_MAX_FIX);
		rv->jump(rv, CODE, b, sizeof b, &where);
		rv->call_before(rv, CODE, b, sizeof b, &where);
		rv->syscall_site(rv, b, sizeof b, &at);
		registers(&r);
		rv->emulate(rv, &mem, CODE, b, sizeof b, &r);
	}
}

/* -- what code looks like ----------------------------------------------------------------- */

static void jumps_are_found(void **state)
{
	/* auipc t3, 0x3; ld t3, -0x1f8(t3); jalr t1, t3; nop */
	static const uint32_t plt[] = { 0x00003e17, 0xe08e3e03, 0x000e0367, 0x00000013 };
	uint8_t b[16];
	taddr_t where;

	(void)state;
	put_all(b, plt, 4);
	assert_int_equal(rv->jump(rv, CODE, b, 16, &where), JUMP_MEMORY);
	assert_int_equal(where, CODE + 0x3000 - 0x1f8);
	assert_int_equal(rv->jump(rv, CODE, b, 8, &where), NOT_A_JUMP);
	put(b, 0xa005); /* c.j .+0x20 */
	assert_int_equal(rv->jump(rv, CODE, b, 2, &where), JUMP_DIRECT);
	assert_int_equal(where, CODE + 0x20);
	put(b, 0x0001);
	assert_int_equal(rv->jump(rv, CODE, b, 2, &where), JUMP_PAST);
	assert_int_equal(where, CODE + 2);
	put(b, 0x00008067); /* ret */
	assert_int_equal(rv->jump(rv, CODE, b, 4, &where), NOT_A_JUMP);
}

static void calls_are_recognised(void **state)
{
	/* auipc ra, 0x1; jalr ra, -16(ra) */
	static const uint32_t call[] = { 0x00001097, 0xff0080e7 };
	uint8_t b[8];
	taddr_t target = 0;

	(void)state;
	put_all(b, call, 2);
	assert_int_equal(rv->call_before(rv, CODE, b, 8, &target), CALL_DIRECT);
	assert_int_equal(target, CODE - 8 + 0x1000 - 16);
	put(b, 0x13);
	assert_int_equal(rv->call_before(rv, CODE, b, 8, &target), CALL_INDIRECT);
	put(b + 4, 0x400000ef);
	assert_int_equal(rv->call_before(rv, CODE, b, 8, &target), CALL_DIRECT);
	assert_int_equal(target, CODE - 4 + 0x400);
	put(b + 4, 0x97820001); /* c.nop; c.jalr a5 */
	assert_int_equal(rv->call_before(rv, CODE, b, 8, &target), CALL_INDIRECT);
	put(b + 4, 0x00010001);
	assert_int_equal(rv->call_before(rv, CODE, b, 8, &target), 0);
}

static void system_calls_are_found(void **state)
{
	/* li a7, 135; c.mv a1, a2 and c.nop; ecall */
	static const uint32_t mask[] = { 0x08700893, 0x000185b2, RV_ECALL };
	uint8_t b[12];
	unsigned at;

	(void)state;
	put_all(b, mask, 3);
	assert_int_equal(rv->syscall_site(rv, b, 12, &at), abi_riscv64.nr_rt_sigprocmask);
	assert_int_equal(at, 8);
	assert_int_equal(rv->syscall_site(rv, b, 8, &at), -1);
	put(b + 4, 0xfeb560e3);
	assert_int_equal(rv->syscall_site(rv, b, 12, &at), -1);
}

static void signal_frames_are_known(void **state)
{
	struct abi_frame f;
	uint8_t b[8];

	(void)state;
	put_all(b, (uint32_t[]){ 0x08b00893, RV_ECALL }, 2);
	assert_true(rv->sigreturn(rv, CODE, b, 8, &f));
	assert_int_equal(f.ra, 304);
	assert_int_equal(f.cfa, 320);
	assert_int_equal(f.off[31], 304 + 31 * 8);
	assert_false(rv->sigreturn(rv, CODE, b, 7, &f));
}

static void lookup_knows_the_class(void **state)
{
	(void)state;
	assert_ptr_equal(abi_lookup(EM_RISCV, ELFCLASS64, ELFDATA2LSB), &abi_riscv64);
	assert_null(abi_lookup(EM_RISCV, ELFCLASS32, ELFDATA2LSB));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lookup_knows_the_class),
		cmocka_unit_test(compressed_ones_are_expanded),
		cmocka_unit_test(operations_are_right),
		cmocka_unit_test(all_are_displaced),
		cmocka_unit_test(nothing_needs_a_step),
		cmocka_unit_test(anything_is_tolerated),
		cmocka_unit_test(jumps_are_found),
		cmocka_unit_test(calls_are_recognised),
		cmocka_unit_test(system_calls_are_found),
		cmocka_unit_test(signal_frames_are_known),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
