/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The heap map against a simulated first-fit heap, of which every byte is known: what is
 * drawn is read back cell by cell. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/strbuf.h"
#include "base/vec.h"
#include "report/heapinfo.h"
#include "report/report.h"

static uint64_t random_state = 1;

static uint32_t random_below(uint32_t n)
{
	random_state = random_state * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(random_state >> 33) % n;
}

/* -- the simulated heap ------------------------------------------------------------------ */

enum { FREE, HEADER, DATA };

struct sim {
	struct heapmap_region r;
	uint8_t *byte;         /* what each is */
	VEC(struct heapmap_block) blocks;
};

static uint64_t taken_for(const struct sim *s, uint64_t size)
{
	const struct heapmap_layout *l = &s->r.layout;
	uint64_t n = size + l->header;

	while (n % l->align || n < l->min)
		n++;
	return n;
}

/* Where a block of that size goes, as offset of its header; UINT64_MAX: nowhere. */
static uint64_t first_fit(const struct sim *s, uint64_t size)
{
	uint64_t need = taken_for(s, size), at = s->r.lead;

	while (at + need <= s->r.size) {
		uint64_t n = 0;

		while ((s->r.start + at + s->r.layout.header) % s->r.layout.align)
			at++;
		while (n < need && at + n < s->r.size && s->byte[at + n] == FREE)
			n++;
		if (n == need)
			return at;
		at += n + 1;
	}
	return UINT64_MAX;
}

static bool sim_alloc(struct sim *s, uint64_t size)
{
	uint64_t at = first_fit(s, size);
	uint32_t header = s->r.layout.header;

	if (at == UINT64_MAX)
		return false;
	memset(s->byte + at, HEADER, header);
	memset(s->byte + at + header, DATA, taken_for(s, size) - header);
	vec_push(&s->blocks, (struct heapmap_block){ s->r.start + at + header, size });
	return true;
}

static void sim_free(struct sim *s, size_t i)
{
	const struct heapmap_block *b = &s->blocks.v[i];

	memset(s->byte + (b->addr - s->r.start) - s->r.layout.header, FREE, taken_for(s, b->size));
	vec_remove_swap(&s->blocks, i);
}

/* The order that results is a random one. */
static struct sim sim_new(const struct heapmap_region *r, unsigned operations, uint32_t max)
{
	struct sim s = { .r = *r };

	s.byte = xcalloc(r->size, 1);
	memset(s.byte, HEADER, r->lead);
	for (unsigned i = 0; i < operations; i++) {
		bool full = false;

		if (!s.blocks.n || random_below(5) > 1)
			full = !sim_alloc(&s, 1 + random_below(max));
		else
			sim_free(&s, random_below((uint32_t)s.blocks.n));
		for (int k = 0; full && s.blocks.n && k < 8; k++)
			sim_free(&s, random_below((uint32_t)s.blocks.n));
	}
	return s;
}

static void sim_release(struct sim *s)
{
	vec_release(&s->blocks);
	free(s->byte);
}

/* -- reading a picture back ----------------------------------------------------------------- */

struct picture {
	uint64_t each;         /* bytes of a cell */
	VEC(char) cells;       /* as in ASCII */
	unsigned per_row;
	size_t widest;         /* columns of a row */
};

/* What stands at *p, and behind it; shades become what ASCII has for them. */
static char take_symbol(const char **p, bool shaded)
{
	static const struct { const char *utf8; char exact, shaded; } shades[] = {
		{ "█", '*', '#' }, { "▓", '?', 'x' }, { "▒", '%', '+' }, { "░", '?', ':' },
		{ "·", '.', '.' },
	};

	for (size_t i = 0; i < ARRAY_SIZE(shades); i++)
		if (!strncmp(*p, shades[i].utf8, strlen(shades[i].utf8))) {
			*p += strlen(shades[i].utf8);
			return shaded ? shades[i].shaded : shades[i].exact;
		}
	assert_true((unsigned char)**p < 0x80);
	return *(*p)++;
}

static void read_row(struct picture *pic, const struct heapmap_region *r, const char *row)
{
	uint64_t at = pic->cells.n * pic->each, mask;
	char *end;
	size_t n;

	assert_int_equal(strtoull(row, &end, 16), at);
	n = (size_t)(end - row);
	row = end + 1;
	mask = strtoull(row, &end, 16);
	n += 2 + (size_t)(end - row);
	/* The last digits, in a narrow terminal. */
	assert_int_equal(mask, (r->start + at) & (((uint64_t)1 << 4 * (end - row)) - 1));
	assert_true(end - row >= 6 || r->start + r->size <= (uint64_t)1 << 4 * (end - row));
	assert_int_equal(*end, ' ');
	for (row = end + 1; *row != '\n'; n++)
		vec_push(&pic->cells, take_symbol(&row, pic->each > 1));
	pic->widest = MAX(pic->widest, n);
}

