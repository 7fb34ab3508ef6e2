/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Lines and inlined functions of this very program. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include <link.h>
#include <stdlib.h>
#include <string.h>
#include "elf/elf_file.h"
#include "code-address.h"

static volatile int sink;

static taddr_t own_bias;

static int note_bias(struct dl_phdr_info *info, size_t size, void *arg)
{
	(void)size;
	(void)arg;
	own_bias = info->dlpi_addr;
	return 1; /* the first one is the program */
}

static __attribute__((noinline)) void *return_address(void)
{
	return (void *)code_address(__builtin_return_address(0));
}

/* Each says where it is, and on which line. */
static inline __attribute__((always_inline)) unsigned inner(void **here)
{
	*here = return_address(); sink++; return __LINE__;
}

static inline __attribute__((always_inline)) unsigned middle(void **here, unsigned *line)
{
	unsigned n = inner(here); *line = __LINE__;

	return n;
}

static __attribute__((noinline)) unsigned outer(void **here, unsigned *mid, unsigned *out)
{
	unsigned n = middle(here, mid); *out = __LINE__;

	return n;
}

/* As the C library has them: a hidden name for its own callers, and exported
 * ones for the same code. */
extern unsigned labelled(void **here) __asm__("__GI___labelled");
extern unsigned unseen(void **here) __asm__("__GI_unseen");

__attribute__((noinline)) unsigned labelled(void **here)
{
	*here = return_address(); sink++; return __LINE__;
}
extern unsigned plain(void **here) __attribute__((alias("__GI___labelled")));

inline __attribute__((always_inline, gnu_inline)) unsigned unseen(void **here)
{
	*here = return_address(); sink++; return __LINE__;
}

struct frames {
	unsigned n;
	struct source_frame f[16];
};

static void on_frame(void *arg, const struct source_frame *s)
{
	struct frames *f = arg;

	assert_true(f->n < 16);
	f->f[f->n++] = *s;
}

static bool ends_with(const char *s, const char *tail)
{
	size_t n = strlen(s), t = strlen(tail);

	return n >= t && strcmp(s + n - t, tail) == 0;
}

static void check(const struct source_frame *s, const char *function, unsigned line, bool inlined)
{
	assert_string_equal(s->function, function);
	assert_non_null(s->file);
	assert_true(ends_with(s->file, "test-elf-lines.c"));
	assert_int_equal(s->line, line);
	assert_int_equal(s->inlined, inlined);
}

static struct elf_file *open_self(void)
{
	struct elf_file *f = elf_file_open("/proc/self/exe", "/proc/self/exe");

	assert_non_null(f);
	return f;
}

static void test_inlined(void **state)
{
	struct elf_file *f = open_self();
	struct frames r = {0};
	void *here;
	unsigned mid, out, in = outer(&here, &mid, &out);

	(void)state;
	if (!elf_file_has_lines(f)) {
		elf_file_unref(f);
		skip();
	}
	/* A return address is looked up at the call before it. */
	assert_int_equal(elf_file_lines(f, (uintptr_t)here - 1 - own_bias, on_frame, &r), 3);
	check(&r.f[0], "inner", in, true);
	check(&r.f[1], "middle", mid, true);
	check(&r.f[2], "outer", out, false);
	elf_file_unref(f);
}

static void test_call_site(void **state)
{
	struct elf_file *f = open_self();
	struct frames r = {0};
	void *here;
	unsigned line;

	(void)state;
	if (!elf_file_has_lines(f)) {
		elf_file_unref(f);
		skip();
	}
	here = return_address(); sink++; line = __LINE__;
	assert_int_equal(elf_file_lines(f, (uintptr_t)here - 1 - own_bias, on_frame, &r), 1);
	check(&r.f[0], "test_call_site", line, false);
	elf_file_unref(f);
}

static void test_hidden_names(void **state)
{
	struct elf_file *f = open_self();
	struct frames r = {0};
	void *here;
	unsigned line = plain(&here);

	(void)state;
	if (!elf_file_has_lines(f)) {
		elf_file_unref(f);
		skip();
	}
	assert_int_equal(elf_file_lines(f, (uintptr_t)here - 1 - own_bias, on_frame, &r), 1);
	check(&r.f[0], "plain", line, false);
	r.n = 0;
	line = unseen(&here);
	assert_int_equal(elf_file_lines(f, (uintptr_t)here - 1 - own_bias, on_frame, &r), 2);
	check(&r.f[0], "unseen", line, true);
	elf_file_unref(f);
}

static void test_nothing_known(void **state)
{
	struct elf_file *f = open_self();
	struct frames r = {0};

	(void)state;
	assert_int_equal(elf_file_lines(f, 1, on_frame, &r), 0);
	assert_int_equal(elf_file_lines(f, UINT64_MAX, on_frame, &r), 0);
	elf_file_unref(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_inlined),
		cmocka_unit_test(test_call_site),
		cmocka_unit_test(test_hidden_names),
		cmocka_unit_test(test_nothing_known),
	};

	dl_iterate_phdr(note_bias, NULL);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
