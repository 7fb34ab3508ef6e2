/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The walk on ARM, where tables are missing: a made-up module whose functions have
 * an .ARM.exidx entry, or nothing but their Thumb code.  The ELF layer is below. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>

#include "../../src/trace/unwind-internal.h"

#define BIAS 0x40000u
#define STACK 0x700000u
#define STACK_SIZE 4096u

enum { TABLE, CODE, LAST, SIGRETURN, HANDLER, START, FUNCTIONS }; /* of 64 bytes each */

static taddr_t in(unsigned f, unsigned off)
{
	return BIAS + 0x1000 + 64 * f + off;
}

/* Each calls something, after which it is at +RETURN. */
enum { RETURN = 8 };
static const uint16_t halfwords[FUNCTIONS][32] = {
	[TABLE] = { 0xb570, 0xbf00, 0xf000, 0xf800, 0xbd70 },  /* not looked at */
	[CODE] = { 0xb510, 0xb082, 0xf000, 0xf800, 0xb002, 0xbd10 }, /* push {r4, lr}; sub sp, #8 */
	[LAST] = { 0xb580, 0xaf00, 0xf000, 0xf800, 0xbd80 },   /* push {r7, lr}; add r7, sp, #0 */
	[SIGRETURN] = { 0x2777, 0xdf00 },                      /* movs r7, #119; svc 0 */
	[HANDLER] = { 0xb508, 0xbf00, 0xf000, 0xf800, 0xbd08 },
	[START] = { 0xf04f, 0x0e00, 0xf000, 0xf800, 0xbf00 },  /* mov.w lr, #0; bl */
};

static struct world {
	struct module module;
	struct modules modules;
	struct mem_reader reader;
	struct unwinder *u;
	struct regs regs;
	struct stack_copy copy;
	struct backtrace b;
	uint8_t stack[STACK_SIZE];
	uint8_t code[64 * FUNCTIONS];
	bool no_symbols;
} w;

struct Dwarf_CFI_s *elf_file_cfi(struct elf_file *f, int which)
{
	(void)f;
	(void)which;
	return NULL;
}

enum exidx_kind elf_file_exidx(struct elf_file *f, taddr_t vaddr, struct exidx_entry *out)
{
	unsigned n = (unsigned)(vaddr + BIAS - in(0, 0)) / 64;

	(void)f;
	*out = (struct exidx_entry){ .start = in(n, 0) - BIAS, .end = in(n + 1, 0) - BIAS, .n = 1,
				     .ops = { 0xaa } }; /* pop {r4 - r6, lr} */
	return n == TABLE ? EXIDX_OPS : EXIDX_CANT;
}

const uint8_t *elf_file_code(const struct elf_file *f, taddr_t vaddr, uint64_t *len)
{
	(void)f;
	*len = sizeof w.code - (vaddr + BIAS - in(0, 0));
	return w.code + (vaddr + BIAS - in(0, 0));
}

size_t elf_file_image(const struct elf_file *f, taddr_t vaddr, void *buf, size_t len)
{
	uint64_t have;
	const uint8_t *p = elf_file_code(f, vaddr, &have);

	if (vaddr + BIAS < in(0, 0) || vaddr + BIAS >= in(FUNCTIONS, 0))
		return 0;
	len = MIN(len, have);
	memcpy(buf, p, len);
	return len;
}

const uint8_t *elf_file_build_id(const struct elf_file *f, size_t *len)
{
	(void)f;
	*len = 0;
	return NULL;
}

size_t elf_file_segments(const struct elf_file *f, const struct elf_segment **out)
{
	static const struct elf_segment text = { .vaddr = 0x1000, .memsz = 0x1000 };

	(void)f;
	*out = &text;
	return 1;
}

bool elf_file_function_at(struct elf_file *f, taddr_t vaddr, struct elf_symbol *out)
{
	(void)f;
	*out = (struct elf_symbol){ .name = "f", .value = vaddr & ~(taddr_t)63, .size = 64 };
	return !w.no_symbols;
}

bool elf_file_function_before(struct elf_file *f, taddr_t vaddr, struct elf_symbol *out)
{
	return elf_file_function_at(f, vaddr, out);
}

struct module *modules_find(struct modules *ms, taddr_t addr)
{
	(void)ms;
	return addr >= w.module.start && addr < w.module.end ? &w.module : NULL;
}

int maps_read(struct maps *m, pid_t pid)
{
	(void)pid;
	memset(m, 0, sizeof *m);
	return 0;
}

const struct map_line *maps_find(const struct maps *m, taddr_t addr)
{
	(void)m;
	(void)addr;
	return NULL;
}

void maps_release(struct maps *m) { (void)m; }

static ssize_t read_nothing(void *arg, taddr_t addr, void *buf, size_t len)
{
	(void)arg;
	(void)addr;
	(void)buf;
	(void)len;
	return -EFAULT;
}

