/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Stubs that jump to other objects' functions have no symbols; debuggers call
 * them "malloc@plt", and so do we.  x86 only, where program counters are met
 * there (lazy binding, tail calls). */
#include <endian.h>
#include "file.h"

#define STUB_SECTION_MAX (1u << 24)

struct stub {
	taddr_t slot;    /* the word it jumps through, or 0 */
	uint64_t index;  /* of its JUMP_SLOT relocation, when `pushes` */
	bool pushes;
};

static bool stub_section(const struct elf_file *f, taddr_t vaddr, struct section *s)
{
	for (uint32_t i = 1; i < f->im.shnum; i++)
		if (image_section(&f->im, i, s) && strncmp(s->name, ".plt", 4) == 0 &&
		    s->type == SHT_PROGBITS && vaddr >= s->addr && vaddr - s->addr < s->size &&
		    s->size < STUB_SECTION_MAX)
			return true;
	return false;
}

/* .plt.got of programs without control-flow protection has stubs of 8 bytes,
 * all others have 16. */
static unsigned stub_size(const struct section *s)
{
	return strcmp(s->name, ".plt.got") == 0 && s->entsize == 8 ? 8 : 16;
}

static taddr_t got_base(struct elf_file *f)
{
	struct section s;

	if (image_section_named(&f->im, ".got.plt", &s) || image_section_named(&f->im, ".got", &s))
		return s.addr;
	return 0;
}

/* What a stub of n bytes at vaddr does: jmp *slot, or push index; jmp. */
static void decode(struct elf_file *f, taddr_t vaddr, const uint8_t *p, unsigned n,
		   struct stub *out)
{
	uint32_t disp;

	for (unsigned i = 0; i + 6 <= n; i++) {
		memcpy(&disp, p + i + 2, 4);
		disp = le32toh(disp);
		if (p[i] == 0xff && p[i + 1] == 0x25) {
			out->slot = f->im.is64 ? vaddr + i + 6 + (taddr_t)(int32_t)disp : disp;
			return;
		}
		if (p[i] == 0xff && p[i + 1] == 0xa3) { /* jmp *disp(%ebx) */
			out->slot = (uint32_t)(got_base(f) + disp);
			return;
		}
		memcpy(&disp, p + i + 1, 4);
		if (p[i] == 0x68 && i <= 4) {
			out->pushes = true;
			out->index = le32toh(disp);
			return;
		}
	}
}

struct search {
	taddr_t slot;
	const char *name;
};

static bool match(void *arg, enum elf_reloc_kind kind, taddr_t slot, taddr_t addend,
		  const char *symbol)
{
	struct search *q = arg;

	(void)addend;
	if (slot != q->slot)
		return true;
	q->name = kind == RELOC_SYMBOL ? symbol : NULL;
	return false;
}

/* i386 pushes the relocation's offset, x86-64 its number. */
static taddr_t slot_of_index(struct elf_file *f, uint64_t index)
{
	const struct dynamic *d = file_dynamic(f);
	const struct image *im = &f->im;
	size_t entry = d->jmprel_is_rela ? ELF_SIZEOF(im, Rela) : ELF_SIZEOF(im, Rel);
	uint64_t off = im->is64 ? index * entry : index;

	if (!d->rel[2] || d->relsz[2] < entry || off > d->relsz[2] - entry ||
	    !image_has(im, d->rel[2], d->relsz[2]))
		return 0;
	return ELF_GET(im, im->p + d->rel[2] + off, Rela, r_offset);
}

bool file_plt_symbol(struct elf_file *f, taddr_t vaddr, struct elf_symbol *out)
{
	struct section s;
	struct stub stub = {0};
	struct search q = {0};
	uint64_t into;
	unsigned size;
	char *name;

	if ((f->ident.machine != EM_X86_64 && f->ident.machine != EM_386) ||
	    !stub_section(f, vaddr, &s))
		return false;
	size = stub_size(&s);
	into = (vaddr - s.addr) / size * size;
	if (s.size - into < size)
		return false;
	decode(f, s.addr + into, f->im.p + s.offset + into, size, &stub);
	q.slot = stub.pushes ? slot_of_index(f, stub.index) : stub.slot;
	if (!q.slot)
		return false;
	elf_file_each_got(f, match, &q);
	if (!q.name)
		return false;
	name = xasprintf("%s@plt", q.name);
	*out = (struct elf_symbol){ .value = s.addr + into, .size = size, .is_default = true };
	/* The keys of other names are pointers, so never that large. */
	out->name = file_keep_name(f, ~(s.addr + into), name, strlen(name));
	free(name);
	return true;
}
