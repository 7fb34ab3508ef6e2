/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Displaced execution, proven by execution: every instruction of the list runs
 * at its own place and from a slot, with many register contents, and must leave
 * the same registers, flags, stack, data and pc.  Then it is stopped at every
 * instruction boundary in the slot, the fix for that boundary is applied, and
 * what follows must end the same again.  32-bit code runs in this 64-bit
 * process through the 32-bit code segment.
 *
 * Code, stack and data are pages at fixed places; everything that is not the
 * instruction is int3, so the SIGTRAP handler sees where it went on. */
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
#include "run-code.h"

#define PAGE 4096
#define AT_INSN 0x400   /* the instruction, in the code page */
#define AT_TARGET 0x800 /* where indirect branches go */
#define AT_TABLE 0x900  /* words that hold AT_TARGET's address */
#define CODE32 0x23
#define CODE64 0x33
#define TRAP_FLAG 0x100
#define FLAGS 0xcd5 /* CF PF AF ZF SF DF OF */

/* What displace() is to say: S a slot, G goto, T single-step; near and far. */
struct insn {
	const char *name, *hex, *kinds;
};

static const struct insn both[] = {
	{ "nop", "90", "GG" },
	{ "nopw 0(%rax,%rax,1)", "66 0f 1f 44 00 00", "GG" },
	{ "cs nopw", "66 2e 0f 1f 84 00 00 00 00 00", "GG" },
	{ "endbr64", "f3 0f 1e fa", "GG" },
	{ "endbr32", "f3 0f 1e fb", "GG" },
	{ "pause", "f3 90", "SS" },
	{ "jmp short", "eb 20", "GG" },
	{ "jmp short back", "eb 80", "GG" },
	{ "jmp near", "e9 20 01 00 00", "GG" },
	{ "bnd jmp", "f2 e9 20 01 00 00", "GG" },
	{ "notrack jmp short", "3e eb 30", "GG" },
	{ "push %rbp", "55", "SS" },
	{ "push %rsp", "54", "SS" },
	{ "pop %rbx", "5b", "SS" },
	{ "pop %rsp", "5c", "SS" },
	{ "lahf", "9f", "SS" }, /* pushf would show that we step */
	{ "mov %esp,%ebp", "89 e5", "SS" },
	{ "sub $0x18,%esp", "83 ec 18", "SS" },
	{ "add %ecx,%eax", "01 c8", "SS" },
	{ "adc %edx,%eax", "11 d0", "SS" },
	{ "xor %edi,%edi", "31 ff", "SS" },
	{ "test %edi,%edi", "85 ff", "SS" },
	{ "cmp $0,(%ebx)", "83 3b 00", "SS" },
	{ "mov (%esp),%eax", "8b 04 24", "SS" },
	{ "mov %eax,8(%esp)", "89 44 24 08", "SS" },
	{ "lock xadd %eax,(%ebx)", "f0 0f c1 03", "SS" },
	{ "rep movsb", "f3 a4", "SS" },
	{ "rep stosl", "f3 ab", "SS" },
	{ "repne scasb", "f2 ae", "SS" },
	{ "enter $16,$0", "c8 10 00 00", "SS" },
	{ "leave", "c9", "SS" },
	{ "cmovne %ecx,%eax", "0f 45 c1", "SS" },
	{ "movups (%ebx),%xmm0", "0f 10 03", "SS" },
	{ "hlt", "f4", "SS" },
	{ "ud2", "0f 0b", "SS" },
	{ "int3", "cc", "SS" },
	{ "loop", "e2 20", "SS" },
	{ "loope", "e1 20", "SS" },
	{ "loopne back", "e0 90", "SS" },
	{ "jrcxz", "e3 20", "SS" },
	{ "jcc padded", "3e 74 10", "SS" },
	{ "bnd jne", "f2 0f 85 10 00 00 00", "SS" },
	{ "call near", "e8 20 01 00 00", "SS" },
	{ "call back", "e8 20 ff ff ff", "SS" },
	{ "call next", "e8 00 00 00 00", "SS" },
	{ "bnd call", "f2 e8 20 01 00 00", "SS" },
	{ "call *%eax", "ff d0", "SS" },
	{ "notrack call *%eax", "3e ff d0", "SS" },
	{ "call *%esp", "ff d4", "TT" },
	{ "call *(%ebx)", "ff 13", "SS" },
	{ "call *0x10(%ebx)", "ff 53 10", "SS" },
	{ "call *0x100(%ebx)", "ff 93 00 01 00 00", "SS" },
	{ "call *(%ebx,%ecx,8)", "ff 14 cb", "SS" },
	{ "call *(%esp)", "ff 14 24", "SS" },
	{ "call *8(%esp)", "ff 54 24 08", "SS" },
	{ "call *0x78(%esp)", "ff 54 24 78", "SS" },
	{ "call *0x7c(%esp)", "ff 54 24 7c", "SS" },
	{ "call *0x100(%esp)", "ff 94 24 00 01 00 00", "SS" },
	{ "call *8(%esp,%ecx,8)", "ff 54 cc 08", "SS" },
	{ "call *-8(%esp)", "ff 54 24 f8", "TT" },
	{ "call *8(%ebp)", "ff 55 08", "SS" },
	{ "call *%gs:0x10(%ecx)", "65 ff 51 10", "SS" },
	{ "jmp *%eax", "ff e0", "SS" },
	{ "notrack jmp *%eax", "3e ff e0", "SS" },
	{ "jmp *(%ebx)", "ff 23", "SS" },
	{ "jmp *8(%esp)", "ff 64 24 08", "SS" },
	{ "ret", "c3", "SS" },
	{ "rep ret", "f3 c3", "SS" },
	{ "ret $16", "c2 10 00", "SS" },
	{ "sysenter", "0f 34", "TT" },
	{ "int $0x80", "cd 80", "TT" },
};