static bool is_row(const char *line)
{
	size_t n = strspn(line, "0123456789abcdef"), m;

	m = line[n] == ' ' ? strspn(line + n + 1, "0123456789abcdef") : 0;
	return n >= 3 && m >= 4 && line[n + 1 + m] == ' ';
}

static struct picture read_picture(const struct heapmap_region *r, const char *text)
{
	const char *each = strstr(text, "each cell is ");
	struct picture pic = { .each = !each };

	for (each = each ? each + 13 : ""; *each && *each != ' '; each++)
		if (*each != ',')
			pic.each = pic.each * 10 + (uint64_t)(*each - '0');
	for (const char *line = text; *line; line = strchr(line, '\n') + 1) {
		if (!is_row(line))
			continue;
		read_row(&pic, r, line);
		if (!pic.per_row)
			pic.per_row = (unsigned)pic.cells.n;
	}
	return pic;
}

/* -- against it ---------------------------------------------------------------------------------- */

static char wanted_exact(const struct sim *s, size_t i)
{
	return ".%*"[s->byte[i]];
}

static char wanted_shade(const struct sim *s, uint64_t each, size_t i)
{
	uint64_t from = i * each, to = MIN(from + each, s->r.size), used = 0;

	for (uint64_t at = from; at < to; at++)
		used += s->byte[at] != FREE;
	if (!used || used == to - from)
		return used ? '#' : '.';
	return used * 3 <= to - from ? ':' : used * 3 <= 2 * (to - from) ? '+' : 'x';
}

static char *text_of_map(const struct heapmap *m, size_t region, int max, unsigned width, bool utf8)
{
	struct report_opts opts = REPORT_OPTS_INIT;
	struct report_page page = { .width = width, .utf8 = utf8 };
	struct strbuf sb = STRBUF_INIT;

	opts.max_stacks = max;
	report_heapmap(m, region, &opts, &page, &sb);
	return strbuf_detach(&sb);
}

static struct picture check_picture(const struct sim *s, unsigned width, bool utf8)
{
	struct heapmap *m = heapmap_new(&s->r, 1, s->blocks.v, s->blocks.n);
	char *text = text_of_map(m, HEAPMAP_ALL, 0, width, utf8);
	struct picture pic = read_picture(&s->r, text);

	assert_int_equal(pic.cells.n, (s->r.size + pic.each - 1) / pic.each);
	for (size_t i = 0; i < pic.cells.n; i++)
		assert_int_equal(pic.cells.v[i],
				 pic.each == 1 ? wanted_exact(s, i) : wanted_shade(s, pic.each, i));
	for (const char *p = text; *p && !utf8; p++)
		assert_true((unsigned char)*p < 0x80);
	assert_int_equal(heapmap_outside(m), 0);
	assert_int_equal(heapmap_overlapping(m), 0);
	free(text);
	heapmap_free(m);
	return pic;
}

/* -- what is free ---------------------------------------------------------------------------------- */

static int largest_first(const void *pa, const void *pb)
{
	const struct heapmap_block *a = pa, *b = pb;

	if (a->size != b->size)
		return a->size < b->size ? 1 : -1;
	return a->addr < b->addr ? -1 : 1;
}

typedef VEC(struct heapmap_block) piece_list;

static piece_list pieces_of(const struct sim *s)
{
	piece_list list = { 0 };

	for (uint64_t at = 0; at < s->r.size; at++) {
		uint64_t from = at;

		while (at < s->r.size && s->byte[at] == FREE)
			at++;
		if (at > from)
			vec_push(&list, (struct heapmap_block){ s->r.start + from, at - from });
	}
	if (list.n)
		qsort(list.v, list.n, sizeof list.v[0], largest_first);
	return list;
}

static uint64_t largest_request(const struct sim *s)
{
	uint64_t size = s->r.size;

	while (size && first_fit(s, size) == UINT64_MAX)
		size--;
	return size;
}

