/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/msg.h"
#include "base/strbuf.h"
#include "base/xalloc.h"
#include "model/event.h"
#include "report/suppress.h"

static char said[4096];

static int parse_n(struct suppressions *s, const char *text, size_t n)
{
	FILE *caught = tmpfile();
	int err;

	assert_non_null(caught);
	msg_set_fd(fileno(caught));
	err = suppressions_parse(s, "known", text, n);
	msg_set_fd(2);
	rewind(caught);
	said[fread(said, 1, sizeof said - 1, caught)] = '\0';
	fclose(caught);
	return err;
}

static struct suppressions *parsed(const char *text)
{
	struct suppressions *s = suppressions_new();

	if (parse_n(s, text, strlen(text)))
		fail_msg("%s: %s", text, said);
	return s;
}

static void refuse(const char *text, const char *because)
{
	struct suppressions *s = suppressions_new();

	if (!parse_n(s, text, strlen(text)))
		fail_msg("%s was accepted", text);
	if (!strstr(said, because))
		fail_msg("%s: said %s instead of %s", text, said, because);
	suppressions_free(s);
}

/* malloc ← strdup ← ns::add (inlined into) ← fill ← main */
#define FUN(name) .function = name, .symbol = name

static const struct suppress_frame frames[] = {
	{ FUN("malloc") },
	{ FUN("strdup"), .object = "/usr/lib/libc.so.6" },
	{ .function = "ns::add(int)", .symbol = "_ZN2ns3addEi", .alias = "add", .file = "/src/store.h",
	  .line = 5, .object = "/opt/prog" },
	{ FUN("fill"), .file = "/src/store.cc", .line = 40, .object = "/opt/prog" },
	{ .object = "/usr/lib/libfoo.so.1" },
	{ FUN("main"), .file = "/src/main.c", .line = 7, .object = "/opt/prog" },
};

static int find(const char *text, unsigned kind)
{
	struct suppressions *s = parsed(text);
	int found = suppressions_find(s, kind, frames, ARRAY_SIZE(frames));

	suppressions_free(s);
	return found;
}

#define LEAK(lines) "{\n name\n Memcheck:Leak\n" lines "}\n"

static void anywhere(void **state)
{
	static const char *const hit[] = {
		"leak:strdup", "leak:trdu", "leak:ns::add", "leak:store.cc", "leak:libfoo",
		"leak:^malloc$", "leak:^ns::*int)$", "leak:/opt/*og", "leak:^/usr*.so.1$",
		"# comment\n\n  leak:fill  \r\n", "leak:nothing\nleak:fill", "leak:*",
		"race:foo\nleak:main",
	};
	static const char *const miss[] = { "leak:strdup$x", "leak:^trdup", "leak:strdu$",
					    "leak:_ZN2ns", "leak:a?d", "leak:add(double)" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(hit); i++)
		if (find(hit[i], LEAK_DEFINITE) < 0)
			fail_msg("no match: %s", hit[i]);
	for (size_t i = 0; i < ARRAY_SIZE(miss); i++)
		if (find(miss[i], LEAK_DEFINITE) >= 0)
			fail_msg("match: %s", miss[i]);
	assert_int_equal(find("leak:strdup", LEAK_REACHABLE), 0);
	assert_int_equal(find("leak:strdup", SUPPRESS_FREE), -1);
}

static void from_the_innermost_frame(void **state)
{
	static const char *const hit[] = {
		LEAK("fun:malloc\n"),
		LEAK("fun:malloc\nfun:strdup\nfun:_ZN2ns3addEi\n"),
		LEAK("fun:mal*\nobj:*/libc.so.?\n"),
		LEAK("fun:malloc\nfun:strdup\nfun:add\nfun:fill\n"),
		LEAK("...\nfun:main\n"),
		LEAK("fun:malloc\n...\nfun:fill\nobj:*libfoo.so*\nfun:main\n"),
		LEAK("...\nsrc:store.cc:40\n"),
		LEAK("...\nsrc:store.h\nsrc:store.*\n"),
		LEAK("fun:malloc\n...\n...\nfun:main\n...\n"),
		LEAK("obj:*\nfun:strdup\n"),
		("# mine\n{\n  x \n\tMemcheck:Leak\n\n# one\n  match-leak-kinds: possible, definite\n"
		 "  fun:malloc\n}\n"),
		"{\n a\n Helgrind,Memcheck:Leak\n match-leak-kinds: all\n fun:malloc\n}",
	};
	static const char *const miss[] = {
		LEAK("fun:strdup\n"),
		LEAK("fun:malloc\nfun:fill\n"),
		LEAK("fun:malloc\n...\nfun:malloc\n"),
		LEAK("...\nfun:main\nfun:_start\n"),
		LEAK("...\nsrc:store.cc:41\n"),
		LEAK("fun:malloc\nfun:strdup\nfun:ns*\n"), /* mangled names only */
		LEAK("match-leak-kinds: possible\nfun:malloc\n"),
		LEAK("match-leak-kinds: none\nfun:malloc\n"),
		"{\n a\n Helgrind:Leak\n fun:malloc\n}",
		"{\n a\n Memcheck:Cond\n fun:malloc\n}",
		"{\n a\n Memcheck:Param\n write(buf)\n fun:malloc\n}",
		"{\n a\n Memcheck:Free\n fun:malloc\n}",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(hit); i++)
		if (find(hit[i], LEAK_DEFINITE) < 0)
			fail_msg("no match: %s", hit[i]);
	for (size_t i = 0; i < ARRAY_SIZE(miss); i++)
		if (find(miss[i], LEAK_DEFINITE) >= 0)
			fail_msg("match: %s", miss[i]);
	assert_int_equal(find("{\n a\n Memcheck:Free\n fun:malloc\n}", SUPPRESS_FREE), 0);
}