static const struct insn only64[] = {
	{ "endbr-less push %r15", "41 57", "SS" },
	{ "mov %fs:0x28,%rax", "64 48 8b 04 25 28 00 00 00", "SS" },
	{ "movabs", "48 b8 88 77 66 55 44 33 22 11", "SS" },
	{ "mov rip", "48 8b 05 f9 04 00 00", "ST" },
	{ "mov imm32,rip", "c7 05 f6 04 00 00 44 33 22 11", "ST" },
	{ "cmpb imm8,rip", "80 3d f9 04 00 00 07", "ST" },
	{ "lea rip", "48 8d 3d f9 04 00 00", "ST" },
	{ "addr32 lea eip", "67 8d 3d f9 04 00 00", "TT" },
	{ "movups rip", "0f 10 05 f9 04 00 00", "ST" },
	{ "incl rip", "ff 05 fa 04 00 00", "ST" },
	{ "jmp *rip", "ff 25 fa 04 00 00", "ST" },
	{ "bnd jmp *rip", "f2 ff 25 f9 04 00 00", "ST" },
	{ "call *rip", "ff 15 fa 04 00 00", "ST" },
	{ "data16 rex.W call *rip", "66 48 ff 15 f8 04 00 00", "ST" },
	{ "data16 data16 rex.W call", "66 66 48 e8 20 01 00 00", "SS" },
	{ "call *%r12", "41 ff d4", "SS" },
	{ "call *(%r12)", "41 ff 14 24", "SS" },
	{ "call *0x80(%r12)", "41 ff 94 24 80 00 00 00", "SS" },
	{ "call *8(%rsp,%r9,8)", "42 ff 54 cc 08", "SS" },
	{ "call *disp32", "ff 14 25 00 00 00 00", "SS" },
	{ "addr32 call *(%ebx)", "67 ff 13", "TT" },
	{ "addr32 loop", "67 e2 20", "SS" },
	{ "jmp *(%r13)", "41 ff 65 00", "SS" },
	{ "data16 call", "66 e8 20 01 00 00", "TT" },
	{ "syscall", "0f 05", "TT" },
};