static void check_figures(const struct sim *s)
{
	struct heapmap *m = heapmap_new(&s->r, 1, s->blocks.v, s->blocks.n);
	const struct heapmap_figures *f = heapmap_figures(m, 0);
	piece_list want = pieces_of(s);
	uint64_t free_bytes = 0;

	for (size_t i = 0; i < want.n; i++)
		free_bytes += want.v[i].size;
	assert_int_equal(f->free, free_bytes);
	assert_int_equal(f->pieces, want.n);
	assert_int_equal(f->largest, want.n ? want.v[0].size : 0);
	assert_int_equal(f->blocks, s->blocks.n);
	assert_int_equal(f->request, largest_request(s));
	assert_int_equal(f->size, s->r.size);
	if (want.n)
		assert_true(heapmap_fragmentation(f) ==
			    1 - (double)want.v[0].size / (double)free_bytes);
	vec_release(&want);
	heapmap_free(m);
}

/* Each line of the list, in order, and how many were left out. */
static void check_list(const struct sim *s, int max)
{
	struct heapmap *m = heapmap_new(&s->r, 1, s->blocks.v, s->blocks.n);
	char *text = text_of_map(m, HEAPMAP_ALL, max, 80, false), *at = text;
	piece_list want = pieces_of(s);
	size_t shown = max ? MIN((size_t)max, want.n) : want.n;

	for (size_t i = 0; i < shown; i++) {
		struct strbuf line = STRBUF_INIT;

		strbuf_addc(&line, ' ');
		strbuf_add_grouped(&line, want.v[i].size);
		strbuf_addf(&line, " at 0x%llx\n", (unsigned long long)want.v[i].addr);
		at = strstr(at, line.s);
		assert_non_null(at);
		strbuf_release(&line);
	}
	if (shown < want.n) {
		char more[60];

		snprintf(more, sizeof more, "... %zu more piece%s, ", want.n - shown,
			 want.n - shown == 1 ? "" : "s");
		assert_non_null(strstr(at, more));
	} else {
		assert_null(strstr(text, " more piece"));
	}
	free(text);
	vec_release(&want);
	heapmap_free(m);
}

/* -- tests --------------------------------------------------------------------------------------------- */

static const struct heapmap_layout layouts[] = {
	{ 4, 4, 8 }, { 8, 8, 16 }, { 8, 16, 32 }, { 0, 1, 0 }, { 4, 8, 8 }, { 1, 1, 0 },
};

static struct heapmap_region small_region(unsigned i)
{
	/* Not a multiple of a row, of a power of two, or even of an alignment. */
	return (struct heapmap_region){ .start = 0x20003240u + i % 3 * 0x1001,
					.size = 700 + 37 * i, .name = "heap",
					.layout = layouts[i % ARRAY_SIZE(layouts)],
					.lead = i % 4 ? 0 : 24 };
}

static void byte_by_byte(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 60; i++) {
		struct heapmap_region r = small_region(i);
		struct sim s = sim_new(&r, 200 + i, 40);
		struct picture pic = check_picture(&s, 80, false), utf8 = check_picture(&s, 80, true);

		assert_int_equal(pic.each, 1);
		assert_int_equal(pic.per_row, 64);
		assert_true(pic.widest <= 80);
		assert_int_equal(utf8.per_row, 64);
		check_figures(&s);
		check_list(&s, 0);
		check_list(&s, 3);
		vec_release(&pic.cells);
		vec_release(&utf8.cells);
		sim_release(&s);
	}
}

static void every_width(void **state)
{
	struct heapmap_region r = { .start = 0x7f31c4000010u, .size = 5000, .layout = { 8, 16, 32 } };
	struct sim s = sim_new(&r, 300, 200);

	(void)state;
	for (unsigned width = 40; width <= 200; width++) {
		struct picture pic = check_picture(&s, width, width % 2);

		assert_true(pic.widest <= width);
		assert_true(pic.per_row % 16 == 0 && !(pic.per_row & (pic.per_row - 1)));
		assert_int_equal(pic.per_row, width < 44 ? 16 : width < 76 ? 32 : width < 146 ? 64 : 128);
		vec_release(&pic.cells);
	}
	/* Too narrow for anything, and a file. */
	for (unsigned width = 0; width < 20; width++) {
		struct picture pic = check_picture(&s, width, false);

		assert_int_equal(pic.per_row, width ? 16 : 64);
		vec_release(&pic.cells);
	}
	sim_release(&s);
}

static void shaded(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 6; i++) {
		struct heapmap_region r = { .start = 0x55d0c2a0f000u + i, .size = 40000 + 66001 * i,
					    .layout = layouts[i] };
		struct sim s = sim_new(&r, 600 + 200 * i, 400 + 300 * i);
		struct picture pic = check_picture(&s, 80, i % 2);

		assert_true(pic.each > 1);
		assert_true(!(pic.each & (pic.each - 1)));
		assert_true(pic.cells.n <= 32 * 64 && pic.cells.n > 16 * 64);
		vec_release(&pic.cells);
		sim_release(&s);
	}
}

