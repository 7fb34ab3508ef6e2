/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The walk over a made-up process: one module at BIAS whose call-frame
 * information is written here, a stack, and no ELF layer (the few functions
 * of it that the unwinder calls are below). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <dwarf.h>
#include <elf.h>
#include <errno.h>

#include "../../src/trace/unwind-internal.h"

#define BIAS 0x10000u
#define STACK 0x700000u
#define STACK_SIZE 65536u

/* -- the module ------------------------------------------------------------- */

/* Functions of 256 bytes each, by what their rows say. */
enum function {
	PLAIN,     /* CFA = sp + 32 */
	FRAMED,    /* CFA = fp + 16, fp at CFA − 16 */
	OUTERMOST,
	PLT,       /* CFA = sp + 8 + (pc & 15 ≥ 11) × 8 */
	REALIGNED, /* CFA = *(fp − 8), fp at fp + 0 */
	TRAMPOLINE, /* signal frame: CFA = *(sp + 160), every register at sp + … */
	IN_REG,    /* fp kept in register 3 */
	STUCK,     /* CFA = sp, the return address below it */
	BAD_EXPR,  /* the CFA's expression ends with nothing on the stack */
	BARE,      /* no information from here on */
	BARE_2,
	FUNCTIONS,
};

static taddr_t in(enum function f, unsigned off)
{
	return BIAS + 0x1000 + 0x100u * f + off;
}

struct bytes {
	uint8_t b[4096];
	size_t n;
};

static void put(struct bytes *to, const void *p, size_t n)
{
	assert_true(to->n + n <= sizeof to->b);
	memcpy(to->b + to->n, p, n);
	to->n += n;
}

static void put32(struct bytes *to, uint32_t v) { put(to, &v, 4); }

static void end_entry(struct bytes *to, size_t start)
{
	uint32_t len;

	while ((to->n - start) % 8 != 4)
		put(to, "", 1); /* DW_CFA_nop */
	len = (uint32_t)(to->n - start - 4);
	memcpy(to->b + start, &len, 4);
}

/* A CIE whose initial rules are those of a function's first instruction. */
static size_t put_cie(struct bytes *to, const char *augmentation, uint8_t sp, uint8_t word,
		      uint8_t ra)
{
	size_t start = to->n;
	uint8_t init[] = { DW_CFA_def_cfa, sp, word, (uint8_t)(DW_CFA_offset | ra), 1 };
	uint8_t head[] = { 1, (uint8_t)(128 - word), ra }; /* code, data alignment, column */

	put32(to, 0);
	put32(to, 0); /* a CIE */
	put(to, "\1", 1);
	put(to, augmentation, strlen(augmentation) + 1);
	put(to, head, sizeof head);
	put(to, init, sizeof init);
	end_entry(to, start);
	return start;
}

static void put_fde(struct bytes *to, size_t cie, unsigned word, taddr_t at, const uint8_t *insn,
		    size_t n)
{
	size_t start = to->n;
	uint64_t range = 0x100;

	put32(to, 0);
	put32(to, (uint32_t)(to->n - cie));
	put(to, &at, word);
	put(to, &range, word);
	put(to, insn, n);
	end_entry(to, start);
}

#define FDE(f, ...)                                                           \
	put_fde(to, cie, word, in(f, 0) - BIAS, (const uint8_t[]){ __VA_ARGS__ }, \
		sizeof((const uint8_t[]){ __VA_ARGS__ }))
#define OFFSET(reg, n) DW_CFA_offset | (reg), (n)