static const struct insn only32[] = {
	{ "inc %eax", "40", "SS" },
	{ "pusha", "60", "SS" },
	{ "call *disp32", "ff 15 00 00 00 00", "SS" },
	{ "call *%gs:0x10", "65 ff 15 10 00 00 00", "SS" },
	{ "jmp *disp32", "ff 25 00 00 00 00", "SS" },
	{ "mov disp32,%eax", "a1 00 00 00 00", "SS" },
	{ "data16 call", "66 e8 20 01", "TT" },
	{ "data16 jmp", "66 e9 00 01", "TT" },
	{ "data16 je", "66 0f 84 00 01", "TT" },
	{ "into", "ce", "TT" },
};

/* Where everything is.  The pages are mapped once for each place. */
struct place {
	const struct abi *abi;
	uintptr_t code, slot, stack, data;
	bool far;
};

static const struct place places[] = {
	{ &abi_x86_64, 0x555500000000, 0x555510000000, 0x7e0000000000, 0x7e0010000000, false },
	{ &abi_x86_64, 0x555500000000, 0x5554f0000000, 0x7e0000000000, 0x7e0010000000, false },
	{ &abi_x86_64, 0x555500000000, 0x333300000000, 0x7e0000000000, 0x7e0010000000, true },
	{ &abi_x86_64, 0x20000000, 0x30000000, 0x7e0000000000, 0x7e0010000000, false },
	{ &abi_x86_64, 0x20000000, 0x333300000000, 0x7e0000000000, 0x7e0010000000, true },
	{ &abi_i386, 0x20000000, 0xe0000000, 0x40000000, 0x50000000, false },
	{ &abi_i386, 0xe0000000, 0x20000000, 0x40000000, 0x50000000, false },
};

static const struct place *here;
static struct displaced displaced;

/* ---- running a piece of code, seen through signals ----------------------- */

struct outcome {
	gregset_t regs;
	int sig;
	uint8_t code[PAGE], stack[PAGE], data[PAGE];
};

static struct {
	bool running;
	int steps; /* boundaries in the slot to pass before the fix; 0: no fix */
	bool fixed;
	const char *wrong;
	gregset_t in, out, home;
	int sig;
} run;

static void apply_fix(greg_t *g)
{
	const struct displace_fix *fix =
		displace_fix_at(&displaced, (uint64_t)g[REG_RIP] - here->slot);

	if (!fix) {
		run.wrong = "pc in the slot, but at no boundary";
		return;
	}
	if (fix->where == AT_CALL_PUSHED)
		memcpy((void *)g[REG_RSP], &fix->value, here->abi->word);
	if (fix->where == AT_CALL_UNDO)
		g[REG_RSP] += here->abi->word;
	g[REG_RIP] = (greg_t)fix->to;
	run.fixed = true;
}

static bool in_slot(const greg_t *g)
{
	return (uintptr_t)g[REG_RIP] - here->slot < displaced.code_len;
}

static void leave(greg_t *g, int sig)
{
	memcpy(run.out, g, sizeof run.out);
	run.sig = sig;
	run.running = false;
	memcpy(g, run.home, sizeof run.home);
}

static void stepped(greg_t *g)
{
	if (in_slot(g) && --run.steps > 0)
		return;
	if (in_slot(g))
		apply_fix(g);
	g[REG_EFL] &= ~TRAP_FLAG;
}

