/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The released blocks that are remembered. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/hash.h"
#include "base/xalloc.h"
#include "model/freed.h"

static void add(struct freed *f, taddr_t addr, uint64_t size)
{
	freed_add(f, &(struct freed_block){ addr, size, (uint32_t)addr, 7 });
}

static bool has(const struct freed *f, taddr_t addr)
{
	struct freed_block b = { 0 };
	bool found = freed_find(f, addr, &b);

	if (found) {
		assert_int_equal(b.addr, addr);
		assert_int_equal(b.stack, (uint32_t)addr);
		assert_int_equal(b.at, 7);
	}
	return found;
}

static void the_oldest_go_first(void **state)
{
	struct freed *f = freed_new(1000, 3);

	(void)state;
	for (taddr_t a = 1; a <= 4; a++)
		add(f, a * 0x100, 10);
	assert_false(has(f, 0x100));
	assert_true(has(f, 0x200) && has(f, 0x300) && has(f, 0x400));
	add(f, 0x500, 990); /* the volume counts too */
	assert_false(has(f, 0x300));
	assert_true(has(f, 0x400) && has(f, 0x500));
	add(f, 0x600, 5000); /* the newest always stays */
	assert_true(has(f, 0x600));
	assert_int_equal(freed_count(f), 1);
	freed_free(f);
}

static void handed_out_again(void **state)
{
	struct freed *f = freed_new(1000, 100);

	(void)state;
	add(f, 0x100, 10);
	add(f, 0x200, 10);
	freed_drop(f, 0x100);
	freed_drop(f, 0x100);
	assert_false(has(f, 0x100));
	assert_true(has(f, 0x200));
	add(f, 0x200, 20); /* released again: once */
	assert_int_equal(freed_count(f), 1);
	freed_free(f);
}

static void inside(void **state)
{
	struct freed *f = freed_new(1000, 100);
	struct freed_block b;

	(void)state;
	add(f, 0x100, 16);
	assert_true(freed_around(f, 0x10f, &b));
	assert_int_equal(b.addr, 0x100);
	assert_false(freed_around(f, 0x110, &b));
	assert_false(freed_around(f, 0x100, &b));
	freed_free(f);
}

static void nothing_is_remembered(void **state)
{
	struct freed *f = freed_new(0, 100);

	(void)state;
	add(f, 0x100, 0);
	assert_int_equal(freed_count(f), 0);
	freed_free(f);
	assert_null(freed_copy(NULL));
	assert_false(freed_find(NULL, 1, NULL));
}

/* Against a plain array, oldest first. */
#define NADDR 200
#define MAX_N 50
#define MAX_VOLUME 3000

static void as_the_model(void **state)
{
	struct freed *f = freed_new(MAX_VOLUME, MAX_N);
	struct freed_block model[MAX_N + 1];
	uint64_t seed = 1, volume;
	size_t n = 0;

	(void)state;
	for (int step = 0; step < 20000; step++) {
		uint64_t r = hash_u64(seed += 0x9e3779b97f4a7c15u);
		taddr_t addr = 16 * (1 + r % NADDR);
		uint64_t size = r >> 20 & 127;

		for (size_t i = 0; i < n; i++)
			if (model[i].addr == addr)
				memmove(model + i, model + i + 1, (--n - i) * sizeof *model);
		if (r >> 40 & 3) {
			add(f, addr, size);
			model[n++] = (struct freed_block){ addr, size, 0, 0 };
			for (;;) {
				volume = 0;
				for (size_t i = 0; i < n; i++)
					volume += model[i].size;
				if (n <= MAX_N && volume <= MAX_VOLUME)
					break;
				memmove(model, model + 1, --n * sizeof *model);
			}
		} else {
			freed_drop(f, addr);
		}
		if (step % 1000 == 0) {
			struct freed *copy = freed_copy(f);

			freed_free(f);
			f = copy;
		}
		assert_int_equal(freed_count(f), n);
		for (size_t i = 0; i < n; i++)
			assert_true(has(f, model[i].addr));
	}
	freed_free(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_oldest_go_first),
		cmocka_unit_test(handed_out_again),
		cmocka_unit_test(inside),
		cmocka_unit_test(nothing_is_remembered),
		cmocka_unit_test(as_the_model),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
