/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Symbols of files made for the purpose, and of this program's own libc. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <stdio.h>
#include <sys/stat.h>
#include "base/xalloc.h"
#include "elf/elf_file.h"
#include "code-address.h"
#include "elf-fixture.h"

static struct elf_file *open_bytes(const void *p, size_t n)
{
	char path[32];
	int fd = fix_memfd(p, n);
	struct elf_file *f;

	assert_true(fd >= 0);
	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	f = elf_file_open(path, "/made/up");
	close(fd);
	return f;
}

/* -- made-up files -------------------------------------------------------- */

struct hits {
	unsigned n;
	size_t index[16];
	struct elf_symbol s[16];
};

static void on_hit(void *arg, size_t index, const struct elf_symbol *s)
{
	struct hits *h = arg;

	assert_true(h->n < 16);
	h->index[h->n] = index;
	h->s[h->n++] = *s;
}

static struct elf_file *make(struct fixture *x, bool is64, bool big, bool gnu, unsigned machine)
{
	fix_begin(x, is64, big);
	fix_dynsym(x, "malloc", 0x10, 0x20);
	fix_dynsym(x, "free", 0x41, 0x10);
	fix_dynsym(x, "calloc", 0x60, 0x10);
	fix_symtab(x, "hidden_alloc@@V_2", 0x80, 0x10, STB_LOCAL, STT_FUNC);
	fix_symtab(x, "malloc", 0x300, 0x10, STB_LOCAL, STT_FUNC);
	fix_symtab(x, "outer", 0x100, 0x80, STB_GLOBAL, STT_FUNC);
	fix_symtab(x, "label", 0x120, 0, STB_LOCAL, STT_NOTYPE);
	fix_symtab(x, "$t", 0x130, 0, STB_LOCAL, STT_NOTYPE);
	fix_symtab(x, "asm_entry", 0x200, 0, STB_GLOBAL, STT_NOTYPE);
	fix_symtab(x, "__alias", 0x240, 4, STB_GLOBAL, STT_FUNC);
	fix_symtab(x, "alias", 0x240, 4, STB_GLOBAL, STT_FUNC);
	fix_symtab(x, "local_alias", 0x240, 4, STB_LOCAL, STT_FUNC);
	fix_symtab(x, "variable", 0xf00, 4, STB_GLOBAL, STT_OBJECT);
	fix_symtab(x, "_table", 0xf10, 0x20, STB_LOCAL, STT_OBJECT);
	fix_symtab(x, "table", 0xf10, 0x20, STB_LOCAL, STT_OBJECT);
	if (gnu)
		fix_gnu_hash(x);
	else
		fix_sysv_hash(x);
	fix_end(x, machine);
	return open_bytes(x->b, sizeof x->b);
}

static void check_find(struct elf_file *f, bool arm)
{
	static const char *const names[] = { "free", "none", "hidden_alloc", "malloc", "variable" };
	struct hits h = {0};

	assert_int_equal(elf_file_find_functions(f, names, 5, SYMS_OWN, on_hit, &h), 3);
	assert_int_equal(h.n, 3);
	assert_int_equal(h.index[0], 0);
	assert_int_equal(h.s[0].value, FIX_BASE + 0x1041 - arm);
	assert_int_equal(h.index[1], 3);
	assert_string_equal(h.s[1].name, "malloc");
	assert_int_equal(h.s[1].value, FIX_BASE + 0x1010);
	assert_int_equal(h.s[1].size, 0x20);
	assert_true(h.s[1].global && h.s[1].is_default && !h.s[1].version && !h.s[1].ifunc);
	assert_int_equal(h.index[2], 2);
	assert_string_equal(h.s[2].name, "hidden_alloc");
	assert_string_equal(h.s[2].version, "V_2");
	assert_false(h.s[2].global);
}

static const char *name_at(struct elf_file *f, unsigned off)
{
	struct elf_symbol s;

	return elf_file_function_at(f, FIX_BASE + 0x1000 + off, &s) ? s.name : NULL;
}