static void on_signal(int sig, siginfo_t *si, void *ctx)
{
	greg_t *g = ((ucontext_t *)ctx)->uc_mcontext.gregs;

	if (!run.running) {
		memcpy(run.home, g, sizeof run.home);
		for (int i = 0; i <= REG_RIP; i++)
			g[i] = run.in[i];
		g[REG_EFL] = run.in[REG_EFL] | (run.steps ? TRAP_FLAG : 0);
		g[REG_CSGSFS] = (g[REG_CSGSFS] & ~0xffffll) |
				(here->abi->word == 8 ? CODE64 : CODE32);
		run.running = true;
		return;
	}
	if (sig == SIGTRAP && si->si_code == TRAP_TRACE) {
		stepped(g);
		return;
	}
	/* A fault in the slot, or the instruction is itself an int3. */
	if (in_slot(g))
		apply_fix(g);
	leave(g, sig);
}

/* Words that differ from their neighbours, all of them targets. */
static void fill_words(uint8_t *p, size_t n)
{
	unsigned word = here->abi->word;

	for (size_t i = 0; i < n; i += word) {
		uint64_t target = here->code + AT_TARGET + i / word % (AT_TABLE - AT_TARGET);

		memcpy(p + i, &target, word);
	}
}

static void prepare(const uint8_t *insn, size_t len)
{
	uint8_t *code = (uint8_t *)here->code;

	memset(code, 0xcc, PAGE);
	memcpy(code + AT_INSN, insn, len);
	fill_words(code + AT_TABLE, 0x200);
	fill_words((void *)here->stack, PAGE);
	fill_words((void *)here->data, PAGE);
	memset((void *)here->slot, 0xcc, PAGE);
	memcpy((void *)here->slot, displaced.code, displaced.code_len);
}

static void execute(const uint8_t *insn, size_t len, uintptr_t pc, int steps,
		    const gregset_t in, struct outcome *o)
{
	prepare(insn, len);
	memset(&run, 0, sizeof run);
	memcpy(run.in, in, sizeof run.in);
	run.in[REG_RIP] = (greg_t)pc;
	run.steps = steps;
	if (steps == 1) { /* the boundary at offset 0: nothing ran yet */
		apply_fix(run.in);
		run.steps = 0;
	}
	run.steps = run.steps ? run.steps - 1 : 0;
	__asm__ volatile("int3" ::: "memory");
	memcpy(o->regs, run.out, sizeof o->regs);
	o->sig = run.sig;
	memcpy(o->code, (void *)here->code, PAGE);
	memcpy(o->stack, (void *)here->stack, PAGE);
	memcpy(o->data, (void *)here->data, PAGE);
}

/* Register contents number `seed`: pointers where the list expects them. */
static void registers(unsigned seed, gregset_t g)
{
	static const unsigned flags[] = { 0, 0x1, 0x40, 0x80, 0x800, 0x4, 0x41, 0x880, 0x8c5 };
	static const unsigned counts[] = { 1, 3, 0 };
	int regs = here->abi->word == 8 ? REG_R8 : REG_RDI;

	memset(g, 0, sizeof(gregset_t));
	for (int i = regs; i <= REG_RIP; i++)
		g[i] = (greg_t)(0x01010101u * (i + 1));
	g[REG_RAX] = (greg_t)(here->code + AT_TARGET);
	g[REG_RBX] = g[REG_R12] = g[REG_R13] = (greg_t)here->data + 256;
	g[REG_RSI] = (greg_t)here->data + 512;
	g[REG_RDI] = (greg_t)here->data + 1024;
	g[REG_RSP] = (greg_t)here->stack + 2048;
	g[REG_RBP] = (greg_t)here->stack + 3072;
	g[REG_R9] = 2;
	g[REG_RCX] = counts[seed % ARRAY_SIZE(counts)];
	g[REG_EFL] = 0x202 | flags[seed % ARRAY_SIZE(flags)];
}

/* ---- comparing ------------------------------------------------------------ */

