/* SPDX-License-Identifier: GPL-2.0-or-later */
/* In which format a log is: every parser tries, and the one that finds most records has it. */
#include "import/parse.h"

static unsigned count_line(struct import_parser *parser, const char *line, size_t n)
{
	unsigned count = 0;
	struct import_record r;
	size_t before, behind = n;
	enum import_line what;

	do {
		n = behind;
		what = import_parse(parser, line, n, &r, &before, &behind);
		line += n - behind;
		count += what == LINE_RECORD && r.what != RECORD_RESET;
	} while (what != LINE_OTHER && behind);
	return count;
}

static unsigned count_records(enum import_format format, const char *bytes, size_t n)
{
	struct import_parser *parser = import_parser_new(format);
	const char *end = bytes + n, *eol;
	unsigned count = 0;

	for (; bytes < end; bytes = eol + 1) {
		eol = memchr(bytes, '\n', (size_t)(end - bytes));
		if (!eol)
			eol = end;
		count += count_line(parser, bytes, (size_t)(eol - bytes));
	}
	import_parser_free(parser);
	return count;
}

enum import_format import_recognise(const char *bytes, size_t n)
{
	enum import_format best = IMPORT_AUTO;
	unsigned most = 0;

	for (enum import_format format = IMPORT_AUTO + 1; format < IMPORT_FORMATS; format++) {
		unsigned count = count_records(format, bytes, n);

		if (count > most) {
			most = count;
			best = format;
		}
	}
	return best;
}
