/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Displaced execution and emulation on AArch64, proven by execution: every
 * instruction of the list runs at its own place, from a slot and emulated, with many
 * register contents, and must leave the same registers, flags, stack, data and pc.
 * Then it is stopped at every instruction boundary in the slot, the fix for that
 * boundary is applied, and what follows must end the same again.
 *
 * Code, stack and data are pages at fixed places; everything that is not the
 * instruction is a breakpoint, so the SIGTRAP handler sees where it went on. */
#include <asm/sigcontext.h>
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

#include "aarch64-insns.h"
#include "arch/abi.h"
#include "run-code.h"

#define PAGE 4096
#define FLAGS 0xf0000000
#define BRK 0xd4200000

/* Where everything is, within 39 bits. */
struct place {
	uintptr_t code, slot;
	bool far;
};

#define STACK 0x7600000000
#define DATA 0x7610000000

static const struct place places[] = {
	{ 0x5500000000, 0x5507000000, false },
	{ 0x5500000000, 0x54f9000000, false },
	{ 0x5500000000, 0x3300000000, true },
	{ 0x20000000, 0x5500000000, true },
};

static const struct place *here;
static const uint32_t *words; /* what is tried */
static unsigned nwords;
static struct displaced displaced;

/* The order of the ABI's registers. */
struct machine {
	uint64_t w[34];
	struct { uint64_t lo, hi; } v[32];
};

struct outcome {
	struct machine m;
	int sig;
	uint8_t code[PAGE], stack[PAGE], data[PAGE];
};

static struct {
	bool running;
	int stop_at; /* boundary in the slot; −1: none */
	bool stopped;
	const char *wrong;
	struct machine in, out;
	mcontext_t home;
	int sig;
} run;

/* ---- running a piece of code, seen through signals ----------------------- */

static struct fpsimd_context *vectors(mcontext_t *m)
{
	struct _aarch64_ctx *head = (void *)m->__reserved;

	while (head->magic && head->magic != FPSIMD_MAGIC)
		head = (void *)((char *)head + head->size);
	return head->magic ? (struct fpsimd_context *)head : NULL;
}

static void get_machine(struct machine *to, mcontext_t *from)
{
	struct fpsimd_context *f = vectors(from);

	memcpy(to->w, from->regs, 31 * 8);
	to->w[31] = from->sp;
	to->w[32] = from->pc;
	to->w[33] = from->pstate;
	if (f)
		memcpy(to->v, f->vregs, sizeof to->v);
}

static void set_machine(mcontext_t *to, const struct machine *from)
{
	struct fpsimd_context *f = vectors(to);

	memcpy(to->regs, from->w, 31 * 8);
	to->sp = from->w[31];
	to->pc = from->w[32];
	to->pstate = (to->pstate & ~(uint64_t)FLAGS) | (from->w[33] & FLAGS);
	if (f)
		memcpy(f->vregs, from->v, sizeof from->v);
}

static bool in_slot(uint64_t pc)
{
	return pc - here->slot < displaced.code_len;
}

static uint64_t fixed(uint64_t pc)
{
	const struct displace_fix *fix = displace_fix_at(&displaced, pc - here->slot);

	if (!fix) {
		run.wrong = "pc in the slot, but at no boundary";
		return pc;
	}
	return fix->to;
}

static void put32(uintptr_t at, uint32_t w)
{
	memcpy((void *)at, &w, 4);
	__builtin___clear_cache((char *)at, (char *)at + 4);
}

static void on_signal(int sig, siginfo_t *si, void *ctx)
{
	mcontext_t *m = &((ucontext_t *)ctx)->uc_mcontext;
	uint32_t w;

	(void)si;
	if (!run.running) {
		run.home = *m;
		set_machine(m, &run.in);
		run.running = true;
		return;
	}
	if (run.stop_at >= 0 && !run.stopped && m->pc == here->slot + (unsigned)run.stop_at) {
		memcpy(&w, displaced.code + run.stop_at, 4);
		put32(m->pc, w);
		m->pc = fixed(m->pc);
		run.stopped = true;
		return;
	}
	/* A fault in the slot, or the instruction is itself a breakpoint. */
	if (in_slot(m->pc))
		m->pc = fixed(m->pc);
	get_machine(&run.out, m);
	run.sig = sig;
	run.running = false;
	*m = run.home;
	m->pc += 4;
}

/* Words that differ from their neighbours, all of them targets. */
static void fill_words(uint8_t *p, size_t n)
{
	for (size_t i = 0; i < n; i += 8) {
		uint64_t target = here->code + AT_TARGET + i / 2 % (AT_TABLE - AT_TARGET);

		memcpy(p + i, &target, 8);
	}
}

