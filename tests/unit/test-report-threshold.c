/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <unistd.h>

#include "base/msg.h"
#include "report/threshold.h"
#include "session.h"

static struct thresholds make(const uint64_t *v, size_t n)
{
	struct thresholds t = { 0 };

	for (size_t i = 0; i < n; i++)
		vec_push(&t.v, v[i]);
	thresholds_sort(&t);
	return t;
}

#define MAKE(...) make((const uint64_t[]){ __VA_ARGS__ }, ARRAY_SIZE(((const uint64_t[]){ __VA_ARGS__ })))

/* -- hysteresis -------------------------------------------------------------- */

static void test_sorted_once(void **state)
{
	struct thresholds t = MAKE(300, 100, 300, 200, 100);

	(void)state;
	assert_int_equal(t.v.n, 3);
	assert_int_equal(t.v.v[0], 100);
	assert_int_equal(t.v.v[1], 200);
	assert_int_equal(t.v.v[2], 300);
	vec_release(&t.v);
}

static void test_rearm(void **state)
{
	(void)state;
	assert_int_equal(threshold_rearm(1600), 1500);
	assert_int_equal(threshold_rearm(16), 15);
	assert_int_equal(threshold_rearm(3), 2);
	assert_int_equal(threshold_rearm(1), 0);
	assert_int_equal(threshold_rearm(0), 0);
	assert_true(threshold_rearm(UINT64_MAX) == UINT64_MAX - UINT64_MAX / 16);
}

/* Only who looks first whether something changes may leave the rest out. */
static size_t step(struct threshold_watch *w, const struct thresholds *t, uint64_t open)
{
	struct threshold_watch before = *w;
	size_t n = threshold_watch_step(w, t, open);

	if (!threshold_watch_moves(&before, open)) {
		assert_int_equal(n, 0);
		assert_int_equal(w->passed, before.passed);
	}
	return n;
}

static void test_hysteresis(void **state)
{
	struct thresholds t = MAKE(1600);
	struct threshold_watch w;

	(void)state;
	threshold_watch_begin(&w, &t, 0);
	assert_int_equal(step(&w, &t, 1600), 0); /* not above */
	assert_int_equal(step(&w, &t, 1601), 1);
	assert_int_equal(step(&w, &t, 1000000), 0);
	for (int i = 0; i < 10; i++) { /* no chatter */
		assert_int_equal(step(&w, &t, 1501), 0);
		assert_int_equal(step(&w, &t, 1700), 0);
	}
	assert_int_equal(step(&w, &t, 1500), 0);
	assert_int_equal(step(&w, &t, 1600), 0);
	assert_int_equal(step(&w, &t, 1601), 1);
	vec_release(&t.v);
}

static void test_several(void **state)
{
	struct thresholds t = MAKE(1600, 3200, 4800);
	struct threshold_watch w;

	(void)state;
	threshold_watch_begin(&w, &t, 0);
	assert_int_equal(step(&w, &t, 2000), 1);
	assert_int_equal(step(&w, &t, 5000), 2);
	assert_int_equal(w.passed, 3);
	assert_int_equal(step(&w, &t, 3001), 0); /* the third is armed, the second is not */
	assert_int_equal(w.passed, 2);
	assert_int_equal(step(&w, &t, 3201), 0);
	assert_int_equal(step(&w, &t, 3000), 0);
	assert_int_equal(step(&w, &t, 3201), 1);
	assert_int_equal(step(&w, &t, 0), 0);
	assert_int_equal(w.passed, 0);
	assert_int_equal(step(&w, &t, UINT64_MAX), 3);
	vec_release(&t.v);
}

/* What is in use when watching begins is no news. */
static void test_begin(void **state)
{
	struct thresholds t = MAKE(1600, 3200);
	struct threshold_watch w;

	(void)state;
	threshold_watch_begin(&w, &t, 2000);
	assert_int_equal(step(&w, &t, 2100), 0);
	assert_int_equal(step(&w, &t, 3300), 1);
	vec_release(&t.v);
}

/* The pair of bounds against the definition, for sequences of any kind. */
static void test_random(void **state)
{
	struct thresholds t = MAKE(1, 5, 16, 17, 100, 1600, 1601);
	uint64_t seed = 12345, open = 0;
	struct threshold_watch w;
	bool passed[7] = { 0 };

	(void)state;
	threshold_watch_begin(&w, &t, 0);
	for (int k = 0; k < 100000; k++) {
		size_t expected = 0, n = 0;

		seed = seed * UINT64_C(6364136223846793005) + 1442695040888963407u;
		open = (seed >> 40) % (k % 3 ? 120 : 2000);
		for (size_t i = 0; i < t.v.n; i++) {
			expected += !passed[i] && open > t.v.v[i];
			passed[i] = passed[i] ? open > threshold_rearm(t.v.v[i]) : open > t.v.v[i];
			n += passed[i];
		}
		if (threshold_watch_moves(&w, open))
			assert_int_equal(threshold_watch_step(&w, &t, open), expected);
		else
			assert_int_equal(expected, 0);
		assert_int_equal(w.passed, n);
	}
	vec_release(&t.v);
}

