/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Two hand-made heaps compared. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>

#include "schema-fixture.h"
#include "session.h"

/* The other build: elsewhere in memory, other lines and offsets, another name. */
#define REBUILT 0x555500000000u
enum { MOD_REBUILT = 7, P_MALLOC2 = 40, P_CALLOC2 };

static const struct name rebuilt_names[] = {
	{ "leaky-2", 0x20f, { "read_line", "/src/leaky.c", 110, false, NULL } },
	{ "leaky-2", 0x21f, { "parse_config", "/src/leaky.c", 117, false, NULL } },
	{ "leaky-2", 0x22f, { "main", "/src/leaky.c", 131, false, NULL } },
	{ "leaky-2", 0x23f, { "add_user.constprop.0", "/src/leaky.c", 121, false, NULL } },
	{ "leaky-2", 0x24f, { "read_line", "/src/leaky.c", 111, false, NULL } },
	{ "leaky-2", 0x25f, { "open_journal", "/src/leaky.c", 126, false, NULL } },
	{ "libc.so.6", 0x11f, { "__libc_start_call_main", NULL, 0, false, NULL } },
};

static int look_up_either(void *arg, const struct heap_module *m, taddr_t vaddr,
			  void (*fn)(void *, const struct source_frame *), void *fn_arg)
{
	for (size_t i = 0; i < ARRAY_SIZE(rebuilt_names); i++)
		if (rebuilt_names[i].vaddr == vaddr && name_is_in(rebuilt_names[i].module, m->path)) {
			fn(fn_arg, &rebuilt_names[i].frame);
			return 1;
		}
	return look_up_name(arg, m, vaddr, fn, fn_arg);
}

static const struct report_symbols either = { look_up_either, NULL };

static void rebuilt_stack(struct feed *f, uint32_t id, uint16_t probe, const taddr_t *at, uint32_t n)
{
	uint32_t module[16];
	taddr_t pc[16];

	for (uint32_t i = 0; i < n; i++) {
		module[i] = MOD_REBUILT;
		pc[i] = REBUILT + at[i];
	}
	feed_stack_end(f, id, probe, STACK_COMPLETE, n, pc, module);
}

#define REBUILT_STACK(f, id, probe, ...)                        \
	rebuilt_stack(f, id, probe, (const taddr_t[]){ __VA_ARGS__ }, \
		      ARRAY_SIZE(((const taddr_t[]){ __VA_ARGS__ })))

/* Stacks 1 and 2 as in session_start(), 4 the first one by another line of
 * read_line, 3 with a renamed function. */
static struct feed session_rebuilt(void)
{
	struct feed f = { .heap = heap_new(), .now = 1000 * MS };

	feed_proc(&f, 815, PROC_LAUNCHED, 0, "/tmp/leaky-2");
	feed_module(&f, MOD_REBUILT, REBUILT, "/tmp/leaky-2");
	feed_probe(&f, P_MALLOC2, OP_ALLOC, "malloc");
	feed_probe(&f, P_CALLOC2, OP_ALLOC, "calloc");
	REBUILT_STACK(&f, 1, P_MALLOC2, 0x210, 0x220, 0x230);
	REBUILT_STACK(&f, 4, P_MALLOC2, 0x250, 0x220, 0x230);
	REBUILT_STACK(&f, 2, P_CALLOC2, 0x240, 0x230);
	REBUILT_STACK(&f, 3, P_MALLOC2, 0x260, 0x230);
	return f;
}

static char *diff_text(struct feed *is, struct feed *was, struct report_opts opts, bool to_file)
{
	struct strbuf sb = STRBUF_INIT;

	opts.symbols = &either;
	opts.diff = was->heap;
	opts.diff_name = "OLD";
	report_text(is->heap, &opts, to_file, false, to_file ? 0 : 80, &sb);
	return strbuf_detach(&sb);
}

static const struct report_opts defaults = REPORT_OPTS_INIT;

static void check_has(char *text, const char *const *want)
{
	for (; *want; want++)
		if (!strstr(text, *want))
			fail_msg("no '%s' in:\n%s", *want, text);
	free(text);
}

#define HAS(text, ...) check_has(text, (const char *const[]){ __VA_ARGS__, NULL })