static void fill_code(uintptr_t at)
{
	for (unsigned i = 0; i < PAGE; i += 4)
		memcpy((void *)(at + i), &(uint32_t){ BRK }, 4);
}

static void prepare(int stop_at)
{
	uint8_t *code = (uint8_t *)here->code;

	fill_code(here->code);
	memcpy(code + AT_INSN, words, 4 * nwords);
	fill_words(code + AT_TABLE, 0x200);
	fill_words((void *)STACK, PAGE);
	fill_words((void *)DATA, PAGE);
	fill_code(here->slot);
	memcpy((void *)here->slot, displaced.code, displaced.code_len);
	if (stop_at >= 0)
		memcpy((void *)(here->slot + (unsigned)stop_at), &(uint32_t){ BRK }, 4);
	__builtin___clear_cache((char *)code, (char *)code + PAGE);
	__builtin___clear_cache((char *)here->slot, (char *)here->slot + PAGE);
}

static void take_memory(struct outcome *o)
{
	memcpy(o->code, (void *)here->code, PAGE);
	memcpy(o->stack, (void *)STACK, PAGE);
	memcpy(o->data, (void *)DATA, PAGE);
}

static void execute(uintptr_t pc, int stop_at, const struct machine *in,
		    struct outcome *o)
{
	prepare(stop_at);
	memset(&run, 0, sizeof run);
	run.in = *in;
	run.in.w[32] = pc;
	run.stop_at = stop_at;
	__asm__ volatile("brk #0" ::: "memory");
	o->m = run.out;
	o->sig = run.sig;
	take_memory(o);
}

/* Register contents number `seed`: pointers where the list expects them. */
static void registers(unsigned seed, struct machine *m)
{
	static const uint64_t x3[] = { 0, 1, UINT64_MAX, 0x80000000, 0xffffffff00000000 };
	static const uint64_t x4[] = { 0x0123456789abcdef, 0xfedcba9876543210, 0, 0x8000000000000000 };

	for (unsigned i = 0; i < 31; i++)
		m->w[i] = 0x0101010101010101u * (i + 1);
	m->w[1] = seed & 4 ? x4[seed % 4] : 0x7ffffffffffffff0;
	m->w[2] = DATA + 256;
	m->w[3] = x3[seed % ARRAY_SIZE(x3)];
	m->w[4] = x4[seed % ARRAY_SIZE(x4)];
	m->w[5] = m->w[16] = m->w[17] = here->code + AT_TARGET;
	m->w[29] = STACK + 3072;
	m->w[30] = here->code + AT_TARGET + 16;
	m->w[31] = STACK + 2048;
	m->w[33] = (uint64_t)(seed & 15) << 28;
	for (unsigned i = 0; i < 32; i++)
		m->v[i].lo = m->v[i].hi = 0x0303030303030303u * (i + 1);
}

/* ---- comparing ------------------------------------------------------------ */

static bool has_field(uint32_t w, unsigned reg)
{
	return (w & 31) == reg || (w >> 5 & 31) == reg || (w >> 10 & 31) == reg ||
	       (w >> 16 & 31) == reg;
}

/* What a veneer may overwrite need not be the same.  Nor need be the link register
 * where a call is refused (blraa without pointer authentication, or with FPAC). */
static void same(const struct insn *insn, const struct outcome *a, const struct outcome *b,
		 const char *how, bool slot)
{
	if (run.wrong)
		fail_msg("%s, %s: %s", insn->name, how, run.wrong);
	for (unsigned i = 0; i < 33; i++) {
		if (slot && (i == 16 || i == 17) && !has_field(insn->w, i))
			continue;
		if (slot && i == 30 && a->sig == SIGILL)
			continue;
		if (a->m.w[i] != b->m.w[i])
			fail_msg("%s, %s: register %u is %#llx instead of %#llx", insn->name, how, i,
				 (unsigned long long)b->m.w[i], (unsigned long long)a->m.w[i]);
	}
	if ((a->m.w[33] ^ b->m.w[33]) & FLAGS)
		fail_msg("%s, %s: flags differ", insn->name, how);
	if (a->sig != b->sig)
		fail_msg("%s, %s: signal %d instead of %d", insn->name, how, b->sig, a->sig);
	if (memcmp(a->m.v, b->m.v, sizeof a->m.v))
		fail_msg("%s, %s: vectors differ", insn->name, how);
	if (memcmp(a->code, b->code, PAGE) || memcmp(a->data, b->data, PAGE) ||
	    memcmp(a->stack, b->stack, PAGE))
		fail_msg("%s, %s: memory differs", insn->name, how);
}

static bool is_ours(taddr_t at, size_t n)
{
	const uintptr_t pages[] = { here->code, STACK, DATA };

	for (unsigned i = 0; i < ARRAY_SIZE(pages); i++)
		if (at - pages[i] <= PAGE - n)
			return true;
	return false;
}

