/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Rows that a client gives (model/rows.h), by build id.  Blocks stay as they came:
 *
 *   module ──► block [start, end) ◄─ looked up by address, decoded then
 *              block [start, end)
 *              …
 *
 * Nothing in them is trusted: they are looked at as a whole when they come, must be
 * about the module's code, in the order of addresses, and have an upper limit; a
 * register that the machine has not refuses them.  What rows say wrongly costs frames,
 * no more. */
#include <errno.h>

#include "unwind-internal.h"

/* Code is looked at in so many places, of which this part must be known for the
 * module to be taken for one with tables: an assembler's functions, or tables of a
 * few functions, make no difference. */
enum { SAMPLES = 32, ENOUGH = SAMPLES / 2 };
#define SEGMENT_EXECUTABLE 1u /* PF_X */

/* Keeping the rest of a stack takes a read of it and a look at its words: where no client
 * ever answers, that has an end. */
#define RESTS_EACH 10000

struct block {
	struct rows_block rows;
	uint8_t *bytes;
};
_Static_assert(sizeof(struct block) < ROWS_EACH, "what a block takes");

struct given {
	uint8_t id[ROWS_BUILD_ID];
	size_t len;
	const struct abi *abi;
	enum { ASKED, NOT_HAD, COMING, GIVEN, REFUSED } state;
	taddr_t start, end; /* of its code */
	size_t bytes;       /* in all blocks */
	VEC(struct block) blocks;
};

struct given_rows {
	VEC(struct given *) v;
	uint64_t rests; /* that may be kept yet */
};

struct given_rows *given_rows_new(void)
{
	return xcalloc(1, sizeof(struct given_rows));
}

static void drop_blocks(struct given *m)
{
	for (size_t i = 0; i < m->blocks.n; i++)
		free(m->blocks.v[i].bytes);
	vec_release(&m->blocks);
	m->bytes = 0;
}

void given_rows_free(struct given_rows *g)
{
	for (size_t i = 0; g && i < g->v.n; i++) {
		drop_blocks(g->v.v[i]);
		free(g->v.v[i]);
	}
	if (g)
		vec_release(&g->v);
	free(g);
}

static struct given *find(const struct given_rows *g, const uint8_t *id, size_t len)
{
	for (size_t i = 0; i < g->v.n; i++)
		if (g->v.v[i]->len == len && !memcmp(g->v.v[i]->id, id, len))
			return g->v.v[i];
	return NULL;
}

/* -- what is wanted ------------------------------------------------------------------ */

static bool has_row(const struct abi *abi, struct elf_file *f, taddr_t vaddr)
{
	union { struct saves saves; uint8_t room[SAVES_MAX_BYTES]; } scratch;
	struct exidx_entry e;
	struct row row = { .pc = vaddr };
	struct row_maker m = { .row = &row, .saves = &scratch.saves };
	bool has = row_make(abi, elf_file_cfi(f, CFI_EH_FRAME), vaddr, &m);

	free(m.full);
	if (has || (abi->exidx && elf_file_exidx(f, vaddr, &e) == EXIDX_OPS))
		return true;
	has = row_make(abi, elf_file_cfi(f, CFI_DEBUG_FRAME), vaddr, &m);
	free(m.full);
	return has;
}

/* Of all code in the file, one behind the other, the address that is `at` bytes from
 * the beginning. */
static taddr_t code_at(const struct elf_segment *seg, size_t n, uint64_t at)
{
	for (size_t i = 0; i < n; i++) {
		if (!(seg[i].flags & SEGMENT_EXECUTABLE))
			continue;
		if (at < seg[i].memsz)
			return seg[i].vaddr + at;
		at -= seg[i].memsz;
	}
	return 0;
}

static bool has_tables(const struct abi *abi, struct elf_file *f, uint64_t size)
{
	const struct elf_segment *seg;
	size_t n = elf_file_segments(f, &seg);
	unsigned known = 0;

	for (unsigned i = 0; i < SAMPLES && known < ENOUGH; i++) {
		taddr_t at = code_at(seg, n, size / SAMPLES * i + size / SAMPLES / 2);

		known += has_row(abi, f, at - at % MAX(abi->insn_align, 1));
	}
	return known >= ENOUGH;
}

/* The extent of its code, and how much there is. */
static uint64_t code_of(struct elf_file *f, taddr_t *start, taddr_t *end)
{
	const struct elf_segment *seg;
	size_t n = elf_file_segments(f, &seg);
	uint64_t size = 0;

	*start = *end = 0;
	for (size_t i = 0; i < n; i++) {
		if (!(seg[i].flags & SEGMENT_EXECUTABLE))
			continue;
		*start = size ? *start : seg[i].vaddr;
		*end = seg[i].vaddr + seg[i].memsz;
		size += seg[i].memsz;
	}
	return size;
}

uint64_t given_rows_want(struct given_rows *g, const struct abi *abi, struct elf_file *f)
{
	struct given m = { .abi = abi };
	uint64_t size = code_of(f, &m.start, &m.end);
	const uint8_t *id = elf_file_build_id(f, &m.len);

	if (!size || !m.len || m.len > ROWS_BUILD_ID || find(g, id, m.len) || has_tables(abi, f, size))
		return 0;
	memcpy(m.id, id, m.len);
	vec_push(&g->v, xmemdup(&m, sizeof m));
	g->rests += RESTS_EACH;
	return size;
}

bool given_rows_awaited(const struct given_rows *g)
{
	for (size_t i = 0; i < g->v.n; i++)
		if (g->v.v[i]->state == ASKED || g->v.v[i]->state == COMING)
			return true;
	return false;
}

