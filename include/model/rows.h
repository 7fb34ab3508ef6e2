/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Call-frame information of a module as one who has its files tells it to a tracer who
 * has not: reduced rows, in blocks each of which can be read alone, so that the tracer
 * keeps them as they came and decodes a block when it meets an address of it first.
 *
 *   block:  start | n shapes | shape … | length, shape | length, shape | …
 *
 * A shape is how to get from a frame to the next; a module has some dozens, and a row
 * is a stretch of code and the number of its shape.  doc/PROTOCOL.md has the bytes.
 * Registers are DWARF's numbers, addresses the file's. */
#ifndef MTRACE_MODEL_ROWS_H
#define MTRACE_MODEL_ROWS_H

#include "base/strbuf.h"
#include "base/types.h"

enum {
	ROWS_BLOCK = 3840,    /* bytes of a block at most: a client's record has 4096 */
	ROWS_TOTAL = 1 << 20, /* … of all of a module, … */
	ROWS_EACH = 128,      /* … each of which counts so much more */
	ROWS_SHAPES = 255,    /* in a block */
	ROWS_SAVES = 64,      /* registers in a shape */
	ROWS_BUILD_ID = 64,   /* bytes */
};

enum shape_kind {
	SHAPE_OFFSET,    /* CFA = register + offset */
	SHAPE_DEREF,     /* CFA = the word there */
	SHAPE_OUTERMOST, /* nobody called this: nothing else is set */
};

/* Where the return address is. */
enum shape_ra { SHAPE_RA_AT_CFA, SHAPE_RA_AT_BASE, SHAPE_RA_IN_REG };

struct row_shape {
	uint8_t kind;     /* enum shape_kind */
	uint8_t ra;       /* enum shape_ra */
	bool signal;      /* the frame beyond was interrupted, it did not call */
	bool has_base;    /* the value of register `base` is what some offsets are from */
	uint16_t cfa_reg, ra_reg, base;
	int32_t cfa_off;
	int32_t ra_off;   /* from the CFA or the base */
	uint8_t nsaves;
	struct shape_save {
		uint16_t reg;
		bool from_base; /* else from the CFA */
		int32_t off;
	} save[ROWS_SAVES];
};

/* -- reading ------------------------------------------------------------------- */

struct rows_block {
	taddr_t start, end;    /* of the code that it is about */
	uint32_t nshapes;
	const uint8_t *shapes, *rows, *limit; /* in the caller's bytes */
};

/* Looks at all of it: afterwards the functions below have nothing to fear.  0 or
 * -EBADMSG. */
int rows_open(struct rows_block *b, const void *bytes, size_t n);
/* Shape i, from 1 to nshapes. */
void rows_shape(const struct rows_block *b, uint32_t i, struct row_shape *out);
/* The number of the shape that is right at an address; 0: nothing is known of it. */
uint32_t rows_find(const struct rows_block *b, taddr_t vaddr);

/* What a REQUEST_ROWS has as its data: a block of a module, or none. */
struct rows_part {
	const uint8_t *build_id;
	uint32_t build_id_len; /* 1 … ROWS_BUILD_ID */
	const uint8_t *block;
	size_t nblock;
};

/* 0 or -EBADMSG; the block itself was not looked at. */
int rows_part_read(struct rows_part *p, const void *bytes, size_t n);
void rows_part_write(struct strbuf *out, const struct rows_part *p);

/* -- writing (rows-write.c, with the client only) -------------------------------- */

struct rows_writer;

/* `block` is called with each block, in the order of addresses; false: no more are
 * wanted. */
struct rows_writer *rows_writer_new(bool (*block)(void *arg, const void *bytes, size_t n),
				    void *arg);
/* The next stretch of code.  Stretches come in the order of addresses and do not
 * overlap; what lies between is not known.  False: no more are wanted. */
bool rows_write(struct rows_writer *w, taddr_t vaddr, uint64_t len, const struct row_shape *shape);
/* Tells the last block, and frees the writer. */
void rows_writer_end(struct rows_writer *w);

#endif