/* Byte by byte up to 256 rows. */
static void where_shading_begins(void **state)
{
	struct heapmap_region r = { .start = 0x1000, .size = 256 * 64, .layout = { 8, 8, 16 } };
	struct sim s = sim_new(&r, 500, 300);
	struct picture pic = check_picture(&s, 80, false);

	(void)state;
	assert_int_equal(pic.each, 1);
	vec_release(&pic.cells);
	sim_release(&s);
	r.size++;
	s = sim_new(&r, 500, 300);
	pic = check_picture(&s, 80, false);
	assert_int_equal(pic.each, 16);
	vec_release(&pic.cells);
	sim_release(&s);
}

static void empty_and_full(void **state)
{
	struct heapmap_region r = { .start = 0x1000, .size = 4096, .layout = { 8, 8, 16 } };
	struct sim s = sim_new(&r, 0, 1);
	struct picture pic = check_picture(&s, 80, false);

	(void)state;
	vec_release(&pic.cells);
	check_figures(&s);
	assert_true(sim_alloc(&s, 4096 - 8));
	pic = check_picture(&s, 80, false);
	vec_release(&pic.cells);
	check_figures(&s);
	check_list(&s, 0);
	sim_release(&s);
}

static void letter_for_letter(void **state)
{
	static const struct heapmap_region r = { .start = 0x20003000, .size = 160, .name = "heap",
						 .layout = { 4, 4, 8 }, .fixed = true };
	static const struct heapmap_block blocks[] = {
		{ 0x20003054, 2 }, { 0x20003004, 20 }, { 0x20003038, 24 },
	};
	struct heapmap *m = heapmap_new(&r, 1, blocks, ARRAY_SIZE(blocks));
	char *text = text_of_map(m, HEAPMAP_ALL, 2, 80, false);

	(void)state;
	assert_string_equal(text,
		"heap               60 bytes in 3 blocks, of 160 at 0x20003000\n"
		"000 20003000 %%%%********************............................%%%%********\n"
		"040 20003040 ****************%%%%****........................................\n"
		"080 20003080 ................................\n"
		"    % header  * data  . free\n"
		"    free pieces          72 at 0x20003058\n"
		"                         28 at 0x20003018\n"
		"    free                100 bytes in 2 pieces, the largest 72\n"
		"    largest request      68 bytes\n"
		"    fragmentation        28 %\n");
	free(text);
	heapmap_free(m);
}

/* What has no page in memory, and what is the allocator's own. */
static void residency(void **state)
{
	static const struct heapmap_range there[] = { { 0xf000, 0x11000 }, { 0x12000, 0x13000 },
						      { 0x14000, 0x15000 } };
	static const struct heapmap_block blocks[] = { { 0x10008, 24 }, { 0x10fe8, 48 }, { 0x12108, 88 } };
	struct heapmap_region r = { .start = 0x10000, .size = 0x2800, .name = "brk heap",
				    .layout = { 8, 16, 32 }, .resident_known = true,
				    .resident = there, .nresident = ARRAY_SIZE(there) };
	struct heapmap *m = heapmap_new(&r, 1, blocks, ARRAY_SIZE(blocks));
	char *text = text_of_map(m, HEAPMAP_ALL, 0, 80, false);
	struct picture pic = read_picture(&r, text);

	(void)state;
	assert_int_equal(pic.each, 1);
	assert_int_equal(pic.cells.v[0], '%');
	assert_int_equal(pic.cells.v[8], '*');
	assert_int_equal(pic.cells.v[0xfff], '*');
	assert_int_equal(pic.cells.v[0x1000], 'o');
	assert_int_equal(pic.cells.v[0x1017], 'o');
	assert_int_equal(pic.cells.v[0x1020], '_');
	assert_int_equal(pic.cells.v[0x1fff], '_');
	assert_int_equal(pic.cells.v[0x2000], '.');
	assert_int_equal(pic.cells.v[0x2100], '%');
	assert_int_equal(heapmap_figures(m, 0)->resident, 0x1800);
	assert_true(heapmap_figures(m, 0)->resident_known);
	assert_non_null(strstr(text, "without more memory"));
	vec_release(&pic.cells);
	free(text);
	heapmap_free(m);
}

