/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ELF files made of bytes, of any class and byte order: one text segment with
 * .dynsym, its hash table of either kind, .dynamic, and a .symtab.
 *
 *   0x000 headers   0x200 .hash   0x400 .dynsym   0x600 .dynstr
 *   0x800 .dynamic  0xa00 .symtab 0xc00 .strtab   0xe00 .shstrtab
 *   0x1000 text     0x2000 section headers */
#ifndef MTRACE_TESTS_ELF_FIXTURE_H
#define MTRACE_TESTS_ELF_FIXTURE_H

#include <elf.h>
#include <string.h>
#include <unistd.h>
#include <sys/mman.h>
#include "base/types.h"

#define FIX_BASE 0x400000u /* virtual address of the file's first byte */
#define FIX_SIZE 0x2400u

struct fixture {
	uint8_t b[FIX_SIZE];
	bool is64, big;
	unsigned ndyn, nsym, ntag, nsec;
	unsigned dynstr, strtab, shstr;
};

static inline void fix_put(struct fixture *x, size_t at, uint64_t v, size_t n)
{
	for (size_t i = 0; i < n; i++)
		x->b[at + i] = (uint8_t)(v >> 8 * (x->big ? n - 1 - i : i));
}

/* Puts a field of a structure at an offset. */
#define FIX(x, at, type, field, v)                                                      \
	((x)->is64 ? fix_put((x), (at) + offsetof(Elf64_##type, field), (uint64_t)(v),  \
			     sizeof ((Elf64_##type *)0)->field)                         \
		   : fix_put((x), (at) + offsetof(Elf32_##type, field), (uint64_t)(v),  \
			     sizeof ((Elf32_##type *)0)->field))
#define FIX_SIZEOF(x, type) ((x)->is64 ? sizeof(Elf64_##type) : sizeof(Elf32_##type))

static inline unsigned fix_string(struct fixture *x, size_t table, unsigned *used, const char *s)
{
	unsigned at = *used;

	memcpy(x->b + table + at, s, strlen(s) + 1);
	*used += (unsigned)strlen(s) + 1;
	return at;
}

static inline void fix_symbol(struct fixture *x, size_t at, unsigned name, uint64_t value,
			      uint64_t size, unsigned bind, unsigned type)
{
	FIX(x, at, Sym, st_name, name);
	FIX(x, at, Sym, st_value, value);
	FIX(x, at, Sym, st_size, size);
	FIX(x, at, Sym, st_info, bind << 4 | type);
	FIX(x, at, Sym, st_shndx, 1);
}

static inline void fix_dynsym(struct fixture *x, const char *name, uint64_t off, uint64_t size)
{
	fix_symbol(x, 0x400 + ++x->ndyn * FIX_SIZEOF(x, Sym),
		   fix_string(x, 0x600, &x->dynstr, name), FIX_BASE + 0x1000 + off, size,
		   STB_GLOBAL, STT_FUNC);
}

static inline void fix_symtab(struct fixture *x, const char *name, uint64_t off, uint64_t size,
			      unsigned bind, unsigned type)
{
	fix_symbol(x, 0xa00 + ++x->nsym * FIX_SIZEOF(x, Sym),
		   fix_string(x, 0xc00, &x->strtab, name), FIX_BASE + 0x1000 + off, size, bind,
		   type);
}

static inline void fix_tag(struct fixture *x, uint64_t tag, uint64_t v)
{
	size_t at = 0x800 + x->ntag++ * FIX_SIZEOF(x, Dyn);

	FIX(x, at, Dyn, d_tag, tag);
	FIX(x, at, Dyn, d_un, v);
}

static inline void fix_section(struct fixture *x, const char *name, unsigned type, unsigned flags,
			       uint64_t off, uint64_t size, unsigned link)
{
	size_t at = 0x2000 + x->nsec++ * FIX_SIZEOF(x, Shdr);

	FIX(x, at, Shdr, sh_name, fix_string(x, 0xe00, &x->shstr, name));
	FIX(x, at, Shdr, sh_type, type);
	FIX(x, at, Shdr, sh_flags, flags);
	FIX(x, at, Shdr, sh_addr, flags & SHF_ALLOC ? FIX_BASE + off : 0);
	FIX(x, at, Shdr, sh_offset, off);
	FIX(x, at, Shdr, sh_size, size);
	FIX(x, at, Shdr, sh_link, link);
}

static inline void fix_begin(struct fixture *x, bool is64, bool big)
{
	memset(x, 0, sizeof *x);
	x->is64 = is64;
	x->big = big;
	x->dynstr = x->strtab = x->shstr = 1;
}

static inline void fix_header(struct fixture *x, unsigned machine)
{
	memcpy(x->b, ELFMAG, SELFMAG);
	x->b[EI_CLASS] = x->is64 ? ELFCLASS64 : ELFCLASS32;
	x->b[EI_DATA] = x->big ? ELFDATA2MSB : ELFDATA2LSB;
	x->b[EI_VERSION] = EV_CURRENT;
	FIX(x, 0, Ehdr, e_type, ET_DYN);
	FIX(x, 0, Ehdr, e_machine, machine);
	FIX(x, 0, Ehdr, e_version, EV_CURRENT);
	FIX(x, 0, Ehdr, e_entry, FIX_BASE + 0x1000);
	FIX(x, 0, Ehdr, e_phoff, 0x80);
	FIX(x, 0, Ehdr, e_shoff, 0x2000);
	FIX(x, 0, Ehdr, e_ehsize, FIX_SIZEOF(x, Ehdr));
	FIX(x, 0, Ehdr, e_phentsize, FIX_SIZEOF(x, Phdr));
	FIX(x, 0, Ehdr, e_phnum, 2);
	FIX(x, 0, Ehdr, e_shentsize, FIX_SIZEOF(x, Shdr));
	FIX(x, 0, Ehdr, e_shnum, x->nsec);
	FIX(x, 0, Ehdr, e_shstrndx, 5);
}

static inline void fix_segment(struct fixture *x, unsigned i, unsigned type, uint64_t off,
			       uint64_t size)
{
	size_t at = 0x80 + i * FIX_SIZEOF(x, Phdr);

	FIX(x, at, Phdr, p_type, type);
	FIX(x, at, Phdr, p_flags, PF_R | PF_X);
	FIX(x, at, Phdr, p_offset, off);
	FIX(x, at, Phdr, p_vaddr, FIX_BASE + off);
	FIX(x, at, Phdr, p_filesz, size);
	FIX(x, at, Phdr, p_memsz, size);
	FIX(x, at, Phdr, p_align, 0x1000);
}

/* One bucket that holds all symbols. */
static inline void fix_sysv_hash(struct fixture *x)
{
	fix_put(x, 0x200, 1, 4);
	fix_put(x, 0x204, x->ndyn + 1, 4);
	fix_put(x, 0x208, 1, 4);
	for (unsigned i = 1; i <= x->ndyn; i++)
		fix_put(x, 0x20c + 4 * i, i < x->ndyn ? i + 1 : 0, 4);
	fix_tag(x, DT_HASH, FIX_BASE + 0x200);
}

static inline void fix_gnu_hash(struct fixture *x)
{
	size_t word = x->is64 ? 8 : 4, chains = 0x210 + word + 4, s;
	uint32_t h;

	fix_put(x, 0x200, 1, 4);            /* buckets */
	fix_put(x, 0x204, 1, 4);            /* first symbol */
	fix_put(x, 0x208, 1, 4);            /* bloom words */
	fix_put(x, 0x20c, 5, 4);
	fix_put(x, 0x210, UINT64_MAX, word); /* a filter that lets all pass */
	fix_put(x, 0x210 + word, 1, 4);
	for (unsigned i = 1, at = 1; i <= x->ndyn; i++) {
		for (h = 5381, s = 0x600 + at; x->b[s]; s++, at++)
			h = h * 33 + x->b[s];
		at++;
		fix_put(x, chains + 4 * (i - 1), (h & ~1u) | (i == x->ndyn), 4);
	}
	fix_tag(x, DT_GNU_HASH, FIX_BASE + 0x200);
}

/* Adds what describes the tables, when all symbols are there. */
static inline void fix_end(struct fixture *x, unsigned machine)
{
	fix_tag(x, DT_SYMTAB, FIX_BASE + 0x400);
	fix_tag(x, DT_STRTAB, FIX_BASE + 0x600);
	fix_tag(x, DT_STRSZ, x->dynstr);
	fix_tag(x, DT_NULL, 0);
	fix_section(x, "", SHT_NULL, 0, 0, 0, 0);
	fix_section(x, ".text", SHT_PROGBITS, SHF_ALLOC | SHF_EXECINSTR, 0x1000, 0x1000, 0);
	fix_section(x, ".symtab", SHT_SYMTAB, 0, 0xa00, (x->nsym + 1) * FIX_SIZEOF(x, Sym), 3);
	fix_section(x, ".strtab", SHT_STRTAB, 0, 0xc00, x->strtab, 0);
	fix_section(x, ".data", SHT_PROGBITS, SHF_ALLOC | SHF_WRITE, 0x1f00, 0x10, 0);
	fix_section(x, ".shstrtab", SHT_STRTAB, 0, 0xe00, 0x100, 0);
	fix_segment(x, 0, PT_LOAD, 0, 0x2000);
	fix_segment(x, 1, PT_DYNAMIC, 0x800, x->ntag * FIX_SIZEOF(x, Dyn));
	fix_header(x, machine);
}

/* A file of these bytes; -1 when that cannot be. */
static inline int fix_memfd(const void *p, size_t n)
{
	int fd = memfd_create("fixture", MFD_CLOEXEC);

	if (fd >= 0 && write(fd, p, n) != (ssize_t)n) {
		close(fd);
		fd = -1;
	}
	return fd;
}

#endif
