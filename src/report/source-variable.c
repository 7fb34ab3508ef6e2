/* SPDX-License-Identifier: GPL-2.0-or-later */
/* No parser: it walks back from the call over what may stand between it and a `=`
 * (casts, brackets, the object of a method), then over one lvalue. */
#include <string.h>

#include "base/strbuf.h"
#include "base/xalloc.h"
#include "source-tokens.h"
#include "source-variable.h"

enum { NONE = -1, NAME_MAX_BYTES = 80 };

static bool is(const struct tokens *t, int i, const char *text)
{
	return i >= 0 && (size_t)i < t->v.n && token_is(&t->v.v[i], text);
}

static bool is_any(const struct tokens *t, int i, const char *const *list, size_t n)
{
	for (size_t k = 0; k < n; k++)
		if (is(t, i, list[k]))
			return true;
	return false;
}

/* Words behind which something new begins. */
static bool is_keyword(const struct tokens *t, int i)
{
	static const char *const words[] = {
		"return", "if",	  "while", "for",   "switch", "else",	"do",	    "case",
		"goto",	  "throw", "new",  "delete", "sizeof", "alignof", "co_return", "co_yield",
		"co_await", "and", "or", "not", "operator", "typeof", "default", "break",
	};

	return is_any(t, i, words, ARRAY_SIZE(words));
}

static bool is_name(const struct tokens *t, int i)
{
	return i >= 0 && (size_t)i < t->v.n && t->v.v[i].kind == TOKEN_WORD && !is_keyword(t, i);
}

/* The bracket that the one at i closes, or NONE. */
static int opening(const struct tokens *t, int i)
{
	int depth = 0;

	for (; i >= 0; i--) {
		if (is(t, i, ")") || is(t, i, "]") || is(t, i, "}"))
			depth++;
		else if (is(t, i, "(") || is(t, i, "[") || is(t, i, "{"))
			depth--;
		if (!depth)
			return i;
	}
	return NONE;
}

static int closing(const struct tokens *t, int i)
{
	int depth = 0;

	for (; (size_t)i < t->v.n; i++) {
		if (is(t, i, "(") || is(t, i, "[") || is(t, i, "{"))
			depth++;
		else if (is(t, i, ")") || is(t, i, "]") || is(t, i, "}"))
			depth--;
		if (!depth)
			return i;
	}
	return NONE;
}

static bool is_member(const struct tokens *t, int i)
{
	return is(t, i, "->") || is(t, i, ".") || is(t, i, "::");
}

/* Where the postfix expression begins that ends at i: p->tab[i].x, ns::v, (*q)->r,
 * f(1)->s.  NONE: it is none. */
static int expression_begin(const struct tokens *t, int i)
{
	for (;;) {
		while (is(t, i, "++") || is(t, i, "--"))
			i--;
		while (is(t, i, "]") || is(t, i, ")")) {
			bool index = is(t, i, "]");

			i = opening(t, i);
			if (i < 0)
				return NONE;
			if (is_name(t, i - 1) || is(t, i - 1, "]") || (index && is(t, i - 1, ")")))
				i--;
			else if (index)
				return NONE;
			else
				break; /* ( … ) of its own */
		}
		if (!is_name(t, i) && !is(t, i, "("))
			return NONE;
		if (!is_member(t, i - 1))
			return i;
		if (!is_name(t, i - 2) && !is(t, i - 2, ")") && !is(t, i - 2, "]"))
			return is(t, i - 2, ">") ? NONE : i - 1; /* ::v; .v = in { } */
		i -= 2;
	}
}

/* Can what stands between two brackets, or before a name, be a type? */
static bool is_type(const struct tokens *t, int from, int to)
{
	static const char *const signs[] = { "*", "&", "&&", "::", "<", ">", ">>", ",", "[", "]" };
	bool any = false;

	for (int i = from; i < to; i++) {
		if (is_name(t, i))
			any = true;
		else if (!is_any(t, i, signs, ARRAY_SIZE(signs)) && t->v.v[i].kind != TOKEN_NUMBER)
			return false;
	}
	return any;
}

