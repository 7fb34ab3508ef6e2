/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What memory a heap has, from what is told: regions in several events, anew, of forked
 * children, of newer writers; and what makes no sense. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "base/strbuf.h"
#include "heap/heap.h"
#include "report/report.h"
#include "ui/heaps.h"

struct side {
	struct heap *heap;
	struct blocks *blocks;
	struct heaps *heaps;
};

static struct side side_new(void)
{
	struct side s = { .heap = heap_new() };

	s.blocks = blocks_new(heap_sink(s.heap));
	s.heaps = heaps_new(blocks_sink(s.blocks), s.blocks);
	return s;
}

static void side_free(struct side *s)
{
	heaps_free(s->heaps);
	blocks_free(s->blocks);
	heap_free(s->heap);
}

#define TELL(s, ...)                                                                    \
	heaps_sink((s)->heaps)->emit(heaps_sink((s)->heaps),                            \
				     &(struct event){ .pid = 7, .tid = 7, .time_ns = 1000, __VA_ARGS__ })

static void begin(struct side *s)
{
	TELL(s, .type = EV_PROC, .u.proc = { PROC_LAUNCHED, 1, "/bin/x", "x", 8, "x86-64", PROC_TRACED });
}

static void tell_break(struct side *s, const uint64_t *runs, uint32_t n)
{
	TELL(s, .type = EV_HEAP, .u.heap = { 0, HEAP_BREAK, 0, 0x10000, 0x8000, 8, 8, 16, 32, 4096,
					     runs, n });
}

/* Pages 1, 2 and 5 are in memory; the last run is longer than the region. */
static void several_events(void **state)
{
	static const uint64_t first[] = { 1, 2 }, second[] = { 2, 1, 1 }, third[] = { 0, UINT64_MAX };
	struct side s = side_new();
	const struct heapmap_region *r;
	struct heapmap *m;

	(void)state;
	begin(&s);
	assert_null(heaps_map(s.heaps, 7));
	tell_break(&s, first, 2);
	tell_break(&s, second, 2);
	TELL(&s, .type = EV_HEAP, .u.heap = { 1, HEAP_ARENA, 3, 0x7f0000000800, 0x1000, 8, 8, 16, 32,
					      4096, third, 2 });
	TELL(&s, .type = EV_ALLOC, .u.alloc = { .addr = 0x10010, .size = 100 });
	m = heaps_map(s.heaps, 7);
	assert_int_equal(heapmap_nregions(m), 2);
	r = heapmap_region(m, 0);
	assert_string_equal(r->name, "brk heap");
	assert_true(r->resident_known && !r->brief && !r->fixed);
	assert_int_equal(r->nresident, 2);
	assert_int_equal(r->resident[0].start, 0x11000);
	assert_int_equal(r->resident[0].end, 0x13000);
	assert_int_equal(r->resident[1].start, 0x15000);
	assert_int_equal(heapmap_figures(m, 0)->resident, 0x3000);
	assert_int_equal(heapmap_figures(m, 0)->blocks, 1);
	r = heapmap_region(m, 1);
	assert_string_equal(r->name, "arena 3");
	assert_int_equal(r->nresident, 1);
	assert_int_equal(r->resident[0].start, 0x7f0000000800);
	assert_int_equal(r->resident[0].end, 0x7f0000001800);
	heapmap_free(m);
	side_free(&s);
}

static void told_anew(void **state)
{
	struct side s = side_new();
	struct heapmap *m;

	(void)state;
	begin(&s);
	tell_break(&s, NULL, 0);
	TELL(&s, .type = EV_HEAP, .u.heap = { 1, HEAP_MAPPING, 0, 0x90000, 0x1000, 0, 16, 4096, 0, 0, NULL, 0 });
	/* A kind that a newer writer knows. */
	TELL(&s, .type = EV_HEAP, .u.heap = { 2, 77, 0, 0xa0000, 0x1000, 0, 0, 0, 0, 0, NULL, 0 });
	m = heaps_map(s.heaps, 7);
	assert_int_equal(heapmap_nregions(m), 3);
	assert_true(heapmap_region(m, 1)->brief);
	assert_true(heapmap_region(m, 2)->brief);
	assert_false(heapmap_region(m, 2)->resident_known);
	heapmap_free(m);
	TELL(&s, .type = EV_HEAP, .u.heap = { 0, HEAP_BREAK, 0, 0x10000, 0x9000, 8, 8, 16, 32, 0, NULL, 0 });
	tell_break(&s, NULL, 0); /* the same: it goes on */
	m = heaps_map(s.heaps, 7);
	assert_int_equal(heapmap_nregions(m), 1);
	assert_int_equal(heapmap_region(m, 0)->size, 0x9000);
	heapmap_free(m);
	TELL(&s, .type = EV_HEAP, .u.heap = { .kind = HEAP_NONE });
	assert_null(heaps_map(s.heaps, 7));
	/* An exec took it all. */
	tell_break(&s, NULL, 0);
	TELL(&s, .type = EV_PROC, .u.proc = { PROC_EXECED, 1, "/bin/y", "y", 8, "x86-64", PROC_TRACED });
	assert_null(heaps_map(s.heaps, 7));
	assert_null(heaps_map(s.heaps, 8));
	side_free(&s);
}