static void check_function_at(struct elf_file *f)
{
	assert_string_equal(name_at(f, 0x10), "malloc");
	assert_string_equal(name_at(f, 0x2f), "malloc");
	assert_null(name_at(f, 0x30));
	assert_null(name_at(f, 0));
	assert_string_equal(name_at(f, 0x8f), "hidden_alloc");
	/* The function that covers it beats the label that is nearer. */
	assert_string_equal(name_at(f, 0x125), "outer");
	assert_string_equal(name_at(f, 0x140), "outer");
	/* A symbol without size reaches to the next one. */
	assert_string_equal(name_at(f, 0x23f), "asm_entry");
	assert_string_equal(name_at(f, 0x242), "alias");
	assert_null(name_at(f, 0x244));
}

static const char *object_at(struct elf_file *f, unsigned off)
{
	struct elf_symbol s;

	return elf_file_object_at(f, FIX_BASE + 0x1000 + off, &s) ? s.name : NULL;
}

static void check_object_at(struct elf_file *f)
{
	assert_string_equal(object_at(f, 0xf00), "variable");
	assert_string_equal(object_at(f, 0xf03), "variable");
	assert_null(object_at(f, 0xf04));
	assert_string_equal(object_at(f, 0xf2f), "table");
	assert_null(object_at(f, 0xf30));
	/* Functions are none, and variables are no functions. */
	assert_null(object_at(f, 0x10));
	assert_null(name_at(f, 0xf00));
}

static void test_every_kind(void **state)
{
	static const struct { bool is64, big; unsigned machine; } kinds[] = {
		{ true, false, EM_X86_64 }, { false, false, EM_386 }, { false, false, EM_ARM },
		{ false, true, EM_ARM }, { false, true, EM_PPC }, { true, true, EM_PPC64 },
		{ true, false, EM_AARCH64 },
	};
	struct fixture x;

	(void)state;
	for (size_t i = 0; i < 2 * ARRAY_SIZE(kinds); i++) {
		unsigned machine = kinds[i / 2].machine;
		struct elf_file *f = make(&x, kinds[i / 2].is64, kinds[i / 2].big, i % 2, machine);

		assert_non_null(f);
		assert_int_equal(elf_file_ident(f)->machine, machine);
		assert_int_equal(elf_file_ident(f)->entry, FIX_BASE + 0x1000);
		assert_true(elf_file_ident(f)->has_dynamic);
		assert_false(elf_file_ident(f)->has_interp);
		check_find(f, machine == EM_ARM);
		check_function_at(f);
		check_object_at(f);
		elf_file_unref(f);
	}
}

static void test_image(void **state)
{
	struct fixture x;
	uint8_t buf[16];
	const struct elf_segment *seg;
	struct elf_file *f = make(&x, true, false, true, EM_X86_64);

	(void)state;
	assert_int_equal(elf_file_segments(f, &seg), 1);
	assert_int_equal(seg->vaddr, FIX_BASE);
	assert_int_equal(elf_file_image(f, FIX_BASE, buf, 4), 4);
	assert_memory_equal(buf, ELFMAG, 4);
	assert_int_equal(elf_file_image(f, FIX_BASE + 0x1ffc, buf, 16), 4);
	assert_int_equal(elf_file_image(f, FIX_BASE + 0x2000, buf, 16), 0);
	assert_int_equal(elf_file_image(f, FIX_BASE - 1, buf, 16), 0);
	elf_file_unref(f);
}

static void use_all(struct elf_file *f)
{
	static const char *const names[] = { "malloc", "free", "outer" };
	struct hits h = {0};
	struct elf_symbol s;

	elf_file_find_functions(f, names, 3, SYMS_OWN, on_hit, &h);
	for (unsigned i = 0; i < 0x400; i += 16)
		elf_file_function_at(f, FIX_BASE + 0x1000 + i, &s);
	for (unsigned i = 0xf00; i < 0xf40; i += 4)
		elf_file_object_at(f, FIX_BASE + 0x1000 + i, &s);
	elf_file_needs(f, "libasan");
	elf_file_cfi(f, CFI_EH_FRAME);
	elf_file_cfi(f, CFI_DEBUG_FRAME);
}