/* -- words --------------------------------------------------------------------- */

static void check_text(const struct thresholds *t, uint64_t bytes, const char *expected)
{
	struct strbuf sb = STRBUF_INIT;

	report_threshold_text(&sb, t, bytes);
	assert_string_equal(sb.s ? sb.s : "", expected);
	strbuf_release(&sb);
}

static void test_text(void **state)
{
	struct thresholds t = MAKE(1024, 4096), none = { 0 };

	(void)state;
	check_text(&none, 5, "");
	check_text(&t, 800, "heap_allocated (800 bytes) - delta with heap_threshold (224 bytes)");
	check_text(&t, 1024, "heap_allocated (1024 bytes) - delta with heap_threshold (0 bytes)");
	check_text(&t, 1025, "heap_allocated (1025 bytes) - delta with heap_threshold (3071 bytes)");
	check_text(&t, 5000, "heap_allocated (5000 bytes) is above heap_threshold (4096 bytes)");
	vec_release(&t.v);
}

/* -- the sink -------------------------------------------------------------------- */

struct seen {
	unsigned n;
	struct threshold_passed last;
};

static void on_passed(void *arg, const struct threshold_passed *p)
{
	struct seen *s = arg;

	s->n++;
	s->last = *p;
}

struct watched {
	struct feed f;
	struct event_sink *sink;
	struct report_opts opts;
	struct thresholds t;
	struct seen seen;
	int fd;
};

static void begin(struct watched *w, struct thresholds t)
{
	char path[] = "/tmp/threshold-XXXXXX";

	memset(w, 0, sizeof *w);
	w->f = session_start(PROC_LAUNCHED);
	w->opts = (struct report_opts)REPORT_OPTS_INIT;
	w->opts.symbols = &test_symbols;
	w->opts.color = COLOR_NEVER;
	w->t = t;
	w->sink = threshold_sink_new(heap_sink(w->f.heap), &(struct threshold_sink_opts){
		.heap = w->f.heap, .report = &w->opts, .thresholds = &w->t,
		.act = on_passed, .arg = &w->seen });
	w->fd = mkstemp(path);
	unlink(path);
	msg_set_fd(w->fd);
}

/* What was said in all. */
static void end(struct watched *w, const char *expected)
{
	char said[8192];
	ssize_t n = pread(w->fd, said, sizeof said - 1, 0);

	msg_set_fd(2);
	assert_true(n >= 0);
	said[n] = '\0';
	assert_string_equal(said, expected);
	close(w->fd);
	w->sink->free(w->sink);
	heap_free(w->f.heap);
	vec_release(&w->t.v);
}

static void send(struct watched *w, struct event ev)
{
	ev.pid = ev.tid = w->f.pid;
	ev.time_ns = w->f.now;
	w->sink->emit(w->sink, &ev);
}

static void take(struct watched *w, taddr_t addr, uint64_t size, uint32_t stack)
{
	send(w, (struct event){ .type = EV_ALLOC,
				.u.alloc = { .addr = addr, .size = size, .stack = stack } });
}

static void give(struct watched *w, taddr_t addr, uint64_t size, uint32_t stack)
{
	send(w, (struct event){ .type = EV_RELEASE,
				.u.release = { .addr = addr, .size = size, .stack = stack } });
}

static void test_line(void **state)
{
	struct watched w;

	(void)state;
	begin(&w, MAKE(1000));
	take(&w, 0x1000, 900, 2);
	take(&w, 0x2000, 100, 1);
	assert_int_equal(w.seen.n, 0);
	take(&w, 0x3000, 24, 1);
	assert_int_equal(w.seen.n, 1);
	assert_int_equal(w.seen.last.bytes, 1024);
	assert_int_equal(w.seen.last.threshold, 1000);
	assert_int_equal(w.seen.last.pid, 4711);
	end(&w, "mtrace: 1,024 bytes in use, 24 above the threshold of 1,000: 24 bytes by malloc, "
		"read_line leaky.c:10\n"
		"    900 bytes in 1 block   88 %  calloc, add_user leaky.c:21\n"
		"    124 bytes in 2 blocks  12 %  malloc, read_line leaky.c:10\n");
}

