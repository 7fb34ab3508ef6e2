/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <ctype.h>
#include <string.h>

#include "base/xalloc.h"
#include "source-tokens.h"

bool token_is(const struct token *t, const char *text)
{
	return !strncmp(t->s, text, t->n) && !text[t->n];
}

/* UTF-8 may stand in identifiers, too. */
static bool is_word(char c)
{
	return isalnum((unsigned char)c) || c == '_' || c == '$' || c & 0x80;
}

static size_t word_length(const char *s)
{
	size_t n = 0;

	while (is_word(s[n]))
		n++;
	return n;
}

/* 0x1f, 1.5e-3, 1'000 */
static size_t number_length(const char *s)
{
	size_t n = 1;

	while (is_word(s[n]) || s[n] == '.' || (s[n] == '\'' && isalnum((unsigned char)s[n + 1])))
		n++;
	return n;
}

/* "…" or '…'; one that is not closed ends with its line. */
static size_t text_length(const char *s)
{
	size_t n = 1;

	while (s[n] && s[n] != s[0])
		n += s[n] == '\\' && s[n + 1] ? 2 : 1;
	return n + (s[n] != '\0');
}

static size_t sign_length(const char *s)
{
	/* The longer ones first. */
	static const char *const signs[] = {
		"<<=", ">>=", "...", "->*", "->", "++", "--", "<<", "<=", ">=", "==", "!=", "&&",
		"||",  "+=",  "-=",  "*=",  "/=", "%=", "&=", "|=", "^=", "::",
	};

	for (size_t i = 0; i < ARRAY_SIZE(signs); i++)
		if (!strncmp(s, signs[i], strlen(signs[i])))
			return strlen(signs[i]);
	return 1;
}

static struct token next_token(const char *s, size_t line)
{
	struct token t = { TOKEN_SIGN, s, 0, (uint16_t)line };
	size_t n;

	if (isdigit((unsigned char)*s)) {
		t.kind = TOKEN_NUMBER;
		n = number_length(s);
	} else if (is_word(*s)) {
		t.kind = TOKEN_WORD;
		n = word_length(s);
	} else if (*s == '"' || *s == '\'') {
		t.kind = TOKEN_TEXT;
		n = text_length(s);
	} else {
		n = sign_length(s);
	}
	t.n = (uint16_t)MIN(n, (size_t)UINT16_MAX);
	return t;
}

/* What is inside a comment that began further up is none of ours. */
static void line_tokens(struct tokens *t, const char *s, size_t line, bool *comment)
{
	while (*s && t->v.n < TOKENS_MAX) {
		struct token token;

		if (*comment) {
			s = strstr(s, "*/");
			if (!s)
				return;
			*comment = false;
			s += 2;
		} else if (s[0] == '/' && s[1] == '/') {
			return;
		} else if (s[0] == '/' && s[1] == '*') {
			*comment = true;
			s += 2;
		} else if (s[0] == '*' && s[1] == '/') { /* it began before the lines we have */
			t->v.n = 0;
			s += 2;
		} else if (isspace((unsigned char)*s) || iscntrl((unsigned char)*s) || *s == '\\') {
			s++;
		} else {
			token = next_token(s, line);
			vec_push(&t->v, token);
			s += token.n;
		}
	}
}

void tokens_of(struct tokens *t, const char *const *line, size_t n)
{
	bool comment = false, directive = false;

	*t = (struct tokens){ 0 };
	for (size_t i = 0; i < n; i++) {
		const char *s = line[i];
		size_t len = strlen(s);

		directive |= !comment && s[strspn(s, " \t")] == '#';
		if (!directive)
			line_tokens(t, s, i, &comment);
		directive &= len && s[len - 1] == '\\'; /* it goes on */
	}
}
