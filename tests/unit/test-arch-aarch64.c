/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The hooks of AArch64, as far as no such CPU is needed. */
#include <elf.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "aarch64-insns.h"
#include "arch/abi.h"

#define CODE 0x555500000000
#define NEAR (CODE + (120 << 20))
#define FAR 0x333300000000

static const struct abi *const a64 = &abi_aarch64;

static void put32(uint8_t *b, uint32_t w)
{
	for (unsigned i = 0; i < 4; i++)
		b[i] = (uint8_t)(w >> 8 * i);
}

static uint32_t get32(const uint8_t *b)
{
	return b[0] | b[1] << 8 | b[2] << 16 | (uint32_t)b[3] << 24;
}

/* One fix for each instruction before the literals. */
static void check_fixes(const struct insn *insn, const struct displaced *d)
{
	assert_in_range(d->code_len, 4, DISPLACE_MAX);
	assert_in_range(d->nfix, 1, DISPLACE_MAX_FIX);
	for (unsigned i = 0; i < d->nfix; i++) {
		if (!displace_fix_at(d, 4 * i))
			fail_msg("%s: nothing known of offset %u", insn->name, 4 * i);
		assert_int_equal(a64->insn_length(a64, NEAR, d->code + 4 * i, 4), 4);
	}
	assert_null(displace_fix_at(d, 4u * d->nfix));
	assert_null(displace_fix_at(d, 2));
}

static void check_insn(const struct insn *insn, bool far)
{
	static const char letter[] = { [DISPLACE_GOTO] = 'G', [DISPLACE_SLOT] = 'S',
				       [DISPLACE_STEP] = 'T' };
	uint8_t b[4];
	struct displaced d;
	taddr_t slot = far ? FAR : NEAR;
	char kind;
	int err;

	put32(b, insn->w);
	for (size_t cut = 0; cut < 4; cut++)
		assert_int_equal(a64->displace(a64, CODE + AT_INSN, b, cut, slot, 0, &d), -EINVAL);
	err = a64->displace(a64, CODE + AT_INSN, b, 4, slot, 0, &d);
	if (insn->kinds[far] == 'X') {
		assert_int_equal(err, -EINVAL);
		return;
	}
	kind = err ? '-' : d.kind == DISPLACE_STEP && d.whole ? 'W' : letter[d.kind];
	if (kind != insn->kinds[far])
		fail_msg("%s: error %d, kind %c", insn->name, err, kind);
	assert_int_equal(d.insn_len, 4);
	if (d.kind == DISPLACE_SLOT)
		check_fixes(insn, &d);
}

static void all_are_displaced(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(insns); i++) {
		check_insn(&insns[i], false);
		check_insn(&insns[i], true);
	}
}

static void load_exclusive_goes_with_its_store(void **state)
{
	uint8_t b[24];
	struct displaced d;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(sequences); i++) {
		const struct sequence *s = &sequences[i];

		for (unsigned k = 0; k < s->n; k++)
			put32(b + 4 * k, s->w[k]);
		for (unsigned far = 0; far < 2; far++) {
			assert_int_equal(a64->displace(a64, CODE + AT_INSN, b, 4 * s->n,
						       far ? FAR : NEAR, 0, &d), 0);
			assert_int_equal(d.kind, DISPLACE_SLOT);
			assert_true(d.whole);
			check_fixes(&(struct insn){ s->name, s->w[0], "SS", false }, &d);
			assert_int_equal(get32(d.code), s->w[0]);
			assert_int_equal(d.fix[1].to, CODE + AT_INSN + 4);
		}
		/* Not all of it is there. */
		assert_int_equal(a64->displace(a64, CODE, b, 4 * s->n - 4, NEAR, 0, &d), 0);
		assert_int_equal(d.kind, DISPLACE_STEP);
		assert_true(d.whole);
	}
}

/* Of no word that is loaded is the slot's address, but for jumps inside it. */
static void no_slot_address_is_seen(void **state)
{
	struct displaced d;
	uint8_t b[4];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(insns); i++) {
		put32(b, insns[i].w);
		if (a64->displace(a64, CODE + AT_INSN, b, 4, FAR, 0, &d) || d.kind != DISPLACE_SLOT)
			continue;
		for (unsigned at = 0; at + 8 <= d.code_len; at += 4) {
			uint64_t v = get32(d.code + at) | (uint64_t)get32(d.code + at + 4) << 32;

			assert_false(v - FAR < 4096);
		}
		for (unsigned k = 0; k < d.nfix; k++)
			assert_true(d.fix[k].to - CODE < 1 << 27);
	}
}