/* A cast in C's manner that ends at i: where it begins, or NONE. */
static int cast_begin(const struct tokens *t, int i)
{
	int open = is(t, i, ")") ? opening(t, i) : NONE;

	if (open < 0 || !is_type(t, open + 1, i))
		return NONE;
	if (is_name(t, open - 1) || is(t, open - 1, "]") ||
	    (is_keyword(t, open - 1) && !is(t, open - 1, "return")))
		return NONE; /* a call, a condition */
	return open;
}

/* static_cast<T>( whose bracket is at i: where it begins, or NONE. */
static int named_cast_begin(const struct tokens *t, int i)
{
	static const char *const casts[] = { "static_cast", "reinterpret_cast", "const_cast",
					     "dynamic_cast" };
	int depth = 0;

	for (i--; i >= 0; i--) {
		if (is(t, i, ">"))
			depth++;
		else if (is(t, i, ">>"))
			depth += 2;
		else if (is(t, i, "<"))
			depth--;
		if (depth <= 0)
			break;
	}
	return i > 0 && is(t, i, "<") && is_any(t, i - 1, casts, ARRAY_SIZE(casts)) ? i - 1 : NONE;
}

/* From one arm of `… ? … : …` back to its `=`, or NONE. */
static int behind_condition(const struct tokens *t, int i)
{
	for (; i >= 0; i--) {
		if (is(t, i, "="))
			return i;
		if (is(t, i, ")") || is(t, i, "]"))
			i = opening(t, i);
		else if (is(t, i, ";") || is(t, i, "{") || is(t, i, "}") || is(t, i, ",") ||
			 is(t, i, "(") || is(t, i, "[") || is_keyword(t, i))
			return NONE;
	}
	return NONE;
}

static char *text_of(const struct tokens *t, int from, int to)
{
	struct strbuf sb = STRBUF_INIT;

	for (int i = from; i <= to; i++) {
		bool words = i > from && t->v.v[i].kind != TOKEN_SIGN &&
			     t->v.v[i - 1].kind != TOKEN_SIGN;

		if (words)
			strbuf_addc(&sb, ' ');
		strbuf_add(&sb, t->v.v[i].s, t->v.v[i].n);
	}
	if (sb.n <= NAME_MAX_BYTES)
		return strbuf_detach(&sb);
	strbuf_release(&sb);
	return NULL;
}

static int statement_begin(const struct tokens *t, int i)
{
	while (i > 0 && !is(t, i - 1, ";") && !is(t, i - 1, "{") && !is(t, i - 1, "}"))
		i--;
	return i;
}

/* Do the stars before a name belong to its type?  `i` is in front of them. */
static bool declares(const struct tokens *t, int i)
{
	static const char *const types[] = { "typeof", "__typeof__", "decltype" };
	int from = statement_begin(t, i);

	if (is(t, i, ",")) /* int n = 1, *p = … */
		return is_name(t, from) && (is_name(t, from + 1) || is(t, from + 1, "*"));
	if (is(t, i, ")"))
		return is_any(t, opening(t, i) - 1, types, ARRAY_SIZE(types));
	return is_name(t, i) || is(t, i, ">") || is(t, i, "&");
}

/* The lvalue that ends at i.  In `char *p` the star is the type's; in `*out` it is not. */
static char *lvalue(const struct tokens *t, int i)
{
	int begin = expression_begin(t, i), star = begin;

	if (begin < 0)
		return NULL;
	while (is(t, star - 1, "*"))
		star--;
	if (star < begin && declares(t, star - 1))
		star = begin;
	return text_of(t, star, i);
}

/* T name(new …), std::unique_ptr<T> name{new …}, name.reset(new …): the bracket is
 * at i. */
static char *constructed(const struct tokens *t, int i)
{
	int name = i - 1, from, object;

	if (!is_name(t, name))
		return NULL;
	object = expression_begin(t, name);
	if (is(t, name, "reset") && object >= 0 && object < name - 1)
		return text_of(t, object, name - 2);
	from = statement_begin(t, name);
	if (from == name || !is_type(t, from, name) || is_member(t, name - 1))
		return NULL;
	return text_of(t, name, name);
}

