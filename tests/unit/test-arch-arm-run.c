/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Displaced and emulated execution on ARM, proven by execution: every instruction of
 * the list runs at its own place, from a slot, from every boundary in the slot after
 * that has been put right, and emulated; with many register contents, all of which
 * must leave the same registers, flags, stack, data and pc.
 *
 * Code, stack and data are pages at fixed places; everything that is not the
 * instruction is a breakpoint, so the handler of SIGTRAP sees where it went on. */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>
#include <cmocka.h>
#include "arch/abi.h"
#include "arm-insns.h"
#include "run-code.h"


#include "../../arch/arm/arm.h"

#define PAGE 4096
#define CODE 0x20000000u
#define SLOT 0x60000000u
#define STACK 0x30000000u
#define DATA 0x30010000u
#define AT_INSN 0x400
#define AT_TARGET 0xa00 /* where branches in registers and memory go */
#define AT_OTHER 0xc00  /* breakpoints of the other instruction set */
#define FLAGS 0xf0000000u

struct outcome {
	uint32_t r[17]; /* cpsr is the last */
	uint32_t vfp[64];
	int sig;
	uint8_t stack[PAGE], data[PAGE];
};

static struct {
	bool running;
	uint32_t in[17], vfp[64];
	struct outcome *out;
	ucontext_t home;
} run;

static uint32_t mode; /* ARM_T or 0 */
static uint32_t place; /* of the instruction */
/* Pages as they are before each run. */
static uint8_t fresh_code[PAGE], fresh_slot[PAGE], fresh_words[PAGE];
static struct displaced displaced;

static uint32_t code_bit(void)
{
	return mode ? 1 : 0;
}

/* ---- running a piece of code, seen through signals ------------------------- */

static uint32_t *registers_of(ucontext_t *uc)
{
	return (uint32_t *)&uc->uc_mcontext.arm_r0;
}

/* The floating-point registers: the kernel's struct vfp_sigframe
 * (arch/arm/include/asm/ucontext.h). */
static uint32_t *vfp_of(ucontext_t *uc)
{
	uint32_t *p = (uint32_t *)(void *)uc->uc_regspace;

	for (unsigned at = 0; p[at] && at < sizeof uc->uc_regspace / 4; at += p[at + 1] / 4)
		if (p[at] == 0x56465001)
			return p + at + 2;
	return NULL;
}

static void on_signal(int sig, siginfo_t *si, void *ctx)
{
	ucontext_t *uc = ctx;
	uint32_t *vfp = vfp_of(uc);

	(void)si;
	if (!run.running) {
		run.home = *uc;
		memcpy(registers_of(uc), run.in, sizeof run.in);
		if (vfp)
			memcpy(vfp, run.vfp, sizeof run.vfp);
		run.running = true;
		return;
	}
	memcpy(run.out->r, registers_of(uc), sizeof run.in);
	if (vfp)
		memcpy(run.out->vfp, vfp, sizeof run.out->vfp);
	run.out->sig = sig;
	run.running = false;
	*uc = run.home;
}

static void fill_breakpoints(uint8_t *p, size_t n, bool thumb)
{
	for (size_t i = 0; i < n; i += 4)
		if (thumb)
			memcpy(p + i, "\x01\xde\x01\xde", 4);
		else
			memcpy(p + i, "\xf0\x01\xf0\xe7", 4);
}

/* In memory are words that differ from their neighbours, all of them targets. */
static void make_pages(void)
{
	fill_breakpoints(fresh_code, AT_OTHER, mode);
	fill_breakpoints(fresh_code + AT_OTHER, PAGE - AT_OTHER, !mode);
	fill_breakpoints(fresh_slot, PAGE, mode);
	for (uint32_t i = 0; i < PAGE; i += 4) {
		uint32_t word = (CODE + AT_TARGET + i % 256) | code_bit();

		memcpy(fresh_words + i, &word, 4);
	}
	for (unsigned i = 0; i < 64; i++)
		run.vfp[i] = 0x3f800000 + i;
}

static void prepare(const uint8_t *insn, size_t len)
{
	memcpy((void *)CODE, fresh_code, PAGE);
	memcpy((void *)SLOT, fresh_slot, PAGE);
	memcpy((void *)STACK, fresh_words, PAGE);
	memcpy((void *)DATA, fresh_words, PAGE);
	memcpy((void *)(uintptr_t)place, insn, len);
	memcpy((void *)SLOT, displaced.code, displaced.code_len);
}