/* The link register gets the address behind the call, and the callee is gone to. */
static void calls_are_taken_apart(void **state)
{
	uint8_t b[4];
	struct displaced d;

	(void)state;
	put32(b, 0x94000100); /* bl .+0x400 */
	assert_int_equal(a64->displace(a64, CODE, b, 4, NEAR, 0, &d), 0);
	assert_int_equal(get32(d.code), 0x5800005e); /* ldr x30, .+8 */
	assert_int_equal(get32(d.code + 4) >> 26, 5); /* b */
	assert_int_equal(get32(d.code + 8) | (uint64_t)get32(d.code + 12) << 32, CODE + 4);
	assert_int_equal(d.fix[1].to, CODE + 0x400);
	assert_int_equal(d.fix[1].where, AT_NEXT);
	assert_int_equal(a64->displace(a64, CODE, b, 4, NEAR, DISPLACE_KEEP_SHADOW, &d), 0);
	assert_int_equal(d.kind, DISPLACE_STEP);
}

static void system_calls_are_displaced_near(void **state)
{
	struct displaced d;

	(void)state;
	assert_int_equal(a64->displace(a64, CODE, a64->syscall_insn, 4, NEAR, DISPLACE_SYSCALL, &d), 0);
	assert_int_equal(d.kind, DISPLACE_SLOT);
	/* x16 and x17 may be in use there. */
	assert_int_equal(a64->displace(a64, CODE, a64->syscall_insn, 4, FAR, DISPLACE_SYSCALL, &d), 0);
	assert_int_equal(d.kind, DISPLACE_STEP);
}

static void anything_is_tolerated(void **state)
{
	struct displaced d;
	uint32_t x = 1;
	uint8_t b[32];
	taddr_t where;
	unsigned at;

	(void)state;
	for (int i = 0; i < 2000000; i++) {
		x = x * 1664525 + 1013904223;
		put32(b + 4 * (i % 8), x ^ x >> 16);
		if (!a64->displace(a64, CODE, b, sizeof b, i & 1 ? NEAR : FAR, 0, &d)) {
			assert_true(d.code_len <= DISPLACE_MAX);
			assert_true(d.nfix <= DISPLACE_MAX_FIX);
		}
		a64->jump(a64, CODE, b, sizeof b, &where);
		a64->call_before(a64, CODE, b, sizeof b, &where);
		a64->syscall_site(a64, b, sizeof b, &at);
		a64->tests_zero(a64, b, sizeof b);
	}
}

/* -- emulation: what needs no CPU to know ------------------------------------------------- */

static uint8_t memory[64]; /* at address 0x1000 */

static ssize_t read_memory(void *arg, taddr_t addr, void *buf, size_t len)
{
	(void)arg;
	if (addr < 0x1000 || addr + len > 0x1000 + sizeof memory)
		return -EFAULT;
	memcpy(buf, memory + (addr - 0x1000), len);
	return (ssize_t)len;
}

static ssize_t write_memory(void *arg, taddr_t addr, const void *buf, size_t len)
{
	(void)arg;
	if (addr < 0x1000 || addr + len > 0x1000 + sizeof memory)
		return -EFAULT;
	memcpy(memory + (addr - 0x1000), buf, len);
	return (ssize_t)len;
}

static const struct abi_memory mem = { read_memory, write_memory, NULL };

static int emulate(uint32_t w, struct regs *r)
{
	uint8_t b[4];

	put32(b, w);
	return a64->emulate(a64, &mem, r->w[a64->pc], b, 4, r);
}