bool given_rows_rest(struct given_rows *g)
{
	if (!g || !g->rests || !given_rows_awaited(g))
		return false;
	g->rests--;
	return true;
}

/* -- what comes ---------------------------------------------------------------------- */

static bool known_register(const struct abi *abi, unsigned number)
{
	int reg = abi_dwarf_known(abi, number);

	return reg >= 0 && reg < abi->ndwarf && abi->dwarf_reg[reg] >= 0;
}

/* Each register once, and none that the machine has not. */
static bool is_of(const struct row_shape *s, const struct abi *abi)
{
	uint64_t seen = 0;

	if (s->kind == SHAPE_OUTERMOST)
		return true;
	if (!known_register(abi, s->cfa_reg) || abi_dwarf_known(abi, s->ra_reg) < 0 ||
	    (s->has_base && !known_register(abi, s->base)))
		return false;
	for (unsigned i = 0; i < s->nsaves; i++) {
		uint64_t bit;

		if (!known_register(abi, s->save[i].reg))
			return false;
		bit = 1ull << abi_dwarf_known(abi, s->save[i].reg);
		if (seen & bit)
			return false;
		seen |= bit;
	}
	return true;
}

/* NULL, or what is wrong. */
static const char *check(const struct given *m, const struct rows_part *p, struct rows_block *b)
{
	taddr_t after = m->blocks.n ? m->blocks.v[m->blocks.n - 1].rows.end : m->start;
	struct row_shape s;

	if (rows_open(b, p->block, p->nblock))
		return "damaged";
	if (b->start < after || b->end > m->end)
		return "of other code, or in no order";
	if (p->nblock + ROWS_EACH > ROWS_TOTAL - m->bytes)
		return "too many";
	for (uint32_t i = 1; i <= b->nshapes; i++) {
		rows_shape(b, i, &s);
		if (!is_of(&s, m->abi))
			return "of another machine";
	}
	return NULL;
}

static void keep(struct given *m, const struct rows_part *p)
{
	struct block b = { .bytes = xmemdup(p->block, p->nblock) };

	rows_open(&b.rows, b.bytes, p->nblock);
	vec_push(&m->blocks, b);
	m->bytes += p->nblock + ROWS_EACH;
}

int given_rows_take(struct given_rows *g, const struct rows_part *p, uint64_t what, const char **why)
{
	struct given *m = find(g, p->build_id, p->build_id_len);
	struct rows_block b;

	*why = "they are not wanted";
	if (!m || m->state == GIVEN || m->state == REFUSED)
		return -EALREADY;
	if (what & (REQUEST_ROWS_FIRST | REQUEST_ROWS_NONE)) {
		drop_blocks(m);
		m->state = what & REQUEST_ROWS_NONE ? NOT_HAD : COMING;
	}
	if (what & REQUEST_ROWS_NONE)
		return 0;
	*why = m->state == COMING ? check(m, p, &b) : "without a beginning";
	if (*why) {
		drop_blocks(m);
		m->state = REFUSED;
		return -EBADMSG;
	}
	keep(m, p);
	m->state = what & REQUEST_ROWS_LAST ? GIVEN : COMING;
	return m->state == GIVEN;
}

uint64_t given_rows_bytes(const struct given_rows *g, const uint8_t *id, size_t len)
{
	const struct given *m = find(g, id, len);

	return m ? m->bytes : 0;
}

/* -- looking up ------------------------------------------------------------------------ */

/* The last block that begins at or before vaddr, or NULL. */
static const struct rows_block *block_at(const struct given *m, taddr_t vaddr)
{
	size_t low = 0, high = m->blocks.n;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (m->blocks.v[mid].rows.start <= vaddr)
			low = mid + 1;
		else
			high = mid;
	}
	return low ? &m->blocks.v[low - 1].rows : NULL;
}

static void use_shape(const struct abi *abi, const struct row_shape *s, struct row_maker *m)
{
	struct row *row = m->row;

	row->kind = s->kind == SHAPE_OUTERMOST ? ROW_OUTERMOST :
		    s->kind == SHAPE_DEREF     ? ROW_DEREF : ROW_OFFSET;
	if (s->kind == SHAPE_OUTERMOST)
		return;
	row->cfa_reg = (uint8_t)abi_dwarf_known(abi, s->cfa_reg);
	row->cfa_off = s->cfa_off;
	row->ra_off = s->ra_off;
	saves_clear(m->saves, abi_dwarf_known(abi, s->ra_reg), s->signal);
	m->saves->ra = s->ra == SHAPE_RA_AT_CFA	 ? RA_AT_CFA :
		       s->ra == SHAPE_RA_AT_BASE ? RA_AT_BASE : RA_IN_REG;
	if (s->has_base)
		m->saves->base_reg = (uint8_t)abi_dwarf_known(abi, s->base);
	for (unsigned i = 0; i < s->nsaves; i++)
		saves_add(m->saves, (uint8_t)abi_dwarf_known(abi, s->save[i].reg), s->save[i].off,
			  s->save[i].from_base);
	m->saves->sp_saved = m->saves->mask >> abi->dwarf_sp & 1;
}

bool row_of_given(const struct given_rows *g, const struct abi *abi, struct elf_file *f, taddr_t vaddr,
		  struct row_maker *out)
{
	size_t len;
	const uint8_t *id = elf_file_build_id(f, &len);
	const struct given *m = g && len ? find(g, id, len) : NULL;
	const struct rows_block *b = m && m->state == GIVEN && m->abi == abi ? block_at(m, vaddr) : NULL;
	uint32_t shape = b ? rows_find(b, vaddr) : 0;
	struct row_shape s;

	if (!shape)
		return false;
	rows_shape(b, shape, &s);
	use_shape(abi, &s, out);
	return true;
}
