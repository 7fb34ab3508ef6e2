/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Relocations that fill words with addresses of functions. */
#include "file.h"

/* Relocation types, from the psABI documents; musl's elf.h lacks some. */
#ifndef R_AARCH64_IRELATIVE
#define R_AARCH64_IRELATIVE 1032
#endif
#ifndef R_390_IRELATIVE
#define R_390_IRELATIVE 61
#endif
#ifndef R_RISCV_IRELATIVE
#define R_RISCV_IRELATIVE 58
#endif

static const struct {
	uint16_t machine;
	uint32_t irelative, jump_slot, glob_dat;
} reloc_types[] = {
	{ EM_X86_64, R_X86_64_IRELATIVE, R_X86_64_JUMP_SLOT, R_X86_64_GLOB_DAT },
	{ EM_386, R_386_IRELATIVE, R_386_JMP_SLOT, R_386_GLOB_DAT },
	{ EM_ARM, R_ARM_IRELATIVE, R_ARM_JUMP_SLOT, R_ARM_GLOB_DAT },
	{ EM_AARCH64, R_AARCH64_IRELATIVE, R_AARCH64_JUMP_SLOT, R_AARCH64_GLOB_DAT },
	{ EM_PPC, R_PPC_IRELATIVE, R_PPC_JMP_SLOT, R_PPC_GLOB_DAT },
	{ EM_PPC64, R_PPC64_IRELATIVE, R_PPC64_JMP_SLOT, R_PPC64_GLOB_DAT },
	{ EM_S390, R_390_IRELATIVE, R_390_JMP_SLOT, R_390_GLOB_DAT },
	{ EM_RISCV, R_RISCV_IRELATIVE, R_RISCV_JUMP_SLOT, R_RISCV_64 },
};

struct walk {
	struct elf_file *f;
	uint32_t irelative, jump_slot, glob_dat;
	const struct symtab *syms;
	bool (*fn)(void *, enum elf_reloc_kind, taddr_t, taddr_t, const char *);
	void *arg;
};

/* REL keeps the addend in the word itself. */
static taddr_t addend_in_place(const struct elf_file *f, taddr_t slot)
{
	uint64_t off, len;

	return file_offset(f, slot, &off, &len) ? image_word(&f->im, off) : 0;
}

/* False: the caller's function wants no more. */
static bool one_reloc(struct walk *w, const uint8_t *p, bool rela)
{
	const struct image *im = &w->f->im;
	uint64_t info = ELF_GET(im, p, Rela, r_info);
	uint32_t type = (uint32_t)(im->is64 ? ELF64_R_TYPE(info) : ELF32_R_TYPE(info));
	taddr_t slot = ELF_GET(im, p, Rela, r_offset), addend;
	struct sym s;
	const char *name;

	if (type == w->irelative) {
		addend = rela ? ELF_GET(im, p, Rela, r_addend) : addend_in_place(w->f, slot);
		return w->fn(w->arg, RELOC_IRELATIVE, slot, addend, NULL);
	}
	if ((type != w->jump_slot && type != w->glob_dat) || !w->syms ||
	    !symtab_get(w->syms, im->is64 ? ELF64_R_SYM(info) : ELF32_R_SYM(info), &s))
		return true;
	name = strtab_at(&w->syms->str, s.name);
	if (!name || !*name)
		return true;
	addend = rela ? ELF_GET(im, p, Rela, r_addend) : 0;
	return w->fn(w->arg, RELOC_SYMBOL, slot, addend, name);
}

static bool each_reloc(struct walk *w, uint64_t off, uint64_t size, bool rela)
{
	const struct image *im = &w->f->im;
	size_t entry = rela ? ELF_SIZEOF(im, Rela) : ELF_SIZEOF(im, Rel);

	if (!off || !image_has(im, off, size))
		return true;
	for (; size >= entry; off += entry, size -= entry)
		if (!one_reloc(w, im->p + off, rela))
			return false;
	return true;
}

/* A static program has no .dynamic; its IRELATIVE relocations are in a section
 * that start-up code finds by symbols. */
static void each_static_reloc(struct walk *w)
{
	struct section s;

	for (uint32_t i = 1; i < w->f->im.shnum; i++)
		if (image_section(&w->f->im, i, &s) && s.flags & SHF_ALLOC &&
		    (s.type == SHT_RELA || s.type == SHT_REL) &&
		    !each_reloc(w, s.offset, s.size, s.type == SHT_RELA))
			return;
}

void elf_file_each_got(struct elf_file *f,
		       bool (*fn)(void *arg, enum elf_reloc_kind kind, taddr_t slot, taddr_t addend,
				  const char *symbol),
		       void *arg)
{
	const struct dynamic *d = file_dynamic(f);
	struct walk w = { .f = f, .fn = fn, .arg = arg };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(reloc_types); i++)
		if (reloc_types[i].machine == f->ident.machine)
			break;
	if (i == ARRAY_SIZE(reloc_types))
		return;
	w.irelative = reloc_types[i].irelative;
	w.jump_slot = reloc_types[i].jump_slot;
	w.glob_dat = reloc_types[i].glob_dat;
	w.syms = d->syms.n ? &d->syms : NULL;
	if (!d->n) {
		each_static_reloc(&w);
		return;
	}
	/* JMPREL first: that is where most are. */
	if (each_reloc(&w, d->rel[2], d->relsz[2], d->jmprel_is_rela) &&
	    each_reloc(&w, d->rel[0], d->relsz[0], true))
		each_reloc(&w, d->rel[1], d->relsz[1], false);
}
