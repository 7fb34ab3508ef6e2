/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The tree of ranges against an array with one stack id for each page. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/hash.h"
#include "model/regions.h"

#define PAGES 512

static uint64_t seed;
static uint32_t page[PAGES]; /* 0: not mapped */
static int64_t lost_ranges;
static uint64_t lost_bytes;

static void lose(void *arg, uint32_t stack, int ranges, uint64_t bytes)
{
	(void)arg;
	assert_int_not_equal(stack, 0);
	lost_ranges -= ranges;
	lost_bytes += bytes;
}

static void compare(void *arg, const struct region *r)
{
	taddr_t *last = arg;

	assert_true(r->start < r->end);
	for (; *last < r->start; (*last)++)
		assert_int_equal(page[*last], 0);
	for (; *last < r->end; (*last)++)
		assert_int_equal(page[*last], r->stack);
}

static void same(const struct regions *rs)
{
	taddr_t last = 0;

	regions_each(rs, compare, &last);
	for (; last < PAGES; last++)
		assert_int_equal(page[last], 0);
}

static void random_ranges(void **state)
{
	struct regions *rs = regions_new(), *copy;
	size_t ranges = 0;

	(void)state;
	for (uint32_t step = 1; step <= 20000; step++) {
		uint64_t r = hash_u64(seed += 0x9e3779b97f4a7c15u);
		taddr_t start = r % PAGES;
		taddr_t end = MIN(start + 1 + (r >> 32) % 40, (taddr_t)PAGES);
		uint64_t mapped = 0;

		for (taddr_t i = start; i < end; i++) {
			mapped += page[i] != 0;
			page[i] = 0;
		}
		lost_ranges = 0;
		lost_bytes = 0;
		regions_cut(rs, start, end, lose, NULL);
		assert_int_equal(lost_bytes, mapped);
		ranges -= (size_t)lost_ranges;
		if (r >> 20 & 1) {
			regions_add(rs, &(struct region){ start, end, step });
			for (taddr_t i = start; i < end; i++)
				page[i] = step;
			ranges++;
		}
		assert_int_equal(regions_count(rs), ranges);
		if (step % 50 == 0)
			same(rs);
		if (step % 1000 == 0) {
			copy = regions_copy(rs);
			regions_free(rs);
			rs = copy;
		}
	}
	regions_free(rs);
	regions_free(NULL);
}

static void nothing_to_cut(void **state)
{
	struct regions *rs = regions_new();

	(void)state;
	lost_bytes = 0;
	regions_add(rs, &(struct region){ 10, 20, 1 });
	regions_cut(rs, 20, 30, lose, NULL);
	regions_cut(rs, 0, 10, lose, NULL);
	regions_cut(rs, 15, 15, lose, NULL);
	regions_cut(rs, 16, 14, lose, NULL);
	assert_int_equal(lost_bytes, 0);
	assert_int_equal(regions_count(rs), 1);
	regions_free(rs);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(random_ranges),
		cmocka_unit_test(nothing_to_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