static void same(const struct insn *insn, const struct outcome *a, const struct outcome *b,
		 const char *how)
{
	static const char *const name[] = { "r8",  "r9",  "r10", "r11", "r12", "r13",
					    "r14", "r15", "rdi", "rsi", "rbp", "rbx",
					    "rdx", "rax", "rcx", "rsp", "rip" };
	size_t below;

	if (run.wrong)
		fail_msg("%s, %s: %s", insn->name, how, run.wrong);
	for (int i = here->abi->word == 8 ? REG_R8 : REG_RDI; i <= REG_RIP; i++)
		if (a->regs[i] != b->regs[i])
			fail_msg("%s, %s, %s: %s is %#llx instead of %#llx", here->abi->name,
				 insn->name, how, name[i], b->regs[i], a->regs[i]);
	if ((a->regs[REG_EFL] ^ b->regs[REG_EFL]) & FLAGS)
		fail_msg("%s, %s: flags differ", insn->name, how);
	if (a->sig != b->sig)
		fail_msg("%s, %s: signal %d instead of %d", insn->name, how, b->sig, a->sig);
	if (memcmp(a->code, b->code, PAGE) || memcmp(a->data, b->data, PAGE))
		fail_msg("%s, %s: data differ", insn->name, how);
	/* A call whose operand faults was undone; the word it would have
	 * overwritten anyway, below the stack pointer, is. */
	below = a->sig == SIGSEGV ? (size_t)((uintptr_t)a->regs[REG_RSP] - here->stack) : 0;
	below = MIN(below, (size_t)PAGE);
	if (memcmp(a->stack + below, b->stack + below, PAGE - below))
		fail_msg("%s, %s: stacks differ", insn->name, how);
}

static size_t parse(const char *hex, uint8_t *bytes)
{
	size_t n = 0;
	char *end;

	for (; *hex; hex = end + (*end == ' '))
		bytes[n++] = (uint8_t)strtoul(hex, &end, 16);
	return n;
}

/* An entry named disp32 has the table's address there. */
static void set_disp32(const struct insn *insn, uint8_t *bytes, size_t len)
{
	uint32_t where = (uint32_t)(here->code + AT_TABLE);

	if (len > 4 && strstr(insn->name, "disp32"))
		memcpy(bytes + len - 4, &where, 4);
}

static void compare_runs(const struct insn *insn, const uint8_t *bytes, size_t len)
{
	static struct outcome want, got;
	uintptr_t original = here->code + AT_INSN;
	gregset_t in;
	char how[32];

	for (unsigned seed = 0; seed < 9; seed++) {
		registers(seed, in);
		execute(bytes, len, original, 0, in, &want);
		execute(bytes, len, displaced.resume, 0, in, &got);
		same(insn, &want, &got, "displaced");
		for (unsigned k = 1; displaced.kind == DISPLACE_SLOT && k <= displaced.nfix; k++) {
			snprintf(how, sizeof how, "stopped at boundary %u", k);
			execute(bytes, len, displaced.resume, (int)k, in, &got);
			same(insn, &want, &got, how);
		}
	}
}

/* The instruction boundaries of the slot's code, told by the decoder. */
static void check_fixes(const struct insn *insn)
{
	const struct abi *abi = here->abi;
	unsigned at = 0, n = 0;

	while (at < displaced.code_len) {
		int len = abi->insn_length(abi, here->slot + at, displaced.code + at,
					   displaced.code_len - at);

		if (len < 0 || !displace_fix_at(&displaced, at))
			fail_msg("%s: nothing known of offset %u", insn->name, at);
		if (displaced.code[at] == 0xff && displaced.code[at + 1] == 0x25 &&
		    abi->word == 8 && !memcmp(displaced.code + at + 2, "\0\0\0", 4))
			len += 8;
		at += len;
		n++;
	}
	assert_int_equal(n, displaced.nfix);
	assert_null(displace_fix_at(&displaced, displaced.code_len));
}

