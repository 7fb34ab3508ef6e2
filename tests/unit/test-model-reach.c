/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The leak classes, against a model that follows every pointer the plain way,
 * over made-up memories; and each rule by an example. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/hash.h"
#include "base/xalloc.h"
#include "model/reach.h"
#include "model/reach-internal.h"

/* A piece of memory: roots below HEAP, blocks from there on, 1 GiB further
 * others, so that there are two clusters. */
#define BASE ((taddr_t)0x10000)
#define ROOTS 1024
#define HALF 65536
#define FAR ((taddr_t)1 << 30)

static uint8_t roots[ROOTS], near[HALF], far[HALF];
static uint64_t seed;

static uint64_t rnd(uint64_t n)
{
	return hash_u64(seed += 0x9e3779b97f4a7c15u) % n;
}

static uint8_t *at(taddr_t addr)
{
	if (addr >= BASE && addr < BASE + ROOTS)
		return roots + (addr - BASE);
	if (addr >= BASE + ROOTS && addr < BASE + ROOTS + HALF)
		return near + (addr - BASE - ROOTS);
	if (addr >= FAR && addr < FAR + HALF)
		return far + (addr - FAR);
	return NULL;
}

static ssize_t reads;

static ssize_t read_memory(void *arg, taddr_t addr, void *buf, size_t len)
{
	(void)arg;
	reads++;
	for (size_t i = 0; i < len; i++) {
		if (!at(addr + i))
			return (ssize_t)i;
		((uint8_t *)buf)[i] = *at(addr + i);
	}
	return (ssize_t)len;
}

static bool is_vtable(void *arg, taddr_t addr)
{
	(void)arg;
	return addr >= 0x7000000 && addr < 0x7001000;
}

static unsigned word = 8;

static void put(taddr_t addr, uint64_t v)
{
	uint32_t narrow = (uint32_t)v;

	memcpy(at(addr), word == 8 ? (void *)&v : &narrow, word);
}

static uint64_t get(taddr_t addr)
{
	uint64_t v;
	uint32_t narrow;

	memcpy(word == 8 ? (void *)&v : &narrow, at(addr), word);
	return word == 8 ? v : narrow;
}

static void clear(void)
{
	memset(roots, 0, sizeof roots);
	memset(near, 0, sizeof near);
	memset(far, 0, sizeof far);
}

/* -- a scan of it ----------------------------------------------------------------- */

static struct openset *open_blocks;

static void block(taddr_t addr, uint64_t size)
{
	openset_add(open_blocks, &(struct open_block){ addr, size, (uint32_t)(addr & 0xffff), 0 }, NULL);
}

static struct reach *scan(bool references, size_t max_edges)
{
	struct reach_opts opts = { .word = (uint8_t)word, .references = references,
				   .read = read_memory, .is_vtable = is_vtable };
	struct reach *r = reach_new(open_blocks, &opts);

	assert_non_null(r);
	if (max_edges)
		r->max_edges = max_edges;
	reach_feed(r, BASE, roots, ROOTS, true);
	/* In pages, as a scanner would. */
	for (size_t i = 0; i < HALF; i += 4096)
		reach_feed(r, BASE + ROOTS + i, near + i, 4096, false);
	reach_feed(r, FAR, far, HALF, false);
	reach_solve(r);
	return r;
}

struct answer {
	enum leak_kind kind[4096];
	uint32_t leader[4096];
};

static void take_answer(void *arg, uint32_t i, enum leak_kind kind, uint32_t leader)
{
	struct answer *a = arg;

	a->kind[i] = kind;
	a->leader[i] = leader;
}

static void setup_scan(void)
{
	openset_free(open_blocks);
	open_blocks = openset_new();
	clear();
}

/* -- the model ---------------------------------------------------------------------- */

struct model {
	struct open_block b[4096];
	size_t n;
	int state[4096]; /* enum mark */
};

static int by_addr(const void *a, const void *b)
{
	const struct open_block *x = a, *y = b;

	return x->addr < y->addr ? -1 : x->addr > y->addr;
}

static int collect(void *arg, const struct open_block *b)
{
	struct model *m = arg;

	m->b[m->n++] = *b;
	return 0;
}

static int covering(const struct model *m, uint64_t v)
{
	for (size_t i = 0; i < m->n; i++)
		if (v >= m->b[i].addr && v < m->b[i].addr + (m->b[i].size ? m->b[i].size : 1))
			return (int)i;
	return -1;
}