static int set_up(void **state)
{
	(void)state;
	memset(&w, 0, sizeof w);
	for (unsigned i = 0; i < sizeof w.code; i++)
		w.code[i] = (uint8_t)(halfwords[i / 64][i % 64 / 2] >> 8 * (i % 2));
	w.module = (struct module){ .id = 7, .start = BIAS, .end = BIAS + 0x2000, .bias = BIAS,
				    .text_start = in(0, 0), .text_end = in(FUNCTIONS, 0),
				    .file = (struct elf_file *)&w };
	w.reader = (struct mem_reader){ read_nothing, NULL };
	w.u = unwinder_new(&abi_arm, &w.modules, &w.reader, NULL, NULL);
	w.regs.abi = &abi_arm;
	w.copy = (struct stack_copy){ .addr = STACK, .len = STACK_SIZE, .cap = STACK_SIZE,
				      .bytes = w.stack };
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	unwinder_free(w.u);
	return 0;
}

/* A word on the stack, `i` words up, in the order of the machine. */
static void set(unsigned i, uint32_t v)
{
	for (unsigned k = 0; k < 4; k++)
		w.stack[4 * i + k] = (uint8_t)(v >> 8 * k);
}

/* A Thumb function's return address. */
static uint32_t back_to(unsigned f)
{
	return (uint32_t)in(f, RETURN) | 1;
}

static void unwind(unsigned depth)
{
	w.regs.w[abi_arm.sp] = STACK;
	unwind_entry(w.u, &w.regs, &w.copy, depth, &w.b);
}

static void assert_frame(unsigned i, unsigned f, unsigned sp_word, enum frame_origin origin)
{
	assert_true(i < w.b.n);
	assert_int_equal(w.b.pc[i], in(f, RETURN));
	assert_int_equal(w.b.cfa[i], STACK + 4 * sp_word);
	assert_int_equal(w.b.origin[i], origin);
}

/* TABLE (4 words) ← CODE (4 words) ← LAST (2 words) ← START */
static void put_chain(unsigned at)
{
	set(at + 3, back_to(CODE));
	set(at + 7, back_to(LAST));
	set(at + 9, back_to(START));
}

static void assert_chain(unsigned frame, unsigned at)
{
	assert_frame(frame + 1, CODE, at + 4, FROM_EXIDX);
	assert_frame(frame + 2, LAST, at + 8, FROM_PROLOGUE);
	assert_frame(frame + 3, START, at + 10, FROM_PROLOGUE);
	assert_int_equal(w.b.n, frame + 4);
	assert_int_equal(w.b.end, STACK_COMPLETE);
}

static void chain(void **state)
{
	(void)state;
	put_chain(0);
	w.regs.w[abi_arm.link] = back_to(TABLE);
	for (int warm = 0; warm < 2; warm++) {
		unwind(50);
		assert_frame(0, TABLE, 0, FROM_LINK);
		assert_chain(0, 0);
		assert_int_equal(unwinder_stats(w.u)->row_misses, 4);
	}
}

static void without_symbols(void **state)
{
	(void)state;
	w.no_symbols = true;
	chain(state);
}

/* A frame that the code describes, but no call leads to: the call of this function
 * is searched for. */
static void wrong_frame(void **state)
{
	(void)state;
	put_chain(0);
	w.regs.w[abi_arm.link] = back_to(TABLE);
	set(7, (uint32_t)in(LAST, 2) | 1); /* behind no call */
	unwind(50);
	assert_int_equal(w.b.n, 2);
	assert_int_equal(w.b.end, STACK_BROKEN);
	assert_int_equal(w.b.broke_at, in(CODE, RETURN));
	set(7, 0);
	unwind(50);
	assert_int_equal(w.b.n, 2);
	assert_int_equal(w.b.end, STACK_BROKEN);
}

/* A handler returns to sigreturn; what was interrupted is exact, of the instruction
 * set that the saved CPSR says, and may have its return address in lr. */
static void signal_frame(void **state)
{
	(void)state;
	w.regs.w[abi_arm.link] = back_to(HANDLER);
	set(1, (uint32_t)in(SIGRETURN, 0) | 1);
	set(2 + 8 + 13, STACK + 4 * 40);
	set(2 + 8 + 14, back_to(TABLE)); /* lr */
	set(2 + 8 + 15, (uint32_t)in(CODE, 0));
	set(2 + 8 + 16, 0x20); /* Thumb */
	put_chain(40);
	unwind(50);
	assert_frame(0, HANDLER, 0, FROM_LINK);
	assert_int_equal(w.b.pc[1], in(SIGRETURN, 0));
	assert_int_equal(w.b.pc[2], in(CODE, 0));
	assert_int_equal(w.b.exact[2], 1);
	assert_int_equal(w.b.origin[2], FROM_SIGNAL);
	assert_frame(3, TABLE, 40, FROM_PROLOGUE);
	assert_chain(3, 40);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(chain, set_up, tear_down),
		cmocka_unit_test_setup_teardown(without_symbols, set_up, tear_down),
		cmocka_unit_test_setup_teardown(wrong_frame, set_up, tear_down),
		cmocka_unit_test_setup_teardown(signal_frame, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
