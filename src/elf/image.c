/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Headers, sections and notes of an ELF image.  See elf(5) and the gABI. */
#include <errno.h>
#include <endian.h>
#include "image.h"

#define MAX_BUILD_ID 64

static void read_tables(struct image *im, const uint8_t *eh)
{
	uint64_t n;
	const uint8_t *s0;

	im->phoff = ELF_GET(im, eh, Ehdr, e_phoff);
	im->phnum = (uint32_t)ELF_GET(im, eh, Ehdr, e_phnum);
	im->shoff = ELF_GET(im, eh, Ehdr, e_shoff);
	im->shstrndx = (uint32_t)ELF_GET(im, eh, Ehdr, e_shstrndx);
	n = ELF_GET(im, eh, Ehdr, e_shnum);

	if (im->shoff == 0 || !image_has(im, im->shoff, ELF_SIZEOF(im, Shdr)) ||
	    ELF_GET(im, eh, Ehdr, e_shentsize) != ELF_SIZEOF(im, Shdr)) {
		n = 0;
	} else {
		/* Numbers that do not fit the header are in section 0. */
		s0 = im->p + im->shoff;
		if (n == 0)
			n = ELF_GET(im, s0, Shdr, sh_size);
		if (im->shstrndx == SHN_XINDEX)
			im->shstrndx = (uint32_t)ELF_GET(im, s0, Shdr, sh_link);
		if (im->phnum == PN_XNUM)
			im->phnum = (uint32_t)ELF_GET(im, s0, Shdr, sh_info);
		n = MIN(n, (im->size - im->shoff) / ELF_SIZEOF(im, Shdr));
	}
	im->shnum = (uint32_t)MIN(n, UINT32_MAX);

	if (ELF_GET(im, eh, Ehdr, e_phentsize) != ELF_SIZEOF(im, Phdr) ||
	    im->phoff > im->size)
		im->phnum = 0;
	else
		im->phnum = (uint32_t)MIN(im->phnum,
					  (im->size - im->phoff) / ELF_SIZEOF(im, Phdr));
}

int image_init(struct image *im, struct elf_ident *ident)
{
	const uint8_t *p = im->p;

	if (im->size < sizeof(Elf32_Ehdr) || memcmp(p, ELFMAG, SELFMAG) != 0)
		return -ENOEXEC;
	if ((p[EI_CLASS] != ELFCLASS32 && p[EI_CLASS] != ELFCLASS64) ||
	    (p[EI_DATA] != ELFDATA2LSB && p[EI_DATA] != ELFDATA2MSB))
		return -ENOEXEC;
	im->is64 = p[EI_CLASS] == ELFCLASS64;
	im->swap = (p[EI_DATA] == ELFDATA2MSB) != (__BYTE_ORDER == __BIG_ENDIAN);
	if (im->size < ELF_SIZEOF(im, Ehdr))
		return -ENOEXEC;

	memset(ident, 0, sizeof *ident);
	ident->class = p[EI_CLASS];
	ident->data = p[EI_DATA];
	ident->machine = (uint16_t)ELF_GET(im, p, Ehdr, e_machine);
	ident->type = (uint16_t)ELF_GET(im, p, Ehdr, e_type);
	ident->entry = ELF_GET(im, p, Ehdr, e_entry);
	read_tables(im, p);
	return 0;
}

bool image_phdr(const struct image *im, uint32_t i, Elf64_Phdr *out)
{
	const uint8_t *p;

	if (i >= im->phnum)
		return false;
	p = im->p + im->phoff + i * ELF_SIZEOF(im, Phdr);
	out->p_type = (uint32_t)ELF_GET(im, p, Phdr, p_type);
	out->p_flags = (uint32_t)ELF_GET(im, p, Phdr, p_flags);
	out->p_offset = ELF_GET(im, p, Phdr, p_offset);
	out->p_vaddr = ELF_GET(im, p, Phdr, p_vaddr);
	out->p_paddr = ELF_GET(im, p, Phdr, p_paddr);
	out->p_filesz = ELF_GET(im, p, Phdr, p_filesz);
	out->p_memsz = ELF_GET(im, p, Phdr, p_memsz);
	out->p_align = ELF_GET(im, p, Phdr, p_align);
	return true;
}

struct strtab image_strtab(const struct image *im, uint64_t off, uint64_t size)
{
	struct strtab t = { "", 0 };
	const char *last;

	if (off >= im->size)
		return t;
	size = MIN(size, im->size - off);
	last = memrchr(im->p + off, 0, size);
	if (last) {
		t.s = (const char *)im->p + off;
		t.size = (uint64_t)(last - t.s) + 1;
	}
	return t;
}