/* Register numbers differ between the ABIs of the tests. */
static void put_functions(struct bytes *to, size_t cie, unsigned word, uint8_t sp, uint8_t fp,
			  uint8_t pc)
{
	FDE(PLAIN, DW_CFA_def_cfa_offset, (uint8_t)(4 * word));
	FDE(FRAMED, DW_CFA_def_cfa, fp, (uint8_t)(2 * word), OFFSET(fp, 2));
	FDE(OUTERMOST, DW_CFA_undefined, pc);
	FDE(PLT, DW_CFA_def_cfa_expression, 11, DW_OP_breg0 + sp, (uint8_t)word,
	    DW_OP_breg0 + pc, 0, DW_OP_lit15, DW_OP_and, DW_OP_lit11, DW_OP_ge,
	    word == 8 ? DW_OP_lit3 : DW_OP_lit2, DW_OP_shl, DW_OP_plus);
	FDE(REALIGNED, DW_CFA_def_cfa_expression, 3, DW_OP_breg0 + fp,
	    (uint8_t)(128 - word), DW_OP_deref, DW_CFA_expression, fp, 2, DW_OP_breg0 + fp, 0);
	FDE(IN_REG, DW_CFA_register, fp, 3);
	FDE(STUCK, DW_CFA_def_cfa_offset, 0);
	FDE(BAD_EXPR, DW_CFA_def_cfa_expression, 2, DW_OP_lit1, DW_OP_drop);
}

static void put_trampoline(struct bytes *to, unsigned word)
{
	size_t cie = put_cie(to, "S", 7, 8, 16);

	FDE(TRAMPOLINE, DW_CFA_def_cfa_expression, 4, DW_OP_breg7, 0xa0, 1, DW_OP_deref,
	    DW_CFA_expression, 7, 3, DW_OP_breg7, 0xa0, 1,
	    DW_CFA_expression, 6, 3, DW_OP_breg7, 0xf8, 0,
	    DW_CFA_expression, 16, 3, DW_OP_breg7, 0xa8, 1);
}

static void put_section(struct bytes *to, uint32_t name, uint32_t type, uint64_t off, uint64_t size)
{
	Elf64_Shdr sh = { .sh_name = name, .sh_type = type, .sh_offset = off, .sh_size = size,
			  .sh_flags = SHF_ALLOC, .sh_addr = off, .sh_addralign = 8 };

	put(to, &sh, sizeof sh);
}

static void put_section32(struct bytes *to, uint32_t name, uint32_t type, uint32_t off,
			  uint32_t size)
{
	Elf32_Shdr sh = { .sh_name = name, .sh_type = type, .sh_offset = off, .sh_size = size,
			  .sh_flags = SHF_ALLOC, .sh_addr = off, .sh_addralign = 4 };

	put(to, &sh, sizeof sh);
}

/* An ELF file with nothing but .eh_frame. */
static void put_elf(struct bytes *to, const struct abi *abi, const struct bytes *frames)
{
	static const char names[16] = "\0.eh_frame\0.sh";
	bool wide = abi->e_class == ELFCLASS64;
	uint64_t head = wide ? sizeof(Elf64_Ehdr) : sizeof(Elf32_Ehdr);
	uint64_t names_at = head + frames->n, sections_at = names_at + sizeof names;
	Elf64_Ehdr e64 = { .e_type = ET_DYN, .e_machine = abi->e_machine, .e_version = EV_CURRENT,
			   .e_shoff = sections_at, .e_ehsize = sizeof e64,
			   .e_shentsize = sizeof(Elf64_Shdr), .e_shnum = 3, .e_shstrndx = 2 };
	Elf32_Ehdr e32 = { .e_type = ET_DYN, .e_machine = abi->e_machine, .e_version = EV_CURRENT,
			   .e_shoff = (uint32_t)sections_at, .e_ehsize = sizeof e32,
			   .e_shentsize = sizeof(Elf32_Shdr), .e_shnum = 3, .e_shstrndx = 2 };
	uint8_t *ident = wide ? e64.e_ident : e32.e_ident;

	memcpy(ident, ELFMAG, SELFMAG);
	ident[EI_CLASS] = abi->e_class;
	ident[EI_DATA] = ELFDATA2LSB;
	ident[EI_VERSION] = EV_CURRENT;
	put(to, wide ? (void *)&e64 : (void *)&e32, head);
	put(to, frames->b, frames->n);
	put(to, names, sizeof names);
	if (wide) {
		put_section(to, 0, SHT_NULL, 0, 0);
		put_section(to, 1, SHT_PROGBITS, head, frames->n);
		put_section(to, 11, SHT_STRTAB, names_at, sizeof names);
	} else {
		put_section32(to, 0, SHT_NULL, 0, 0);
		put_section32(to, 1, SHT_PROGBITS, (uint32_t)head, (uint32_t)frames->n);
		put_section32(to, 11, SHT_STRTAB, (uint32_t)names_at, sizeof names);
	}
}