static void small_target(void **state)
{
	struct side s = side_new();
	struct heapmap *m;
	uint64_t low;
	bool exact;

	(void)state;
	begin(&s);
	TELL(&s, .type = EV_HEAP, .u.heap = { 0, HEAP_FIXED, 0, 0x20003000, 1024, 0, 4, 4, 4, 0, NULL, 0 });
	TELL(&s, .type = EV_ALLOC, .u.alloc = { .addr = 0x20003004, .size = 500 });
	TELL(&s, .type = EV_RELEASE, .u.release = { .addr = 0x20003004, .size = 500 });
	m = heaps_map(s.heaps, 7);
	assert_string_equal(heapmap_region(m, 0)->name, "heap");
	assert_true(heapmap_region(m, 0)->fixed);
	assert_int_equal(heapmap_figures(m, 0)->free, 1024);
	assert_true(heapinfo_low(heaps_info(s.heaps, 7), heapmap_region(m, 0), &low, &exact));
	assert_int_equal(low, 1024 - 504);
	assert_true(exact);
	heapmap_free(m);
	side_free(&s);
}

static void refuse(struct side *s, uint64_t size)
{
	TELL(s, .type = EV_FAILED, .u.alloc = { .size = size });
}

static void out_of_memory(void **state)
{
	struct report_opts opts = REPORT_OPTS_INIT;
	struct report_page page = { .width = 80 };
	struct strbuf sb = STRBUF_INIT;
	struct side s = side_new();

	(void)state;
	begin(&s);
	refuse(&s, 1000);
	assert_false(heaps_failure(s.heaps, 7, &opts, &page, &sb)); /* nothing is known */
	tell_break(&s, NULL, 0);
	refuse(&s, 1000);
	assert_false(heaps_failure(s.heaps, 7, &opts, &page, &sb)); /* it can grow */
	assert_null(heaps_refusal(s.heaps, 7));
	assert_int_equal(sb.n, 0);
	TELL(&s, .type = EV_HEAP, .u.heap = { 0, HEAP_FIXED, 0, 0x20003000, 128, 0, 4, 4, 4, 0, NULL, 0 });
	TELL(&s, .type = EV_ALLOC, .u.alloc = { .addr = 0x20003024, .size = 60 });
	refuse(&s, 1000);
	assert_true(heaps_refusal(s.heaps, 7)->no_room);
	assert_false(heaps_refusal(s.heaps, 7)->told);
	assert_true(heaps_failure(s.heaps, 7, &opts, &page, &sb));
	assert_true(heaps_refusal(s.heaps, 7)->told);
	assert_non_null(strstr(sb.s, "\n000 20003000 ................................%%%%****"));
	assert_non_null(strstr(sb.s, "\n64 bytes free in 2 pieces, the largest 32: "
				     "a request for 1,000 cannot succeed\n"));
	refuse(&s, 16); /* another one, which should have succeeded */
	assert_string_equal(heaps_refusal(s.heaps, 7)->why, "64 bytes free in 2 pieces, the largest 32: "
							    "a request for 16 finds room");
	assert_false(heaps_refusal(s.heaps, 7)->no_room);
	assert_false(heaps_refusal(s.heaps, 7)->told);
	begin(&s);
	assert_null(heaps_refusal(s.heaps, 7)); /* of its next image */
	strbuf_release(&sb);
	side_free(&s);
}

/* --heap: what the log tells does not count. */
static void given(void **state)
{
	static const struct heapmap_region r = { .start = 0x20000000, .size = 256, .name = "heap",
						 .layout = { 4, 4, 0 }, .fixed = true };
	struct side s = side_new();
	struct heapmap *m;

	(void)state;
	heaps_give(s.heaps, &r, 1);
	begin(&s);
	tell_break(&s, NULL, 0);
	TELL(&s, .type = EV_ALLOC, .u.alloc = { .addr = 0x20000004, .size = 8 });
	m = heaps_map(s.heaps, 7);
	assert_int_equal(heapmap_nregions(m), 1);
	assert_int_equal(heapmap_figures(m, 0)->free, 256 - 12);
	heapmap_free(m);
	side_free(&s);
}

static void nonsense(void **state)
{
	static const uint64_t runs[] = { UINT64_MAX, UINT64_MAX, 1, 1, UINT64_MAX, 3 };
	static const uint32_t pages[] = { 0, 1, 3, 4096, 0x80000000, UINT32_MAX };
	static const uint64_t ends[] = { 0, 1, 4095, 0x1000, 1ull << 40, UINT64_MAX - 1, UINT64_MAX };
	struct side s = side_new();

	(void)state;
	begin(&s);
	for (size_t i = 0; i < ARRAY_SIZE(pages); i++)
		for (size_t k = 0; k < ARRAY_SIZE(ends); k++)
			for (size_t n = 0; n < ARRAY_SIZE(ends); n++) {
				struct heapmap *m;

				TELL(&s, .type = EV_HEAP, .u.heap = { 0, 77, 0, ends[k], ends[n], ends[n], 4000000000u,
								      4000000000u, 1, pages[i], runs, 6 });
				TELL(&s, .type = EV_HEAP, .u.heap = { 1, 77, 0, ends[n], ends[k], 5, 1, 3, 1,
								      pages[i], runs + 1, 5 });
				TELL(&s, .type = EV_ALLOC, .u.alloc = { .addr = ends[k], .size = ends[n] });
				m = heaps_map(s.heaps, 7);
				if (m)
					assert_true(heapmap_total(m)->resident <= heapmap_total(m)->size);
				heapmap_free(m);
			}
	side_free(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(several_events),
		cmocka_unit_test(told_anew),
		cmocka_unit_test(small_target),
		cmocka_unit_test(given),
		cmocka_unit_test(out_of_memory),
		cmocka_unit_test(nonsense),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
