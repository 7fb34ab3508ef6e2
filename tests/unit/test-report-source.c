/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which variable the result of a call goes to, told from lines of C and C++. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/xalloc.h"
#include "report/source-variable.h"

enum { LINES = 8 };

/* `text` is some lines, of which the last is that of the call. */
static void check_how(const char *text, const char *callee, bool itself, const char *wanted)
{
	const char *line[LINES];
	char *copy = xstrdup(text), *rest = copy, *at, *got;
	size_t n = 0;

	while (n < LINES && (at = strsep(&rest, "\n")))
		line[n++] = at;
	got = source_variable(line, n, callee, itself);
	if (!got != !wanted || (got && strcmp(got, wanted)))
		fail_msg("%s: %s instead of %s", text, got ? got : "none", wanted ? wanted : "none");
	free(got);
	free(copy);
}

static void c(const char *text, const char *wanted)
{
	check_how(text, "malloc", true, wanted);
}

static void cxx(const char *text, const char *wanted)
{
	check_how(text, "operator new[]", true, wanted);
}

static void test_plain(void **state)
{
	(void)state;
	c("char *buffer = malloc(256);", "buffer");
	c("\tbuffer = malloc (n * sizeof *buffer);", "buffer");
	c("unsigned char **const p=malloc(1);", "p");
	c("register void *volatile q = malloc(3), *r;", "q");
	c("if (x) p = malloc(3);", "p");
	c("else p = malloc(3);", "p");
	c("case 3: p = malloc(3); break;", "p");
	c("a = b = malloc(3);", "b");
	c("int n = 1, *b = malloc(3);", "b");
	c("struct node *n = malloc(sizeof(struct node)), *m = NULL;", "n");
	c("p++; q = malloc(3); r--;", "q");
	c("größe = malloc(3);", "größe");
	check_how("p->name = strdup(x);", "strdup", false, "p->name");
	check_how("FILE *f = fopen(\"a = b\", \"r\");", "fopen", false, "f");
	check_how("p = calloc(3, sizeof(int));", "calloc", true, "p");
	check_how("q = p; p = memalign(64, 3);", "aligned_alloc", true, "p");
	check_how("p = realloc(p, 2 * n);", "realloc", true, "p");
}

static void test_lvalues(void **state)
{
	(void)state;
	c("p->name = malloc(3);", "p->name");
	c("a.b->c.d = malloc(3);", "a.b->c.d");
	c("tab[i] = malloc(3);", "tab[i]");
	c("m[f(a, b)].x->y[i + 1][j] = malloc(3);", "m[f(a,b)].x->y[i+1][j]");
	c("*out = malloc(3);", "*out");
	c("if (n) **out = malloc(3);", "**out");
	c("if (n) *out = malloc(3);", "*out");
	c("else *out = malloc(3);", "*out");
	c("(*p)->q = malloc(3);", "(*p)->q");
	c("((struct s *)x)->y = malloc(3);", "((struct s*)x)->y");
	c("get(x)->y = malloc(3);", "get(x)->y");
	c("*p++ = malloc(3);", "*p++");
	c("typeof(x) *p = malloc(3);", "p");
	c("struct s v = { .name = malloc(3), .n = 3 };", ".name");
	c("this->x = malloc(3);", "this->x");
	cxx("ns::Class::member = new int[3];", "ns::Class::member");
	cxx("::global = new int[3];", "::global");
	cxx("std::vector<int> *v = new std::vector<int>[3];", "v");
	cxx("std::map<int, std::vector<int>> *v = new std::map<int, std::vector<int>>[3];", "v");
}

static void test_calls(void **state)
{
	(void)state;
	c("p = (char *)malloc(3);", "p");
	c("p = (struct a *) (void *) malloc(3);", "p");
	c("p = (char *)(malloc(3));", "p");
	c("p = (malloc(3));", "p");
	c("if ((p = malloc(3)) == NULL)", "p");
	c("if (!(p = malloc(3)))", "p");
	c("while ((p->next = malloc(3)) && go_on)", "p->next");
	c("return p = malloc(3);", "p");
	c("p = n ? malloc(n) : NULL;", "p");
	c("p = p ? p : malloc(3);", "p");
	c("p = f(x)[1] == 3 ? NULL : malloc(3);", "p");
	c("TRY(p = malloc(3));", "p");
	cxx("int *a = new int[3];", "a");
	cxx("a = ::new int[3];", "a");
	cxx("auto a = new (std::nothrow) T[3];", "a");
	cxx("auto *a = static_cast<T *>(new char[3]);", "a");
	cxx("a = reinterpret_cast<std::vector<int> *>((void *)new char[3]);", "a");
	cxx("std::unique_ptr<int[]> a(new int[3]);", "a");
	cxx("std::unique_ptr<int[]> a{new int[3]};", "a");
	cxx("p.reset(new int[3]);", "p");
	cxx("this->tab[i].reset(new int[3]);", "this->tab[i]");
	c("p = std::malloc(3);", "p");
	c("p = pool->tab[i].malloc(3);", "p");
	check_how("auto p = std::make_unique<Foo>(3);", "make_unique", false, "p");
	check_how("if (posix_memalign((void **)&q, 64, 100))", "posix_memalign", true, "q");
	check_how("posix_memalign(&p->q, 64, f(1, 2));", "posix_memalign", true, "p->q");
	check_how("posix_memalign(out, 64, 100);", "posix_memalign", true, "*out");
	check_how("if (asprintf(&s, \"%d, %d\", 1, 2) < 0)", "asprintf", false, "s");
}

