/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reading blocks of rows.  They come from a peer. */
#include <errno.h>
#include <string.h>

#include "rows-internal.h"

static void field_off(struct fields *f, int32_t *off)
{
	uint64_t v = zigzag((uint64_t)(int64_t)*off);

	field_max(f, &v, UINT32_MAX);
	*off = (int32_t)unzigzag(v);
}

enum { HAS_BASE = 4, IS_SIGNAL = 8, RA_SHIFT = 4, WHAT_MAX = 63 };

static void what_field(struct fields *f, struct row_shape *s)
{
	uint8_t what = (uint8_t)(s->kind | (s->has_base ? HAS_BASE : 0) | (s->signal ? IS_SIGNAL : 0) |
				 s->ra << RA_SHIFT);

	FIELD_MAX(f, what, WHAT_MAX);
	s->kind = what & 3;
	s->has_base = what & HAS_BASE;
	s->signal = what & IS_SIGNAL;
	s->ra = what >> RA_SHIFT;
	f->bad |= s->kind > SHAPE_OUTERMOST || s->ra > SHAPE_RA_IN_REG ||
		  (s->ra == SHAPE_RA_AT_BASE && !s->has_base);
}

static void save_field(struct fields *f, struct row_shape *s, struct shape_save *save)
{
	uint32_t reg = (uint32_t)save->reg << 1 | save->from_base;

	FIELD_MAX(f, reg, (uint32_t)UINT16_MAX << 1 | 1);
	save->reg = (uint16_t)(reg >> 1);
	save->from_base = reg & 1;
	field_off(f, &save->off);
	f->bad |= save->from_base && !s->has_base;
}

void shape_fields(struct fields *f, struct row_shape *s)
{
	what_field(f, s);
	if (s->kind == SHAPE_OUTERMOST)
		return;
	FIELD_U16(f, s->cfa_reg);
	field_off(f, &s->cfa_off);
	FIELD_U16(f, s->ra_reg);
	if (s->ra != SHAPE_RA_IN_REG)
		field_off(f, &s->ra_off);
	if (s->has_base)
		FIELD_U16(f, s->base);
	FIELD_MAX(f, s->nsaves, ROWS_SAVES);
	for (unsigned i = 0; i < s->nsaves; i++)
		save_field(f, s, &s->save[i]);
}

/* A body that ends too early is full of zeros; here that is no answer. */
static bool next_shape(struct fields *f, struct row_shape *s)
{
	memset(s, 0, sizeof *s);
	f->bad |= f->at == f->end;
	shape_fields(f, s);
	return !f->bad;
}

static bool next_row(struct fields *f, uint64_t *len, uint64_t *shape)
{
	if (f->at == f->end)
		return false;
	field_u64(f, len);
	f->bad |= f->at == f->end;
	field_u64(f, shape);
	return !f->bad;
}

int rows_part_read(struct rows_part *p, const void *bytes, size_t n)
{
	struct fields f = { .at = bytes, .end = (const uint8_t *)bytes + n };

	field_bytes(&f, &p->build_id, &p->build_id_len, ROWS_BUILD_ID);
	p->block = f.at;
	p->nblock = (size_t)(f.end - f.at);
	return f.bad || !p->build_id ? -EBADMSG : 0;
}

int rows_open(struct rows_block *b, const void *bytes, size_t n)
{
	struct fields f = { .at = bytes, .end = (const uint8_t *)bytes + n };
	struct row_shape s;
	uint64_t len, shape;

	*b = (struct rows_block){ .limit = f.end };
	FIELD_U64(&f, b->start);
	FIELD_MAX(&f, b->nshapes, ROWS_SHAPES);
	b->shapes = f.at;
	for (uint32_t i = 0; i < b->nshapes && !f.bad; i++)
		next_shape(&f, &s);
	b->rows = f.at;
	b->end = b->start;
	while (!f.bad && next_row(&f, &len, &shape)) {
		f.bad |= !len || len > UINT64_MAX - b->end || shape > b->nshapes;
		b->end += len;
	}
	return f.bad || n > ROWS_BLOCK || b->end == b->start ? -EBADMSG : 0;
}

void rows_shape(const struct rows_block *b, uint32_t i, struct row_shape *out)
{
	struct fields f = { .at = b->shapes, .end = b->rows };

	while (i-- && next_shape(&f, out))
		;
}

uint32_t rows_find(const struct rows_block *b, taddr_t vaddr)
{
	struct fields f = { .at = b->rows, .end = b->limit };
	uint64_t len, shape;
	taddr_t at = b->start;

	while (at <= vaddr && next_row(&f, &len, &shape)) {
		if (vaddr - at < len)
			return (uint32_t)shape;
		at += len;
	}
	return 0;
}
