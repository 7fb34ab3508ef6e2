/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A small ARM object with an .ARM.exidx, of the host's byte order: one segment,
 * addresses are offsets. */
#ifndef MTRACE_TESTS_EXIDX_FIXTURE_H
#define MTRACE_TESTS_EXIDX_FIXTURE_H

#include <elf.h>
#include <stdint.h>
#include <string.h>
#include "base/types.h"

enum { EXIDX_AT = 0x80, EXTAB_AT = 0x100, TEXT_AT = 0x400, OBJECT_SIZE = 0x800 };

struct exidx_object {
	uint8_t b[OBJECT_SIZE];
	unsigned nexidx, nextab;
};

static inline void exidx_put32(struct exidx_object *o, unsigned at, uint32_t v)
{
	memcpy(o->b + at, &v, 4);
}

static inline uint32_t exidx_prel31(unsigned from, unsigned to)
{
	return (to - from) & 0x7fffffff;
}

static inline void exidx_begin(struct exidx_object *o, bool by_header)
{
	Elf32_Ehdr eh = { .e_type = ET_DYN, .e_machine = EM_ARM, .e_version = EV_CURRENT,
			  .e_phoff = sizeof eh, .e_ehsize = sizeof eh,
			  .e_phentsize = sizeof(Elf32_Phdr), .e_phnum = by_header ? 2 : 1,
			  .e_shentsize = sizeof(Elf32_Shdr) };
	const uint16_t one = 1;
	Elf32_Phdr load = { .p_type = PT_LOAD, .p_filesz = OBJECT_SIZE, .p_memsz = OBJECT_SIZE,
			    .p_flags = PF_R | PF_X };

	memset(o, 0, sizeof *o);
	memcpy(eh.e_ident, ELFMAG, SELFMAG);
	eh.e_ident[EI_CLASS] = ELFCLASS32;
	eh.e_ident[EI_DATA] = *(const uint8_t *)&one ? ELFDATA2LSB : ELFDATA2MSB;
	eh.e_ident[EI_VERSION] = EV_CURRENT;
	memcpy(o->b, &eh, sizeof eh);
	memcpy(o->b + sizeof eh, &load, sizeof load);
}

static inline void exidx_entry(struct exidx_object *o, unsigned start, uint32_t word)
{
	unsigned at = EXIDX_AT + 8 * o->nexidx++;

	exidx_put32(o, at, exidx_prel31(at, start));
	exidx_put32(o, at + 4, word);
}

/* An entry whose instructions are in .ARM.extab. */
static inline void exidx_far(struct exidx_object *o, unsigned start, const uint32_t *words, unsigned n)
{
	unsigned at = EXIDX_AT + 8 * o->nexidx, table = EXTAB_AT + 4 * o->nextab;

	exidx_entry(o, start, exidx_prel31(at + 4, table));
	for (unsigned i = 0; i < n; i++)
		exidx_put32(o, EXTAB_AT + 4 * o->nextab++, words[i]);
}

static inline void exidx_end(struct exidx_object *o, bool by_header)
{
	Elf32_Phdr ph = { .p_type = PT_ARM_EXIDX, .p_offset = EXIDX_AT, .p_vaddr = EXIDX_AT,
			  .p_filesz = 8 * o->nexidx, .p_memsz = 8 * o->nexidx, .p_flags = PF_R };

	if (by_header)
		memcpy(o->b + sizeof(Elf32_Ehdr) + sizeof ph, &ph, sizeof ph);
}

#endif