static void test_none(void **state)
{
	(void)state;
	c("if (p == malloc(3))", NULL);
	c("if (p <= malloc(3) || q != malloc(3))", NULL);
	c("f(malloc(3));", NULL);
	c("p = f(malloc(3));", NULL);
	c("f(1, malloc(3));", NULL);
	c("return malloc(3);", NULL);
	c("return (char *)malloc(3);", NULL);
	c("return (malloc(3));", NULL);
	c("malloc(3);", NULL);
	c("(void)malloc(3);", NULL);
	c("if (x) malloc(3);", NULL);
	c("if (malloc(3))", NULL);
	c("p += malloc(3);", NULL);
	c("p = 1 + malloc(3);", NULL);
	c("p = !malloc(3);", NULL);
	c("p = x, malloc(3);", NULL);
	c("char *p[] = { malloc(3) };", NULL);
	c("size_t n = sizeof(malloc(3));", NULL);
	c("p = malloc(3); q = malloc(4);", NULL);
	c("p = malloc(3); f(malloc(4));", NULL);
	c("x = 3;", NULL);
	c("", NULL);
	cxx("v.push_back(new int[3]);", NULL);
	cxx("throw new int[3];", NULL);
	cxx("return new int[3];", NULL);
	cxx("a = f(new int[3]);", NULL);
	cxx("delete f(new int[3]);", NULL);
	check_how("n = fread(buf, 1, 2, f);", "malloc", false, NULL);
	check_how("posix_memalign(f(), 64, 100);", "posix_memalign", true, "*f()");
	check_how("posix_memalign(a + 1, 64, 100);", "posix_memalign", true, NULL);
}

/* The same twice is no question. */
static void test_twice(void **state)
{
	(void)state;
	c("if (n) p = malloc(3); else p = malloc(4);", "p");
	c("p = n ? malloc(3) : malloc(4);", "p");
}

static void test_lines(void **state)
{
	(void)state;
	c("p->name =\n\tmalloc(3);", "p->name");
	c("char *p\n\t= (char *)\n\tmalloc(3);", "p");
	c("q = 1;\nx = 2;\nmalloc(3);", NULL);
	c("q =\n#ifdef X\n\tmalloc(3);", "q");
	c("#define M(p) p =\\\n\tmalloc(3)", NULL);
	c("p = malloc(3);\nf(4);", NULL); /* not in the last one */
}

static void test_comments_and_texts(void **state)
{
	(void)state;
	c("p /* = */ = /* q = */ malloc(3); // r = malloc(4);", "p");
	c("as it is = ( */ p = malloc(3);", "p");
	c("/* a\nb */ p = malloc(3);", "p");
	c("/* p = malloc(3);", NULL);
	c("f(\"p = malloc(3)\");", NULL);
	c("q = \"malloc(\"; p = malloc(3);", "p");
	c("c = '\"'; p = malloc(3); d = '\\'';", "p");
	c("n = 1'000; p = malloc(3);", "p");
	c("p = malloc(strlen(\"\\\"\") + 0x1fUL + 1.5e3);", "p");
}

static void test_macros(void **state)
{
	(void)state;
	c("p = XMALLOC(3);", "p");
	c("p = (char *)NEW(struct a);", "p");
	c("p = XMALLOC(3) + XMALLOC(4);", "p");
	c("p = A(3); q = B(4);", NULL);
	c("GROW(p);", NULL);
	check_how("p = whatever(3);", "malloc", false, NULL);
}

/* Any bytes at all: no more is asked for than that it ends, and reads nothing else. */
static void test_hostile(void **state)
{
	static const char *const pieces[] = {
		"(", ")", "[", "]", "{", "}", "=", "==", "malloc", "malloc(", "new ", "*", "&", "->", "::",
		".", "<", ">", ">>", "?", ":", ",", ";", "\"", "'", "\\", "/*", "*/", "//", "#", "p", "return ",
		"static_cast", "\xff\xfe", "\x01", "\x1b[31m", "1'", "++", "if", "posix_memalign(",
	};
	uint32_t seed = 1;

	(void)state;
	for (int round = 0; round < 20000; round++) {
		const char *callee[] = { "malloc", "operator new", "posix_memalign" };
		char line[3][600];
		const char *lines[] = { line[0], line[1], line[2] };

		for (int l = 0; l < 3; l++) {
			line[l][0] = '\0';
			for (unsigned k = 0; k < 30; k++) {
				seed = seed * 1103515245 + 12345;
				strcat(line[l], pieces[(seed >> 16) % ARRAY_SIZE(pieces)]);
			}
		}
		free(source_variable(lines, 3, callee[round % 3], round & 1));
	}
}

static void test_long(void **state)
{
	char *text = xmalloc(400001);
	const char *line = text;

	(void)state;
	memset(text, '(', 400000);
	text[400000] = '\0';
	free(source_variable(&line, 1, "malloc", true));
	memset(text, 'x', 400000);
	memcpy(text + 300000, "=malloc(3);", 11);
	assert_null(source_variable(&line, 1, "malloc", true));
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_plain),	 cmocka_unit_test(test_lvalues),
		cmocka_unit_test(test_calls),	 cmocka_unit_test(test_none),
		cmocka_unit_test(test_twice),	 cmocka_unit_test(test_lines),
		cmocka_unit_test(test_macros),	 cmocka_unit_test(test_comments_and_texts),
		cmocka_unit_test(test_hostile),	 cmocka_unit_test(test_long),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
