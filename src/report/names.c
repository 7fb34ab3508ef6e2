/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Long names made to fit.  C++ names of a thousand columns are common; what
 * tells least goes first:
 *
 *   std::vector<int> ns::Store<std::map<int, long> >::add(std::map<int, long>)
 *   std::vector<int> ns::Store<std::map<int, long> >::add(…)
 *   std::vector<…> ns::Store<…>::add(…)
 *   std::vector<…> n…re<…>::add(…)
 */
#include <ctype.h>
#include <string.h>

#include "base/xalloc.h"
#include "text.h"

static bool continues(char c)
{
	return ((unsigned char)c & 0xc0) == 0x80;
}

size_t text_columns(const char *s)
{
	size_t n = 0;

	for (; *s; s++)
		n += !continues(*s);
	return n;
}

/* "operator<<", "operator->", "operator()": the characters after the word are
 * no brackets.  How many characters the operator's name takes, 0: none here. */
static size_t operator_length(const char *name, const char *at)
{
	const size_t word = strlen("operator");
	size_t n;

	if (strncmp(at, "operator", word) ||
	    (at > name && (isalnum((unsigned char)at[-1]) || at[-1] == '_')))
		return 0;
	if (!strncmp(at + word, "()", 2))
		return word + 2;
	n = strspn(at + word, "<>-=!&|+*/%^~,");
	/* "operator<< <char>": the blank shows where the name ends. */
	return n ? word + n : 0;
}

/* Each outermost pair of brackets that is a list becomes "<…>", or "(…)" when
 * a name stands before it: "(anonymous namespace)" stays. */
static char *collapse(const char *name, char open, char close)
{
	struct strbuf sb = STRBUF_INIT;
	const char *s = name;
	size_t depth = 0, n;

	while (*s) {
		n = depth ? 0 : operator_length(name, s);
		if (n) {
			strbuf_add(&sb, s, n);
			s += n;
			continue;
		}
		if (*s == open && depth++ == 0) {
			bool list = s > name && s[-1] != ' ' && s[-1] != ':' && s[1] != close;

			if (!list) {
				depth = 0;
				strbuf_addc(&sb, *s);
			} else {
				strbuf_addf(&sb, "%c…%c", open, close);
			}
		} else if (*s == close && depth) {
			depth--;
		} else if (!depth) {
			strbuf_addc(&sb, *s);
		}
		s++;
	}
	return strbuf_detach(&sb);
}

/* The beginning (namespaces) and the end (the function itself) stay. */
static char *cut_middle(const char *name, size_t max)
{
	size_t head = (max - 1) / 2, tail = max - 1 - head;
	size_t skip = text_columns(name) - tail;
	struct strbuf sb = STRBUF_INIT;
	const char *s = name;

	for (size_t col = 0; *s; col++) {
		size_t len = 1;

		while (continues(s[len]))
			len++;
		if (col < head || col >= skip)
			strbuf_add(&sb, s, len);
		else if (col == head)
			strbuf_adds(&sb, "…");
		s += len;
	}
	return strbuf_detach(&sb);
}

char *text_shorten(const char *name, size_t max)
{
	static const char brackets[][2] = { { '(', ')' }, { '<', '>' } };
	char *shorter = xstrdup(name), *next;

	for (size_t i = 0; i < ARRAY_SIZE(brackets) && text_columns(shorter) > max; i++) {
		next = collapse(shorter, brackets[i][0], brackets[i][1]);
		free(shorter);
		shorter = next;
	}
	if (text_columns(shorter) > max && max >= 3) {
		next = cut_middle(shorter, max);
		free(shorter);
		shorter = next;
	}
	return shorter;
}
