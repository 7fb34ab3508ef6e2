/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The set of open blocks against a model that is plainly right: random
 * operations, clones among them, and the same answers from both. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <time.h>

#include "base/hash.h"
#include "base/xalloc.h"
#include "model/event.h"
#include "model/openset.h"

#define NADDR 3000
#define NSETS 4

/* The model: for each of NADDR possible addresses the block, or size NONE. */
#define NONE UINT64_MAX

struct model {
	struct open_block b[NADDR];
	size_t n;
};

static uint64_t seed;

static uint64_t rnd(void)
{
	return hash_u64(seed += 0x9e3779b97f4a7c15u);
}

static taddr_t address(size_t i)
{
	/* Some high ones: beyond 48 bits, and the top of the space. */
	if (i % 97 == 0)
		return UINT64_MAX - i;
	return 0x555500000000u + i * 16;
}

static uint64_t random_size(void)
{
	uint64_t r = rnd();

	if (r % 50 == 0)
		return (uint64_t)1 << 32 | r >> 30; /* does not fit an entry */
	if (r % 51 == 0)
		return ((uint64_t)1 << 32) - 1;
	return r % 100000;
}

static void model_clear(struct model *m)
{
	m->n = 0;
	for (size_t i = 0; i < NADDR; i++)
		m->b[i].size = NONE;
}

static void same_block(const struct open_block *a, const struct open_block *b)
{
	assert_int_equal(a->addr, b->addr);
	assert_int_equal(a->size, b->size);
	assert_int_equal(a->stack, b->stack);
	assert_int_equal(a->mark, b->mark);
}

static void step_add(struct openset *os, struct model *m, size_t i)
{
	struct open_block b = { address(i), random_size(), (uint32_t)rnd(),
				(uint32_t)rnd() & OPENSET_MAX_MARK }, old;
	bool there = m->b[i].size != NONE;

	assert_int_equal(openset_add(os, &b, &old), there);
	if (there)
		same_block(&old, &m->b[i]);
	m->n += !there;
	m->b[i] = b;
}

static void step_take(struct openset *os, struct model *m, size_t i)
{
	struct open_block out;
	bool there = m->b[i].size != NONE;

	assert_int_equal(openset_take(os, address(i), &out), there);
	if (!there)
		return;
	same_block(&out, &m->b[i]);
	m->b[i].size = NONE;
	m->n--;
}

static void step_find(struct openset *os, struct model *m, size_t i)
{
	struct open_block out;
	bool there = m->b[i].size != NONE;

	assert_int_equal(openset_find(os, address(i), &out), there);
	if (there)
		same_block(&out, &m->b[i]);
}

static int count_one(void *arg, const struct open_block *b)
{
	struct model *seen = arg;

	for (size_t i = 0; i < NADDR; i++)
		if (address(i) == b->addr) {
			assert_int_equal(seen->b[i].size, NONE);
			seen->b[i] = *b;
			seen->n++;
			return 0;
		}
	fail_msg("an address that was never added");
	return 0;
}

static void same_content(struct openset *os, struct model *m)
{
	static struct model seen;

	model_clear(&seen);
	assert_int_equal(openset_count(os), m->n);
	assert_int_equal(openset_each(os, count_one, &seen), 0);
	assert_int_equal(seen.n, m->n);
	for (size_t i = 0; i < NADDR; i++) {
		assert_int_equal(seen.b[i].size, m->b[i].size);
		if (m->b[i].size != NONE)
			same_block(&seen.b[i], &m->b[i]);
	}
}

static void random_operations(void **state)
{
	static struct model m[NSETS];
	struct openset *os[NSETS];
	size_t k, from;

	(void)state;
	for (k = 0; k < NSETS; k++) {
		os[k] = openset_new();
		model_clear(&m[k]);
	}
	for (unsigned step = 0; step < 400000; step++) {
		/* Phases of growth and of decline, so that the index grows
		 * while entries are taken and lists of free ones are long. */
		unsigned adds = step / 20000 % 2 ? 25 : 60, r = (unsigned)(rnd() % 100);
		size_t i = rnd() % NADDR;

		k = rnd() % NSETS;
		if (r < adds)
			step_add(os[k], &m[k], i);
		else if (r < 90)
			step_take(os[k], &m[k], i);
		else
			step_find(os[k], &m[k], i);
		if (step % 997 == 0) {
			from = rnd() % NSETS;
			if (from != k) {
				openset_free(os[k]);
				os[k] = openset_clone(os[from]);
				m[k] = m[from];
			}
		}
		if (step % 20000 == 0)
			same_content(os[k], &m[k]);
	}
	for (k = 0; k < NSETS; k++) {
		same_content(os[k], &m[k]);
		openset_free(os[k]);
	}
}

