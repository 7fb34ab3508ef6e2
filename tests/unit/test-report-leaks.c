/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a leak scan's events become in the bookkeeping and in the reports. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "json-schema.h"
#include "session.h"

enum { STRDUP = 30 };

static void leak(struct feed *f, uint32_t stack, enum leak_kind kind, uint64_t blocks,
		 uint64_t bytes, uint32_t under)
{
	FEED(f, .type = EV_LEAK, .u.leak = { .stack = stack, .kind = (uint8_t)kind, .under = under,
					     .blocks = blocks, .bytes = bytes, .largest = 0x5000,
					     .largest_size = bytes / blocks,
					     .data = (const uint8_t *)"abc\n", .ndata = 4 });
}

static void scanned(struct feed *f)
{
	FEED(f, .type = EV_SCAN, .u.scan = { .final = true, .blocks = 54, .bytes = 100000 });
}

/* The session of leaky.c with its scan. */
static struct feed leaky(void)
{
	struct feed f = session_leaky();

	STACK(&f, STRDUP, P_MALLOC, STACK_COMPLETE, LIBC + 0x130, LEAKY + 0x140, LEAKY + 0x150,
	      BELOW_MAIN);
	feed_alloc(&f, 0x7000, 6, STRDUP);
	FEED(&f, .type = EV_SCAN_BEGIN);
	leak(&f, 1, LEAK_DEFINITE, 50, 4000, 0);
	leak(&f, 2, LEAK_DEFINITE, 1, 16, 0);
	leak(&f, STRDUP, LEAK_INDIRECT, 1, 6, 2);
	leak(&f, 3, LEAK_POSSIBLE, 1, 256, 0);
	FEED(&f, .type = EV_LEAK_WHY, .u.why = { .stack = 3, .kind = LEAK_POSSIBLE, .steps = 1,
						 .from = FROM_MEMORY, .at = LEAKY + 0x40,
						 .module = MOD_LEAKY, .block = 0x6000, .size = 256,
						 .block_stack = 3, .offset = 16 });
	scanned(&f);
	return f;
}

static void check(struct feed *f, const struct report_opts *opts, const char *want)
{
	char *is = text_of(f, opts, false, false, 80);

	assert_string_equal(is, want);
	free(is);
	heap_free(f->heap);
}

static const char summary[] =
	"leaky (pid 4711) exited with status 0 after 0.02 s\n"
	"    in use at exit      4,278 bytes in 53 blocks\n"
	"    heap usage          4,378 bytes: 54 allocs, 1 free, 0 failed\n"
	"    high-water mark     4,278 bytes in 53 blocks, at exit\n"
	"    definitely lost     4,016 bytes in 51 blocks\n"
	"    indirectly lost         6 bytes in 1 block\n"
	"    possibly lost         256 bytes in 1 block\n"
	"    still reachable         0 bytes in 0 blocks\n"
	"    heap errors             0\n"
	"\n"
	"mtrace: 4,016 bytes definitely lost in 51 blocks from 2 stacks, 0 errors\n";

static void listed(void **state)
{
	struct report_opts opts = REPORT_OPTS_INIT;
	struct feed f = leaky();
	char *want = xasprintf(
		"possibly lost      256 bytes in 1 block                            [3]\n"
		"    malloc(100…256)  only +16 is pointed to: leaky+0x40\n"
		"    open_log         leaky.c:26\n"
		"    main             leaky.c:30\n"
		"\n"
		"definitely lost    16 bytes in 1 block                             [2]\n"
		"    calloc(1, 16)\n"
		"    add_user       leaky.c:21\n"
		"    main           leaky.c:32\n"
		"    └─ and with it 6 bytes in 1 block: strdup, add_user leaky.c:21\n"
		"\n"
		"definitely lost    4,000 bytes in 50 blocks        94 %% of use     [1]\n"
		"    malloc(80)     50 allocated, none freed\n"
		"    read_line      leaky.c:10\n"
		"    parse_config   leaky.c:17\n"
		"    main           leaky.c:31\n"
		"\n%s", summary);

	(void)state;
	opts.list_leaks = true;
	feed_end(&f, END_EXITED, 0);
	check(&f, &opts, want);
	free(want);
}

/* Without -a the blocks in use are listed, and the classes stand below. */
static void only_counted(void **state)
{
	struct report_opts opts = REPORT_OPTS_INIT;
	struct feed f = leaky();
	char *is;

	(void)state;
	feed_end(&f, END_EXITED, 0);
	is = text_of(&f, &opts, false, false, 80);
	assert_non_null(strstr(is, "in use             4,000 bytes in 50 blocks"));
	assert_null(strstr(is, "definitely lost    4,000"));
	assert_string_equal(is + strlen(is) - strlen(summary), summary);
	free(is);
	heap_free(f.heap);
}