static void prologues_are_emulated(void **state)
{
	struct regs r = { .abi = a64 }, was;

	(void)state;
	memset(memory, 0xee, sizeof memory);
	r.w[29] = 0x1122334455667788;
	r.w[30] = 0x99;
	r.w[31] = 0x1020;
	r.w[32] = CODE;
	r.w[33] = 3 << 10; /* arrived by an indirect branch */
	assert_int_equal(emulate(0xa9be7bfd, &r), 0); /* stp x29, x30, [sp, #-32]! */
	assert_int_equal(r.w[31], 0x1000);
	assert_int_equal(r.w[32], CODE + 4);
	assert_int_equal(r.w[33], 0);
	assert_int_equal(memory[0], 0x88);
	assert_int_equal(memory[8], 0x99);
	assert_int_equal(memory[16], 0xee);
	assert_int_equal(emulate(0x910003fd, &r), 0); /* mov x29, sp */
	assert_int_equal(r.w[29], 0x1000);
	assert_int_equal(emulate(0xd10083ff, &r), 0); /* sub sp, sp, #32 */
	was = r;
	assert_int_equal(emulate(0xf90003e0, &r), -EFAULT); /* str x0, [sp] */
	assert_int_equal(emulate(0xd503233f, &r), -ENOTSUP); /* paciasp */
	assert_memory_equal(&r, &was, sizeof r);
	assert_int_equal(emulate(0x97ffffff, &r), 0); /* bl .-4 */
	assert_int_equal(r.w[30], CODE + 16);
	assert_int_equal(r.w[32], CODE + 8);
}

static void the_list_is_emulated(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(insns); i++) {
		struct regs r = { .abi = a64 };
		int err;

		for (int k = 0; k < 32; k++)
			r.w[k] = 0x1020;
		r.w[32] = CODE;
		err = emulate(insns[i].w, &r);
		if (insns[i].kinds[0] == 'X' || !insns[i].emulated)
			continue;
		if (err && (err != -EFAULT || r.w[32] != CODE))
			fail_msg("%s: error %d", insns[i].name, err);
	}
}

/* -- what code looks like ------------------------------------------------------------------- */

static size_t put_all(uint8_t *b, const uint32_t *w, size_t n)
{
	for (size_t i = 0; i < n; i++)
		put32(b + 4 * i, w[i]);
	return 4 * n;
}

static enum jump_kind jump(const uint32_t *w, size_t n, taddr_t *where)
{
	uint8_t b[32];

	return a64->jump(a64, CODE, b, put_all(b, w, n), where);
}

static void jumps_are_found(void **state)
{
	/* adrp x16, .+0x11000; ldr x17, [x16, #0xfd0]; add x16, …; (autia1716); br x17 */
	static const uint32_t plt[] = { 0xb0000090, 0xf947ea11, 0x913f4210, 0xd61f0220 };
	static const uint32_t pac_plt[] = { 0xb0000090, 0xf947ea11, 0x913f4210, 0xd503219f, 0xd61f0220 };
	taddr_t where;

	(void)state;
	assert_int_equal(jump(plt, 4, &where), JUMP_MEMORY);
	assert_int_equal(where, CODE + 0x11000 + 0xfd0);
	assert_int_equal(jump(pac_plt, 5, &where), JUMP_MEMORY);
	assert_int_equal(where, CODE + 0x11000 + 0xfd0);
	assert_int_equal(jump(plt, 3, &where), NOT_A_JUMP);
	assert_int_equal(jump((uint32_t[]){ 0xd503245f }, 1, &where), JUMP_PAST);
	assert_int_equal(where, CODE + 4);
	assert_int_equal(jump((uint32_t[]){ 0x17fffffe }, 1, &where), JUMP_DIRECT);
	assert_int_equal(where, CODE - 8);
	assert_int_equal(jump((uint32_t[]){ 0xd61f0220 }, 1, &where), NOT_A_JUMP);
	assert_int_equal(jump((uint32_t[]){ 0xd503233f }, 1, &where), NOT_A_JUMP);
}

static void calls_are_recognised(void **state)
{
	uint8_t b[8] = { 0 };
	taddr_t target = 0;

	(void)state;
	put32(b + 4, 0x94000100);
	assert_int_equal(a64->call_before(a64, CODE, b, 8, &target), CALL_DIRECT);
	assert_int_equal(target, CODE - 4 + 0x400);
	put32(b + 4, 0xd63f0220);
	assert_int_equal(a64->call_before(a64, CODE, b, 8, &target), CALL_INDIRECT);
	put32(b + 4, 0xd73f08a6); /* blraa x5, x6 */
	assert_int_equal(a64->call_before(a64, CODE, b, 8, &target), CALL_INDIRECT);
	put32(b + 4, 0xd61f0220); /* br */
	assert_int_equal(a64->call_before(a64, CODE, b, 8, &target), 0);
	assert_int_equal(a64->call_before(a64, CODE + 2, b, 8, &target), 0);
	assert_int_equal(a64->call_before(a64, CODE, b, 3, &target), 0);
}