/* -- what the ELF layer would say ------------------------------------------- */

static struct world {
	struct bytes frames, elf;
	Elf *handle;
	Dwarf_CFI *cfi;
	struct module module;
	struct modules modules;
	struct unwinder *u;
	struct mem_reader reader;
	struct regs regs;
	struct stack_copy copy;
	struct backtrace b;
	uint8_t stack[STACK_SIZE];
	uint8_t code[0x100 * (FUNCTIONS + 1)]; /* of the functions */
	bool mapped;       /* the module is known */
	unsigned refreshes;
	const struct abi *abi;
} w;

struct Dwarf_CFI_s *elf_file_cfi(struct elf_file *f, int which)
{
	(void)f;
	return which == CFI_EH_FRAME ? w.cfi : NULL;
}

size_t elf_file_image(const struct elf_file *f, taddr_t vaddr, void *buf, size_t len)
{
	(void)f;
	if (vaddr < 0x1000 || vaddr - 0x1000 >= sizeof w.code)
		return 0;
	len = MIN(len, sizeof w.code - (vaddr - 0x1000));
	memcpy(buf, w.code + (vaddr - 0x1000), len);
	return len;
}

enum exidx_kind elf_file_exidx(struct elf_file *f, taddr_t vaddr, struct exidx_entry *out)
{
	(void)f;
	(void)vaddr;
	(void)out;
	return EXIDX_NONE;
}

bool elf_file_function_before(struct elf_file *f, taddr_t vaddr, struct elf_symbol *out)
{
	return elf_file_function_at(f, vaddr, out);
}

const uint8_t *elf_file_build_id(const struct elf_file *f, size_t *len)
{
	(void)f;
	*len = 0;
	return NULL;
}

size_t elf_file_segments(const struct elf_file *f, const struct elf_segment **out)
{
	(void)f;
	*out = NULL;
	return 0;
}

const uint8_t *elf_file_code(const struct elf_file *f, taddr_t vaddr, uint64_t *len)
{
	(void)f;
	(void)vaddr;
	*len = 0;
	return NULL;
}

bool elf_file_function_at(struct elf_file *f, taddr_t vaddr, struct elf_symbol *out)
{
	(void)f;
	*out = (struct elf_symbol){ .name = vaddr + BIAS < in(BARE_2, 0) ? "f" : "main",
				    .value = vaddr & ~(taddr_t)0xff };
	return true;
}

struct module *modules_find(struct modules *ms, taddr_t addr)
{
	(void)ms;
	return w.mapped && addr >= w.module.start && addr < w.module.end ? &w.module : NULL;
}

int maps_read(struct maps *m, pid_t pid)
{
	(void)pid;
	memset(m, 0, sizeof *m);
	return 0;
}

const struct map_line *maps_find(const struct maps *m, taddr_t addr)
{
	static const struct map_line jit = { .x = true };

	(void)m;
	return addr >= 0x900000 && addr < 0x901000 ? &jit : NULL;
}

void maps_release(struct maps *m) { (void)m; }

static ssize_t read_stack(void *arg, taddr_t addr, void *buf, size_t len)
{
	(void)arg;
	if (addr < STACK || addr >= STACK + STACK_SIZE)
		return -EFAULT;
	len = MIN(len, STACK + STACK_SIZE - addr);
	memcpy(buf, w.stack + (addr - STACK), len);
	return (ssize_t)len;
}

static bool refresh(void *arg)
{
	(void)arg;
	w.refreshes++;
	w.mapped = true;
	return true;
}

/* -- the tests' view -------------------------------------------------------- */

