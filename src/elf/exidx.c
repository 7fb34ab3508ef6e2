/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ARM's unwinding tables: .ARM.exidx has an entry of two words for each
 * function, in the order of addresses; the second word is a mark, or has the
 * instructions, or leads to them in .ARM.extab.  Source: Exception Handling ABI
 * for the Arm Architecture (IHI 0038), sections 6 and 7. */
#include "file.h"

#ifndef SHT_ARM_EXIDX
#define SHT_ARM_EXIDX 0x70000001
#endif
#ifndef PT_ARM_EXIDX
#define PT_ARM_EXIDX 0x70000001
#endif

enum { ENTRY = 8, CANTUNWIND = 1 };

static void use_table(struct elf_file *f, taddr_t addr, uint64_t off, uint64_t size)
{
	f->exidx_addr = addr;
	f->exidx = off;
	f->nexidx = size / ENTRY;
}

/* By the program header, which is in memory too, else by the section. */
static void find_table(struct elf_file *f)
{
	uint64_t off, len;
	struct section s;
	Elf64_Phdr ph;

	for (uint32_t i = 0; image_phdr(&f->im, i, &ph); i++) {
		if (ph.p_type == PT_ARM_EXIDX && file_offset(f, ph.p_vaddr, &off, &len)) {
			use_table(f, ph.p_vaddr, off, MIN(ph.p_memsz, len));
			return;
		}
	}
	if (image_section_typed(&f->im, SHT_ARM_EXIDX, &s))
		use_table(f, s.addr, s.offset, s.size);
}

/* A word at an address of the image. */
static bool word_at(const struct elf_file *f, taddr_t addr, uint32_t *v)
{
	uint64_t off, len;

	if (!file_offset(f, addr, &off, &len) || len < 4)
		return false;
	*v = image_u32(&f->im, off);
	return true;
}

/* What a 31-bit offset at `at` leads to. */
static taddr_t prel31(taddr_t at, uint32_t v)
{
	return (at + (taddr_t)(int64_t)((int32_t)(v << 1) >> 1)) & UINT32_MAX;
}

static taddr_t start_of(const struct elf_file *f, uint64_t i)
{
	uint64_t at = i * ENTRY;

	return prel31(f->exidx_addr + at, image_u32(&f->im, f->exidx + at)) & ~(taddr_t)1;
}

/* The last entry that begins at or before vaddr; false: none does. */
static bool find_entry(const struct elf_file *f, taddr_t vaddr, uint64_t *found)
{
	uint64_t low = 0, high = f->nexidx;

	while (low < high) {
		uint64_t mid = low + (high - low) / 2;

		if (start_of(f, mid) <= vaddr)
			low = mid + 1;
		else
			high = mid;
	}
	*found = low - 1;
	return low > 0;
}

/* The last `bytes` bytes of a word, the most significant first, as they are
 * executed. */
static void add_ops(struct exidx_entry *e, uint32_t word, unsigned bytes)
{
	while (bytes--)
		e->ops[e->n++] = (uint8_t)(word >> 8 * bytes);
}

static bool add_words(const struct elf_file *f, taddr_t at, unsigned n, struct exidx_entry *e)
{
	uint32_t word;

	for (unsigned i = 0; i < n; i++) {
		if (!word_at(f, at + 4u * i, &word))
			return false;
		add_ops(e, word, 4);
	}
	return true;
}

/* An entry of .ARM.extab.  Compact model: the top byte is 0x80 and the number
 * of the personality routine; 0 has three bytes of instructions, 1 and 2 say
 * how many words follow.  Generic model: the address of the routine; all
 * routines of GNU and LLVM have behind it what number 1 has. */
static bool read_extab(const struct elf_file *f, taddr_t at, struct exidx_entry *e)
{
	uint32_t word;

	if (!word_at(f, at, &word))
		return false;
	if (!(word >> 31)) {
		at += 4;
		if (!word_at(f, at, &word))
			return false;
		add_ops(e, word, 3);
		return add_words(f, at + 4, word >> 24, e);
	}
	switch (word >> 24) {
	case 0x80:
		add_ops(e, word, 3);
		return true;
	case 0x81:
	case 0x82:
		add_ops(e, word, 2);
		return add_words(f, at + 4, word >> 16 & 0xff, e);
	default:
		return false;
	}
}

static taddr_t end_of_segment(const struct elf_file *f, taddr_t vaddr)
{
	for (size_t i = 0; i < f->segs.n; i++)
		if (vaddr >= f->segs.v[i].vaddr && vaddr - f->segs.v[i].vaddr < f->segs.v[i].memsz)
			return f->segs.v[i].vaddr + f->segs.v[i].memsz;
	return vaddr;
}

enum exidx_kind elf_file_exidx(struct elf_file *f, taddr_t vaddr, struct exidx_entry *out)
{
	uint64_t i;
	uint32_t word;
	taddr_t at;

	if (f->ident.machine != EM_ARM)
		return EXIDX_NONE;
	if (!f->exidx_tried) {
		f->exidx_tried = true;
		find_table(f);
	}
	if (!find_entry(f, vaddr, &i))
		return EXIDX_NONE;
	out->n = 0;
	out->start = start_of(f, i);
	out->end = i + 1 < f->nexidx ? start_of(f, i + 1) : end_of_segment(f, vaddr);
	if (out->start > vaddr || out->end <= vaddr)
		return EXIDX_NONE;
	at = f->exidx_addr + i * ENTRY + 4;
	word = image_u32(&f->im, f->exidx + i * ENTRY + 4);
	if (word == CANTUNWIND)
		return EXIDX_CANT;
	if (word >> 24 == 0x80) {
		add_ops(out, word, 3);
		return EXIDX_OPS;
	}
	return !(word >> 31) && read_extab(f, prel31(at, word), out) ? EXIDX_OPS : EXIDX_NONE;
}