static ssize_t read_memory(void *arg, taddr_t addr, void *buf, size_t len)
{
	(void)arg;
	if (!is_ours(addr, len))
		return -EFAULT;
	memcpy(buf, (void *)addr, len);
	return (ssize_t)len;
}

static ssize_t write_memory(void *arg, taddr_t addr, const void *buf, size_t len)
{
	(void)arg;
	if (!is_ours(addr, len))
		return -EFAULT;
	memcpy((void *)addr, buf, len);
	return (ssize_t)len;
}

static void compare_emulated(const struct insn *insn, const struct machine *in,
			     const struct outcome *want)
{
	static const struct abi_memory mem = { read_memory, write_memory, NULL };
	static struct outcome got;
	struct regs r = { .abi = &abi_aarch64 }, before;
	int err;

	prepare(-1);
	memcpy(r.w, in->w, sizeof in->w);
	r.w[32] = here->code + AT_INSN;
	before = r;
	err = abi_aarch64.emulate(&abi_aarch64, &mem, here->code + AT_INSN,
				  (const uint8_t *)words, 4 * nwords, &r);
	if (insn->emulated != (err != -ENOTSUP) && err != -EFAULT)
		fail_msg("%s: emulated: %d", insn->name, err);
	if (err) {
		assert_memory_equal(&r, &before, sizeof r);
		assert_false(insn->emulated && want->sig == SIGTRAP);
		return;
	}
	memcpy(got.m.w, r.w, sizeof got.m.w);
	memcpy(got.m.v, in->v, sizeof got.m.v);
	got.sig = want->sig; /* a breakpoint follows, or a jump to nowhere */
	take_memory(&got);
	same(insn, want, &got, "emulated", false);
}

static void compare_runs(const struct insn *insn, unsigned seeds)
{
	static struct outcome want, got;
	struct machine in;
	char how[32];

	for (unsigned seed = 0; seed < seeds; seed++) {
		registers(seed, &in);
		execute(here->code + AT_INSN, -1, &in, &want);
		compare_emulated(insn, &in, &want);
		if (displaced.kind == DISPLACE_STEP)
			continue;
		execute(displaced.resume, -1, &in, &got);
		same(insn, &want, &got, "displaced", true);
		for (unsigned k = 0; displaced.kind == DISPLACE_SLOT && k < displaced.nfix; k++) {
			snprintf(how, sizeof how, "stopped at boundary %u", k);
			execute(displaced.resume, displaced.fix[k].at, &in, &got);
			same(insn, &want, &got, how, true);
		}
	}
}

/* A branch or call to a signed pointer, which ends an emulator of such CPUs. */
static bool is_braa(uint32_t w)
{
	return (w & 0xfedff800) == 0xd61f0800;
}

static void check_insn(const struct insn *insn, unsigned seeds)
{
	words = &insn->w;
	nwords = 1;
	/* A system call would be made. */
	if (strchr("XW", insn->kinds[here->far]) || insn->w == 0xd4000001 ||
	    (is_braa(insn->w) && getenv("WITHOUT_BRAA")))
		return;
	assert_int_equal(abi_aarch64.displace(&abi_aarch64, here->code + AT_INSN,
					      (const uint8_t *)&insn->w, 4, here->slot, 0, &displaced), 0);
	compare_runs(insn, seeds);
}

static void check_sequence(const struct sequence *s)
{
	words = s->w;
	nwords = s->n;
	assert_int_equal(abi_aarch64.displace(&abi_aarch64, here->code + AT_INSN,
					      (const uint8_t *)words, 4 * nwords, here->slot, 0,
					      &displaced), 0);
	compare_runs(&(struct insn){ s->name, s->w[0], "SS", false }, 5);
}

static void executes_the_same(void **state)
{
	(void)state;
	if (getenv("WITHOUT_BRAA"))
		print_message("braa and blraa are not executed: WITHOUT_BRAA is set\n");
	run_code_catch(on_signal);
	assert_non_null(run_code_map(STACK, PAGE));
	assert_non_null(run_code_map(DATA, PAGE));
	for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
		here = &places[i];
		assert_non_null(run_code_map(here->code, PAGE));
		assert_non_null(run_code_map(here->slot, PAGE));
		for (size_t k = 0; k < ARRAY_SIZE(insns); k++)
			check_insn(&insns[k], 5);
		for (size_t k = 0; k < ARRAY_SIZE(sequences); k++)
			check_sequence(&sequences[k]);
		for (uint32_t cond = 0; cond < 16; cond++) /* with all flags there are */
			check_insn(&(struct insn){ "b.cond", 0x54002000 | cond, "SS", true }, 16);
		munmap((void *)here->code, PAGE);
		munmap((void *)here->slot, PAGE);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(executes_the_same),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