static void set_up(const struct abi *abi)
{
	size_t cie;

	memset(&w, 0, sizeof w);
	w.abi = abi;
	cie = put_cie(&w.frames, "", abi->dwarf_sp, abi->word, abi->dwarf_pc);
	put_functions(&w.frames, cie, abi->word, abi->dwarf_sp, abi->dwarf_fp, abi->dwarf_pc);
	if (abi->word == 8)
		put_trampoline(&w.frames, 8);
	put32(&w.frames, 0);
	put_elf(&w.elf, abi, &w.frames);
	elf_version(EV_CURRENT);
	w.handle = elf_memory((char *)w.elf.b, w.elf.n);
	assert_non_null(w.handle);
	w.cfi = dwarf_getcfi_elf(w.handle);
	assert_non_null(w.cfi);
	w.module = (struct module){ .id = 7, .start = BIAS, .end = BIAS + 0x4000, .bias = BIAS,
				    .text_start = BIAS + 0x1000, .text_end = BIAS + 0x3000,
				    .file = (struct elf_file *)&w };
	w.mapped = true;
	w.reader = (struct mem_reader){ read_stack, NULL };
	w.u = unwinder_new(abi, &w.modules, &w.reader, refresh, NULL);
	w.regs.abi = abi;
}

static int set_up_64(void **state) { (void)state; set_up(&abi_x86_64); return 0; }
static int set_up_32(void **state) { (void)state; set_up(&abi_i386); return 0; }

#ifdef ABI_POWERPC
/* Nothing of the module but its code is known. */
static int set_up_bare(void **state)
{
	(void)state;
	memset(&w, 0, sizeof w);
	w.abi = w.regs.abi = &abi_powerpc;
	w.module = (struct module){ .id = 7, .start = BIAS, .end = BIAS + 0x4000, .bias = BIAS,
				    .text_start = BIAS + 0x1000, .text_end = BIAS + 0x3000,
				    .file = (struct elf_file *)&w };
	w.mapped = true;
	w.reader = (struct mem_reader){ read_stack, NULL };
	w.u = unwinder_new(w.abi, &w.modules, &w.reader, refresh, NULL);
	return 0;
}
#endif

static int tear_down(void **state)
{
	(void)state;
	unwinder_free(w.u);
	dwarf_cfi_end(w.cfi);
	elf_end(w.handle);
	return 0;
}

/* A word on the stack, `i` words up. */
static void set(unsigned i, uint64_t v)
{
	abi_store(w.abi, w.stack + (size_t)i * w.abi->word, w.abi->word, v);
}

static taddr_t sp_at(unsigned i)
{
	return STACK + (taddr_t)i * w.abi->word;
}

/* The instruction before `ra` calls `to`; 0: *ax. */
static void call(taddr_t ra, taddr_t to)
{
	uint8_t *p = w.code + (ra - in(0, 0));
	uint32_t rel = (uint32_t)(to - ra);

	if (to) {
		p[-5] = 0xe8;
		memcpy(p - 4, &rel, 4);
	} else {
		memcpy(p - 2, "\xff\xd0", 2);
	}
}

/* Frame 0 is at `pc`, its stack pointer at word 0; `len` bytes are copied. */
static void unwind(taddr_t pc, unsigned fp_word, size_t len, unsigned depth)
{
	w.regs.w[w.abi->pc] = pc;
	w.regs.w[w.abi->sp] = STACK;
	w.regs.w[w.abi->fp] = fp_word ? sp_at(fp_word) : 0;
	w.copy = (struct stack_copy){ .addr = STACK, .len = len, .cap = len, .bytes = w.stack };
	unwind_any(w.u, &w.regs, &w.copy, depth, &w.b);
}

static void assert_frame(unsigned i, taddr_t pc, unsigned sp_word)
{
	assert_true(i < w.b.n);
	assert_int_equal(w.b.pc[i], pc);
	assert_int_equal(w.b.cfa[i], sp_at(sp_word));
}

/* PLAIN (4 words) ← FRAMED (fp at word 10) ← PLAIN ← OUTERMOST */
static void put_chain(void)
{
	set(3, in(FRAMED, 0x20));
	set(10, sp_at(60));
	set(11, in(PLAIN, 0x30));
	set(15, in(OUTERMOST, 0x40));
}

