/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The instructions that real libraries have at their functions' entries, and
 * behind calls, can be displaced.  A library that is not there is skipped. */
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <gelf.h>
#include <cmocka.h>
#include "arch/abi.h"

#define SLOT_DISTANCE 0x4000000 /* behind every library here */

struct library {
	int fd;
	Elf *elf;
	const struct abi *abi;
};

struct count {
	unsigned n, kind[3], invalid;
};

static void displace_one(const struct library *lib, taddr_t addr, const uint8_t *insn, size_t len,
			 struct count *c, struct displaced *d)
{
	c->n++;
	if (lib->abi->displace(lib->abi, addr, insn, len, addr + SLOT_DISTANCE, false, d))
		c->invalid++;
	else
		c->kind[d->kind]++;
}

static bool open_library(const char *path, struct library *lib)
{
	GElf_Ehdr eh;

	elf_version(EV_CURRENT);
	lib->fd = open(path, O_RDONLY | O_CLOEXEC);
	if (lib->fd < 0)
		return false;
	lib->elf = elf_begin(lib->fd, ELF_C_READ_MMAP, NULL);
	assert_non_null(lib->elf);
	assert_non_null(gelf_getehdr(lib->elf, &eh));
	lib->abi = abi_lookup(eh.e_machine, eh.e_ident[EI_CLASS], eh.e_ident[EI_DATA]);
	return lib->abi != NULL;
}

static void close_library(struct library *lib)
{
	elf_end(lib->elf);
	close(lib->fd);
}

/* The bytes at a virtual address, and how many there are in its section. */
static const uint8_t *bytes_at(const struct library *lib, unsigned shndx, uint64_t addr, size_t *n)
{
	Elf_Scn *scn = elf_getscn(lib->elf, shndx);
	Elf_Data *data = scn ? elf_rawdata(scn, NULL) : NULL;
	GElf_Shdr sh;

	if (!data || !data->d_buf || !gelf_getshdr(scn, &sh) || addr - sh.sh_addr >= data->d_size)
		return NULL;
	*n = data->d_size - (addr - sh.sh_addr);
	return (const uint8_t *)data->d_buf + (addr - sh.sh_addr);
}

static Elf_Scn *find_section(const struct library *lib, unsigned type, const char *name)
{
	size_t strings;
	GElf_Shdr sh;

	elf_getshdrstrndx(lib->elf, &strings);
	for (Elf_Scn *s = NULL; (s = elf_nextscn(lib->elf, s));)
		if (gelf_getshdr(s, &sh) && sh.sh_type == type &&
		    (!name || !strcmp(elf_strptr(lib->elf, strings, sh.sh_name), name)))
			return s;
	return NULL;
}

static bool is_allocator(const char *name)
{
	static const char *const names[] = {
		"malloc", "free", "calloc", "realloc", "reallocarray", "posix_memalign",
		"aligned_alloc", "memalign", "valloc", "pvalloc", "cfree", "mmap", "mmap64",
		"munmap", "mremap", "brk", "sbrk",
	};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (!strcmp(name, names[i]))
			return true;
	return !strncmp(name, "_Znw", 4) || !strncmp(name, "_Zna", 4) ||
	       !strncmp(name, "_Zdl", 4) || !strncmp(name, "_Zda", 4);
}

/* Every function's first instruction; an allocator's needs no single step. */
static void check_entries(const struct library *lib, struct count *all, struct count *allocators)
{
	Elf_Scn *scn = find_section(lib, SHT_DYNSYM, NULL);
	Elf_Data *data = elf_getdata(scn, NULL);
	struct displaced d;
	GElf_Shdr sh;
	GElf_Sym sym;

	gelf_getshdr(scn, &sh);
	for (int i = 0; gelf_getsym(data, i, &sym); i++) {
		const uint8_t *insn;
		size_t n;

		if (GELF_ST_TYPE(sym.st_info) != STT_FUNC || sym.st_shndx == SHN_UNDEF)
			continue;
		insn = bytes_at(lib, sym.st_shndx, sym.st_value, &n);
		if (!insn)
			continue;
		displace_one(lib, sym.st_value, insn, n, all, &d);
		if (!is_allocator(elf_strptr(lib->elf, sh.sh_link, sym.st_name)))
			continue;
		displace_one(lib, sym.st_value, insn, n, allocators, &d);
		assert_int_not_equal(d.kind, DISPLACE_STEP);
	}
}