static void names(void **state)
{
	struct suppressions *s = parsed("{\n first\n Memcheck:Leak\n fun:a\n}\n"
					"{\n skipped\n Memcheck:Cond\n fun:a\n}\n"
					"{\n second\n Memcheck:Leak\n ...\n}\n");

	(void)state;
	assert_int_equal(suppressions_count(s), 2);
	assert_string_equal(suppression_name(s, 0), "first");
	assert_string_equal(suppression_name(s, 1), "second");
	assert_false(suppression_takes_held(s, 0));
	assert_int_equal(suppressions_parse(s, "more", "leak:x", 6), 0);
	assert_string_equal(suppression_name(s, 2), "leak:x");
	assert_true(suppression_takes_held(s, 2));
	suppressions_free(s);
}

static void what_is_none(void **state)
{
	(void)state;
	refuse("hello", "known:1: 'hello' is no suppression like leak:PATTERN");
	refuse("leak:", "known:1: 'leak:' is no");
	refuse("leak:x\n\nLeak x\n", "known:3: 'Leak x'");
	refuse("{", "a '}' is missing");
	refuse("{\n}\n", "known:2: '}' comes too early");
	refuse("{\n name\n}\n", "known:3: '}' comes too early");
	refuse("{\n name\n Leak\n fun:a\n}\n", "known:3: 'Leak' is not like Memcheck:Leak");
	refuse("{\n name\n Memcheck:Leak\n fun:a\n", "a '}' is missing");
	refuse(LEAK(""), "'name' names no frame");
	refuse(LEAK("function:a\n"), "known:4: 'function:a' is none of fun:, obj:, src: and ...");
	refuse(LEAK("fun:\n"), "names nothing");
	refuse(LEAK("match-leak-kinds: lost\nfun:a\n"), "'lost' is no kind of leak");
	refuse(LEAK("fun:a\n") "leak:x\n", "a '{' should stand instead of 'leak:x'");
}

static void a_bad_one_hides_no_other(void **state)
{
	struct suppressions *s = suppressions_new();
	static const char text[] = LEAK("what:a\n fun:b\n") LEAK("fun:malloc\n");

	(void)state;
	assert_int_equal(parse_n(s, text, strlen(text)), -1);
	assert_int_equal(suppressions_count(s), 1);
	suppressions_free(s);
}

static void what_was_found_is_kept(void **state)
{
	struct suppressions *s = parsed("leak:x");

	(void)state;
	assert_int_equal(suppressions_known(s, 5, LEAK_DEFINITE), -2);
	suppressions_keep(s, 5, LEAK_DEFINITE, -1);
	suppressions_keep(s, 5, LEAK_POSSIBLE, 0);
	assert_int_equal(suppressions_known(s, 5, LEAK_DEFINITE), -1);
	assert_int_equal(suppressions_known(s, 5, LEAK_POSSIBLE), 0);
	assert_int_equal(suppressions_known(s, 6, LEAK_DEFINITE), -2);
	suppressions_free(s);
}

static void random_text(void **state)
{
	static const char *const tokens[] = { "{\n", "}\n", "\n", "name\n", "Memcheck:Leak\n", "fun:",
					      "obj:*", "...\n", "leak:", "^", "$", "*", "#", " ", "\xff",
					      "match-leak-kinds:", "definite", ",", "main", ":" };
	uint64_t seed = 7;

	(void)state;
	for (int i = 0; i < 20000; i++) {
		struct suppressions *s = suppressions_new();
		struct strbuf sb = STRBUF_INIT;

		strbuf_adds(&sb, i % 2 ? "{\nname\nMemcheck:Leak\n" : "");
		for (int n = 0; n < 12; n++) {
			seed = seed * 6364136223846793005u + 1442695040888963407u;
			strbuf_adds(&sb, tokens[(seed >> 33) % ARRAY_SIZE(tokens)]);
			if (!(seed >> 60))
				strbuf_addc(&sb, '\0');
		}
		if (i % 100) { /* messages cost a file each time */
			msg_set_fd(-1);
			suppressions_parse(s, "random", sb.s, sb.n);
			msg_set_fd(2);
		} else {
			parse_n(s, sb.s, sb.n);
		}
		for (unsigned kind = 0; kind < SUPPRESS_KINDS; kind++)
			suppressions_find(s, kind, frames, ARRAY_SIZE(frames));
		strbuf_release(&sb);
		suppressions_free(s);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(anywhere),
		cmocka_unit_test(from_the_innermost_frame),
		cmocka_unit_test(names),
		cmocka_unit_test(what_is_none),
		cmocka_unit_test(a_bad_one_hides_no_other),
		cmocka_unit_test(what_was_found_is_kept),
		cmocka_unit_test(random_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