/* Several regions, in any order, one on another; some only when there is room. */
static void regions(void **state)
{
	static const struct heapmap_region r[] = {
		{ .start = 0x9000, .size = 0x100, .name = "second", .layout = { 8, 8, 16 } },
		{ .start = 0x1000, .size = 0x100, .name = "first", .layout = { 8, 8, 16 }, .lead = 16 },
		{ .start = 0x9080, .size = 0x100, .name = "third", .brief = true },
		{ .start = 0x9040, .size = 0x20, .name = "nothing" },
	};
	static const struct heapmap_block blocks[] = {
		{ 0x9008, 100 }, { 0x1020, 8 }, { 0x9100, 0x80 }, { 0x5000, 1 }, { 0x918f, 1 },
	};
	struct heapmap *m = heapmap_new(r, ARRAY_SIZE(r), blocks, ARRAY_SIZE(blocks));
	char *text = text_of_map(m, HEAPMAP_ALL, 0, 80, false), *one = text_of_map(m, 1, 0, 80, false);

	(void)state;
	assert_int_equal(heapmap_nregions(m), 3);
	assert_string_equal(heapmap_region(m, 0)->name, "first");
	assert_int_equal(heapmap_figures(m, 0)->free, 0x100 - 32);
	assert_int_equal(heapmap_figures(m, 1)->free, 0x100 - 112);
	assert_int_equal(heapmap_region(m, 2)->start, 0x9100);
	assert_int_equal(heapmap_region(m, 2)->size, 0x80);
	assert_int_equal(heapmap_figures(m, 2)->free, 0);
	assert_int_equal(heapmap_total(m)->size, 0x280);
	assert_int_equal(heapmap_total(m)->blocks, 3);
	assert_int_equal(heapmap_outside(m), 2);
	assert_true(strstr(text, "first") < strstr(text, "second"));
	assert_null(strstr(text, "third"));
	assert_non_null(strstr(text, "1 more region all in use: 128 bytes in 1 block\n"));
	assert_non_null(strstr(text, "2 blocks are not in the heap\n"));
	assert_null(strstr(one, "first"));
	assert_non_null(strstr(one, "second"));
	free(text);
	free(one);
	heapmap_free(m);
}

static bool is_in(const struct heapmap_region *r, const struct heapmap_block *b)
{
	return b->addr >= r->start && b->addr < r->start + r->size;
}

/* Does a block that begins before this one, in the order of addresses, reach into it? */
static bool lies_on_another(const struct heapmap_region *r, const struct heapmap_block *b, size_t n,
			    size_t i)
{
	taddr_t from = MAX(b[i].addr - r->layout.header, r->start);

	for (size_t k = 0; k < n; k++) {
		bool before = b[k].addr != b[i].addr ? b[k].addr < b[i].addr :
			      b[k].size != b[i].size ? b[k].size < b[i].size : k < i;

		if (before && is_in(r, &b[k]) && b[k].addr + MIN(b[k].size, (uint64_t)4096) > from)
			return true;
	}
	return false;
}

/* Of many mappings those are drawn in which most is free. */
static void brief_regions(void **state)
{
	struct heapmap_region r[9];
	struct heapmap_block b[9];
	struct heapmap *m;
	char *text;

	(void)state;
	for (unsigned i = 0; i < 9; i++) {
		r[i] = (struct heapmap_region){ .start = 0x10000 * (i + 1), .size = 0x1000, .name = "mapping",
						.brief = true };
		b[i] = (struct heapmap_block){ r[i].start, 0x1000 - i % 5 * 16 };
	}
	m = heapmap_new(r, 9, b, 9);
	text = text_of_map(m, HEAPMAP_ALL, 2, 80, false);
	assert_non_null(strstr(text, ", of 4,096 at 0x50000\n")); /* 64 are free */
	assert_non_null(strstr(text, ", of 4,096 at 0x40000\n")); /* 48, as in a later one */
	assert_null(strstr(text, "0x90000\n"));
	assert_non_null(strstr(text, "7 more regions: 28,528 bytes in 7 blocks, 144 free: -m 0\n"));
	free(text);
	text = text_of_map(m, HEAPMAP_ALL, 0, 80, false);
	assert_non_null(strstr(text, "2 more regions all in use: 8,192 bytes in 2 blocks\n"));
	assert_non_null(strstr(text, ", of 4,096 at 0x40000\n"));
	free(text);
	heapmap_free(m);
}

/* Blocks that nobody could have handed out: counted as a plain model does, and what is
 * free is what none of them covers. */