static void release(struct feed *a, struct feed *b)
{
	heap_free(a->heap);
	heap_free(b->heap);
}

static void a_rebuilt_program(void **state)
{
	struct feed was = session_leaky(), is = session_rebuilt();
	char *text;

	(void)state;
	feed_end(&was, END_EXITED, 0);
	for (uint64_t i = 0; i < 40; i++)
		feed_alloc(&is, 0x2000 + i * 96, 80, 1);
	for (uint64_t i = 0; i < 20; i++)
		feed_alloc(&is, 0x8000 + i * 96, 80, 4);
	feed_alloc(&is, 0x1000, 16, 2);
	feed_alloc(&is, 0x1100, 256, 3);
	feed_end(&is, END_EXITED, 0);
	text = diff_text(&is, &was, defaults, false);
	assert_string_equal(text,
		"gone               −256 bytes in −1 block          256 → 0 bytes, 1 → 0 blocks\n"
		"    malloc(100…256)  2 allocated, 1 freed\n"
		"    open_log         leaky.c:26\n"
		"    main             leaky.c:30\n"
		"\n"
		"new                +256 bytes in +1 block          0 → 256 bytes, 0 → 1 block\n"
		"    malloc(256)\n"
		"    open_journal   leaky.c:126\n"
		"    main           leaky.c:131\n"
		"\n"
		"grown              +800 bytes in +10 blocks\n"
		"    4,000 → 4,800 bytes, 50 → 60 blocks\n"
		"    malloc(80)     60 allocated, none freed\n"
		"    read_line      leaky.c:110\n"
		"    parse_config   leaky.c:117\n"
		"    main           leaky.c:131\n"
		"\n"
		"leaky-2 (pid 815) exited with status 0 after 0.00 s\n"
		"    in use at exit      5,072 bytes in 62 blocks\n"
		"    heap usage          5,072 bytes: 62 allocs, 0 frees, 0 failed\n"
		"    in use before       4,272 bytes in 52 blocks: 1 stack new, 1 grown, 1 gone\n"
		"    high-water mark     5,072 bytes in 62 blocks, at exit\n"
		"    heap errors             0\n"
		"\n"
		"mtrace: OLD is of another program, leaky: compared all the same\n"
		"mtrace: 800 bytes more in 10 blocks than OLD: 1 stack new, 1 grown, 1 gone, 0 errors\n");
	free(text);
	release(&is, &was);
}

static void the_same_run(void **state)
{
	struct feed was = session_leaky(), is = session_leaky();

	(void)state;
	HAS(diff_text(&is, &was, defaults, false),
	    "in use before       4,272 bytes in 52 blocks: no stack differs\n",
	    "mtrace: as much as in OLD: no stack differs, 0 errors\n");
	release(&is, &was);
}

static void more_bytes_in_fewer_blocks(void **state)
{
	struct feed was = session_leaky(), is = session_start(PROC_LAUNCHED);

	(void)state;
	feed_alloc(&is, 0x1000, 16, 2);
	feed_alloc(&is, 0x2000, 5000, 1);
	feed_alloc(&is, 0x9000, 256, 3);
	HAS(diff_text(&is, &was, defaults, false),
	    "grown              +1,000 bytes in −49 blocks\n    4,000 → 5,000 bytes, 50 → 1 block\n",
	    "mtrace: 1,000 bytes more in 49 blocks less than OLD: 1 stack grown, 0 errors\n");
	release(&is, &was);
}

/* Where nothing has a name the place counts, wherever the module lies; how deep a
 * function is in itself does not. */
