/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The rows of a file, for a tracer that has none (model/rows.h).  Those whose rules are
 * expressions are left out. */
#include "unwind-internal.h"

#define SEGMENT_EXECUTABLE 1u /* PF_X */

struct teller {
	const struct abi *abi;
	struct elf_file *file;
	struct rows_writer *to;
	struct row row;
	union {
		struct saves saves;
		uint8_t room[SAVES_MAX_BYTES];
	} scratch;
};

/* The row at vaddr; false: none that can be told.  It holds, or there is none, up to
 * *end. */
static bool find_row(struct teller *t, taddr_t vaddr, taddr_t *end)
{
	static const int places[] = { CFI_EH_FRAME, CFI_DEBUG_FRAME };
	struct row_maker m = { .row = &t->row, .saves = &t->scratch.saves };

	*end = 0;
	for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
		bool told = row_make(t->abi, elf_file_cfi(t->file, places[i]), vaddr, &m) &&
			    t->row.kind != ROW_FULL;

		free(m.full);
		*end = told ? m.end : MAX(*end, m.end);
		if (told)
			return true;
	}
	return false;
}

static void add_save(const struct abi *abi, const struct save *from, struct row_shape *s)
{
	s->save[s->nsaves++] = (struct shape_save){ .reg = (uint16_t)abi_dwarf_number(abi, from->reg),
						    .from_base = from->from_base, .off = from->off };
}

static struct row_shape shape_of(const struct teller *t)
{
	const struct saves *saves = &t->scratch.saves;
	const struct row *row = &t->row;
	struct row_shape s = { .kind = SHAPE_OUTERMOST };

	if (row->kind == ROW_OUTERMOST)
		return s;
	s.kind = row->kind == ROW_DEREF ? SHAPE_DEREF : SHAPE_OFFSET;
	s.ra = saves->ra == RA_AT_CFA ? SHAPE_RA_AT_CFA :
	       saves->ra == RA_AT_BASE ? SHAPE_RA_AT_BASE : SHAPE_RA_IN_REG;
	s.signal = saves->signal;
	s.cfa_reg = (uint16_t)abi_dwarf_number(t->abi, row->cfa_reg);
	s.cfa_off = row->cfa_off;
	s.ra_reg = (uint16_t)abi_dwarf_number(t->abi, saves->ra_reg);
	s.ra_off = s.ra == SHAPE_RA_IN_REG ? 0 : row->ra_off;
	s.has_base = saves->base_reg != NO_BASE;
	if (s.has_base)
		s.base = (uint16_t)abi_dwarf_number(t->abi, saves->base_reg);
	for (unsigned i = 0; i < saves->n; i++)
		add_save(t->abi, &saves->s[i], &s);
	return s;
}

static bool tell_segment(struct teller *t, const struct elf_segment *seg)
{
	taddr_t at = seg->vaddr, limit = at + seg->memsz, end;
	unsigned step = MAX(t->abi->insn_align, 1);
	bool more = true;

	while (at < limit && more) {
		bool found = find_row(t, at, &end);

		end = end > at ? MIN(end, limit) : at + step;
		if (found) {
			struct row_shape shape = shape_of(t);

			more = rows_write(t->to, at, end - at, &shape);
		}
		at = end;
	}
	return more;
}

void unwind_tell_rows(struct elf_file *f, bool (*block)(void *arg, const void *bytes, size_t n),
		      void *arg)
{
	const struct elf_ident *id = elf_file_ident(f);
	struct teller t = { .abi = abi_lookup(id->machine, id->class, id->data), .file = f };
	const struct elf_segment *seg;
	size_t n = elf_file_segments(f, &seg);
	bool more = t.abi && (elf_file_cfi(f, CFI_EH_FRAME) || elf_file_cfi(f, CFI_DEBUG_FRAME));

	t.to = rows_writer_new(block, arg);
	for (size_t i = 0; i < n && more; i++)
		if (seg[i].flags & SEGMENT_EXECUTABLE)
			more = tell_segment(&t, &seg[i]);
	rows_writer_end(t.to);
}
