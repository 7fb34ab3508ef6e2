/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A condition is kept as the steps of a stack machine:
 *
 *   a > 10K || !b     a  10240  >  b  !  ||
 */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/strbuf.h"
#include "base/vec.h"
#include "report/condition.h"

#define MAX_DEPTH 200 /* of parentheses and of `!` */

enum step_kind { NUMBER, NAME, NOT, AND, OR, LESS, LESS_EQUAL, GREATER, GREATER_EQUAL, EQUAL,
		 UNEQUAL };

struct step {
	enum step_kind kind;
	uint64_t n; /* NUMBER: the value; NAME: its number */
};

struct condition {
	char *text;
	VEC(struct step) steps;
};

struct parser {
	struct condition *c;
	const char *at;
	int (*find)(const char *, size_t);
	unsigned depth;
	char *why; /* the first thing that was wrong */
};

static bool parse_or(struct parser *p);

static PRINTF_LIKE(2, 3) bool wrong(struct parser *p, const char *fmt, ...)
{
	struct strbuf sb = STRBUF_INIT;
	va_list ap;

	va_start(ap, fmt);
	strbuf_vaddf(&sb, fmt, ap);
	va_end(ap);
	if (!p->why)
		p->why = strbuf_detach(&sb);
	strbuf_release(&sb);
	return false;
}

static bool add(struct parser *p, enum step_kind kind, uint64_t n)
{
	vec_push(&p->c->steps, ((struct step){ kind, n }));
	return true;
}

static void skip_blanks(struct parser *p)
{
	while (isspace((unsigned char)*p->at))
		p->at++;
}

static bool accept(struct parser *p, const char *token)
{
	size_t n = strlen(token);

	skip_blanks(p);
	if (strncmp(p->at, token, n))
		return false;
	p->at += n;
	return true;
}

/* -- values ------------------------------------------------------------------ */

static bool is_word(char c)
{
	return isalnum((unsigned char)c) || c == '_' || c == '.';
}

static bool parse_number(struct parser *p)
{
	static const char units[] = "KMGT";
	const char *start = p->at, *unit;
	uint64_t v = 0;
	bool over = false;

	for (; isdigit((unsigned char)*p->at); p->at++)
		over |= __builtin_mul_overflow(v, 10u, &v) ||
			__builtin_add_overflow(v, (unsigned)(*p->at - '0'), &v);
	unit = *p->at ? strchr(units, toupper((unsigned char)*p->at)) : NULL;
	if (unit) {
		over |= __builtin_mul_overflow(v, (uint64_t)1 << (10 * (unit - units + 1)), &v);
		p->at++;
	}
	for (; is_word(*p->at); p->at++)
		over = true;
	if (over)
		return wrong(p, "'%.*s' is no number like 10, 4K or 10M", (int)(p->at - start), start);
	return add(p, NUMBER, v);
}

static bool parse_name(struct parser *p)
{
	const char *start = p->at;
	int name;

	while (is_word(*p->at))
		p->at++;
	name = p->find(start, (size_t)(p->at - start));
	if (name < 0)
		return wrong(p, "there is no figure '%.*s'", (int)(p->at - start), start);
	return add(p, NAME, (unsigned)name);
}

static bool parse_value(struct parser *p)
{
	if (accept(p, "("))
		return parse_or(p) && (accept(p, ")") || wrong(p, "a ')' is missing"));
	if (isdigit((unsigned char)*p->at))
		return parse_number(p);
	if (isalpha((unsigned char)*p->at) || *p->at == '_')
		return parse_name(p);
	if (!*p->at)
		return wrong(p, "something is missing at the end");
	return wrong(p, "a name or a number should stand before '%s'", p->at);
}

/* -- operators ---------------------------------------------------------------- */

static bool parse_comparison(struct parser *p)
{
	static const struct {
		const char *token;
		enum step_kind kind;
	} operators[] = { /* what begins another comes after it */
		{ "<=", LESS_EQUAL }, { ">=", GREATER_EQUAL }, { "==", EQUAL }, { "!=", UNEQUAL },
		{ "<", LESS },	      { ">", GREATER },	       { "=", EQUAL },
	};

	if (!parse_value(p))
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(operators); i++)
		if (accept(p, operators[i].token))
			return parse_value(p) && add(p, operators[i].kind, 0);
	return true;
}

static bool parse_not(struct parser *p)
{
	bool ok;

	if (++p->depth > MAX_DEPTH)
		return wrong(p, "it is nested too deeply");
	if (accept(p, "!"))
		ok = parse_not(p) && add(p, NOT, 0);
	else
		ok = parse_comparison(p);
	p->depth--;
	return ok;
}

static bool parse_and(struct parser *p)
{
	if (!parse_not(p))
		return false;
	while (accept(p, "&&"))
		if (!parse_not(p) || !add(p, AND, 0))
			return false;
	return true;
}

static bool parse_or(struct parser *p)
{
	if (!parse_and(p))
		return false;
	while (accept(p, "||"))
		if (!parse_and(p) || !add(p, OR, 0))
			return false;
	return true;
}

struct condition *condition_parse(const char *text, int (*find)(const char *, size_t), char **why)
{
	struct parser p = { .c = xcalloc(1, sizeof *p.c), .at = text, .find = find };

	p.c->text = xstrdup(text);
	if (parse_or(&p)) {
		skip_blanks(&p);
		if (!*p.at)
			return p.c;
		wrong(&p, "'%s' is too much", p.at);
	}
	condition_free(p.c);
	*why = p.why;
	return NULL;
}

void condition_free(struct condition *c)
{
	if (!c)
		return;
	vec_release(&c->steps);
	free(c->text);
	free(c);
}

/* -- evaluation ------------------------------------------------------------------ */

static uint64_t apply(enum step_kind kind, uint64_t a, uint64_t b)
{
	switch (kind) {
	case AND:           return a && b;
	case OR:            return a || b;
	case LESS:          return a < b;
	case LESS_EQUAL:    return a <= b;
	case GREATER:       return a > b;
	case GREATER_EQUAL: return a >= b;
	case EQUAL:         return a == b;
	case UNEQUAL:       return a != b;
	default:            return 0;
	}
}

bool condition_holds(const struct condition *c, uint64_t (*value)(void *, unsigned), void *arg)
{
	uint64_t *stack = xcalloc(c->steps.n + 1, sizeof *stack), *top = stack;
	bool holds;

	for (size_t i = 0; i < c->steps.n; i++) {
		const struct step *s = &c->steps.v[i];

		if (s->kind == NUMBER) {
			*top++ = s->n;
		} else if (s->kind == NAME) {
			*top++ = value(arg, (unsigned)s->n);
		} else if (s->kind == NOT) {
			top[-1] = !top[-1];
		} else {
			top--;
			top[-1] = apply(s->kind, top[-1], top[0]);
		}
	}
	holds = stack[0] != 0;
	free(stack);
	return holds;
}

bool condition_uses(const struct condition *c, bool (*is)(unsigned))
{
	for (size_t i = 0; i < c->steps.n; i++)
		if (c->steps.v[i].kind == NAME && is((unsigned)c->steps.v[i].n))
			return true;
	return false;
}

const char *condition_text(const struct condition *c)
{
	return c->text;
}
