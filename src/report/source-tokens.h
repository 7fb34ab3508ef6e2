/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Words and signs of C and C++, as far as source-variable.c needs them.  Any bytes are
 * tolerated. */
#ifndef MTRACE_SRC_REPORT_SOURCE_TOKENS_H
#define MTRACE_SRC_REPORT_SOURCE_TOKENS_H

#include "base/types.h"
#include "base/vec.h"

enum token_kind { TOKEN_WORD, TOKEN_NUMBER, TOKEN_TEXT, TOKEN_SIGN };

struct token {
	enum token_kind kind;
	const char *s; /* into the lines */
	uint16_t n;    /* bytes */
	uint16_t line; /* index of its line */
};

struct tokens {
	VEC(struct token) v;
};

#define TOKENS_MAX 2048

/* Comments and preprocessor lines are left out; the beginning may be in the midst of a
 * comment.  The caller frees with vec_release(&t->v). */
void tokens_of(struct tokens *t, const char *const *line, size_t n);
bool token_is(const struct token *t, const char *text);

#endif