static void assert_chain(void)
{
	assert_int_equal(w.b.n, 4);
	assert_int_equal(w.b.end, STACK_COMPLETE);
	assert_frame(0, in(PLAIN, 0x10), 0);
	assert_frame(1, in(FRAMED, 0x20), 4);
	assert_frame(2, in(PLAIN, 0x30), 12);
	assert_frame(3, in(OUTERMOST, 0x40), 16);
	assert_int_equal(w.b.module[2], 7);
	assert_int_equal(w.b.exact[0], 1);
	assert_int_equal(w.b.exact[1], 0);
	assert_int_equal(w.b.origin[0], FROM_REGS);
	assert_int_equal(w.b.origin[1], FROM_ROW);
}

static void chain(void **state)
{
	(void)state;
	put_chain();
	unwind(in(PLAIN, 0x10), 10, 512, 50);
	assert_chain();
	assert_int_equal(unwinder_stats(w.u)->refills, 0);
	assert_int_equal(unwinder_stats(w.u)->row_misses, 4);
	unwind(in(PLAIN, 0x10), 10, 512, 50);
	assert_chain();
	assert_int_equal(unwinder_stats(w.u)->row_misses, 4);
	unwinder_forget(w.u, BIAS, BIAS + 0x4000);
	unwind(in(PLAIN, 0x10), 10, 512, 50);
	assert_chain();
	assert_int_equal(unwinder_stats(w.u)->row_misses, 8);
}

static void short_copy(void **state)
{
	(void)state;
	put_chain();
	for (size_t len = 0; len < 96; len++) {
		unwind(in(PLAIN, 0x10), 10, len, 50);
		assert_chain();
	}
	assert_true(unwinder_stats(w.u)->refills > 0);
}

static void depth(void **state)
{
	(void)state;
	put_chain();
	unwind(in(PLAIN, 0x10), 10, 512, 3);
	assert_int_equal(w.b.n, 3);
	assert_int_equal(w.b.end, STACK_CUT);
	unwind(in(PLAIN, 0x10), 10, 512, 4);
	assert_chain(); /* just reached the end: not cut */
	unwind(in(PLAIN, 0x10), 10, 512, 0);
	assert_int_equal(w.b.n, 1);
}

static void entry(void **state)
{
	(void)state;
	put_chain();
	memmove(w.stack + w.abi->word, w.stack, 256);
	set(0, in(PLAIN, 0x10));
	w.regs.w[w.abi->pc] = in(BARE, 0);
	w.regs.w[w.abi->sp] = STACK;
	w.regs.w[w.abi->fp] = sp_at(11);
	w.copy = (struct stack_copy){ .addr = STACK, .len = 512, .bytes = w.stack };
	unwind_entry(w.u, &w.regs, &w.copy, 50, &w.b);
	assert_int_equal(w.b.n, 4);
	assert_frame(0, in(PLAIN, 0x10), 1);
	assert_int_equal(w.b.exact[0], 0);
	assert_int_equal(w.b.origin[0], FROM_LINK);
	assert_int_equal(w.b.end, STACK_COMPLETE);
}

static void entry_unreadable(void **state)
{
	(void)state;
	w.regs.w[w.abi->pc] = in(PLAIN, 0);
	w.regs.w[w.abi->sp] = 16;
	unwind_entry(w.u, &w.regs, NULL, 50, &w.b);
	assert_int_equal(w.b.n, 1);
	assert_int_equal(w.b.end, STACK_BROKEN);
	assert_int_equal(w.b.pc[0], in(PLAIN, 0));
}

static void plt(void **state)
{
	(void)state;
	set(0, in(OUTERMOST, 1));
	unwind(in(PLT, 10), 0, 512, 50);
	assert_int_equal(w.b.n, 2);
	assert_frame(1, in(OUTERMOST, 1), 1);
	assert_int_equal(w.b.origin[1], FROM_CFI);
	set(0, 5);
	set(1, in(OUTERMOST, 1));
	unwind(in(PLT, 11), 0, 512, 50);
	assert_frame(1, in(OUTERMOST, 1), 2);
	assert_int_equal(unwinder_stats(w.u)->evaluated, 2);
}