/* Without the name. */
static bool raw_section(const struct image *im, uint32_t i, struct section *out, uint32_t *name)
{
	const uint8_t *p;

	if (i >= im->shnum)
		return false;
	p = im->p + im->shoff + i * ELF_SIZEOF(im, Shdr);
	*name = (uint32_t)ELF_GET(im, p, Shdr, sh_name);
	out->name = "";
	out->type = (uint32_t)ELF_GET(im, p, Shdr, sh_type);
	out->link = (uint32_t)ELF_GET(im, p, Shdr, sh_link);
	out->info = (uint32_t)ELF_GET(im, p, Shdr, sh_info);
	out->flags = ELF_GET(im, p, Shdr, sh_flags);
	out->addr = ELF_GET(im, p, Shdr, sh_addr);
	out->offset = ELF_GET(im, p, Shdr, sh_offset);
	out->size = ELF_GET(im, p, Shdr, sh_size);
	out->entsize = ELF_GET(im, p, Shdr, sh_entsize);
	return out->type == SHT_NOBITS || image_has(im, out->offset, out->size);
}

static struct strtab section_names(const struct image *im)
{
	struct section s;
	uint32_t name;

	if (!raw_section(im, im->shstrndx, &s, &name) || s.type != SHT_STRTAB)
		return (struct strtab){ "", 0 };
	return image_strtab(im, s.offset, s.size);
}

static bool named_section(const struct image *im, const struct strtab *names, uint32_t i,
			  struct section *out)
{
	uint32_t name;
	const char *s;

	if (!raw_section(im, i, out, &name))
		return false;
	s = strtab_at(names, name);
	out->name = s ? s : "";
	return true;
}

bool image_section(const struct image *im, uint32_t i, struct section *out)
{
	struct strtab names = section_names(im);

	return named_section(im, &names, i, out);
}

uint64_t image_section_flags(const struct image *im, uint32_t i)
{
	struct section s;
	uint32_t name;

	return raw_section(im, i, &s, &name) ? s.flags : 0;
}

bool image_section_named(const struct image *im, const char *name, struct section *out)
{
	struct strtab names = section_names(im);

	for (uint32_t i = 1; i < im->shnum; i++)
		if (named_section(im, &names, i, out) && strcmp(out->name, name) == 0)
			return true;
	return false;
}

bool image_section_typed(const struct image *im, uint32_t type, struct section *out)
{
	uint32_t name;

	for (uint32_t i = 1; i < im->shnum; i++)
		if (raw_section(im, i, out, &name) && out->type == type)
			return true;
	return false;
}

bool image_symtab(const struct image *im, uint32_t type, struct symtab *out)
{
	struct section s, str;
	uint32_t name;

	if (!image_section_typed(im, type, &s) ||
	    !raw_section(im, s.link, &str, &name) || str.type != SHT_STRTAB)
		return false;
	out->im = im;
	out->offset = s.offset;
	out->n = s.size / ELF_SIZEOF(im, Sym);
	out->str = image_strtab(im, str.offset, str.size);
	return true;
}

static const uint8_t *find_build_id(const struct image *im, uint64_t off, uint64_t size,
				    uint64_t align, size_t *len)
{
	uint64_t end = off + size, name, desc;

	align = align == 8 ? 8 : 4;
	while (off < end && end - off >= sizeof(Elf64_Nhdr)) {
		uint32_t namesz = image_u32(im, off);
		uint32_t descsz = image_u32(im, off + 4);
		uint32_t type = image_u32(im, off + 8);

		name = off + sizeof(Elf64_Nhdr);
		desc = name + ((uint64_t)namesz + align - 1) / align * align;
		if (desc > end || descsz > end - desc)
			break;
		if (type == NT_GNU_BUILD_ID && namesz == 4 && memcmp(im->p + name, "GNU", 4) == 0 &&
		    descsz > 0 && descsz <= MAX_BUILD_ID) {
			*len = descsz;
			return im->p + desc;
		}
		off = desc + ((uint64_t)descsz + align - 1) / align * align;
	}
	return NULL;
}

const uint8_t *image_build_id(const struct image *im, size_t *len)
{
	const uint8_t *id = NULL;
	Elf64_Phdr ph;
	struct section s;
	uint32_t name;

	/* Segments first, they are near the start of the file; a separate
	 * debug file has it only in its section. */
	for (uint32_t i = 0; !id && image_phdr(im, i, &ph); i++)
		if (ph.p_type == PT_NOTE && image_has(im, ph.p_offset, ph.p_filesz))
			id = find_build_id(im, ph.p_offset, ph.p_filesz, ph.p_align, len);
	for (uint32_t i = 1; !id && i < im->shnum; i++)
		if (raw_section(im, i, &s, &name) && s.type == SHT_NOTE)
			id = find_build_id(im, s.offset, s.size, 4, len);
	if (!id)
		*len = 0;
	return id;
}
