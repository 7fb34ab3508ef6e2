/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A line of the console as words. */
#include <string.h>

#include "console.h"

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* A word without its quotes; *text is moved behind it.  NULL: a quote is open. */
static char *next_word(const char **text)
{
	struct strbuf sb = STRBUF_INIT;
	const char *s = *text;
	char quote = 0;

	for (; *s && (quote || (!is_blank(*s) && *s != '>')); s++) {
		if (*s == quote) {
			quote = 0;
		} else if (!quote && (*s == '"' || *s == '\'')) {
			quote = *s;
		} else {
			if (*s == '\\' && quote != '\'' && s[1])
				s++;
			strbuf_addc(&sb, *s);
		}
	}
	*text = s;
	if (!quote)
		return strbuf_detach(&sb);
	strbuf_release(&sb);
	return NULL;
}

static int take_file(struct command_line *l, const char **text, const char **why)
{
	l->append = (*text)[1] == '>';
	*text += 1 + l->append;
	while (is_blank(**text))
		++*text;
	if (l->file) {
		*why = "there are two files to write to";
		return -1;
	}
	l->file = next_word(text);
	if (l->file && *l->file)
		return 0;
	*why = l->file ? "no file is named behind >" : "a quote is not closed";
	return -1;
}

int command_line_split(struct command_line *l, const char *text, const char **why)
{
	*l = (struct command_line){ 0 };
	for (;;) {
		char *word;

		while (is_blank(*text))
			text++;
		if (!*text || *text == '#')
			break;
		if (*text == '>') {
			if (take_file(l, &text, why))
				return -1;
			continue;
		}
		word = next_word(&text);
		if (!word) {
			*why = "a quote is not closed";
			return -1;
		}
		vec_push(&l->words, word);
	}
	vec_reserve(&l->words, l->words.n + 1);
	l->words.v[l->words.n] = NULL;
	return 0;
}

void command_line_release(struct command_line *l)
{
	for (size_t i = 0; i < l->words.n; i++)
		free(l->words.v[i]);
	vec_release(&l->words);
	free(l->file);
	l->file = NULL;
}