/* A clone that is made in the middle of the index's growth. */
static void clone_while_growing(void **state)
{
	struct openset *os = openset_new(), *copy;
	struct open_block b = { 0, 8, 1, 0 }, out;

	(void)state;
	for (size_t i = 1; i <= 20000; i++) {
		b.addr = i * 32;
		assert_false(openset_add(os, &b, NULL));
		if (i % 1000 == 0) {
			copy = openset_clone(os);
			openset_free(os);
			os = copy;
		}
		if (i % 500 == 0) {
			copy = openset_clone(os);
			for (size_t k = 1; k <= i; k++)
				assert_true(openset_take(copy, k * 32, &out));
			assert_int_equal(openset_count(copy), 0);
			openset_free(copy);
		}
	}
	assert_int_equal(openset_count(os), 20000);
	for (size_t i = 1; i <= 20000; i++)
		assert_true(openset_find(os, i * 32, &out));
	openset_free(os);
}

static int stop_at_third(void *arg, const struct open_block *b)
{
	(void)b;
	return ++*(int *)arg == 3 ? 42 : 0;
}

static void each_stops(void **state)
{
	struct openset *os = openset_new();
	int n = 0;

	(void)state;
	assert_int_equal(openset_each(os, stop_at_third, &n), 0);
	for (uint64_t i = 0; i < 10; i++)
		openset_add(os, &(struct open_block){ i * 16, i, 0, 0 }, NULL);
	assert_int_equal(openset_each(os, stop_at_third, &n), 42);
	assert_int_equal(n, 3);
	openset_free(os);
	openset_free(NULL);
}

enum { STAYING = 2000 };

static int count_told(void *arg, const struct open_block *b)
{
	((unsigned *)arg)[b->size]++;
	return 0;
}

/* What stays is told once, whatever comes and goes in between; large blocks too. */
static void each_some(void **state)
{
	static unsigned told[STAYING * 2];
	struct openset *os = openset_new();
	struct open_block out;
	uint32_t at = 0;
	unsigned rounds = 0;

	(void)state;
	assert_false(openset_each_some(os, &at, 10, count_told, told));
	for (uint64_t i = 0; i < STAYING; i++) {
		openset_add(os, &(struct open_block){ (i + 1) * 32, i, 0, 0 }, NULL);
		openset_add(os, &(struct open_block){ (i + 1) * 32 + 16, STAYING + i, 0, 0 }, NULL);
	}
	openset_add(os, &(struct open_block){ UINT64_C(1) << 60, 1, 0, 0 }, NULL); /* a place of its own */
	while (openset_each_some(os, &at, 100, count_told, told))
		for (uint64_t i = 0; i < 20; i++, rounds++) {
			uint64_t gone = rounds * 97 % STAYING;

			openset_take(os, (gone + 1) * 32 + 16, &out);
			if (rounds % 3 == 0)
				openset_add(os, &(struct open_block){ (gone + 1) * 32 + 16, STAYING, 0, 0 },
					    NULL);
		}
	assert_true(rounds > 100);
	for (unsigned i = 0; i < STAYING; i++)
		assert_int_equal(told[i], i == 1 ? 2 : 1);
	openset_free(os);
}

static double now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static void memory_of_a_million(void **state)
{
	struct openset *os = openset_new();
	struct open_block out;
	double t0 = now_ns(), t1, t2, worst = 0;
	const size_t n = 1000000;

	(void)state;
	for (size_t i = 0; i < n; i++) {
		double before = now_ns(), took;

		openset_add(os, &(struct open_block){ 0x7f0000000000u + i * 48, 40, 7, 9 }, NULL);
		took = now_ns() - before;
		worst = MAX(worst, took);
	}
	t1 = now_ns();
	assert_in_range(openset_memory(os), 16 * n, 28 * n);
	for (size_t i = 0; i < n; i++) {
		size_t k = hash_u64(i) % n;

		openset_take(os, 0x7f0000000000u + k * 48, &out);
	}
	t2 = now_ns();
	print_message("openset: %.1f bytes a block, add %.0f ns (worst %.0f us), take %.0f ns\n",
		      (double)openset_memory(os) / (double)n, (t1 - t0) / (double)n, worst / 1e3,
		      (t2 - t1) / (double)n);
	openset_free(os);
}

static void type_names(void **state)
{
	(void)state;
	assert_string_equal(event_type_name(EV_PROC), "proc");
	assert_string_equal(event_type_name(EV_NOTE), "note");
	assert_string_equal(event_type_name(EV_TYPES), "unknown");
	assert_string_equal(event_type_name((enum event_type)-1), "unknown");
	for (int t = EV_PROC; t < EV_TYPES; t++)
		assert_string_not_equal(event_type_name((enum event_type)t), "unknown");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(random_operations), cmocka_unit_test(clone_while_growing),
		cmocka_unit_test(each_stops),        cmocka_unit_test(each_some),
		cmocka_unit_test(memory_of_a_million),
		cmocka_unit_test(type_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
