/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How fast a parser is: import-parse FORMAT LOG [LINES]
 *
 * The log is read once, and its lines are found and parsed again and again until LINES
 * (10 000 000) are.  Prints nanoseconds of processor time and bytes a line, and million lines
 * a second. */
#include <stdio.h>

#include "base/clock.h"
#include "base/msg.h"
#include "base/xalloc.h"
#include "import/record.h"

static char *read_log(const char *name, size_t *n)
{
	FILE *in = fopen(name, "r");
	size_t cap = (size_t)64 << 20;
	char *all = xmalloc(cap);

	if (!in)
		die("%s: cannot be read", name);
	*n = fread(all, 1, cap, in);
	fclose(in);
	return all;
}

/* Records of a line. */
static unsigned parse(struct import_parser *parser, const char *line, size_t n)
{
	struct import_record r;
	size_t before, behind = n;
	unsigned records = 0;
	enum import_line what;

	do {
		line += n - behind;
		n = behind;
		what = import_parse(parser, line, n, &r, &before, &behind);
		records += what == LINE_RECORD;
	} while (what != LINE_OTHER && behind);
	return records;
}

int main(int argc, char **argv)
{
	enum import_format format = argc < 3 ? IMPORT_FORMATS : import_format_find(argv[1]);
	unsigned long want = argc > 3 ? strtoul(argv[3], NULL, 0) : 10000000, lines = 0, records = 0;
	struct import_parser *parser;
	uint64_t began, took, bytes = 0;
	size_t n;
	char *all;

	if (format == IMPORT_FORMATS || format == IMPORT_AUTO)
		die("usage: import-parse FORMAT LOG [LINES]");
	all = read_log(argv[2], &n);
	if (!n)
		die("%s: nothing in it", argv[2]);
	parser = import_parser_new(format);
	began = clock_us(CLOCK_PROCESS_CPUTIME_ID);
	while (lines < want) {
		for (char *p = all, *end = all + n, *eol; p < end; p = eol + 1, lines++) {
			eol = memchr(p, '\n', (size_t)(end - p));
			if (!eol)
				eol = end;
			records += parse(parser, p, (size_t)(eol - p));
		}
		bytes += n;
	}
	took = (clock_us(CLOCK_PROCESS_CPUTIME_ID) - began) * 1000;
	printf("%-14s %6.1f ns a line of %5.1f bytes, %5.2f million lines/s, %lu records in %lu lines\n",
	       argv[1], (double)took / (double)lines, (double)bytes / (double)lines,
	       (double)lines * 1000 / (double)took, records, lines);
	import_parser_free(parser);
	free(all);
	return 0;
}