/* Cut at every 64th byte: fewer answers, no crash. */
static void test_truncated(void **state)
{
	struct fixture x;
	struct elf_file *f = make(&x, true, false, true, EM_X86_64);

	(void)state;
	elf_file_unref(f);
	for (size_t n = 0; n < sizeof x.b; n += 64) {
		f = open_bytes(x.b, n);
		if (f)
			use_all(f);
		else
			assert_int_equal(errno, ENOEXEC);
		elf_file_unref(f);
	}
}

static void test_flipped(void **state)
{
	struct fixture x;
	uint32_t seed = 1;

	(void)state;
	for (unsigned round = 0; round < 400; round++) {
		struct elf_file *f = make(&x, round & 1, round & 2, round & 4, EM_X86_64);

		elf_file_unref(f);
		for (unsigned i = 0; i < 20; i++) {
			seed = seed * 1664525 + 1013904223;
			x.b[(seed >> 8) % (round & 8 ? 0x1000 : sizeof x.b)] ^= (uint8_t)(seed >> 3);
		}
		f = open_bytes(x.b, sizeof x.b);
		if (f)
			use_all(f);
		elf_file_unref(f);
	}
}

/* The file is rewritten in place while it is mapped. */
static void test_shrinking(void **state)
{
	struct fixture x;
	char path[32];
	struct elf_file *f = make(&x, true, false, true, EM_X86_64);
	int fd = fix_memfd(x.b, sizeof x.b);
	uint8_t buf[8] = { 1 };

	(void)state;
	elf_file_unref(f);
	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	f = elf_file_open(path, "/made/up");
	assert_non_null(f);
	assert_int_equal(ftruncate(fd, 100), 0);
	use_all(f);
	assert_int_equal(elf_file_image(f, FIX_BASE + 0x1800, buf, 8), 8);
	assert_int_equal(buf[0], 0);
	elf_file_unref(f);
	close(fd);
}

static void test_no_elf(void **state)
{
	(void)state;
	assert_null(open_bytes("#!/bin/sh\nexit 0\n", 17));
	assert_int_equal(errno, ENOEXEC);
	assert_null(open_bytes("", 0));
	assert_int_equal(errno, ENOEXEC);
	assert_null(elf_file_open("/proc", "/proc"));
	assert_int_equal(errno, EISDIR);
	assert_null(elf_file_open("/no/such/file", "x"));
	assert_int_equal(errno, ENOENT);
	assert_null(elf_file_open("/dev/null", "/dev/null"));
	assert_int_equal(errno, ENOEXEC);
}

/* -- this program and its libc ------------------------------------------------ */

static void test_shared(void **state)
{
	struct elf_file *a = elf_file_open("/proc/self/exe", "self"), *b, *c;
	struct stat st;
	const uint8_t *id;
	size_t n;

	(void)state;
	b = elf_file_open("/proc/self/exe", "other");
	assert_ptr_equal(a, b);
	assert_int_equal(stat("/proc/self/exe", &st), 0);
	c = elf_file_find(NULL, 0, st.st_dev, st.st_ino);
	assert_ptr_equal(a, c);
	elf_file_unref(c);
	id = elf_file_build_id(a, &n);
	if (id) {
		c = elf_file_find(id, n, 0, 0);
		assert_ptr_equal(a, c);
		elf_file_unref(c);
	}
	assert_true(elf_file_ident(a)->has_dynamic);
	assert_true(elf_file_needs(a, "libc.") || elf_file_needs(a, "ld-"));
	assert_false(elf_file_needs(a, "libno"));
	elf_file_unref(b);
	elf_file_unref(a);
	assert_null(elf_file_find(NULL, 0, st.st_dev, st.st_ino));
}

/* Found by a function that no sanitizer replaces. */
static struct elf_file *open_libc(taddr_t *bias)
{
	Dl_info info;
	struct link_map *map;
	struct elf_file *f;

	assert_true(dladdr1((void *)(uintptr_t)getppid, &info, (void **)&map, RTLD_DL_LINKMAP));
	f = elf_file_open(info.dli_fname, info.dli_fname);
	assert_non_null(f);
	*bias = map->l_addr;
	return f;
}

