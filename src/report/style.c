/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Colours, columns, numbers. */
#include <stdio.h>
#include <string.h>

#include "base/xalloc.h"
#include "text.h"

/* In the buffer a style is one control character; text_finish() makes escape
 * sequences of them.  So no name from outside can bring its own. */
#define STYLE_OFF '\006'

void style_on(struct text *t, enum style style)
{
	if (style != PLAIN)
		strbuf_addc(t->out, (char)style);
}

void style_off(struct text *t, enum style style)
{
	if (style != PLAIN)
		strbuf_addc(t->out, STYLE_OFF);
}

void text_finish(struct text *t, struct strbuf *to)
{
	static const char *const sequence[] = { [DIM] = "\033[2m", [BOLD] = "\033[1m",
						[RED] = "\033[1;31m", [YELLOW] = "\033[33m",
						[STYLE_OFF] = "\033[m" };

	for (size_t i = 0; i < t->out->n; i++) {
		unsigned char c = (unsigned char)t->out->s[i];
		size_t control = control_at(t->out->s + i, t->out->n - i);

		if (!control || c == '\n') {
			strbuf_addc(to, (char)c);
		} else if (c >= ARRAY_SIZE(sequence) || !sequence[c]) {
			strbuf_addc(to, '?');
			i += control - 1;
		} else if (t->color) {
			strbuf_adds(to, sequence[c]);
		}
	}
}

void text_pad(struct strbuf *sb, size_t have, size_t want)
{
	for (; have < want; have++)
		strbuf_addc(sb, ' ');
}

void text_count(struct strbuf *sb, uint64_t n, const char *noun)
{
	strbuf_add_grouped(sb, n);
	strbuf_addf(sb, " %s%s", noun, n == 1 ? "" : "s");
}

void text_amount(struct strbuf *sb, uint64_t bytes, uint64_t n, const char *noun)
{
	text_count(sb, bytes, "byte");
	strbuf_adds(sb, " in ");
	text_count(sb, n, noun);
}

void text_percent(struct strbuf *sb, uint64_t part, uint64_t whole)
{
	double percent = whole ? (double)part * 100 / (double)whole : 0;

	strbuf_addf(sb, "%.*f %%", percent < 9.95 ? 1 : 0, percent);
}

void text_section(struct text *t)
{
	if (t->begun)
		strbuf_addc(t->out, '\n');
	t->begun = true;
}