static void kinds_and_data(void **state)
{
	struct report_opts opts = REPORT_OPTS_INIT;
	struct feed f = leaky();
	char *is;

	(void)state;
	opts.list_leaks = true;
	opts.leak_kinds = 1u << LEAK_INDIRECT;
	opts.verbose = 1;
	feed_end(&f, END_EXITED, 0);
	is = text_of(&f, &opts, false, false, 80);
	assert_non_null(strstr(is, "indirectly lost    6 bytes in 1 block"));
	assert_null(strstr(is, "definitely lost    16 bytes in 1"));
	assert_non_null(strstr(is, "    61 62 63 0a    abc.\n"));
	free(is);
	heap_free(f.heap);
}

static void no_leaks(void **state)
{
	struct report_opts opts = REPORT_OPTS_INIT;
	struct feed f = session_start(PROC_LAUNCHED);
	char *is;

	(void)state;
	FEED(&f, .type = EV_SCAN_BEGIN);
	scanned(&f);
	feed_end(&f, END_EXITED, 0);
	is = text_of(&f, &opts, false, false, 80);
	assert_non_null(strstr(is, "\nmtrace: no leaks, 0 errors\n"));
	free(is);
	heap_free(f.heap);
}

/* A long way: each link has a line, and what was left out is told. */
static void why(void **state)
{
	struct report_opts opts = REPORT_OPTS_INIT;
	struct feed f = session_leaky();
	char *is;

	(void)state;
	FEED(&f, .type = EV_SCAN_BEGIN);
	leak(&f, 1, LEAK_REACHABLE, 50, 4000, 0);
	FEED(&f, .type = EV_LEAK_WHY, .u.why = { .stack = 1, .kind = LEAK_REACHABLE, .steps = 9,
						 .from = FROM_STACK, .at = 0x7ffe0000, .tid = 17,
						 .block = 0x5000, .size = 16, .block_stack = 2 });
	FEED(&f, .type = EV_LEAK_WHY, .u.why = { .stack = 1, .kind = LEAK_REACHABLE, .steps = 9,
						 .step = 8, .from = FROM_BLOCK, .at = 24,
						 .block = 0x2000, .size = 80, .block_stack = 1 });
	/* Not of this leak. */
	FEED(&f, .type = EV_LEAK_WHY, .u.why = { .stack = 2, .kind = LEAK_REACHABLE, .steps = 1,
						 .block = 1, .size = 1 });
	scanned(&f);
	feed_end(&f, END_EXITED, 0);
	opts.list_leaks = true;
	opts.leak_kinds = 1u << LEAK_REACHABLE;
	is = text_of(&f, &opts, true, false, 0);
	assert_non_null(strstr(is, "    └─ the stack of thread 17 → 16 bytes, calloc in add_user leaky.c:21\n"
				   "       → … 7 more … → +24 → 80 bytes, malloc in read_line leaky.c:10\n"));
	free(is);
	heap_free(f.heap);
}

/* A scan that was not told to its end changes nothing; a whole one replaces. */
static void scans_replace(void **state)
{
	struct feed f = leaky();
	const struct heap_scan *s = &heap_proc_find(f.heap, 4711)->scan;

	(void)state;
	assert_true(s->done);
	assert_int_equal(s->nth, 1);
	assert_int_equal(s->kind_blocks[LEAK_DEFINITE], 51);
	FEED(&f, .type = EV_SCAN_BEGIN);
	leak(&f, 1, LEAK_DEFINITE, 2, 160, 0);
	assert_int_equal(s->kind_blocks[LEAK_DEFINITE], 51);
	FEED(&f, .type = EV_SCAN_BEGIN);
	leak(&f, 1, LEAK_DEFINITE, 3, 240, 0);
	scanned(&f);
	assert_int_equal(s->nth, 2);
	assert_int_equal(s->kind_blocks[LEAK_DEFINITE], 3);
	assert_int_equal(s->kind_blocks[LEAK_INDIRECT], 0);
	/* Nonsense is left out. */
	FEED(&f, .type = EV_SCAN_BEGIN);
	FEED(&f, .type = EV_LEAK, .u.leak = { .stack = 1, .kind = 77, .blocks = 1, .bytes = 1 });
	FEED(&f, .type = EV_LEAK_BLOCK, .u.leak = { .kind = LEAK_KINDS, .blocks = 1 });
	FEED(&f, .type = EV_LEAK_WHY, .u.why = { .stack = 1, .from = 200 });
	scanned(&f);
	assert_int_equal(s->leaks.n, 0);
	assert_int_equal(s->each.n, 0);
	heap_free(f.heap);
}

