/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/strbuf.h"
#include "base/xalloc.h"
#include "report/condition.h"

static const char *const names[] = { "zero", "one", "ten_k", "big" };
static const uint64_t values[] = { 0, 1, 10240, UINT64_MAX };

static int find(const char *name, size_t n)
{
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (strlen(names[i]) == n && !memcmp(names[i], name, n))
			return (int)i;
	return -1;
}

static uint64_t value(void *arg, unsigned name)
{
	(void)arg;
	return values[name];
}

static bool is_big(unsigned name)
{
	return name == 3;
}

static void check(const char *text, bool wanted)
{
	char *why = NULL;
	struct condition *c = condition_parse(text, find, &why);

	if (!c)
		fail_msg("%s: %s", text, why);
	if (condition_holds(c, value, NULL) != wanted)
		fail_msg("%s is not %d", text, wanted);
	assert_string_equal(condition_text(c), text);
	condition_free(c);
}

static void refuse(const char *text, const char *because)
{
	char *why = NULL;
	struct condition *c = condition_parse(text, find, &why);

	if (c)
		fail_msg("%s was accepted", text);
	if (!strstr(why, because))
		fail_msg("%s: said %s instead of %s", text, why, because);
	free(why);
}

static void conditions(void **state)
{
	(void)state;
	check("one", true);
	check("zero", false);
	check("!zero", true);
	check("!!zero", false);
	check("one<2", true);
	check(" one  <= 1 ", true);
	check("one >= 2", false);
	check("one > 0", true);
	check("one == 1 && one = 1 && one != 2", true);
	check("ten_k == 10K && ten_k==10k", true);
	check("1M == 1024K && 1G == 1024M && 1T == 1024G", true);
	check("big == 18446744073709551615", true);
	check("zero || one", true);
	check("zero && one || one", true);  /* && binds more tightly … */
	check("one || one && zero", true);
	check("(one || one) && zero", false);
	check("!zero && zero", false);
	check("!(zero && zero)", true);
	check("!one == 0", true);           /* … and ! less than a comparison */
	check("(one > 0) == (ten_k > 0)", true);
}

static void what_is_none(void **state)
{
	(void)state;
	refuse("", "something is missing at the end");
	refuse("one >", "something is missing at the end");
	refuse("one > 1 &&", "something is missing at the end");
	refuse("two > 1", "no figure 'two'");
	refuse("on > 1", "no figure 'on'");
	refuse("ones > 1", "no figure 'ones'");
	refuse("(one", "a ')' is missing");
	refuse("one)", "')' is too much");
	refuse("one > 0 > 0", "'> 0' is too much");
	refuse("one one", "'one' is too much");
	refuse("> 1", "before '> 1'");
	refuse("one & 1", "'& 1' is too much");
	refuse("5x", "'5x' is no number");
	refuse("5KB", "'5KB' is no number");
	refuse("18446744073709551616", "is no number");
	refuse("99999999999T", "is no number");
}

static void no_nesting_is_too_deep(void **state)
{
	struct strbuf sb = STRBUF_INIT;

	(void)state;
	for (int i = 0; i < 100000; i++)
		strbuf_addc(&sb, i % 2 ? '(' : '!');
	refuse(sb.s, "too deeply");
	strbuf_release(&sb);
}

static void which_names_it_uses(void **state)
{
	char *why = NULL;
	struct condition *c;

	(void)state;
	c = condition_parse("one > 3 || big", find, &why);
	assert_true(condition_uses(c, is_big));
	condition_free(c);
	c = condition_parse("one > 3", find, &why);
	assert_false(condition_uses(c, is_big));
	condition_free(c);
}

/* -- against a plain model ------------------------------------------------------ */

static uint64_t seed = 42;

static unsigned pick(unsigned n)
{
	seed = seed * 6364136223846793005u + 1442695040888963407u;
	return (unsigned)(seed >> 33) % n;
}

static void blanks(struct strbuf *sb)
{
	if (!pick(4))
		strbuf_addc(sb, " \t"[pick(2)]);
}

static uint64_t make_or(struct strbuf *sb, unsigned depth);

static uint64_t make_value(struct strbuf *sb, unsigned depth)
{
	uint64_t v = pick(3);

	blanks(sb);
	if (depth && pick(2)) {
		strbuf_addc(sb, '(');
		v = make_or(sb, depth - 1);
		strbuf_addc(sb, ')');
	} else if (pick(2)) {
		unsigned i = pick(ARRAY_SIZE(names));

		strbuf_adds(sb, names[i]);
		v = values[i];
	} else {
		strbuf_addf(sb, "%u", (unsigned)v);
	}
	blanks(sb);
	return v;
}

static uint64_t make_not(struct strbuf *sb, unsigned depth)
{
	static const char *const operators[] = { "<", "<=", ">", ">=", "==", "!=" };
	uint64_t a, b;
	unsigned op;

	blanks(sb);
	if (depth && !pick(4)) {
		strbuf_addc(sb, '!');
		return !make_not(sb, depth - 1);
	}
	a = make_value(sb, depth);
	if (pick(2))
		return a;
	op = pick(ARRAY_SIZE(operators));
	strbuf_adds(sb, operators[op]);
	b = make_value(sb, depth);
	return op == 0 ? a < b : op == 1 ? a <= b : op == 2 ? a > b : op == 3 ? a >= b :
	       op == 4 ? a == b : a != b;
}

static uint64_t make_and(struct strbuf *sb, unsigned depth)
{
	uint64_t v = make_not(sb, depth), w;

	while (!pick(4)) {
		strbuf_adds(sb, "&&");
		w = make_not(sb, depth);
		v = v && w;
	}
	return v;
}

static uint64_t make_or(struct strbuf *sb, unsigned depth)
{
	uint64_t v = make_and(sb, depth), w;

	while (!pick(4)) {
		strbuf_adds(sb, "||");
		w = make_and(sb, depth);
		v = v || w;
	}
	return v;
}

static void random_conditions(void **state)
{
	(void)state;
	for (int i = 0; i < 20000; i++) {
		struct strbuf sb = STRBUF_INIT;
		bool wanted = make_or(&sb, 4) != 0;

		check(sb.s, wanted);
		strbuf_release(&sb);
	}
}

/* Nonsense is refused with a reason, or is a condition; never anything else. */
static void random_text(void **state)
{
	static const char *const tokens[] = { "(", ")", "!", "&&", "||", "<", ">=", "=", "one",
					      "7", "4K", " ", "&", "x", "_", "\xff", "9999999999" };

	(void)state;
	for (int i = 0; i < 50000; i++) {
		struct strbuf sb = STRBUF_INIT;
		struct condition *c;
		char *why = NULL;

		strbuf_adds(&sb, "");
		for (unsigned n = pick(12); n; n--)
			strbuf_adds(&sb, tokens[pick(ARRAY_SIZE(tokens))]);
		c = condition_parse(sb.s, find, &why);
		if (c)
			condition_holds(c, value, NULL);
		else
			assert_true(why && *why);
		condition_free(c);
		free(why);
		strbuf_release(&sb);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(conditions),
		cmocka_unit_test(what_is_none),
		cmocka_unit_test(no_nesting_is_too_deep),
		cmocka_unit_test(which_names_it_uses),
		cmocka_unit_test(random_conditions),
		cmocka_unit_test(random_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