static void nonsense(void **state)
{
	(void)state;
	for (unsigned round = 0; round < 200; round++) {
		struct heapmap_region r = { .start = 0x1000, .size = 512, .layout = layouts[round % 6] };
		struct heapmap_block b[24];
		struct heapmap *m;
		uint64_t covered = 0, outside = 0, overlapping = 0;
		char *text;

		for (size_t i = 0; i < ARRAY_SIZE(b); i++)
			b[i] = (struct heapmap_block){ 0xf00 + random_below(1024), random_below(64) };
		b[3] = (struct heapmap_block){ 0x1100, UINT64_MAX };
		b[4] = (struct heapmap_block){ UINT64_MAX, UINT64_MAX };
		b[5] = (struct heapmap_block){ 0, UINT64_MAX };
		if (round % 2)
			b[3].size = 1;
		m = heapmap_new(&r, 1, b, ARRAY_SIZE(b));
		for (taddr_t at = r.start; at < r.start + r.size; at++)
			for (size_t i = 0; i < ARRAY_SIZE(b); i++)
				if (b[i].addr >= r.start && at >= b[i].addr && at - b[i].addr < b[i].size) {
					covered++;
					break;
				}
		assert_true(heapmap_figures(m, 0)->free <= r.size - covered);
		if (r.layout.align == 1 && !r.layout.header)
			assert_int_equal(heapmap_figures(m, 0)->free, r.size - covered);
		for (size_t i = 0; i < ARRAY_SIZE(b); i++) {
			outside += !is_in(&r, &b[i]) || b[i].size > r.start + r.size - b[i].addr;
			overlapping += is_in(&r, &b[i]) && lies_on_another(&r, b, ARRAY_SIZE(b), i);
		}
		assert_int_equal(heapmap_outside(m), outside);
		assert_int_equal(heapmap_overlapping(m), overlapping);
		text = text_of_map(m, HEAPMAP_ALL, 0, 80, false);
		assert_int_equal(!!strstr(text, " lie on others\n"), overlapping > 1);
		free(text);
		heapmap_free(m);
	}
}

static void at_the_end_of_memory(void **state)
{
	static const struct heapmap_region r[] = {
		{ .start = UINT64_MAX - 99, .size = 1000, .layout = { 8, 16, 32 } },
		{ .start = 0, .size = 64, .layout = { 8, 16, 32 } },
	};
	static const struct heapmap_block b[] = { { UINT64_MAX - 50, 1000 }, { 3, 4 } };
	struct heapmap *m = heapmap_new(r, 2, b, 2);
	char *text = text_of_map(m, HEAPMAP_ALL, 0, 80, false);

	(void)state;
	assert_int_equal(heapmap_nregions(m), 2);
	assert_int_equal(heapmap_figures(m, 1)->size, 99);
	assert_int_equal(heapmap_outside(m), 1);
	free(text);
	heapmap_free(m);
	m = heapmap_new(NULL, 0, b, 2);
	text = text_of_map(m, HEAPMAP_ALL, 0, 80, false);
	assert_string_equal(text, "2 blocks are not in the heap\n");
	free(text);
	heapmap_free(m);
}

static void check_failure(const struct heapmap *m, uint64_t request, const char *want)
{
	struct strbuf sb = STRBUF_INIT;

	heapmap_failure(m, request, &sb);
	assert_string_equal(sb.s, want);
	strbuf_release(&sb);
}

static void the_sentence(void **state)
{
	struct heapmap_region r = { .start = 0x20000000, .size = 1644, .layout = { 4, 4, 8 } };
	VEC(struct heapmap_block) b = { 0 };
	struct heapmap *m;

	(void)state;
	/* 16 pieces of 68 to 72 bytes and one of 96, between blocks of 24. */
	for (unsigned i = 0, at = 4; i < 17; at += 24 + (i < 1 ? 96 : i < 6 ? 68 : 72), i++)
		vec_push(&b, (struct heapmap_block){ 0x20000000 + at, 20 });
	m = heapmap_new(&r, 1, b.v, b.n);
	check_failure(m, 128, "1,236 bytes free in 17 pieces, the largest 96: "
			      "a request for 128 cannot succeed");
	check_failure(m, 94, "1,236 bytes free in 17 pieces, the largest 96: "
			     "a request for 94 and its header cannot succeed");
	check_failure(m, 92, "1,236 bytes free in 17 pieces, the largest 96: "
			     "a request for 92 finds room");
	heapmap_free(m);
	m = heapmap_new(&r, 1, &(struct heapmap_block){ 0x20000004, 1640 }, 1);
	check_failure(m, 1, "0 bytes free: a request for 1 cannot succeed");
	heapmap_free(m);
	m = heapmap_new(&r, 1, NULL, 0);
	check_failure(m, 2000, "1,644 bytes free in 1 piece: a request for 2,000 cannot succeed");
	heapmap_free(m);
	vec_release(&b);
}

