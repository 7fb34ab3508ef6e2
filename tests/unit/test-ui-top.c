/* SPDX-License-Identifier: GPL-2.0-or-later */
/* --top: the graph's scale, rates, and the order of rows. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "../../src/ui/top/top.h"
#include "base/clock.h"
#include "events.h"

static void rates(void **state)
{
	(void)state;
	assert_int_equal(top_rate(0, 100, NS_PER_S), 100);
	assert_int_equal(top_rate(50, 100, NS_PER_S / 2), 100);
	assert_int_equal(top_rate(0, 1, 3 * NS_PER_S), 0);
	assert_int_equal(top_rate(0, 2, 3 * NS_PER_S), 1);
	assert_int_equal(top_rate(7, 7, NS_PER_S), 0);
	assert_int_equal(top_rate(100, 7, NS_PER_S), 0); /* reset */
	assert_int_equal(top_rate(0, 100, 0), 0);
	assert_true(top_rate(0, UINT64_MAX / 4, NS_PER_S) > UINT64_MAX / 5);
}

static void human(uint64_t v, unsigned unit, const char *want)
{
	struct strbuf sb = STRBUF_INIT;

	top_human(&sb, v, unit);
	assert_string_equal(sb.s, want);
	strbuf_release(&sb);
}

static void numbers(void **state)
{
	(void)state;
	human(0, 1000, "0");
	human(9999, 1000, "9999");
	human(10000, 1000, "10.0k");
	human(10240, 1024, "10.0k");
	human(999949, 1000, "999.9k");
	human(999950, 1000, "1.0M");
	human(1023 * 1024, 1024, "1.0M");
	human(UINT64_C(5) << 30, 1024, "5.0G");
	human(UINT64_MAX, 1024, "16.0E");
}

static void bars(void **state)
{
	(void)state;
	assert_int_equal(top_eighths(0, 100, 4), 0);
	assert_int_equal(top_eighths(0, 0, 4), 0);
	assert_int_equal(top_eighths(1, UINT64_MAX, 4), 1);
	assert_int_equal(top_eighths(50, 100, 4), 16);
	assert_int_equal(top_eighths(100, 100, 4), 32);
	assert_int_equal(top_eighths(200, 100, 4), 32);
	assert_int_equal(top_eighths(UINT64_MAX, UINT64_MAX, 8), 64);
}

static void graph(void **state)
{
	static struct top_history h;
	uint64_t v[TOP_HISTORY];

	(void)state;
	assert_int_equal(top_columns(&h, 10, v), 0);
	for (uint64_t i = 1; i <= 10; i++)
		top_history_add(&h, i);
	assert_int_equal(top_columns(&h, 0, v), 0);
	assert_int_equal(top_columns(&h, 20, v), 10);
	assert_int_equal(v[0], 1);
	assert_int_equal(v[9], 10);
	/* Two samples a column: the higher one. */
	assert_int_equal(top_per_column(&h, 5), 2);
	assert_int_equal(top_columns(&h, 5, v), 5);
	assert_int_equal(v[0], 2);
	assert_int_equal(v[4], 10);
	/* One more: what shares a column stays the same. */
	top_history_add(&h, 3);
	assert_int_equal(top_per_column(&h, 6), 2);
	assert_int_equal(top_columns(&h, 6, v), 6);
	assert_int_equal(v[0], 2);
	assert_int_equal(v[4], 10);
	assert_int_equal(v[5], 3);
}

/* Older ones are forgotten, and nothing beyond the columns is written. */
static void long_graph(void **state)
{
	static struct top_history h;
	uint64_t v[101];
	unsigned n;

	(void)state;
	for (uint64_t i = 0; i < 5 * TOP_HISTORY + 7; i++)
		top_history_add(&h, i);
	v[100] = 4711;
	n = top_columns(&h, 100, v);
	assert_int_equal(n, 100);
	assert_int_equal(v[99], 5 * TOP_HISTORY + 6);
	assert_int_equal(v[100], 4711);
	for (unsigned i = 0; i < n; i++)
		assert_true(v[i] >= 4 * TOP_HISTORY + 7);
}

static const enum top_key no_key = TOP_BYTES;