static void flush(void)
{
	__builtin___clear_cache((char *)CODE, (char *)CODE + PAGE);
	__builtin___clear_cache((char *)SLOT, (char *)SLOT + PAGE);
}

/* From these registers on to the next breakpoint. */
static void go(const uint32_t in[17], struct outcome *o)
{
	flush();
	memcpy(run.in, in, sizeof run.in);
	run.out = o;
	raise(SIGUSR1);
}

static void keep_memory(struct outcome *o)
{
	memcpy(o->stack, (void *)STACK, PAGE);
	memcpy(o->data, (void *)DATA, PAGE);
}

/* Register contents number `seed`: pointers where the list expects them. */
static void registers(unsigned seed, uint32_t r[17])
{
	static const uint32_t numbers[] = { 0, 1, 0x80000000, 0xffffffff, 0x7fffffff, 33, 5, 0x1234 };
	uint32_t to = (CODE + AT_TARGET + 0x80) | code_bit();

	for (unsigned i = 0; i < 17; i++)
		r[i] = 0x01010101u * (i + 1);
	r[0] = numbers[seed % 8];
	r[1] = DATA + 0x200;
	r[2] = numbers[(seed / 2 + 3) % 8];
	r[3] = DATA + 0x300;
	r[5] = 4 * (seed % 4);
	r[6] = to;
	r[7] = (CODE + AT_OTHER + 0x80) | !code_bit();
	r[8] = numbers[(seed + 5) % 8];
	r[9] = numbers[(seed / 4 + 1) % 8];
	r[11] = STACK + 0x900;
	r[ARM_SP] = STACK + 0x800;
	r[ARM_LR] = to + 0x20;
	r[ARM_PC] = place;
	r[ARM_CPSR] = 0x10 | mode | seed << 28;
}

/* ---- comparing -------------------------------------------------------------- */

static void same(const struct insn *insn, const struct outcome *a, const struct outcome *b,
		 const char *how)
{
	size_t below;

	for (unsigned i = 0; i < 16; i++)
		if (a->r[i] != b->r[i])
			fail_msg("%s, %s, %s: r%u is %#x instead of %#x", mode ? "Thumb" : "ARM",
				 insn->name, how, i, b->r[i], a->r[i]);
	if ((a->r[ARM_CPSR] ^ b->r[ARM_CPSR]) & (FLAGS | ARM_T | ARM_IT))
		fail_msg("%s, %s: psr is %#x instead of %#x", insn->name, how, b->r[16], a->r[16]);
	if (a->sig != b->sig)
		fail_msg("%s, %s: signal %d instead of %d", insn->name, how, b->sig, a->sig);
	if (memcmp(a->vfp, b->vfp, sizeof a->vfp))
		fail_msg("%s, %s: floating-point registers differ", insn->name, how);
	if (memcmp(a->data, b->data, PAGE))
		fail_msg("%s, %s: data differ", insn->name, how);
	/* What is below the stack pointer is nobody's. */
	below = a->r[ARM_SP] - STACK < PAGE ? a->r[ARM_SP] - STACK : 0;
	if (memcmp(a->stack + below, b->stack + below, PAGE - below))
		fail_msg("%s, %s: stacks differ", insn->name, how);
}

static void emulated(const uint8_t *b, size_t len, const uint32_t in[17], struct outcome *o)
{
	static const struct abi_memory mem = { run_code_read, run_code_write, NULL };
	struct regs r = { .abi = &abi_arm };
	uint32_t after[17];

	prepare(b, len);
	for (unsigned i = 0; i < 17; i++)
		r.w[i] = in[i];
	assert_int_equal(abi_arm.emulate(&abi_arm, &mem, place | code_bit(), b, len, &r), 0);
	for (unsigned i = 0; i < 17; i++)
		after[i] = (uint32_t)r.w[i];
	go(after, o);
	keep_memory(o);
}

static void set_code(uint32_t r[17], taddr_t code)
{
	r[ARM_PC] = (uint32_t)code & ~1u;
	r[ARM_CPSR] = (r[ARM_CPSR] & ~ARM_T) | (code & 1 ? ARM_T : 0);
}

