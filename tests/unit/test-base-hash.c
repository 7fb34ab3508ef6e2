/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/hash.h"
#include "base/xalloc.h"

static void empty_map_has_nothing(void **state)
{
	struct u64map m = U64MAP_INIT;

	(void)state;
	assert_null(u64map_get(&m, 0));
	assert_false(u64map_del(&m, 0));
	u64map_for_each(&m, s)
		fail();
	u64map_release(&m);
}

static void no_key_is_reserved(void **state)
{
	static const uint64_t keys[] = { 0, 1, UINT64_MAX, UINT64_MAX - 1 };
	struct u64map m = U64MAP_INIT;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		u64map_set(&m, keys[i], ~keys[i]);
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		assert_true(*u64map_get(&m, keys[i]) == ~keys[i]);
	assert_int_equal(m.n, ARRAY_SIZE(keys));
	u64map_set(&m, 0, 5);
	assert_int_equal(*u64map_get(&m, 0), 5);
	assert_int_equal(m.n, ARRAY_SIZE(keys));
	u64map_release(&m);
	assert_null(u64map_get(&m, 0));
}

/* Against a plain array, with keys that collide and wrap around. */
static void agrees_with_an_array(void **state)
{
	enum { KEYS = 700 };
	static bool there[KEYS];
	static uint64_t value[KEYS];
	struct u64map m = U64MAP_INIT;
	uint64_t seed = 42;
	size_t n = 0;

	(void)state;
	for (unsigned step = 0; step < 200000; step++) {
		unsigned k;

		seed = hash_u64(seed + 1);
		k = seed % KEYS;
		if (seed >> 40 & 1) {
			u64map_set(&m, k, step);
			n += !there[k];
			there[k] = true;
			value[k] = step;
		} else {
			assert_int_equal(u64map_del(&m, k), there[k]);
			n -= there[k];
			there[k] = false;
		}
		assert_int_equal(m.n, n);
	}
	for (unsigned k = 0; k < KEYS; k++) {
		uint64_t *v = u64map_get(&m, k);

		assert_int_equal(v != NULL, there[k]);
		if (v)
			assert_int_equal(*v, value[k]);
	}
	u64map_for_each(&m, s)
		n--;
	assert_int_equal(n, 0);
	u64map_release(&m);
}

static void pointers(void **state)
{
	struct u64map m = U64MAP_INIT;
	int x;

	(void)state;
	u64map_set(&m, 7, (uintptr_t)&x);
	assert_ptr_equal(u64map_getp(&m, 7), &x);
	assert_null(u64map_getp(&m, 8));
	u64map_release(&m);
}

static void bytes(void **state)
{
	(void)state;
	assert_true(hash_bytes("abc", 3, 0) == hash_bytes("abcd", 3, 0));
	assert_true(hash_bytes("abc", 3, 0) != hash_bytes("abd", 3, 0));
	assert_true(hash_bytes("abc", 3, 0) != hash_bytes("abc", 3, 1));
	/* A tail of NUL bytes counts. */
	assert_true(hash_bytes("a", 1, 0) != hash_bytes("a\0", 2, 0));
	assert_true(hash_bytes("12345678", 8, 0) != hash_bytes("12345678\0", 9, 0));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(empty_map_has_nothing),
		cmocka_unit_test(no_key_is_reserved),
		cmocka_unit_test(agrees_with_an_array),
		cmocka_unit_test(pointers),
		cmocka_unit_test(bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