/* Return addresses: what follows a call in .text. */
static void check_returns(const struct library *lib, struct count *c)
{
	Elf_Scn *scn = find_section(lib, SHT_PROGBITS, ".text");
	Elf_Data *data = elf_rawdata(scn, NULL);
	const uint8_t *p = data->d_buf;
	struct displaced d;
	bool after_call = false;
	GElf_Shdr sh;

	gelf_getshdr(scn, &sh);
	for (size_t at = 0; at < data->d_size;) {
		int len = lib->abi->insn_length(lib->abi, sh.sh_addr + at, p + at, data->d_size - at);

		if (len < 0)
			len = 1; /* data between functions */
		else if (after_call)
			displace_one(lib, sh.sh_addr + at, p + at, data->d_size - at, c, &d);
		after_call = p[at] == 0xe8 && len == 5;
		at += len;
	}
}

static void print(const char *path, const char *what, const struct count *c)
{
	print_message("%s: %u %s: %u need no code, %u a slot, %u a step, %u invalid\n", path, c->n,
		      what, c->kind[DISPLACE_GOTO], c->kind[DISPLACE_SLOT], c->kind[DISPLACE_STEP],
		      c->invalid);
}

/* Returns the number of allocator entries, −1 when there is no such library. */
static int check_library(const char *path)
{
	struct count entries = { 0 }, allocators = { 0 }, returns = { 0 };
	struct library lib;

	if (!open_library(path, &lib))
		return -1;
	check_entries(&lib, &entries, &allocators);
	check_returns(&lib, &returns);
	print(path, "functions", &entries);
	print(path, "allocation functions", &allocators);
	print(path, "places behind a call", &returns);
	assert_int_equal(entries.invalid, 0);
	assert_int_equal(allocators.invalid, 0);
	assert_int_equal(returns.invalid, 0);
	/* System calls are stepped, and nothing else is. */
	assert_true(entries.kind[DISPLACE_STEP] * 100 <= entries.n);
	assert_true(returns.kind[DISPLACE_STEP] * 1000 <= returns.n);
	close_library(&lib);
	return (int)allocators.n;
}

/* The path of a library in this process. */
static char *own_library(const char *name)
{
	FILE *f = fopen("/proc/self/maps", "re");
	static char line[4096];
	char *slash, *found = NULL;

	assert_non_null(f);
	while (!found && fgets(line, sizeof line, f)) {
		line[strcspn(line, "\n")] = 0;
		slash = strchr(line, '/');
		if (slash && !strncmp(strrchr(line, '/') + 1, name, strlen(name)))
			found = strdup(slash);
	}
	fclose(f);
	return found;
}

static void own_libc(void **state)
{
	char *path = own_library("libc.");

	(void)state;
	if (!path || check_library(path) < 0)
		skip(); /* static, or a machine that is not x86 */
	free(path);
}

static void other_libraries(void **state)
{
	static const char *const paths[] = {
		"/lib32/libc.so.6",
		"/usr/lib32/libstdc++.so.6",
		"/lib/i386-linux-gnu/libc.so.6",
		"/usr/lib/i386-linux-gnu/libstdc++.so.6",
		"/usr/lib/x86_64-linux-gnu/libstdc++.so.6",
		"/usr/lib/x86_64-linux-gnu/libjemalloc.so.2",
		"/usr/lib64/libstdc++.so.6",
		"/lib/ld-musl-x86_64.so.1",
	};
	unsigned found = 0;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
		int n = check_library(paths[i]);

		if (n < 0)
			continue;
		found++;
		assert_true(n > 0);
	}
	if (!found)
		skip();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(own_libc),
		cmocka_unit_test(other_libraries),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