static void realigned(void **state)
{
	(void)state;
	set(9, sp_at(40));  /* the CFA */
	set(10, sp_at(60)); /* the caller's frame pointer, here */
	set(39, in(FRAMED, 1));
	set(60, sp_at(80));
	set(61, in(OUTERMOST, 1));
	unwind(in(REALIGNED, 5), 10, 512, 50);
	assert_int_equal(w.b.n, 3);
	assert_int_equal(w.b.end, STACK_COMPLETE);
	assert_frame(1, in(FRAMED, 1), 40);
	assert_frame(2, in(OUTERMOST, 1), 62);
	assert_int_equal(unwinder_stats(w.u)->evaluated, 0);
}

/* The interrupted frame is looked up exactly, also on a lower stack. */
static void signal_frame(void **state)
{
	(void)state;
	set(3, in(TRAMPOLINE, 0x10));       /* sp is word 4 then */
	set(4 + 0x78 / 8, sp_at(10));       /* the interrupted fp */
	set(4 + 0xa0 / 8, STACK - 0x1000);  /* … sp */
	set(4 + 0xa8 / 8, in(FRAMED, 0));   /* … pc: the very first instruction */
	set(10, sp_at(60));
	set(11, in(OUTERMOST, 1));
	unwind(in(PLAIN, 0x10), 0, 512, 50);
	assert_int_equal(w.b.n, 4);
	assert_frame(1, in(TRAMPOLINE, 0x10), 4);
	assert_int_equal(w.b.pc[2], in(FRAMED, 0));
	assert_int_equal(w.b.cfa[2], STACK - 0x1000);
	assert_int_equal(w.b.exact[2], 1);
	assert_int_equal(w.b.origin[2], FROM_SIGNAL);
	assert_frame(3, in(OUTERMOST, 1), 12);
}

static void rule_in_register(void **state)
{
	(void)state;
	w.regs.w[w.abi->dwarf_reg[3]] = sp_at(10);
	set(0, in(FRAMED, 1));
	set(10, 0);
	set(11, in(OUTERMOST, 1));
	unwind(in(IN_REG, 5), 0, 512, 50);
	assert_int_equal(w.b.n, 3);
	assert_frame(2, in(OUTERMOST, 1), 12);
}

static void damage(void **state)
{
	(void)state;
	/* a row that says the return address is below the stack */
	set(0, in(STUCK, 1));
	unwind(in(PLT, 1), 20000, 512, 50);
	assert_int_equal(w.b.end, STACK_BROKEN);
	assert_int_equal(w.b.n, 2);
	assert_int_equal(w.b.broke_at, in(STUCK, 1));
	/* no progress */
	set(9, sp_at(1));
	set(10, sp_at(10));
	set(0, in(REALIGNED, 1));
	unwind(in(REALIGNED, 1), 10, 512, 50);
	assert_int_equal(w.b.end, STACK_BROKEN);
	assert_int_equal(w.b.n, 2);
	/* an expression without a result */
	unwind(in(BAD_EXPR, 1), 0, 512, 50);
	assert_int_equal(w.b.end, STACK_BROKEN);
	assert_int_equal(w.b.n, 1);
	/* a return address that is none */
	set(3, 0x123456);
	unwind(in(PLAIN, 1), 0, 512, 50);
	assert_int_equal(w.b.end, STACK_BROKEN);
	assert_int_equal(w.b.n, 1);
	assert_int_equal(w.b.broke_at, in(PLAIN, 1));
	/* zero ends a stack */
	set(3, 0);
	unwind(in(PLAIN, 1), 0, 512, 50);
	assert_int_equal(w.b.end, STACK_COMPLETE);
	/* a frame pointer to nowhere */
	w.regs.w[w.abi->fp] = 0x10;
	unwind(in(FRAMED, 1), 0, 512, 50);
	assert_int_equal(w.b.end, STACK_BROKEN);
}

static void endless(void **state)
{
	(void)state;
	for (unsigned i = 0; i < STACK_SIZE / w.abi->word; i++)
		set(i, in(PLAIN, 9));
	unwind(in(PLAIN, 1), 0, 512, UNWIND_MAX_DEPTH + 5);
	assert_int_equal(w.b.n, UNWIND_MAX_DEPTH);
	assert_int_equal(w.b.end, STACK_CUT);
	/* recursion is shown level by level, each from one row */
	assert_int_equal(unwinder_stats(w.u)->row_misses, 2);
	assert_true(unwinder_stats(w.u)->refills <= 9);
}