static void check_insn(const struct insn *insn)
{
	static const char letter[] = { [DISPLACE_GOTO] = 'G', [DISPLACE_SLOT] = 'S',
				       [DISPLACE_STEP] = 'T' };
	const struct abi *abi = here->abi;
	uint8_t bytes[16] = { 0 };
	size_t len = parse(insn->hex, bytes);
	taddr_t addr = here->code + AT_INSN;

	set_disp32(insn, bytes, len);
	for (size_t cut = 0; cut < len; cut++)
		assert_int_equal(abi->displace(abi, addr, bytes, cut, here->slot, false, &displaced),
				 -EINVAL);
	if (abi->displace(abi, addr, bytes, sizeof bytes, here->slot, false, &displaced))
		fail_msg("%s %s: not displaced", abi->name, insn->name);
	if (displaced.insn_len != len)
		fail_msg("%s: length %u", insn->name, displaced.insn_len);
	if (letter[displaced.kind] != insn->kinds[here->far])
		fail_msg("%s %s: kind %c", abi->name, insn->name, letter[displaced.kind]);
	if (displaced.kind == DISPLACE_SLOT)
		check_fixes(insn);
	if (displaced.kind != DISPLACE_STEP)
		compare_runs(insn, bytes, len);
}

static void check_place(const struct place *p)
{
	char hex[24];

	here = p;
	for (size_t i = 0; i < ARRAY_SIZE(both); i++)
		check_insn(&both[i]);
	for (size_t i = 0; p->abi->word == 8 && i < ARRAY_SIZE(only64); i++)
		/* An absolute disp32 reaches low code only. */
		if (!strstr(only64[i].name, "disp32") || p->code < INT32_MAX)
			check_insn(&only64[i]);
	for (size_t i = 0; p->abi->word == 4 && i < ARRAY_SIZE(only32); i++)
		check_insn(&only32[i]);
	for (unsigned cc = 0; cc < 16; cc++) {
		struct insn jcc = { "jcc", hex, "SS" };

		snprintf(hex, sizeof hex, "%02x 20", 0x70 | cc);
		check_insn(&jcc);
		snprintf(hex, sizeof hex, "0f %02x 40 ff ff ff", 0x80 | cc);
		check_insn(&jcc);
	}
}

#if defined __has_feature
#if __has_feature(address_sanitizer)
#define __SANITIZE_ADDRESS__ 1
#endif
#endif

/* AddressSanitizer keeps its own tables where the upper half of a 32-bit
 * address space would be. */
static bool is_taken(uintptr_t at)
{
#ifdef __SANITIZE_ADDRESS__
	return at >= 0x7fff8000 && at < UINT32_MAX;
#else
	(void)at;
	return false;
#endif
}

static void executes_the_same(void **state)
{
	(void)state;
	run_code_catch(on_signal);
	for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
		const struct place *p = &places[i];

		if (is_taken(p->code) || is_taken(p->slot))
			continue;
		assert_non_null(run_code_map(p->code, PAGE));
		assert_non_null(run_code_map(p->slot, PAGE));
		assert_non_null(run_code_map(p->stack, PAGE));
		assert_non_null(run_code_map(p->data, PAGE));
		check_place(p);
		munmap((void *)p->code, PAGE);
		munmap((void *)p->slot, PAGE);
		munmap((void *)p->stack, PAGE);
		munmap((void *)p->data, PAGE);
	}
}

static void shadow_stack_keeps_calls_whole(void **state)
{
	static const char *const calls[] = { "e8 20 01 00 00", "ff d0", "ff 53 10" };
	uint8_t bytes[16] = { 0 };
	struct displaced d;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(calls); i++) {
		parse(calls[i], bytes);
		assert_int_equal(abi_x86_64.displace(&abi_x86_64, 0x1000, bytes, 15, 0x2000, true, &d),
				 0);
		assert_int_equal(d.kind, DISPLACE_STEP);
		assert_int_equal(d.nfix, 0);
	}
}

