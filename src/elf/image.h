/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The bytes of an ELF file and how they are read: of either class and byte
 * order, nothing trusted.  All offsets are offsets into the image; what lies
 * outside reads as "not there". */
#ifndef MTRACE_ELF_IMAGE_H
#define MTRACE_ELF_IMAGE_H

#include <elf.h>
#include <string.h>
#include "elf/elf_file.h"

struct image {
	const uint8_t *p;
	uint64_t size;
	bool is64, swap;
	/* Tables that lie inside the image; 0 entries when they do not. */
	uint64_t phoff, shoff;
	uint32_t phnum, shnum, shstrndx;
};

struct section {
	const char *name; /* never NULL */
	uint32_t type, link, info;
	uint64_t flags, addr, offset, size, entsize; /* inside the image unless NOBITS */
};

/* A string table: every offset below `size` is a terminated string. */
struct strtab {
	const char *s;
	uint64_t size;
};

struct symtab {
	const struct image *im;
	uint64_t offset, n; /* n entries lie inside the image */
	struct strtab str;
};

struct sym {
	uint64_t value, size;
	uint32_t name;
	uint16_t shndx;
	uint8_t type, bind;
};

static inline bool image_has(const struct image *im, uint64_t off, uint64_t len)
{
	return off <= im->size && len <= im->size - off;
}

/* n is a constant everywhere, so that this becomes one load. */
static inline uint64_t image_get(const struct image *im, const uint8_t *p, size_t n)
{
	uint16_t h;
	uint32_t w;
	uint64_t x;

	switch (n) {
	case 1:
		return *p;
	case 2:
		memcpy(&h, p, 2);
		return im->swap ? __builtin_bswap16(h) : h;
	case 4:
		memcpy(&w, p, 4);
		return im->swap ? __builtin_bswap32(w) : w;
	default:
		memcpy(&x, p, 8);
		return im->swap ? __builtin_bswap64(x) : x;
	}
}

/* Field of an ELF structure at p: ELF_GET(im, p, Sym, st_value). */
#define ELF_FIELD(im, p, type, field) \
	image_get((im), (p) + offsetof(type, field), sizeof ((type *)0)->field)
#define ELF_GET(im, p, type, field)                             \
	((im)->is64 ? ELF_FIELD((im), (p), Elf64_##type, field) \
		    : ELF_FIELD((im), (p), Elf32_##type, field))
#define ELF_SIZEOF(im, type) ((im)->is64 ? sizeof(Elf64_##type) : sizeof(Elf32_##type))

static inline uint32_t image_u32(const struct image *im, uint64_t off)
{
	return image_has(im, off, 4) ? (uint32_t)image_get(im, im->p + off, 4) : 0;
}

/* A word of the class's size. */
static inline uint64_t image_word(const struct image *im, uint64_t off)
{
	size_t n = im->is64 ? 8 : 4;

	if (!image_has(im, off, n))
		return 0;
	return im->is64 ? image_get(im, im->p + off, 8) : image_get(im, im->p + off, 4);
}

/* Reads the ELF header of im->p, im->size.  0, or -ENOEXEC. */
int image_init(struct image *im, struct elf_ident *ident);
/* Program header i; false when there is none. */
bool image_phdr(const struct image *im, uint32_t i, Elf64_Phdr *out);
/* Section i; false when there is none or it does not lie inside. */
bool image_section(const struct image *im, uint32_t i, struct section *out);
/* Its flags alone; 0 when there is none. */
uint64_t image_section_flags(const struct image *im, uint32_t i);
bool image_section_named(const struct image *im, const char *name, struct section *out);
/* The first section of a type. */
bool image_section_typed(const struct image *im, uint32_t type, struct section *out);
struct strtab image_strtab(const struct image *im, uint64_t off, uint64_t size);
/* The symbol table in a section of type SHT_SYMTAB or SHT_DYNSYM. */
bool image_symtab(const struct image *im, uint32_t type, struct symtab *out);
/* The GNU build id; NULL when there is none. */
const uint8_t *image_build_id(const struct image *im, size_t *len);

/* NULL when the offset is outside. */
static inline const char *strtab_at(const struct strtab *t, uint64_t off)
{
	return off < t->size ? t->s + off : NULL;
}

static inline bool symtab_get(const struct symtab *t, uint64_t i, struct sym *out)
{
	const struct image *im = t->im;
	const uint8_t *p;

	if (i >= t->n)
		return false;
	p = im->p + t->offset + i * ELF_SIZEOF(im, Sym);
	out->value = ELF_GET(im, p, Sym, st_value);
	out->size = ELF_GET(im, p, Sym, st_size);
	out->name = (uint32_t)ELF_GET(im, p, Sym, st_name);
	out->shndx = (uint16_t)ELF_GET(im, p, Sym, st_shndx);
	out->type = ELF_GET(im, p, Sym, st_info) & 15;
	out->bind = (uint8_t)ELF_GET(im, p, Sym, st_info) >> 4;
	return true;
}

#endif
