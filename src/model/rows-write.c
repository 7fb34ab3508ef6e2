/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Blocks of rows in the making.  A stretch like the one before it makes that longer,
 * a gap is a stretch of shape 0; a block is told when the next row might not fit. */
#include <string.h>

#include "base/xalloc.h"
#include "rows-internal.h"

/* Bytes of a row with a shape that is there, and of a block's beginning. */
enum { ROW_MAX = VARINT_MAX + 2, HEAD_MAX = VARINT_MAX + 2 };

struct rows_writer {
	bool (*block)(void *arg, const void *bytes, size_t n);
	void *arg;
	bool enough;
	taddr_t start, at;        /* the block is about [start, at) … */
	uint64_t len;             /* … of which the last so many are not written, */
	uint32_t shape;           /* of this shape */
	struct strbuf shapes, rows, scratch;
	uint32_t nshapes;
	size_t ends[ROWS_SHAPES]; /* of each, in `shapes` */
};

void rows_part_write(struct strbuf *out, const struct rows_part *p)
{
	struct rows_part copy = *p;

	field_bytes(&(struct fields){ .out = out }, &copy.build_id, &copy.build_id_len,
		    ROWS_BUILD_ID);
	strbuf_add(out, p->block, p->nblock);
}

struct rows_writer *rows_writer_new(bool (*block)(void *arg, const void *bytes, size_t n),
				    void *arg)
{
	struct rows_writer *w = xcalloc(1, sizeof *w);

	w->block = block;
	w->arg = arg;
	return w;
}

static void put_row(struct rows_writer *w)
{
	uint8_t bytes[2 * VARINT_MAX];
	uint8_t *end = varint_put(varint_put(bytes, w->len), w->shape);

	if (w->len)
		strbuf_add(&w->rows, bytes, (size_t)(end - bytes));
	w->len = 0;
}

static void end_block(struct rows_writer *w)
{
	struct strbuf all = STRBUF_INIT;
	struct fields f = { .out = &all };

	if (w->shape) /* what is not known at the end need not be told */
		put_row(w);
	if (w->rows.n && !w->enough) {
		FIELD_U64(&f, w->start);
		FIELD_U32(&f, w->nshapes);
		strbuf_add(&all, w->shapes.s, w->shapes.n);
		strbuf_add(&all, w->rows.s, w->rows.n);
		w->enough = !w->block(w->arg, all.s, all.n);
	}
	strbuf_release(&all);
	strbuf_reset(&w->shapes);
	strbuf_reset(&w->rows);
	w->nshapes = 0;
	w->len = 0;
}

/* The number of the shape in scratch, 0: it is new. */
static uint32_t find_shape(const struct rows_writer *w)
{
	size_t from = 0;

	for (uint32_t i = 0; i < w->nshapes; from = w->ends[i++])
		if (w->ends[i] - from == w->scratch.n &&
		    !memcmp(w->shapes.s + from, w->scratch.s, w->scratch.n))
			return i + 1;
	return 0;
}

static uint32_t add_shape(struct rows_writer *w)
{
	strbuf_add(&w->shapes, w->scratch.s, w->scratch.n);
	w->ends[w->nshapes++] = w->shapes.n;
	return w->nshapes;
}

/* Room for a new shape, a gap, the row before it and the row? */
static bool has_room(const struct rows_writer *w)
{
	return w->nshapes < ROWS_SHAPES &&
	       HEAD_MAX + w->shapes.n + w->rows.n + w->scratch.n + 3 * ROW_MAX <= ROWS_BLOCK;
}

static void put_stretch(struct rows_writer *w, uint64_t len, uint32_t shape)
{
	if (shape != w->shape)
		put_row(w);
	w->shape = shape;
	w->len += len;
	w->at += len;
}

bool rows_write(struct rows_writer *w, taddr_t vaddr, uint64_t len, const struct row_shape *shape)
{
	struct row_shape copy = *shape; /* what reads it writes it */
	uint32_t number;

	strbuf_reset(&w->scratch);
	shape_fields(&(struct fields){ .out = &w->scratch }, &copy);
	if (!has_room(w))
		end_block(w);
	if (!w->nshapes) {
		w->start = w->at = vaddr;
		w->shape = 0;
	}
	if (vaddr > w->at)
		put_stretch(w, vaddr - w->at, 0);
	number = find_shape(w);
	put_stretch(w, len, number ? number : add_shape(w));
	return !w->enough;
}

void rows_writer_end(struct rows_writer *w)
{
	end_block(w);
	strbuf_release(&w->shapes);
	strbuf_release(&w->rows);
	strbuf_release(&w->scratch);
	free(w);
}