static void apply_fix(uint32_t r[17], const struct displace_fix *fix)
{
	if (fix->where == AT_POP) {
		r[fix->value] = *(uint32_t *)(uintptr_t)r[ARM_SP];
		r[ARM_SP] += 4;
	}
	set_code(r, fix->to);
}

/* A fault in the slot is told of the original's place. */
static void put_right(struct outcome *o)
{
	const struct displace_fix *fix;

	if (o->r[ARM_PC] - SLOT >= displaced.code_len)
		return;
	fix = displace_fix_at(&displaced, o->r[ARM_PC] - SLOT);
	assert_non_null(fix);
	apply_fix(o->r, fix);
}

static void in_slot(const uint8_t *b, size_t len, const uint32_t in[17], struct outcome *o)
{
	uint32_t r[17];

	prepare(b, len);
	memcpy(r, in, sizeof r);
	set_code(r, displaced.resume | code_bit());
	go(r, o);
	put_right(o);
	keep_memory(o);
}

/* A breakpoint at the boundary stops it there. */
static void stopped_at(const struct displace_fix *fix, const uint8_t *b, size_t len,
		       const uint32_t in[17], struct outcome *o)
{
	uint32_t vfp[64];

	prepare(b, len);
	fill_breakpoints((uint8_t *)SLOT + fix->at, 4, mode);
	memcpy(o->r, in, sizeof o->r);
	set_code(o->r, SLOT | code_bit());
	go(o->r, o);
	if (o->r[ARM_PC] != SLOT + fix->at) { /* it faults or jumps before that */
		put_right(o);
		keep_memory(o);
		return;
	}
	put_right(o);
	memcpy(vfp, run.vfp, sizeof vfp);
	memcpy(run.vfp, o->vfp, sizeof vfp);
	go(o->r, o);
	memcpy(run.vfp, vfp, sizeof vfp);
	keep_memory(o);
}

static void compare_runs(const struct insn *insn, const uint8_t *b, size_t len)
{
	static struct outcome want, got;
	uint32_t in[17];

	/* Every combination of flags where it may matter, else some. */
	for (unsigned seed = 0; seed < 16; seed += displaced.kind == DISPLACE_STEP ? 1 : 3) {
		registers(seed, in);
		prepare(b, len);
		go(in, &want);
		keep_memory(&want);
		if (displaced.kind != DISPLACE_STEP) {
			in_slot(b, len, in, &got);
			same(insn, &want, &got, "displaced");
		}
		for (unsigned k = 0; k < displaced.nfix; k++) {
			stopped_at(&displaced.fix[k], b, len, in, &got);
			same(insn, &want, &got, "stopped in the slot");
		}
		if (insn->emulated) {
			emulated(b, len, in, &got);
			same(insn, &want, &got, "emulated");
		}
	}
}

static void check_insn(const struct insn *insn, uint32_t at)
{
	uint8_t b[4];
	size_t len = 0;
	char *end;

	place = CODE + at;
	for (const char *hex = insn->hex; *hex; hex = end + (*end == ' '))
		b[len++] = (uint8_t)strtoul(hex, &end, 16);
	assert_int_equal(abi_arm.displace(&abi_arm, place | code_bit(), b, len, SLOT, 0, &displaced),
			 0);
	compare_runs(insn, b, len);
}

static void executes_the_same(void **state)
{
	static const uint32_t pages[] = { CODE, SLOT, STACK, DATA };

	(void)state;
	run_code_catch(on_signal);
	for (size_t i = 0; i < ARRAY_SIZE(pages); i++)
		assert_non_null(run_code_map(pages[i], PAGE));
	mode = ARM_T;
	make_pages();
	for (size_t i = 0; i < ARRAY_SIZE(thumb_insns); i++) {
		check_insn(&thumb_insns[i], AT_INSN);
		/* What reads the pc may take its low bits or not. */
		if (thumb_insns[i].kind == 'T' && strcmp(thumb_insns[i].name, "bx pc"))
			check_insn(&thumb_insns[i], AT_INSN + 2);
	}
	mode = 0;
	make_pages();
	for (size_t i = 0; i < ARRAY_SIZE(arm_insns); i++)
		check_insn(&arm_insns[i], AT_INSN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(executes_the_same),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