static void test_libc(void **state)
{
	static const char *const names[] = { "malloc", "calloc" };
	struct hits h = {0};
	taddr_t bias;
	struct elf_file *f = open_libc(&bias);

	(void)state;
	assert_int_equal(elf_file_find_functions(f, names, 2, SYMS_OWN, on_hit, &h), 2);
	assert_int_equal(h.s[0].value + bias,
			 code_address(dlsym(dlopen(elf_file_name(f), RTLD_NOW | RTLD_NOLOAD), "malloc")));
	assert_true(h.s[0].is_default && h.s[0].global);
#ifdef __GLIBC__
	assert_non_null(h.s[0].version);
	assert_int_equal(strncmp(h.s[0].version, "GLIBC_2.", 8), 0);
#endif
	assert_non_null(elf_file_cfi(f, CFI_EH_FRAME));
	elf_file_unref(f);
}

#ifdef __GLIBC__
/* Old versions are there, and told from the default one. */
static void test_versions(void **state)
{
	static const char *const names[] = { "memcpy" };
	struct hits h = {0};
	taddr_t bias;
	struct elf_file *f = open_libc(&bias);
	unsigned defaults = 0;

	(void)state;
	elf_file_find_functions(f, names, 1, SYMS_OWN, on_hit, &h);
	assert_true(h.n >= 1);
	for (unsigned i = 0; i < h.n; i++) {
		assert_non_null(h.s[i].version);
		defaults += h.s[i].is_default;
	}
	assert_int_equal(defaults, 1);
	elf_file_unref(f);
}
#endif

static bool exports(struct elf_file *f, const char *name, taddr_t value)
{
	const char *names[] = { name };
	struct hits h = {0};

	elf_file_find_functions(f, names, 1, SYMS_OWN, on_hit, &h);
	for (unsigned i = 0; i < h.n; i++)
		if (h.s[i].value == value)
			return true;
	return false;
}

/* dladdr knows .dynsym only: where it finds a function that covers an address
 * we must find one too, with the same start. */
static void test_against_dladdr(void **state)
{
	taddr_t bias;
	struct elf_file *f = open_libc(&bias);
	const struct elf_segment *seg;
	size_t n = elf_file_segments(f, &seg);
	unsigned compared = 0;

	(void)state;
	for (size_t i = 0; i < n; i++) {
		if (!(seg[i].flags & PF_X))
			continue;
		for (taddr_t v = seg[i].vaddr; v < seg[i].vaddr + seg[i].filesz; v += 997) {
			Dl_info info;
			ElfW(Sym) *sym = NULL;
			struct elf_symbol s;
			taddr_t value;

			if (!dladdr1((void *)(uintptr_t)(v + bias), &info, (void **)&sym,
				     RTLD_DL_SYMENT) || !sym || !info.dli_sname ||
			    !sym->st_size || (uintptr_t)info.dli_saddr != sym->st_value + bias)
				continue;
			/* There are segments with code and constants. */
			if (ELF32_ST_TYPE(sym->st_info) == STT_OBJECT)
				continue;
			value = code_address((void *)(uintptr_t)sym->st_value);
			if (v - value >= sym->st_size)
				continue;
			assert_true(elf_file_function_at(f, v, &s));
			if (s.value != value)
				/* A local function inside an exported one. */
				assert_true(s.value > value && !s.global);
			else
				assert_true(exports(f, info.dli_sname, s.value));
			compared++;
		}
	}
	assert_true(compared > 100);
	elf_file_unref(f);
}

static int own_variable;

/* An exported variable of libc, and a static one of our own. */
static void test_variables(void **state)
{
	void *at = dlsym(RTLD_DEFAULT, "stdout");
	Dl_info info;
	struct link_map *map;
	struct elf_symbol s;
	struct elf_file *f;

	(void)state;
	assert_non_null(at);
	assert_true(dladdr1(at, &info, (void **)&map, RTLD_DL_LINKMAP));
	f = elf_file_open(*info.dli_fname ? info.dli_fname : "/proc/self/exe", "x");
	assert_non_null(f);
	assert_true(elf_file_object_at(f, (uintptr_t)at - map->l_addr, &s));
	assert_int_equal(s.value, (uintptr_t)at - map->l_addr);
	assert_int_equal(s.size, sizeof(void *));
	elf_file_unref(f);

	assert_true(dladdr1(&own_variable, &info, (void **)&map, RTLD_DL_LINKMAP));
	f = elf_file_open("/proc/self/exe", "self");
	assert_non_null(f);
	if (elf_file_object_at(f, (uintptr_t)&own_variable - map->l_addr, &s))
		assert_string_equal(s.name, "own_variable");
	elf_file_unref(f);
}