static void model_push(struct model *m, uint64_t v, bool definite)
{
	int i = covering(m, v), as = UNREACHED;

	if (i < 0 || m->state[i] == REACHABLE)
		return;
	if (definite && v == m->b[i].addr)
		as = REACHABLE;
	else if (m->state[i] == UNREACHED)
		as = POSSIBLE;
	if (as == UNREACHED)
		return;
	m->state[i] = as;
	for (taddr_t p = (m->b[i].addr + word - 1) & -(taddr_t)word;
	     p + word <= m->b[i].addr + m->b[i].size; p += word)
		model_push(m, get(p), as == REACHABLE);
}

static void model_hang(struct model *m, int i, int leader)
{
	for (taddr_t p = (m->b[i].addr + word - 1) & -(taddr_t)word;
	     p + word <= m->b[i].addr + m->b[i].size; p += word) {
		int t = covering(m, get(p));

		if (t < 0 || t == leader || m->state[t] != UNREACHED)
			continue;
		m->state[t] = INDIRECT;
		model_hang(m, t, leader);
	}
}

static void model_solve(struct model *m)
{
	m->n = 0;
	openset_each(open_blocks, collect, m);
	qsort(m->b, m->n, sizeof m->b[0], by_addr);
	memset(m->state, 0, sizeof m->state);
	for (taddr_t p = BASE; p < BASE + ROOTS; p += word)
		model_push(m, get(p), true);
	for (size_t i = 0; i < m->n; i++)
		if (m->state[i] == UNREACHED)
			model_hang(m, (int)i, (int)i);
}

/* -- random memories -------------------------------------------------------------------- */

static void make_blocks(taddr_t from, struct open_block *b, size_t *n)
{
	static const uint64_t sizes[] = { 0, 1, 7, 8, 16, 20, 24, 100, 700, 5000 };
	taddr_t p = from;

	while (p < from + HALF - 8192) {
		uint64_t size = sizes[rnd(ARRAY_SIZE(sizes))];

		if (rnd(3)) {
			block(p, size);
			b[(*n)++] = (struct open_block){ p, size, 0, 0 };
		}
		p += (size + 24) & ~(uint64_t)15;
	}
}

static uint64_t some_word(const struct open_block *b, size_t n)
{
	size_t i = rnd(n);

	switch (rnd(8)) {
	case 0: case 1: case 2:
		return b[i].addr;
	case 3:
		return b[i].addr + rnd(b[i].size + 3);
	case 4:
		return rnd(1000);
	default:
		return 0;
	}
}

/* `density`: one word of so many is looked at for a pointer. */
static void random_memory(unsigned density)
{
	static struct open_block b[8192];
	size_t n = 0;

	setup_scan();
	make_blocks(BASE + ROOTS, b, &n);
	make_blocks(FAR, b, &n);
	for (taddr_t p = BASE; p < BASE + ROOTS; p += word)
		if (!rnd(8))
			put(p, some_word(b, n));
	for (size_t i = 0; i < HALF; i += word) {
		if (!rnd(density))
			put(BASE + ROOTS + i, some_word(b, n));
		if (!rnd(density))
			put(FAR + i, some_word(b, n));
	}
}

static const enum leak_kind kind_of[] = { [UNREACHED] = LEAK_DEFINITE, [INDIRECT] = LEAK_INDIRECT,
					  [POSSIBLE] = LEAK_POSSIBLE, [REACHABLE] = LEAK_REACHABLE };

static void same_as_model(size_t max_edges)
{
	static struct model m;
	static struct answer a;
	struct reach *r = scan(false, max_edges);

	model_solve(&m);
	assert_int_equal(reach_count(r), m.n);
	reach_each(r, take_answer, &a);
	for (size_t i = 0; i < m.n; i++) {
		assert_int_equal(reach_block(r, (uint32_t)i).addr, m.b[i].addr);
		assert_int_equal(reach_block(r, (uint32_t)i).size, m.b[i].size);
		assert_int_equal(a.kind[i], kind_of[m.state[i]]);
		if (a.kind[i] == LEAK_INDIRECT)
			assert_int_equal(a.kind[a.leader[i]], LEAK_DEFINITE);
		else
			assert_int_equal(a.leader[i], i);
	}
	reach_free(r);
}

static void test_random(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 60; i++) {
		word = i % 2 ? 4 : 8;
		random_memory(2 + i % 20);
		same_as_model(0);
	}
	word = 8;
}

/* Edges that find no room are read again, with the same answer. */
static void test_few_edges(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 20; i++) {
		random_memory(3);
		reads = 0;
		same_as_model(50 + 20 * i);
		assert_true(reads > 0);
	}
}

/* -- the rules, one by one ------------------------------------------------------------------ */

#define A (BASE + ROOTS + 0x100)
#define B (BASE + ROOTS + 0x800)
#define C (FAR + 0x300)

static enum leak_kind kind_at(struct reach *r, taddr_t addr)
{
	static struct answer a;

