/* SPDX-License-Identifier: GPL-2.0-or-later */
/* .ARM.exidx: finding the entry of an address, and its instructions in each of
 * the forms they may have. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "elf/elf_file.h"
#include "exidx-fixture.h"

static struct elf_file *object(void)
{
	static const uint32_t compact_0[] = { 0x80aa00b0 };
	static const uint32_t compact_1[] = { 0x8102b100, 0x01020304, 0x05060708 };
	static const uint32_t generic[] = { 0x00000010, 0x01b0aa97, 0xa1a2a3a4 };
	static const uint32_t other[] = { 0x83000000 }; /* no such routine */
	struct exidx_object o;

	exidx_begin(&o, true);
	exidx_entry(&o, TEXT_AT, 0x80a8b0b0);
	exidx_entry(&o, TEXT_AT + 0x20, 1);
	exidx_far(&o, (TEXT_AT + 0x40) | 1, compact_0, 1); /* with the Thumb bit */
	exidx_far(&o, TEXT_AT + 0x60, compact_1, 3);
	exidx_far(&o, TEXT_AT + 0x80, generic, 3);
	exidx_far(&o, TEXT_AT + 0xa0, other, 1);
	exidx_entry(&o, TEXT_AT + 0xc0, 0x81000000); /* only number 0 may stand here */
	exidx_entry(&o, TEXT_AT + 0xe0, exidx_prel31(0, OBJECT_SIZE * 2)); /* outside */
	exidx_end(&o, true);
	return elf_file_from_image(o.b, sizeof o.b, 0, "[test]");
}

static void check_ops(struct elf_file *f, taddr_t at, taddr_t start, const uint8_t *ops, size_t n)
{
	struct exidx_entry e;

	assert_int_equal(elf_file_exidx(f, at, &e), EXIDX_OPS);
	assert_int_equal(e.start, start);
	assert_int_equal(e.end, start + 0x20);
	assert_int_equal(e.n, n);
	assert_memory_equal(e.ops, ops, n);
}

#define CHECK_OPS(f, at, start, ...) \
	check_ops(f, at, start, (const uint8_t[]){ __VA_ARGS__ }, \
		  sizeof((const uint8_t[]){ __VA_ARGS__ }))

static void forms(void **state)
{
	struct elf_file *f = object();
	struct exidx_entry e;

	(void)state;
	assert_non_null(f);
	CHECK_OPS(f, TEXT_AT, TEXT_AT, 0xa8, 0xb0, 0xb0);
	CHECK_OPS(f, TEXT_AT + 0x1f, TEXT_AT, 0xa8, 0xb0, 0xb0);
	assert_int_equal(elf_file_exidx(f, TEXT_AT + 0x20, &e), EXIDX_CANT);
	assert_int_equal(e.start, TEXT_AT + 0x20);
	CHECK_OPS(f, TEXT_AT + 0x41, TEXT_AT + 0x40, 0xaa, 0x00, 0xb0);
	CHECK_OPS(f, TEXT_AT + 0x60, TEXT_AT + 0x60, 0xb1, 0x00, 1, 2, 3, 4, 5, 6, 7, 8);
	CHECK_OPS(f, TEXT_AT + 0x90, TEXT_AT + 0x80, 0xb0, 0xaa, 0x97, 0xa1, 0xa2, 0xa3, 0xa4);
	for (unsigned at = 0xa0; at <= 0xe0; at += 0x20)
		assert_int_equal(elf_file_exidx(f, TEXT_AT + at, &e), EXIDX_NONE);
	assert_int_equal(elf_file_exidx(f, TEXT_AT - 2, &e), EXIDX_NONE);
	assert_int_equal(elf_file_exidx(f, OBJECT_SIZE, &e), EXIDX_NONE);
	assert_int_equal(elf_file_exidx(f, UINT64_MAX, &e), EXIDX_NONE);
	elf_file_unref(f);
}

static void no_table(void **state)
{
	struct exidx_object o;
	struct exidx_entry e;
	struct elf_file *f;

	(void)state;
	exidx_begin(&o, false);
	f = elf_file_from_image(o.b, sizeof o.b, 0, "[test]");
	assert_non_null(f);
	assert_int_equal(elf_file_exidx(f, TEXT_AT, &e), EXIDX_NONE);
	elf_file_unref(f);
}

static void code(void **state)
{
	struct elf_file *f = object();
	uint64_t len;

	(void)state;
	assert_non_null(elf_file_code(f, TEXT_AT, &len));
	assert_int_equal(len, OBJECT_SIZE - TEXT_AT);
	assert_null(elf_file_code(f, OBJECT_SIZE, &len));
	elf_file_unref(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(forms),
		cmocka_unit_test(no_table),
		cmocka_unit_test(code),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