static void in_colour(void **state)
{
	static const struct heapmap_region r = { .start = 0x1000, .size = 16, .layout = { 4, 4, 8 } };
	struct heapmap *m = heapmap_new(&r, 1, &(struct heapmap_block){ 0x1004, 4 }, 1);
	struct report_opts opts = REPORT_OPTS_INIT;
	struct report_page page = { .width = 80, .color = true, .utf8 = true };
	struct strbuf sb = STRBUF_INIT;

	(void)state;
	report_heapmap(m, 0, &opts, &page, &sb);
	assert_non_null(strstr(sb.s, "\033[2m000 1000 \033[m\033[33m▒▒▒▒\033[m████\033[2m········\033[m\n"));
	strbuf_release(&sb);
	heapmap_free(m);
}

/* -- low-water marks ------------------------------------------------------------------------- */

static void feed(struct heapinfo *h, enum event_type type, taddr_t addr, uint64_t size)
{
	struct event ev = { .type = type };

	if (type == EV_ALLOC) {
		ev.u.alloc.addr = addr;
		ev.u.alloc.size = size;
	} else {
		ev.u.release.addr = addr;
		ev.u.release.size = size;
	}
	heapinfo_event(h, &ev);
}

static void check_low(const struct heapinfo *h, const struct heapmap_region *r, uint64_t want,
		      bool want_exact)
{
	uint64_t low;
	bool exact;

	assert_true(heapinfo_low(h, r, &low, &exact));
	assert_int_equal(low, want);
	assert_int_equal(exact, want_exact);
}

/* Against the simulator: the least that was free after each operation. */
static void low_water(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 12; i++) {
		struct heapmap_region r = small_region(i);
		struct sim s = { .r = r };
		struct heapinfo *h = heapinfo_new(8, &(struct heapmap_layout){ 0, 0, 0 });
		uint64_t used = r.lead, most = r.lead;

		s.byte = xcalloc(r.size, 1);
		memset(s.byte, HEADER, r.lead);
		heapinfo_add_region(h, r.start, r.size, &r.layout);
		for (unsigned k = 0; k < 300; k++) {
			uint64_t size = 1 + random_below(60);
			struct heapmap_block b;
			size_t nth;

			if (random_below(2) && sim_alloc(&s, size)) {
				feed(h, EV_ALLOC, s.blocks.v[s.blocks.n - 1].addr, size);
				used += taken_for(&s, size);
			} else if (s.blocks.n) {
				nth = random_below((uint32_t)s.blocks.n);
				b = s.blocks.v[nth];
				sim_free(&s, nth);
				feed(h, EV_RELEASE, b.addr, b.size);
				used -= taken_for(&s, b.size);
			}
			most = MAX(most, used);
			check_low(h, &r, r.size - most, true);
		}
		heapinfo_free(h);
		sim_release(&s);
	}
}

static void low_water_of_windows(void **state)
{
	static const struct heapmap_layout l = { 8, 16, 32 };
	struct heapmap_region arena = { .start = 0x7f0004000000, .size = 0x21000, .layout = l, .lead = 0x100 };
	struct heapmap_region brk = { .start = 0x55553ffff000, .size = 0x21000, .layout = l };
	struct heapinfo *h = heapinfo_new(8, &l), *child;
	struct event ev = { .type = EV_REALLOC };

	(void)state;
	feed(h, EV_ALLOC, 0x7f0004000110, 100); /* 112 */
	feed(h, EV_ALLOC, 0x7f0004000200, 24);  /* 32 */
	feed(h, EV_RELEASE, 0x7f0004000110, 100);
	feed(h, EV_RELEASE, 0x7f0004000500, 4000); /* was never seen: not below 0 */
	feed(h, EV_ALLOC, 0x7f0004000300, 56);  /* 64 */
	check_low(h, &arena, 0x21000 - 0x100 - 144, true);
	/* Two windows, whose peaks were not at one time. */
	feed(h, EV_ALLOC, 0x55553ffff010, 56);
	feed(h, EV_RELEASE, 0x55553ffff010, 56);
	feed(h, EV_ALLOC, 0x555540000010, 120);
	check_low(h, &brk, 0x21000 - 64 - 128, false);
	/* realloc: the old block goes, the new one comes. */
	ev.u.realloc.old_addr = 0x555540000010;
	ev.u.realloc.old_size = 120;
	ev.u.realloc.old_stack = 1;
	ev.u.realloc.addr = 0x555540000010;
	ev.u.realloc.size = 184;
	heapinfo_event(h, &ev);
	check_low(h, &brk, 0x21000 - 64 - 192, false);
	ev.u.realloc.failed = true;
	heapinfo_event(h, &ev);
	check_low(h, &brk, 0x21000 - 64 - 192, false);
	/* A child has what is in use, and no past. */
	child = heapinfo_copy(h);
	check_low(child, &brk, 0x21000 - 192, false);
	/* More is in use than was seen. */
	heapinfo_seen(h, &arena, 0x100 + 5000);
	check_low(h, &arena, 0x21000 - 0x100 - 5000, true);
	heapinfo_event(h, &(struct event){ .type = EV_RESET });
	check_low(h, &arena, 0x21000 - 0x100, true);
	arena.brief = true;
	assert_false(heapinfo_low(h, &arena, &ev.time_ns, &ev.u.realloc.failed));
	heapinfo_free(child);
	heapinfo_free(h);
}