static void attached(void **state)
{
	struct report_opts opts = REPORT_OPTS_INIT;
	struct feed f = session_start(PROC_ATTACHED);
	char *is;

	(void)state;
	feed_alloc(&f, 0x5000, 16, 2);
	feed_end(&f, END_DETACHED, 0);
	is = text_of(&f, &opts, false, false, 80);
	assert_non_null(strstr(is, "mtrace: add -a to see which of these are leaks\n"));
	free(is);
	heap_free(f.heap);
}

static void exported(void **state)
{
	struct report_opts opts = REPORT_OPTS_INIT;
	const char *top = getenv("top_srcdir");
	char *path = xasprintf("%s/doc/JSON.md", top ? top : ".");
	json_t *schema = schema_load(path), *root, *p, *list, *l;
	struct strbuf sb = STRBUF_INIT;
	struct feed f = leaky();

	(void)state;
	opts.symbols = &test_symbols;
	report_json(f.heap, &opts, &sb);
	root = json_loadb(sb.s, sb.n, 0, NULL);
	assert_non_null(schema);
	assert_int_equal(schema_errors(schema, root), 0);
	p = json_array_get(json_object_get(root, "processes"), 0);
	l = json_object_get(json_object_get(p, "leaks"), "definite");
	assert_int_equal(json_integer_value(json_object_get(l, "blocks")), 51);
	list = json_object_get(p, "leak_stacks");
	assert_int_equal(json_array_size(list), 4);
	l = json_array_get(list, 1);
	assert_string_equal(json_string_value(json_object_get(l, "kind")), "definite");
	assert_int_equal(json_integer_value(json_object_get(l, "held_bytes")), 6);
	assert_string_equal(json_string_value(json_object_get(l, "data")), "6162630a");
	l = json_array_get(json_object_get(json_array_get(list, 2), "why"), 0);
	assert_int_equal(json_integer_value(json_object_get(l, "offset")), 16);
	assert_string_equal(json_string_value(json_object_get(l, "from")), "memory");
	json_decref(root);
	json_decref(schema);
	strbuf_release(&sb);
	free(path);
	heap_free(f.heap);
}

/* A child that exits with one block, of this kind. */
static void child(struct feed *f, pid_t pid, enum leak_kind kind, int status)
{
	feed_proc(f, pid, PROC_FORKED, 4711, "/src/leaky");
	feed_alloc(f, 0x2000, 7, 3);
	FEED(f, .type = EV_SCAN_BEGIN);
	leak(f, 3, kind, 1, 7, 0);
	scanned(f);
	feed_end(f, END_EXITED, status);
}

/* Of several processes those that lost nothing are summed up; of one that was not
 * scanned nobody knows. */
static void several_processes(void **state)
{
	struct feed f = session_start(PROC_LAUNCHED);
	struct report_opts opts = REPORT_OPTS_INIT, plain = REPORT_OPTS_INIT;
	char *s;

	(void)state;
	child(&f, 4712, LEAK_REACHABLE, 0);
	child(&f, 4713, LEAK_POSSIBLE, 0);
	child(&f, 4714, LEAK_REACHABLE, 0);
	child(&f, 4715, LEAK_REACHABLE, 1);
	feed_proc(&f, 4716, PROC_FORKED, 4711, "/src/leaky");
	feed_alloc(&f, 0x2000, 7, 3);
	feed_end(&f, END_EXITED, 0);
	f.pid = 4711;
	feed_end(&f, END_EXITED, 0);
	s = text_of(&f, &opts, false, false, 80);
	assert_non_null(strstr(s, "  2 ×  leaky    exited with status 0  14 bytes in 2 blocks "));
	assert_non_null(strstr(s, " 4715  leaky    exited with status 1  7 bytes in 1 block "));
	assert_null(strstr(s, "leaky (pid 4712)"));
	assert_null(strstr(s, "leaky (pid 4715)"));
	assert_non_null(strstr(s, "leaky (pid 4713) exited"));
	assert_non_null(strstr(s, "leaky (pid 4716) exited"));
	free(s);
	opts.list_leaks = true;
	opts.leak_kinds |= 1u << LEAK_REACHABLE;
	s = text_of(&f, &opts, false, false, 80);
	assert_non_null(strstr(s, "leaky (pid 4712) exited"));
	free(s);
	s = text_of(&f, &plain, true, false, 0); /* a file has everything */
	assert_non_null(strstr(s, "leaky (pid 4712) exited"));
	free(s);
	heap_free(f.heap);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(several_processes), cmocka_unit_test(listed), cmocka_unit_test(only_counted),
		cmocka_unit_test(kinds_and_data), cmocka_unit_test(no_leaks),
		cmocka_unit_test(why),		 cmocka_unit_test(scans_replace),
		cmocka_unit_test(attached),	 cmocka_unit_test(exported),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