/* Frame pointers, where there is nothing else: two functions without CFI, code
 * in no module, and the zero that ends the chain. */
static void frame_pointers(void **state)
{
	(void)state;
	set(10, sp_at(20));
	set(11, 0x900010); /* executable, no module's */
	set(20, sp_at(30));
	set(21, in(BARE_2, 9));
	set(30, 0);
	set(31, in(BARE_2, 0x19));
	unwind(in(BARE, 0x10), 10, 512, 50);
	assert_int_equal(w.b.n, 4);
	assert_int_equal(w.b.end, STACK_COMPLETE);
	assert_frame(1, 0x900010, 12);
	assert_frame(2, in(BARE_2, 9), 22);
	assert_frame(3, in(BARE_2, 0x19), 32);
	assert_int_equal(w.b.origin[1], FROM_FP);
	assert_int_equal(w.b.module[1], 0);
	/* below the stack pointer; not aligned */
	unwind(in(BARE, 0x10), 0, 512, 50);
	w.regs.w[w.abi->fp] = STACK + 1;
	unwind_any(w.u, &w.regs, &w.copy, 50, &w.b);
	assert_int_equal(w.b.end, STACK_BROKEN);
	/* at its first instruction; through a null pointer */
	set(0, in(OUTERMOST, 0x13));
	call(in(OUTERMOST, 0x13), 0);
	unwind(in(BARE, 0), 10, 512, 50);
	assert_int_equal(w.b.n, 2);
	assert_int_equal(w.b.origin[1], FROM_LINK);
	unwind(0, 10, 512, 50);
	assert_int_equal(w.b.n, 2);
	assert_frame(1, in(OUTERMOST, 0x13), 1);
}

/* The call that led here is found among other return addresses, and the frame
 * pointer that was pushed on the way. */
static void scan(void **state)
{
	(void)state;
	call(in(PLAIN, 0x20), 0);
	call(in(PLAIN, 0x40), in(PLT, 0));
	call(in(FRAMED, 0x20), in(BARE, 0));
	call(in(OUTERMOST, 0x20), in(FRAMED, 0));
	set(1, in(PLAIN, 0x20)); /* left by earlier calls */
	set(2, in(PLAIN, 0x40));
	set(3, in(PLAIN, 0x60)); /* code, but no call before it */
	set(4, sp_at(30));       /* points to the stack, but to no frame */
	set(5, sp_at(20));
	set(6, in(FRAMED, 0x20));
	set(20, 0);
	set(21, in(OUTERMOST, 0x20));
	unwind(in(BARE, 0x80), 0, 512, 50);
	assert_int_equal(w.b.n, 3);
	assert_int_equal(w.b.end, STACK_COMPLETE);
	assert_frame(1, in(FRAMED, 0x20), 7);
	assert_int_equal(w.b.origin[1], FROM_SCAN);
	assert_frame(2, in(OUTERMOST, 0x20), 22);
	/* a frame pointer that fits is not replaced */
	set(10, 0);
	set(11, in(OUTERMOST, 0x20));
	unwind(in(BARE, 0x80), 10, 512, 50);
	assert_frame(1, in(FRAMED, 0x20), 7);
	assert_frame(2, in(OUTERMOST, 0x20), 12);
}

/* What calls main is the end, whatever it is. */
#ifdef ABI_POWERPC
/* Stack pointers lead from frame to frame. */
static void back_chain(void **state)
{
	unsigned lr = (unsigned)abi_powerpc.link;

	(void)state;
	set(0, sp_at(4));
	set(4, sp_at(8));
	set(5, in(BARE, 0x20));
	set(8, 0);
	set(9, in(BARE, 0x30));
	w.regs.w[lr] = in(BARE, 0x40);
	unwind(in(BARE_2, 0x10), 0, 512, 50);
	assert_int_equal(w.b.n, 3);
	assert_int_equal(w.b.end, STACK_COMPLETE);
	assert_frame(1, in(BARE, 0x20), 4);
	assert_frame(2, in(BARE, 0x30), 8);
	/* Nothing is done yet at a function's start. */
	unwind(in(BARE_2, 0), 0, 512, 50);
	assert_int_equal(w.b.n, 4);
	assert_frame(1, in(BARE, 0x40), 0);
	assert_int_equal(w.b.origin[1], FROM_LINK);
	assert_frame(2, in(BARE, 0x20), 4);
	set(4, sp_at(2)); /* downwards */
	unwind(in(BARE_2, 0x10), 0, 512, 50);
	assert_int_equal(w.b.n, 2);
	assert_int_equal(w.b.end, STACK_BROKEN);
}
#endif