static void jumps_are_found(void **state)
{
	static const struct {
		const struct abi *abi;
		const char *hex;
		enum jump_kind kind;
		taddr_t where;
	} rows[] = {
		{ &abi_x86_64, "eb 10", JUMP_DIRECT, 0x1012 },
		{ &abi_x86_64, "f2 e9 00 01 00 00", JUMP_DIRECT, 0x1106 },
		{ &abi_x86_64, "f2 ff 25 00 10 00 00", JUMP_MEMORY, 0x2007 },
		{ &abi_x86_64, "f3 0f 1e fa", JUMP_PAST, 0x1004 },
		{ &abi_x86_64, "90", JUMP_PAST, 0x1001 },
		{ &abi_x86_64, "ff e0", NOT_A_JUMP, 0 },
		{ &abi_x86_64, "ff 23", NOT_A_JUMP, 0 },
		{ &abi_x86_64, "65 ff 25 00 10 00 00", NOT_A_JUMP, 0 },
		{ &abi_x86_64, "74 10", NOT_A_JUMP, 0 },
		{ &abi_x86_64, "e8 00 01 00 00", NOT_A_JUMP, 0 },
		{ &abi_x86_64, "c3", NOT_A_JUMP, 0 },
		{ &abi_x86_64, "06", NOT_A_JUMP, 0 },
		{ &abi_i386, "e9 00 f0 ff ff", JUMP_DIRECT, 0x5 },
		{ &abi_i386, "e9 00 e0 ff ff", JUMP_DIRECT, 0xfffff005 },
		{ &abi_i386, "ff 25 00 c0 04 08", JUMP_MEMORY, 0x0804c000 },
		{ &abi_i386, "ff 25 00 c0 04 f8", JUMP_MEMORY, 0xf804c000 },
		{ &abi_i386, "ff a3 10 00 00 00", NOT_A_JUMP, 0 },
		{ &abi_i386, "65 ff 25 10 00 00 00", NOT_A_JUMP, 0 },
		{ &abi_i386, "f3 0f 1e fb", JUMP_PAST, 0x1004 },
	};
	uint8_t bytes[16];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		taddr_t where = 0;
		size_t n = parse(rows[i].hex, bytes);

		if (rows[i].abi->jump(rows[i].abi, 0x1000, bytes, n, &where) != rows[i].kind ||
		    where != rows[i].where)
			fail_msg("%s: where %#lx", rows[i].hex, (unsigned long)where);
		if (n > 1)
			assert_int_equal(rows[i].abi->jump(rows[i].abi, 0x1000, bytes, n - 1, &where),
					 NOT_A_JUMP);
	}
}

/* Whatever the bytes are, the answer is within its bounds. */
static void random_bytes_do_no_harm(void **state)
{
	uint64_t seed = 1;
	uint8_t bytes[16];
	struct displaced d;

	(void)state;
	for (unsigned i = 0; i < 300000; i++) {
		const struct abi *abi = i & 1 ? &abi_x86_64 : &abi_i386;
		size_t len = 1 + i % 15;

		for (size_t k = 0; k < sizeof bytes; k++) {
			seed = seed * 6364136223846793005u + 1442695040888963407u;
			bytes[k] = seed >> 56;
		}
		if (i % 3 == 0)
			bytes[0] = 0xff;
		if (abi->displace(abi, 0x400000, bytes, len, (uint64_t)(i % 5) << 30, false, &d))
			continue;
		assert_in_range(d.insn_len, 1, len);
		assert_true(d.code_len <= DISPLACE_MAX && d.nfix <= DISPLACE_MAX_FIX);
		assert_true((d.kind == DISPLACE_SLOT) == (d.nfix > 0));
		for (unsigned k = 1; k < d.nfix; k++)
			assert_true(d.fix[k - 1].at < d.fix[k].at && d.fix[k].at < d.code_len);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(executes_the_same),
		cmocka_unit_test(shadow_stack_keeps_calls_whole),
		cmocka_unit_test(jumps_are_found),
		cmocka_unit_test(random_bytes_do_no_harm),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