static void the_table(void **state)
{
	static const struct heapmap_layout l = { 8, 16, 32 };
	const struct heapmap_region r[] = {
		{ .start = 0x10000, .size = 0x21000, .name = "brk heap", .layout = l },
		{ .start = 0x7f0000000000, .size = 4096, .name = "mapping", .layout = { 16, 4096, 0 },
		  .brief = true },
	};
	static const struct heapmap_block b[] = { { 0x10008, 1000 }, { 0x7f0000000010, 3000 } };
	struct heapmap *m = heapmap_new(r, 2, b, 2);
	struct heapinfo *h = heapinfo_new(8, &l);
	struct report_opts opts = REPORT_OPTS_INIT;
	struct report_page page = { .width = 80 };
	struct strbuf sb = STRBUF_INIT;

	(void)state;
	feed(h, EV_ALLOC, 0x10008, 1000);
	report_heapinfo(m, h, &opts, &page, &sb);
	assert_string_equal(sb.s,
		"region       total     free  largest  low-water  pieces  blocks\n"
		"brk heap   135,168  134,160  134,160    134,160       1       1\n"
		"1 mapping    4,096        0        0          -       0       1\n"
		"in all     139,264  134,160  134,160          -       1       2\n");
	strbuf_release(&sb);
	heapinfo_free(h);
	heapmap_free(m);
}

/* -- --heap ------------------------------------------------------------------------------------- */

static void bounds(void **state)
{
	static const char *const wrong[] = {
		"", "x", "0x", "0x2000", "0x2000:", "0x2000:K", "0x2000:0", "0x2000:4:4", "0x2000:-4",
		" 0x2000:4", "0x2000: 4", "0x2000:4KB", "0x2000:64:", "0x2000:64:x", "0x2000:64:4097",
		"0x2000:64:4:4", "0xffffffffffffffff:2", "0x10000000000000000:1", "0x2000:17179869184G",
		"0x2000:64:4 ",
	};
	struct heapmap_region r = { 0 };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++)
		assert_non_null(heapmap_region_parse(wrong[i], &r));
	assert_int_equal(r.size, 0);
	assert_null(heapmap_region_parse("0x20003240:20K:4", &r));
	assert_int_equal(r.start, 0x20003240);
	assert_int_equal(r.size, 20480);
	assert_int_equal(r.layout.header, 4);
	assert_int_equal(r.layout.align, 4);
	assert_true(r.fixed);
	assert_null(heapmap_region_parse("4096:0x100", &r));
	assert_int_equal(r.start, 4096);
	assert_int_equal(r.size, 256);
	assert_int_equal(r.layout.header, 0);
	assert_null(heapmap_region_parse("0:1G:12", &r));
	assert_int_equal(r.layout.align, 0);
	assert_null(heapmap_region_parse("0xffffffffffffffff:1", &r));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(byte_by_byte),
		cmocka_unit_test(every_width),
		cmocka_unit_test(shaded),
		cmocka_unit_test(where_shading_begins),
		cmocka_unit_test(empty_and_full),
		cmocka_unit_test(letter_for_letter),
		cmocka_unit_test(residency),
		cmocka_unit_test(regions),
		cmocka_unit_test(brief_regions),
		cmocka_unit_test(nonsense),
		cmocka_unit_test(at_the_end_of_memory),
		cmocka_unit_test(the_sentence),
		cmocka_unit_test(in_colour),
		cmocka_unit_test(low_water),
		cmocka_unit_test(low_water_of_windows),
		cmocka_unit_test(the_table),
		cmocka_unit_test(bounds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