static void without_names(void **state)
{
	struct feed was = session_start(PROC_LAUNCHED), is = session_start(PROC_LAUNCHED);

	(void)state;
	STACK(&was, 20, P_MALLOC, STACK_COMPLETE, SQLITE + 0x770, LEAKY + 0x130);
	feed_alloc(&was, 0x1000, 10, 20);
	STACK(&was, 21, P_MALLOC, STACK_COMPLETE, LEAKY + 0x110, LEAKY + 0x110, LEAKY + 0x130);
	feed_alloc(&was, 0x2000, 10, 21);
	feed_module(&is, MOD_SQLITE + 9, SQLITE + 0x500000, "/opt/lib/libsqlite3.so.0.8.6");
	feed_stack_end(&is, 20, P_MALLOC, STACK_COMPLETE, 2,
		       (const taddr_t[]){ SQLITE + 0x500770, LEAKY + 0x130 },
		       (const uint32_t[]){ MOD_SQLITE + 9, MOD_LEAKY });
	feed_alloc(&is, 0x1000, 10, 20);
	STACK(&is, 21, P_MALLOC, STACK_COMPLETE, LEAKY + 0x110, LEAKY + 0x110, LEAKY + 0x110,
	      LEAKY + 0x130);
	feed_alloc(&is, 0x2000, 10, 21);
	HAS(diff_text(&is, &was, defaults, false), "as much as in OLD: no stack differs");
	STACK(&is, 22, P_MALLOC, STACK_COMPLETE, SQLITE + 0x880, LEAKY + 0x130);
	feed_alloc(&is, 0x3000, 10, 22);
	HAS(diff_text(&is, &was, defaults, false), "10 bytes more in 1 block than OLD: 1 stack new");
	release(&is, &was);
}

static void the_operation_counts(void **state)
{
	struct feed was = session_start(PROC_LAUNCHED), is = session_start(PROC_LAUNCHED);

	(void)state;
	STACK(&was, 20, P_MALLOC, STACK_COMPLETE, LEAKY + 0x110, LEAKY + 0x130);
	feed_alloc(&was, 0x1000, 10, 20);
	STACK(&is, 20, P_CALLOC, STACK_COMPLETE, LEAKY + 0x110, LEAKY + 0x130);
	feed_alloc(&is, 0x1000, 10, 20);
	HAS(diff_text(&is, &was, defaults, false), "as much as in OLD: 1 stack new, 1 gone");
	release(&is, &was);
}

/* The second is what one run has and the other has not. */
static void processes(void **state)
{
	struct feed was = session_leaky(), is = session_leaky();

	(void)state;
	feed_proc(&was, 4800, PROC_FORKED, 4711, "/usr/bin/helper");
	feed_alloc(&was, 0x9000, 30, 3);
	feed_proc(&is, 4900, PROC_FORKED, 4711, "/usr/bin/other");
	feed_alloc(&is, 0x9000, 31, 3);
	for (pid_t pid = 5000; pid < 5003; pid++) { /* by their order */
		feed_proc(&was, pid, PROC_FORKED, 4711, "/usr/bin/several");
		feed_alloc(&was, 0x9000, (uint64_t)pid, 3);
		feed_proc(&is, pid + 100, PROC_FORKED, 4711, "/bin/several");
		feed_alloc(&is, 0x9000, (uint64_t)pid, 3);
	}
	HAS(diff_text(&is, &was, defaults, false),
	    "mtrace: only OLD has helper (pid 4800): 30 bytes in 1 block in use\n",
	    "new                +31 bytes in +1 block",
	    "mtrace: 1 byte more in 0 blocks than OLD: 1 stack new, 1 gone, 0 errors\n");
	feed_proc(&was, 4801, PROC_FORKED, 4711, "/usr/bin/helper");
	feed_alloc(&was, 0xa000, 5, 3);
	HAS(diff_text(&is, &was, defaults, false),
	    "mtrace: only OLD has helper (pid 4800) and 1 more: 35 bytes in 2 blocks in use\n");
	release(&is, &was);
}

static void no_process_at_all(void **state)
{
	struct feed was = { .heap = heap_new() }, is = session_leaky();

	(void)state;
	HAS(diff_text(&is, &was, defaults, false), "mtrace: OLD has no process: all is new\n",
	    "4,272 bytes more in 52 blocks than OLD: 3 stacks new, 0 errors\n");
	HAS(diff_text(&was, &is, defaults, false), "mtrace: only OLD has leaky",
	    "4,272 bytes less in 52 blocks than OLD: 3 stacks gone, 0 errors\n");
	release(&is, &was);
}