	reach_each(r, take_answer, &a);
	return a.kind[reach_find(r, addr)];
}

static void expect_kind(taddr_t addr, enum leak_kind kind)
{
	struct reach *r = scan(false, 0);

	assert_int_equal(kind_at(r, addr), kind);
	reach_free(r);
}

static void test_cycle(void **state)
{
	struct reach *r;
	static struct answer a;

	(void)state;
	setup_scan();
	block(A, 64);
	block(B, 32);
	block(C, 16);
	put(A, B);
	put(B + 8, A);
	put(C, B + 8); /* C is a leader of its own until then */
	r = scan(false, 0);
	reach_each(r, take_answer, &a);
	assert_int_equal(a.kind[0], LEAK_DEFINITE);
	assert_int_equal(a.kind[1], LEAK_INDIRECT);
	assert_int_equal(a.kind[2], LEAK_DEFINITE);
	assert_int_equal(a.leader[1], 0);
	reach_free(r);
}

/* A leader that a later one holds is none any more, and brings its own. */
static void test_leader_captured(void **state)
{
	struct reach *r;
	static struct answer a;

	(void)state;
	setup_scan();
	block(A, 64);
	block(B, 32);
	block(C, 16);
	put(A, B);
	put(C, A);
	r = scan(false, 0);
	reach_each(r, take_answer, &a);
	assert_int_equal(a.kind[0], LEAK_INDIRECT);
	assert_int_equal(a.kind[1], LEAK_INDIRECT);
	assert_int_equal(a.leader[1], 2);
	assert_int_equal(a.leader[0], 2);
	assert_int_equal(a.kind[2], LEAK_DEFINITE);
	reach_free(r);
}

static void test_interior(void **state)
{
	(void)state;
	setup_scan();
	block(A, 64);
	block(B, 32);
	put(BASE, A + 63);
	put(A, B); /* from what is only possibly lost */
	expect_kind(A, LEAK_POSSIBLE);
	expect_kind(B, LEAK_POSSIBLE);
	put(BASE, A + 64); /* one past the end is outside */
	expect_kind(A, LEAK_DEFINITE);
	put(BASE + 8, A);
	expect_kind(B, LEAK_REACHABLE);
}

static void test_unaligned(void **state)
{
	(void)state;
	setup_scan();
	block(A, 64);
	put(BASE + 4, A);
	expect_kind(A, LEAK_DEFINITE);
	/* A block's words are aligned too, and its last bytes are no word. */
	block(B, 12);
	put(BASE + 16, B);
	put(BASE + 4, 0);
	put(B + 8, A);
	expect_kind(A, LEAK_DEFINITE);
	block(B, 16);
	expect_kind(A, LEAK_REACHABLE);
}

static void test_heuristics(void **state)
{
	(void)state;
	setup_scan();
	block(A, 64);
	put(BASE, A + 8);
	expect_kind(A, LEAK_POSSIBLE);
	put(A, 56); /* length64 */
	expect_kind(A, LEAK_REACHABLE);
	put(A, 7); /* newarray: seven of eight bytes */
	expect_kind(A, LEAK_REACHABLE);
	put(A, 5);
	expect_kind(A, LEAK_POSSIBLE);
	put(BASE, A + 24); /* stdstring: 24 + 39 + 1 */
	put(A, 10);
	put(A + 8, 39);
	expect_kind(A, LEAK_REACHABLE);
	put(A, 40);
	expect_kind(A, LEAK_POSSIBLE);
	put(BASE, A + 32);
	put(A, 0x7000010); /* multipleinheritance */
	put(A + 32, 0x7000040);
	expect_kind(A, LEAK_REACHABLE);
	put(A + 32, 0x7000010);
	expect_kind(A, LEAK_POSSIBLE);
	put(A + 32, 0x8000000);
	expect_kind(A, LEAK_POSSIBLE);
}

static void test_heuristics_32(void **state)
{
	(void)state;
	word = 4;
	setup_scan();
	block(A, 56);
	put(BASE, A + 8);
	put(A, 4); /* newarray of ARM: twelve elements of four bytes */
	put(A + 4, 12);
	expect_kind(A, LEAK_REACHABLE);
	put(A + 4, 11);
	expect_kind(A, LEAK_POSSIBLE);
	put(A + 4, 0);
	expect_kind(A, LEAK_POSSIBLE);
	word = 8;
	setup_scan();
	block(A, 56);
	put(BASE, A + 8);
	put(A, 4 | 12ull << 32); /* of no use with 64 bits */
	expect_kind(A, LEAK_POSSIBLE);
}