static void main_is_enough(void **state)
{
	(void)state;
	call(in(BARE_2, 0x20), in(BARE, 0));
	set(1, in(BARE_2, 0x20));
	set(5, in(BARE, 0x33));
	call(in(BARE, 0x33), in(BARE_2, 0));
	unwind(in(BARE, 0x80), 20000, 512, 50); /* no frame pointer */
	assert_int_equal(w.b.n, 3);
	assert_frame(2, in(BARE, 0x33), 6);
	assert_int_equal(w.b.end, STACK_COMPLETE);
}

/* A library that was mapped behind our back is asked for; what is in none is
 * not asked for each time. */
static void refreshing(void **state)
{
	(void)state;
	put_chain();
	w.mapped = false;
	unwind(in(PLAIN, 0x10), 10, 512, 50);
	assert_chain();
	assert_int_equal(w.refreshes, 1);
	set(3, 0x900010);
	for (int i = 0; i < 100; i++)
		unwind(in(PLAIN, 0x10), 0, 512, 50);
	assert_int_equal(w.b.n, 2);
	assert_true(w.refreshes < 10);
}

/* Any word anywhere: it ends, within the bounds. */
static void mess(void **state)
{
	uint64_t r = 1;

	(void)state;
	for (int round = 0; round < 3000; round++) {
		for (unsigned i = 0; i < 128; i++) {
			r = r * 6364136223846793005u + 1442695040888963407u;
			uint64_t pick = r >> 40;

			set(i, r >> 61 < 3   ? in(PLAIN, 0) + pick % (0x100 * FUNCTIONS)
			       : r >> 61 < 6 ? STACK + pick % 1200
					     : r);
		}
		for (unsigned i = 0; i < sizeof w.code / 8 - 1; i += 1 + (r >> 33) % 7) {
			r = r * 6364136223846793005u + 1442695040888963407u;
			call(in(PLAIN, 8 + 8 * i), r >> 63 ? in(PLAIN, 0x100 * (r >> 60)) : 0);
		}
		unwind(in(PLAIN, (unsigned)(r >> 32) % (0x100 * FUNCTIONS)), round % 128, 512,
		       UNWIND_MAX_DEPTH);
		assert_in_range(w.b.n, 1, UNWIND_MAX_DEPTH);
		if (round % 100 == 0)
			unwinder_forget(w.u, in(PLAIN, 0), in(PLT, 0));
	}
}

#define TEST(f, abi) cmocka_unit_test_setup_teardown(f, set_up_##abi, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(chain, 64), TEST(chain, 32),
		TEST(short_copy, 64), TEST(short_copy, 32),
		TEST(depth, 64), TEST(depth, 32),
		TEST(entry, 64), TEST(entry, 32),
		TEST(entry_unreadable, 64),
		TEST(plt, 64), TEST(plt, 32),
		TEST(realigned, 64), TEST(realigned, 32),
		TEST(signal_frame, 64),
		TEST(rule_in_register, 64), TEST(rule_in_register, 32),
		TEST(damage, 64), TEST(damage, 32),
		TEST(endless, 64), TEST(endless, 32),
		TEST(frame_pointers, 64), TEST(frame_pointers, 32),
		TEST(scan, 64), TEST(scan, 32),
		TEST(main_is_enough, 64), TEST(main_is_enough, 32),
		TEST(mess, 64), TEST(mess, 32),
		TEST(refreshing, 64), TEST(refreshing, 32),
#ifdef ABI_POWERPC
		TEST(back_chain, bare),
#endif
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
