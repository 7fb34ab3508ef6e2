/* SPDX-License-Identifier: GPL-2.0-or-later */
/* usage: replay FORMAT|auto <LOG
 *
 * Reads a log with the parsers alone, keeps the simplest of books, and prints what make-log
 * writes to $EXPECT and $NOTES, so that the two can be compared line by line. */
#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "base/hash.h"
#include "base/vec.h"
#include "base/xalloc.h"
#include "import/record.h"

struct block {
	taddr_t addr;
	uint64_t size;
	char *site;
};

static VEC(struct block) blocks;
static struct u64map open_at = U64MAP_INIT; /* address → index of its block */
static struct u64map freed = U64MAP_INIT;
static struct {
	unsigned long allocs, frees, bytes, failed, unknown, unseen, null;
} sum; /* since the heap began */
static unsigned long doubles, invalid, damaged, resets;

static char *site_of(const struct import_record *r)
{
	if (r->nfile)
		return xasprintf("%.*s:%u:%.*s", (int)r->nfile, r->file, r->line, (int)r->nfunction,
				 r->function);
	return r->npc ? xasprintf("0x%" PRIx64, r->pc[0]) : xstrdup("");
}

static bool close_block(taddr_t addr)
{
	uint64_t *index = u64map_get(&open_at, addr), i;

	if (!index)
		return false;
	i = *index;
	free(blocks.v[i].site);
	vec_remove_swap(&blocks, i);
	u64map_del(&open_at, addr);
	if (i < blocks.n)
		u64map_set(&open_at, blocks.v[i].addr, i);
	u64map_set(&freed, addr, 1);
	return true;
}

static void do_alloc(const struct import_record *r)
{
	sum.allocs++;
	sum.bytes += r->size;
	if (close_block(r->addr)) {
		sum.unseen++;
		sum.frees++;
	}
	u64map_del(&freed, r->addr);
	u64map_set(&open_at, r->addr, blocks.n);
	vec_push(&blocks, (struct block){ r->addr, r->size, site_of(r) });
}

static void do_free(taddr_t addr)
{
	if (!addr) {
		sum.null++;
	} else if (close_block(addr)) {
		sum.frees++;
	} else {
		sum.unknown++;
		*(u64map_get(&freed, addr) ? &doubles : &invalid) += 1;
	}
}

static uint64_t open_bytes(void)
{
	uint64_t n = 0;

	for (size_t i = 0; i < blocks.n; i++)
		n += blocks.v[i].size;
	return n;
}

static void print_image(void)
{
	printf("allocs %lu\nfrees %lu\nbytes_allocated %lu\n", sum.allocs, sum.frees, sum.bytes);
	printf("open_blocks %zu\nopen_bytes %" PRIu64 "\nfailed %lu\n", blocks.n, open_bytes(),
	       sum.failed);
	printf("unknown_releases %lu\nunseen_releases %lu\nnull_releases %lu\n", sum.unknown,
	       sum.unseen, sum.null);
}

static void do_reset(void)
{
	memset(&sum, 0, sizeof sum);
	resets++;
	while (blocks.n)
		close_block(blocks.v[0].addr);
	u64map_release(&freed);
}

static void do_record(const struct import_record *r)
{
	switch (r->what) {
	case RECORD_ALLOC: do_alloc(r); break;
	case RECORD_FREE: do_free(r->addr); break;
	case RECORD_REALLOC: do_free(r->old); do_alloc(r); break;
	case RECORD_FAILED: sum.failed++; break;
	case RECORD_RESET: do_reset(); break;
	case RECORD_LISTED:
		if (!u64map_get(&open_at, r->addr))
			do_alloc(r);
		break;
	case RECORD_BOUNDS: case RECORD_FIGURES: case RECORD_BLOCK: case RECORD_END: break;
	}
}

static void do_line(struct import_parser *parser, const char *line, size_t n)
{
	struct import_record r;
	size_t before, behind = n;
	enum import_line what;

	do {
		line += n - behind;
		n = behind;
		what = import_parse(parser, line, n, &r, &before, &behind);
		if (what == LINE_RECORD)
			do_record(&r);
		damaged += what == LINE_DAMAGED;
	} while (what != LINE_OTHER && behind);
}

static int by_site(const void *a, const void *b)
{
	const struct block *x = a, *y = b;

	return strcmp(x->site, y->site);
}

static void print_notes(void)
{
	printf("error double_free %lu\nerror invalid_free %lu\n", doubles, invalid);
	printf("damaged %lu\nresets %lu\n", damaged, resets);
	if (blocks.n)
		qsort(blocks.v, blocks.n, sizeof *blocks.v, by_site);
	for (size_t i = 0, j; i < blocks.n; i = j) {
		uint64_t n = 0;

		for (j = i; j < blocks.n && !by_site(&blocks.v[i], &blocks.v[j]); j++)
			n += blocks.v[j].size;
		if (*blocks.v[i].site)
			printf("site %s %zu %" PRIu64 "\n", blocks.v[i].site, j - i, n);
	}
}

static size_t read_all(char **all)
{
	size_t n = 0, cap = 1 << 16;
	ssize_t got;

	*all = xmalloc(cap);
	while ((got = read(0, *all + n, cap - n)) > 0)
		if ((n += (size_t)got) == cap)
			*all = xrealloc(*all, cap *= 2, 1);
	return n;
}

int main(int argc, char **argv)
{
	enum import_format format = argc == 2 ? import_format_find(argv[1]) : IMPORT_FORMATS;
	struct import_parser *parser;
	struct import_record r;
	char *all;
	size_t n = read_all(&all);

	if (format == IMPORT_AUTO)
		format = import_recognise(all, n);
	if (format == IMPORT_AUTO || format == IMPORT_FORMATS)
		return 2;
	parser = import_parser_new(format);
	for (char *p = all, *end = all + n, *eol; p < end; p = eol + 1) {
		eol = memchr(p, '\n', (size_t)(end - p));
		if (!eol)
			eol = end;
		do_line(parser, p, (size_t)(eol - p) - (eol > p && eol[-1] == '\r'));
	}
	while (import_parse_end(parser, &r) == LINE_RECORD)
		do_record(&r);
	print_image();
	print_notes();
	import_parser_free(parser);
	free(all);
	return 0;
}