/* Of the call whose function's name is at i. */
static char *assigned(const struct tokens *t, int i)
{
	int begin = is_keyword(t, i) ? i - is(t, i - 1, "::") : expression_begin(t, i);

	for (i = begin - 1; begin >= 0 && i >= 0; i--) {
		int cast = cast_begin(t, i);

		if (cast < 0 && is(t, i, "("))
			cast = named_cast_begin(t, i);
		if (cast >= 0)
			i = cast;
		else if (!is(t, i, "(") || is_name(t, i - 1) || is_keyword(t, i - 1) ||
			 (is(t, i - 1, ")") && cast_begin(t, i - 1) < 0))
			break;
	}
	if (begin < 0 || i < 0)
		return NULL;
	if (is(t, i, "?") || is(t, i, ":"))
		i = behind_condition(t, i - 1);
	if (is(t, i, "="))
		return lvalue(t, i - 1);
	return is(t, i, "(") || is(t, i, "{") ? constructed(t, i) : NULL;
}

/* posix_memalign(&p, …): what the first argument points to. */
static char *pointed_to(const struct tokens *t, int i)
{
	int close = closing(t, i + 1), end = i + 2, depth = 0;
	char *name, *whole;

	for (; end < close && !(is(t, end, ",") && !depth); end++)
		depth += is(t, end, "(") || is(t, end, "[") ? 1 : is(t, end, ")") || is(t, end, "]") ? -1 : 0;
	i += 2;
	while (is(t, i, "(") && closing(t, i) > 0 && closing(t, i) < end - 1 &&
	       is_type(t, i + 1, closing(t, i)))
		i = closing(t, i) + 1;
	if (close < 0 || i >= end)
		return NULL;
	if (is(t, i, "&"))
		return i + 1 < end && expression_begin(t, end - 1) == i + 1 ? text_of(t, i + 1, end - 1) : NULL;
	if (expression_begin(t, end - 1) != i)
		return NULL;
	name = text_of(t, i, end - 1);
	whole = name ? xasprintf("*%s", name) : NULL;
	free(name);
	return whole;
}

/* -- which call ------------------------------------------------------------------------ */

/* One result for all calls in the line, or none. */
struct answer {
	char *name;
	unsigned calls;
	bool differ;
};

static void add(struct answer *a, char *name)
{
	if (a->calls++ && (!name != !a->name || (name && strcmp(name, a->name))))
		a->differ = true;
	free(a->name);
	a->name = name;
}

static bool is_called(const struct tokens *t, int i, const char *callee)
{
	if (!strncmp(callee, "operator new", 12))
		return is(t, i, "new");
	if (!strcmp(callee, "aligned_alloc") && is(t, i, "memalign")) /* one function, in C libraries */
		return is(t, i + 1, "(");
	return is(t, i, callee) && (is(t, i + 1, "(") || is(t, i + 1, "<"));
}

static void by_name(const struct tokens *t, size_t line, const char *callee, struct answer *a)
{
	static const char *const by_pointer[] = { "posix_memalign", "asprintf", "vasprintf",
						  "getline", "getdelim" };

	for (int i = 0; (size_t)i < t->v.n; i++)
		if (t->v.v[i].line == line && is_called(t, i, callee))
			add(a, is_any(t, i, by_pointer, ARRAY_SIZE(by_pointer)) ? pointed_to(t, i) :
										  assigned(t, i));
}

/* `p = ANY_MACRO(…)`: the macro calls. */
static void by_macro(const struct tokens *t, size_t line, struct answer *a)
{
	for (int i = 1; (size_t)i + 1 < t->v.n; i++) {
		int cast = cast_begin(t, i - 1), begin;

		if (t->v.v[i].line != line || !is_name(t, i) || !is(t, i + 1, "("))
			continue;
		begin = expression_begin(t, i);
		cast = begin > 0 ? cast_begin(t, begin - 1) : NONE;
		if (is(t, (cast > 0 ? cast : begin) - 1, "="))
			add(a, assigned(t, i));
	}
}

char *source_variable(const char *const *line, size_t n, const char *callee, bool itself)
{
	struct answer a = { 0 };
	struct tokens t;

	if (!n)
		return NULL;
	tokens_of(&t, line, n);
	by_name(&t, n - 1, callee, &a);
	if (!a.calls && itself)
		by_macro(&t, n - 1, &a);
	vec_release(&t.v);
	if (a.differ) {
		free(a.name);
		a.name = NULL;
	}
	return a.name;
}