static void test_build_id(void **state)
{
	struct elf_file *f = elf_file_open("/proc/self/exe", "self");
	const uint8_t *id;
	size_t n;

	(void)state;
	id = elf_file_build_id(f, &n);
	if (!id)
		assert_int_equal(n, 0);
	else
		assert_true(n >= 8 && n <= 64);
	elf_file_unref(f);
}

struct relocs {
	bool fclose_seen;
	unsigned n;
};

static bool on_reloc(void *arg, enum elf_reloc_kind kind, taddr_t slot, taddr_t addend,
		     const char *symbol)
{
	struct relocs *r = arg;

	(void)addend;
	assert_int_not_equal(slot, 0);
	r->n++;
	r->fclose_seen |= kind == RELOC_SYMBOL && strcmp(symbol, "fclose") == 0;
	return true;
}

static void test_relocations(void **state)
{
	struct elf_file *f = elf_file_open("/proc/self/exe", "self");
	struct relocs r = {0};

	(void)state;
	/* It is called here, so that it is in this program's table. */
	fclose(fopen("/dev/null", "r"));
	elf_file_each_got(f, on_reloc, &r);
	assert_true(r.n > 10);
	assert_true(r.fclose_seen);
	elf_file_unref(f);
}

/* As Rust's compilers call them, before 1.87 and since; not of other crates. */
void rust_before(void) __asm__("__rust_dealloc");
void rust_since(void) __asm__("_RNvCsfLfy6EI15iL_7___rustc12___rust_alloc");
void rust_other(void) __asm__("_RNvCsfLfy6EI15iL_4core14___rust_realloc");
void rust_before(void) {}
void rust_since(void) {}
void rust_other(void) {}

static void test_rust(void **state)
{
	static const char *const names[] = { "__rust_alloc", "__rust_dealloc", "__rust_realloc" };
	struct elf_file *f = elf_file_open("/proc/self/exe", "self");
	struct hits h = {0};

	(void)state;
	assert_int_equal(elf_file_find_functions(f, names, 3, SYMS_OWN, on_hit, &h), 2);
	assert_int_equal(h.index[0] + h.index[1], 1);
	elf_file_unref(f);
}

static void test_demangle(void **state)
{
	static const char *const pairs[][2] = {
		{ "_Znwm", "operator new(unsigned long)" },
		{ "_Znwm@plt", "operator new(unsigned long)@plt" },
		{ "_ZN3foo3barEi", "foo::bar(int)" },
		{ "_ZN4core3fmt5write17h0123456789abcdefE", "core::fmt::write" },
		{ "_RNvC6_123foo3bar", "123foo::bar" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(pairs); i++) {
		char *s = elf_demangle(pairs[i][0]);

#ifndef HAVE_LIBIBERTY
		assert_null(s);
		continue;
#endif
		assert_non_null(s);
		assert_string_equal(s, pairs[i][1]);
		free(s);
	}
	assert_null(elf_demangle("main"));
	assert_null(elf_demangle(""));
	assert_null(elf_demangle("_Zzz"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_kind),
		cmocka_unit_test(test_image),
		cmocka_unit_test(test_truncated),
		cmocka_unit_test(test_flipped),
		cmocka_unit_test(test_shrinking),
		cmocka_unit_test(test_no_elf),
		cmocka_unit_test(test_shared),
		cmocka_unit_test(test_libc),
#ifdef __GLIBC__
		cmocka_unit_test(test_versions),
#endif
		cmocka_unit_test(test_against_dladdr),
		cmocka_unit_test(test_variables),
		cmocka_unit_test(test_build_id),
		cmocka_unit_test(test_relocations),
		cmocka_unit_test(test_rust),
		cmocka_unit_test(test_demangle),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