static struct top_row row(uint32_t stack, uint64_t bytes, uint64_t blocks, uint64_t rate)
{
	return (struct top_row){ { .stack = stack, .open_bytes = bytes, .open_blocks = blocks }, rate, 0 };
}

static void in_order(struct top_data *d, enum top_key key, uint32_t a, uint32_t b, uint32_t c)
{
	d->key = key;
	top_sort(d);
	assert_int_equal(d->rows.v[0].is.stack, a);
	assert_int_equal(d->rows.v[1].is.stack, b);
	assert_int_equal(d->rows.v[2].is.stack, c);
}

static void order(void **state)
{
	struct top_data d = { .key = no_key };

	(void)state;
	top_sort(&d);
	vec_push(&d.rows, row(3, 10, 1, 0));
	vec_push(&d.rows, row(2, 10, 1, 5));
	vec_push(&d.rows, row(1, 5, 7, 1));
	in_order(&d, TOP_BYTES, 2, 3, 1);
	in_order(&d, TOP_BLOCKS, 1, 2, 3);
	in_order(&d, TOP_BYTE_RATE, 2, 1, 3);
	in_order(&d, TOP_FAILED, 2, 3, 1);
	top_data_release(&d);
}

static void tell_stack(struct feed *f, uint32_t id, taddr_t pc)
{
	feed_stack_end(f, id, 1, STACK_COMPLETE, 1, (taddr_t[]){ pc }, (uint32_t[]){ 1 });
}

/* The same caller has two stacks, as it has in two processes with modules of their own. */
static void samples(void **state)
{
	struct feed f = { .heap = heap_new(), .now = MS };
	struct top_data d = { 0 };

	(void)state;
	top_sample(&d, f.heap, NS_PER_S);
	assert_null(d.proc);
	feed_proc(&f, 7, PROC_LAUNCHED, 1, "/bin/prog");
	feed_module(&f, 1, 0x10000, "/bin/prog");
	feed_probe(&f, 1, OP_ALLOC, "malloc");
	tell_stack(&f, 1, 0x10010);
	tell_stack(&f, 2, 0x10010);
	tell_stack(&f, 3, 0x10020);
	feed_alloc(&f, 0x1000, 100, 1);
	feed_alloc(&f, 0x2000, 50, 2);
	top_sample(&d, f.heap, NS_PER_S);
	assert_int_equal(d.proc->pid, 7);
	assert_int_equal(d.rows.n, 1);
	assert_int_equal(d.rows.v[0].is.open_bytes, 150);
	assert_int_equal(d.rows.v[0].byte_rate, 0);
	assert_int_equal(d.alloc_rate, 0);
	feed_alloc(&f, 0x3000, 30, 2);
	feed_alloc(&f, 0x4000, 400, 3);
	top_sample(&d, f.heap, 3 * NS_PER_S);
	assert_int_equal(d.alloc_rate, 1);
	assert_int_equal(d.byte_rate, 215);
	assert_int_equal(d.rows.n, 2);
	assert_int_equal(d.rows.v[0].is.stack, 3);
	assert_int_equal(d.rows.v[0].byte_rate, 200);
	assert_int_equal(d.rows.v[1].byte_rate, 15);
	assert_int_equal(d.history.n, 2);
	assert_int_equal(d.history.v[1], 580);
	/* Another process: no rates, a graph of its own; and back. */
	feed_proc(&f, 8, PROC_FORKED, 7, "/bin/prog");
	top_next_process(&d, f.heap);
	top_sample(&d, f.heap, 4 * NS_PER_S);
	assert_int_equal(d.proc->pid, 8);
	assert_int_equal(d.alloc_rate, 0);
	assert_int_equal(d.history.n, 1);
	top_next_process(&d, f.heap);
	top_sample(&d, f.heap, 5 * NS_PER_S);
	assert_int_equal(d.proc->pid, 7);
	/* It stays when it has ended. */
	f.pid = 7;
	feed_end(&f, END_EXITED, 0);
	top_sample(&d, f.heap, 6 * NS_PER_S);
	assert_int_equal(d.proc->pid, 7);
	top_data_release(&d);
	heap_free(f.heap);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rates),
		cmocka_unit_test(numbers),
		cmocka_unit_test(bars),
		cmocka_unit_test(graph),
		cmocka_unit_test(long_graph),
		cmocka_unit_test(order),
		cmocka_unit_test(samples),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