static void between_marks(void **state)
{
	struct report_opts opts = REPORT_OPTS_INIT;
	struct feed was = session_leaky(), is = session_leaky();

	(void)state;
	opts.between = true;
	opts.from = 1;
	opts.to = UINT32_MAX;
	for (int i = 0; i < 2; i++) {
		struct feed *f = i ? &is : &was;

		FEED(f, .type = EV_MARK, .u.mark = { .nr = 1 });
		FEED(f, .type = EV_ALLOC, .u.alloc = { .addr = 0x9000, .size = i ? 90 : 70, .stack = 1,
						       .mark = 1 });
	}
	HAS(diff_text(&is, &was, opts, false),
	    "grown              +20 bytes in 0 blocks           70 → 90 bytes, 1 → 1 block\n",
	    "mtrace: 20 bytes more in 0 blocks than OLD: 1 stack grown, 0 errors\n");
	release(&is, &was);
}

static void sorted(void **state)
{
	struct report_opts opts = REPORT_OPTS_INIT;
	struct feed was = session_start(PROC_LAUNCHED), is = session_start(PROC_LAUNCHED);
	const char *first, *second;
	char *text;

	(void)state;
	for (uint64_t i = 0; i < 5; i++)
		feed_alloc(&is, 0x1000 + i * 16, 1, 2);
	feed_alloc(&is, 0x2000, 100, 1);
	for (int i = 0; i < 2; i++) {
		opts.sort = i ? report_sort_lookup("allocations") : NULL;
		text = diff_text(&is, &was, opts, true);
		first = strstr(text, "+5 blocks");
		second = strstr(text, "+100 bytes");
		assert_non_null(first);
		assert_non_null(second);
		assert_true(i ? first < second : second < first);
		free(text);
	}
	release(&is, &was);
}

/* -- the export ------------------------------------------------------------------ */

static json_int_t integer(json_t *o, const char *key)
{
	assert_true(json_is_integer(json_object_get(o, key)));
	return json_integer_value(json_object_get(o, key));
}

static void exported(void **state)
{
	struct feed was = session_leaky(), is = session_leaky();
	struct report_opts opts = REPORT_OPTS_INIT;
	struct strbuf sb = STRBUF_INIT;
	json_t *root, *diff, *row;

	(void)state;
	opts.symbols = &either;
	opts.diff = was.heap;
	opts.diff_name = "OLD";
	feed_release(&is, 0x6000, 256, 3);
	feed_proc(&was, 4800, PROC_FORKED, 4711, "/usr/bin/helper");
	report_json(is.heap, &opts, &sb);
	root = json_loadb(sb.s, sb.n, 0, NULL);
	assert_int_equal(schema_errors(schema, root), 0);
	assert_string_equal(json_string_value(json_object_get(json_object_get(root, "diff"), "name")), "OLD");
	assert_int_equal(json_array_size(json_object_get(json_object_get(root, "diff"), "gone")), 1);
	diff = json_object_get(json_array_get(json_object_get(root, "processes"), 0), "diff");
	assert_int_equal(integer(diff, "bytes"), -256);
	assert_int_equal(integer(diff, "blocks"), -1);
	assert_int_equal(integer(diff, "old_bytes"), 4272);
	assert_int_equal(integer(diff, "gone"), 1);
	assert_int_equal(integer(diff, "same"), 2);
	assert_int_equal(json_array_size(json_object_get(diff, "stacks")), 3);
	row = json_array_get(json_object_get(diff, "stacks"), 0);
	assert_string_equal(json_string_value(json_object_get(row, "change")), "gone");
	assert_int_equal(integer(row, "new_bytes"), 0);
	assert_string_equal(json_string_value(json_object_get(
		json_array_get(json_object_get(row, "frames"), 0), "function")), "open_log");
	json_decref(root);
	strbuf_release(&sb);
	release(&is, &was);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_rebuilt_program),
		cmocka_unit_test(the_same_run),
		cmocka_unit_test(more_bytes_in_fewer_blocks),
		cmocka_unit_test(without_names),
		cmocka_unit_test(the_operation_counts),
		cmocka_unit_test(processes),
		cmocka_unit_test(no_process_at_all),
		cmocka_unit_test(between_marks),
		cmocka_unit_test(sorted),
		cmocka_unit_test(exported),
	};

	return cmocka_run_group_tests(tests, load_schema, drop_schema);
}