/* Freed memory holds no pointers; what lies around a pool's blocks does. */
static void test_between(void **state)
{
	(void)state;
	setup_scan();
	block(A, 64);
	put(B, A);
	expect_kind(A, LEAK_DEFINITE);
	block(B - 0x100, 0x300); /* a pool with a block of its own in it */
	block(B - 0x80, 16);
	put(BASE, B - 0x100);
	expect_kind(A, LEAK_REACHABLE);
}

static void test_references(void **state)
{
	struct reach *r;

	(void)state;
	setup_scan();
	block(A, 64);
	block(B, 32);
	block(C, 16);
	put(B + 0x100, A);  /* in freed memory */
	put(C, C);          /* in itself */
	put(BASE, B + 8);   /* only into it */
	r = scan(true, 0);
	assert_int_equal(kind_at(r, A), LEAK_REACHABLE);
	assert_int_equal(kind_at(r, C), LEAK_REACHABLE);
	assert_int_equal(kind_at(r, B), LEAK_DEFINITE);
	reach_free(r);
}

static void test_register(void **state)
{
	struct reach_opts opts = { .word = 8 };
	struct reach_link link[4];
	struct reach *r;

	(void)state;
	setup_scan();
	block(A, 64);
	r = reach_new(open_blocks, &opts);
	reach_feed_register(r, 17, 3, A);
	reach_solve(r);
	assert_int_equal(kind_at(r, A), LEAK_REACHABLE);
	assert_int_equal(reach_why(r, 0, link, 4), 1);
	assert_int_equal(link[0].root.kind, ROOT_REGISTER);
	assert_int_equal(link[0].root.at, 17 << 8 | 3);
	reach_free(r);
}

static void test_why(void **state)
{
	struct reach_link l[8];
	struct reach *r;

	(void)state;
	setup_scan();
	block(A, 64);
	block(B, 32);
	block(C, 16);
	put(BASE + 40, A);
	put(A + 16, B + 4);
	put(A + 24, B);
	put(B + 8, C + 8);
	r = scan(false, 0);
	assert_int_equal(reach_why(r, reach_find(r, C), l, 8), 3);
	assert_int_equal(l[0].from, REACH_NONE);
	assert_int_equal(l[0].root.at, BASE + 40);
	assert_int_equal(reach_block(r, l[0].block).addr, A);
	assert_int_equal(l[1].at, 24); /* the start rather than the middle */
	assert_int_equal(l[1].offset, 0);
	assert_int_equal(reach_block(r, l[1].from).addr, A);
	assert_int_equal(l[2].at, 8);
	assert_int_equal(l[2].offset, 8);
	assert_int_equal(reach_block(r, l[2].block).addr, C);
	/* The middle is left out. */
	assert_int_equal(reach_why(r, reach_find(r, C), l, 2), 3);
	assert_int_equal(l[0].root.at, BASE + 40);
	assert_int_equal(reach_block(r, l[1].block).addr, C);
	reach_free(r);
	put(BASE + 40, 0);
	r = scan(false, 0);
	assert_int_equal(reach_why(r, reach_find(r, C), l, 8), 0);
	reach_free(r);
}

static void test_memory(void **state)
{
	struct reach_opts opts = { .word = 8 };
	size_t n = 200000;
	uint64_t *page = xcalloc(512, 8);
	struct reach *r;

	(void)state;
	openset_free(open_blocks);
	open_blocks = openset_new();
	for (size_t i = 0; i < n; i++)
		block(FAR + i * 1024, 1000);
	r = reach_new(open_blocks, &opts);
	for (taddr_t p = 0; p < n * 1024; p += 4096) {
		for (unsigned i = 0; i < 512; i++)
			page[i] = FAR + rnd(n) * 1024;
		reach_feed(r, FAR + p, page, 4096, false);
	}
	reach_solve(r);
	assert_true(reach_memory(r) <= 80 * n);
	reach_free(r);
	free(page);
}

static void test_none(void **state)
{
	struct reach *r;

	(void)state;
	setup_scan();
	put(BASE, A);
	r = scan(false, 0);
	assert_int_equal(reach_count(r), 0);
	assert_int_equal(reach_find(r, A), REACH_NONE);
	reach_free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_random),	  cmocka_unit_test(test_few_edges),
		cmocka_unit_test(test_cycle),	  cmocka_unit_test(test_leader_captured),
		cmocka_unit_test(test_interior),  cmocka_unit_test(test_unaligned),
		cmocka_unit_test(test_heuristics), cmocka_unit_test(test_heuristics_32),
		cmocka_unit_test(test_between),
		cmocka_unit_test(test_references), cmocka_unit_test(test_register),
		cmocka_unit_test(test_why),	  cmocka_unit_test(test_memory),
		cmocka_unit_test(test_none),
	};
	int failed = cmocka_run_group_tests(tests, NULL, NULL);

	openset_free(open_blocks);
	return failed;
}