/* A realloc is one step: no dip in between arms anything. */
static void test_made_larger(void **state)
{
	struct watched w;

	(void)state;
	begin(&w, MAKE(1000));
	take(&w, 0x1000, 2000, 1);
	assert_int_equal(w.seen.n, 1);
	send(&w, (struct event){ .type = EV_REALLOC_BEGIN,
				 .u.release = { .addr = 0x1000, .size = 2000, .stack = 1 } });
	send(&w, (struct event){ .type = EV_REALLOC,
				 .u.realloc = { .old_addr = 0x1000, .old_size = 2000, .old_stack = 1,
						.addr = 0x8000, .size = 3000, .stack = 3 } });
	assert_int_equal(w.seen.n, 1);
	give(&w, 0x8000, 3000, 3);
	take(&w, 0x1000, 500, 1);
	send(&w, (struct event){ .type = EV_REALLOC,
				 .u.realloc = { .old_addr = 0x1000, .old_size = 500, .old_stack = 1,
						.addr = 0x8000, .size = 1001, .stack = 3 } });
	assert_int_equal(w.seen.n, 2);
	end(&w, "mtrace: 2,000 bytes in use, 1,000 above the threshold of 1,000: 2,000 bytes by malloc, "
		"read_line leaky.c:10\n"
		"    2,000 bytes in 1 block  100 %  malloc, read_line leaky.c:10\n"
		"mtrace: 1,001 bytes in use, 1 above the threshold of 1,000: 1,001 bytes by malloc, "
		"open_log leaky.c:26\n"
		"    1,001 bytes in 1 block  100 %  malloc, open_log leaky.c:26\n");
}

/* Several at once: a line for each, the highest is acted upon.  No more than the
 * largest owners are told. */
static void test_at_once(void **state)
{
	struct watched w;

	(void)state;
	begin(&w, MAKE(100, 200));
	take(&w, 0x1000, 300, 0);
	assert_int_equal(w.seen.n, 1);
	assert_int_equal(w.seen.last.threshold, 200);
	end(&w, "mtrace: 300 bytes in use, 200 above the threshold of 100: 300 bytes by an unknown caller\n"
		"mtrace: 300 bytes in use, 100 above the threshold of 200: 300 bytes by an unknown caller\n"
		"    300 bytes in 1 block  100 %  an unknown caller\n");
}

/* A child has what its parent had; a new image has nothing. */
static void test_processes(void **state)
{
	struct watched w;

	(void)state;
	begin(&w, MAKE(1000));
	take(&w, 0x1000, 2000, 1);
	assert_int_equal(w.seen.n, 1);
	w.f.pid = 4712;
	send(&w, (struct event){ .type = EV_PROC, .u.proc = { .how = PROC_FORKED, .ppid = 4711,
							      .exe = "/src/leaky", .word = 8 } });
	take(&w, 0x9000, 10, 1);
	assert_int_equal(w.seen.n, 1);
	give(&w, 0x1000, 2000, 1);
	take(&w, 0x1000, 2000, 1);
	assert_int_equal(w.seen.n, 2);
	assert_int_equal(w.seen.last.pid, 4712);
	send(&w, (struct event){ .type = EV_PROC, .u.proc = { .how = PROC_EXECED,
							      .exe = "/src/other", .word = 8 } });
	take(&w, 0x1000, 1001, 1);
	assert_int_equal(w.seen.n, 3);
	w.f.pid = 4711;
	take(&w, 0x9000, 10, 1);
	assert_int_equal(w.seen.n, 3);
	end(&w, "mtrace: 2,000 bytes in use, 1,000 above the threshold of 1,000: 2,000 bytes by malloc, "
		"read_line leaky.c:10\n"
		"    2,000 bytes in 1 block  100 %  malloc, read_line leaky.c:10\n"
		"mtrace: 2,010 bytes in use, 1,010 above the threshold of 1,000, in leaky (4712): "
		"2,000 bytes by malloc, read_line leaky.c:10\n"
		"    10 bytes in 1 block  0.5 %  malloc, read_line leaky.c:10\n"
		"    2,000 bytes in 1 block inherited from 4711\n"
		"mtrace: 1,001 bytes in use, 1 above the threshold of 1,000, in other (4712): "
		"1,001 bytes by malloc, read_line leaky.c:10\n"
		"    1,001 bytes in 1 block  100 %  malloc, read_line leaky.c:10\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sorted_once),
		cmocka_unit_test(test_rearm),
		cmocka_unit_test(test_hysteresis),
		cmocka_unit_test(test_several),
		cmocka_unit_test(test_begin),
		cmocka_unit_test(test_random),
		cmocka_unit_test(test_text),
		cmocka_unit_test(test_line),
		cmocka_unit_test(test_made_larger),
		cmocka_unit_test(test_at_once),
		cmocka_unit_test(test_processes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