static int site(const uint32_t *w, size_t n, unsigned *at)
{
	uint8_t b[64];

	return a64->syscall_site(a64, b, put_all(b, w, n), at);
}

static void system_calls_are_found(void **state)
{
	/* mov x8, #135; str x6, [sp]; svc #0 */
	static const uint32_t mask[] = { 0xd28010e8, 0xf90003e6, 0xd4000001 };
	/* mov w8, #134; svc #0, as musl has it */
	static const uint32_t action[] = { 0x528010c8, 0xd4000001 };
	static const uint32_t branch[] = { 0xd28010e8, 0xb4000040, 0xd4000001 };
	static const uint32_t other[] = { 0xd28010e9, 0xd4000001 };
	unsigned at = 0;

	(void)state;
	assert_int_equal(site(mask, 3, &at), abi_aarch64.nr_rt_sigprocmask);
	assert_int_equal(at, 8);
	assert_int_equal(site(action, 2, &at), abi_aarch64.nr_rt_sigaction);
	assert_int_equal(at, 4);
	assert_int_equal(site(mask, 2, &at), -1);
	assert_int_equal(site(branch, 3, &at), -1);
	assert_int_equal(site(other, 2, &at), -1);
}

/* operator new of libstdc++: stp; cmp x0, #0; mov; str; csinc x19, x0, xzr, ne; mov; bl */
static void requests_of_nothing_are_told(void **state)
{
	static const uint32_t new[] = { 0xa9be7bfd, 0xf100001f, 0x910003fd, 0xf9000bf3,
					0x9a9f1413, 0xaa1303e0, 0x94000000 };
	struct regs r = { .abi = a64 };
	uint8_t b[32];

	(void)state;
	put_all(b, new, 7);
	assert_true(a64->tests_zero(a64, b, 28));
	assert_false(a64->tests_zero(a64, b, 24));
	put32(b + 8, 0xf100007f); /* cmp x3, #0 */
	assert_false(a64->tests_zero(a64, b, 28));
	assert_false(a64->flag_zero(&r));
	r.w[33] = 1u << 30;
	assert_true(a64->flag_zero(&r));
}

static void signal_frames_are_known(void **state)
{
	struct abi_frame f;
	uint8_t b[8];

	(void)state;
	put_all(b, (uint32_t[]){ 0xd2801168, 0xd4000001 }, 2);
	assert_true(a64->sigreturn(a64, CODE, b, 8, &f));
	assert_true(f.signal && f.ra_saved);
	assert_int_equal(f.off[0], 312);
	assert_int_equal(f.off[30], 312 + 240);
	assert_int_equal(f.cfa, 560);
	assert_int_equal(f.ra, 568);
	assert_false(a64->sigreturn(a64, CODE, b, 7, &f));
	put32(b, 0xd28010e8);
	assert_false(a64->sigreturn(a64, CODE, b, 8, &f));
}

static void lookup_knows_the_class(void **state)
{
	(void)state;
	assert_ptr_equal(abi_lookup(EM_AARCH64, ELFCLASS64, ELFDATA2LSB), &abi_aarch64);
	assert_null(abi_lookup(EM_AARCH64, ELFCLASS32, ELFDATA2LSB)); /* ILP32 */
	assert_null(abi_lookup(EM_AARCH64, ELFCLASS64, ELFDATA2MSB));
}

static void tags_are_no_addresses(void **state)
{
	(void)state;
	assert_int_equal(abi_data_addr(a64, 0x0f00aaaab0000010), 0x0000aaaab0000010);
	assert_int_equal(abi_data_addr(a64, 0xff00aaaab0000010), 0x0000aaaab0000010);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lookup_knows_the_class),
		cmocka_unit_test(all_are_displaced),
		cmocka_unit_test(load_exclusive_goes_with_its_store),
		cmocka_unit_test(no_slot_address_is_seen),
		cmocka_unit_test(calls_are_taken_apart),
		cmocka_unit_test(system_calls_are_displaced_near),
		cmocka_unit_test(anything_is_tolerated),
		cmocka_unit_test(prologues_are_emulated),
		cmocka_unit_test(the_list_is_emulated),
		cmocka_unit_test(jumps_are_found),
		cmocka_unit_test(calls_are_recognised),
		cmocka_unit_test(system_calls_are_found),
		cmocka_unit_test(signal_frames_are_known),
		cmocka_unit_test(requests_of_nothing_are_told),
		cmocka_unit_test(tags_are_no_addresses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
