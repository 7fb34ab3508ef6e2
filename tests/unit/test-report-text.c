/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whole reports, letter for letter. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "base/file.h"
#include "base/msg.h"
#include "../../src/report/text.h"
#include "session.h"

static const struct report_opts defaults = REPORT_OPTS_INIT;

static void check(struct feed *f, const struct report_opts *opts, bool to_file, bool color,
		  unsigned width, const char *want)
{
	char *is = text_of(f, opts, to_file, color, width);

	assert_string_equal(is, want);
	free(is);
	heap_free(f->heap);
}

static void on_a_terminal(void **state)
{
	struct feed f = session_leaky();

	(void)state;
	feed_end(&f, END_EXITED, 0);
	check(&f, &defaults, false, false, 80,
	      "in use             16 bytes in 1 block                             [3]\n"
	      "    calloc(1, 16)\n"
	      "    add_user       leaky.c:21\n"
	      "    main           leaky.c:32\n"
	      "\n"
	      "in use             256 bytes in 1 block                            [2]\n"
	      "    malloc(100…256)  2 allocated, 1 freed\n"
	      "    open_log         leaky.c:26\n"
	      "    main             leaky.c:30\n"
	      "\n"
	      "in use             4,000 bytes in 50 blocks        94 % of use     [1]\n"
	      "    malloc(80)     50 allocated, none freed\n"
	      "    read_line      leaky.c:10\n"
	      "    parse_config   leaky.c:17\n"
	      "    main           leaky.c:31\n"
	      "\n"
	      "leaky (pid 4711) exited with status 0 after 0.02 s\n"
	      "    in use at exit      4,272 bytes in 52 blocks\n"
	      "    heap usage          4,372 bytes: 53 allocs, 1 free, 0 failed\n"
	      "    high-water mark     4,272 bytes in 52 blocks, at exit\n"
	      "    heap errors             0\n"
	      "\n"
	      "mtrace: 4,272 bytes in 52 blocks in use at exit from 3 stacks, 0 errors\n");
}

static void in_colour(void **state)
{
	struct feed f = session_start(PROC_LAUNCHED);

	(void)state;
	STACK(&f, 10, P_MALLOC, STACK_COMPLETE, LIBC + 0x130, LEAKY + 0x140, LEAKY + 0x150);
	feed_alloc(&f, 0x1000, 6, 10);
	FEED(&f, .type = EV_ERROR, .u.error = { .kind = ERROR_INVALID_FREE, .addr = 0x9 });
	FEED(&f, .type = EV_RELEASE, .u.release = { .addr = 0x9, .known = RELEASE_UNKNOWN });
	f.now += 1500 * MS;
	feed_end(&f, END_SIGNALED, 11);
	check(&f, &defaults, false, true, 80,
	      "in use             6 bytes in 1 block\033[2m              100 % of use    [1]\033[m\n"
	      "    malloc(6)\n"
	      "    \033[2mstrdup         libc.so.6\033[m\n"
	      "    add_user       \033[1mleaky.c:21\033[m\n"
	      "    main           leaky.c:32\n"
	      "\n"
	      "errors\n"
	      "    invalid free        1 time\n"
	      "\n"
	      "leaky (pid 4711) was killed by SIGSEGV after 1.50 s\n"
	      "    in use at exit      6 bytes in 1 block\n"
	      "    heap usage          6 bytes: 1 alloc, 0 frees, 0 failed\n"
	      "    high-water mark     6 bytes in 1 block, at exit\n"
	      "    heap errors         \033[1;31m1\033[m: 1 invalid free\n"
	      "\n"
	      "mtrace: 6 bytes in 1 block in use at exit from 1 stack, \033[1;31m1 error\033[m\n");
}

/* read_line() allocates, main() releases twice, and add_user() releases what is
 * no block, three times. */
static struct feed session_errors(void)
{
	struct feed f = session_start(PROC_LAUNCHED);

	STACK(&f, 20, P_FREE, STACK_COMPLETE, LEAKY + 0x130, BELOW_MAIN);
	STACK(&f, 21, P_FREE, STACK_COMPLETE, LEAKY + 0x140, LEAKY + 0x150, BELOW_MAIN);
	feed_alloc(&f, 0x1000, 80, 1);
	feed_release(&f, 0x1000, 80, 1);
	return f;
}

static void feed_error(struct feed *f, struct event_sink *sink, enum error_kind kind,
		       enum error_place place, uint32_t at, uint32_t stack)
{
	struct event ev = { .type = EV_ERROR, .pid = f->pid, .tid = f->pid, .time_ns = f->now };

	ev.u.error.kind = (uint8_t)kind;
	ev.u.error.place = (uint8_t)place;
	ev.u.error.addr = 0x1000;
	ev.u.error.size = stack ? 80 : 0;
	ev.u.error.at = at;
	ev.u.error.stack = stack;
	ev.u.error.offset = 1;
	sink->emit(sink, &ev);
}

static void errors_when_they_happen(void **state)
{
	struct feed f = session_errors();
	struct report_opts opts = REPORT_OPTS_INIT;
	char said[4096] = "";
	struct event_sink *sink;
	FILE *file = tmpfile();

	(void)state;
	opts.symbols = &test_symbols;
	opts.width = 80;
	msg_set_fd(fileno(file));
	sink = errors_sink_new(heap_sink(f.heap), f.heap, &opts);
	feed_error(&f, sink, ERROR_DOUBLE_FREE, PLACE_UNKNOWN, 20, 1);
	feed_error(&f, sink, ERROR_DOUBLE_FREE, PLACE_UNKNOWN, 20, 1); /* only counted */
	feed_error(&f, sink, ERROR_INVALID_FREE, PLACE_STACK, 21, 0);
	feed_error(&f, sink, ERROR_INVALID_FREE, PLACE_BLOCK, 21, 2);
	feed_error(&f, sink, ERROR_FISHY_SIZE, PLACE_UNKNOWN, 2, 0); /* only with -v */
	msg_set_fd(2);
	rewind(file);
	said[fread(said, 1, sizeof said - 1, file)] = '\0';
	fclose(file);
	assert_string_equal(said,
		"mtrace: double free of 0x1000 (80 bytes)\n"
		"    free\n"
		"    main           leaky.c:31\n"
		"  the block was allocated by\n"
		"    malloc\n"
		"    read_line      leaky.c:10\n"
		"    parse_config   leaky.c:17\n"
		"    main           leaky.c:31\n"
		"\n"
		"mtrace: invalid free of 0x1000: on a stack\n"
		"    free\n"
		"    add_user       leaky.c:21\n"
		"    main           leaky.c:32\n"
		"\n"
		"mtrace: invalid free of 0x1000: 1 byte inside a block of 80\n"
		"    free\n"
		"    add_user       leaky.c:21\n"
		"    main           leaky.c:32\n"
		"  the block was allocated by\n"
		"    calloc\n"
		"    add_user       leaky.c:21\n"
		"    main           leaky.c:32\n"
		"\n");
	sink->free(sink);
	feed_end(&f, END_EXITED, 0);
	check(&f, &defaults, false, false, 80,
	      "errors\n"
	      "    double free         2 times     main leaky.c:31\n"
	      "    invalid free        1 time      add_user leaky.c:21\n"
	      "    invalid free        1 time      add_user leaky.c:21\n"
	      "\n"
	      "leaky (pid 4711) exited with status 0 after 0.00 s\n"
	      "    in use at exit       0 bytes in 0 blocks\n"
	      "    heap usage          80 bytes: 1 alloc, 1 free, 0 failed\n"
	      "    high-water mark     80 bytes in 1 block, after 0.00 s\n"
	      "    heap errors          4: 2 double frees, 2 invalid frees\n"
	      "\n"
	      "mtrace: nothing in use at exit, 4 errors\n");
}

/* -S: who released, and errors as the order. */
static void sanity(void **state)
{
	struct feed f = session_errors();
	struct report_opts opts = REPORT_OPTS_INIT;
	char *s;

	(void)state;
	opts.sanity = true;
	opts.sort = report_sort_lookup("errors");
	feed_alloc(&f, 0x2000, 16, 2);
	feed_alloc(&f, 0x3000, 1000, 3);
	FEED(&f, .type = EV_RELEASE, .u.release = { .addr = 0x2000, .size = 16, .stack = 2, .at = 21 });
	feed_error(&f, heap_sink(f.heap), ERROR_MISMATCHED_FREE, PLACE_UNKNOWN, 21, 2);
	s = text_of(&f, &opts, true, false, 0);
	/* add_user's stack holds nothing any more, and comes first all the same. */
	assert_non_null(strstr(s, "in use             0 bytes in 0 blocks"));
	assert_true(strstr(s, "calloc(1, 16)") < strstr(s, "malloc(1000)"));
	assert_non_null(strstr(s, "released           16 bytes in 1 block\n"
				  "    free\n"
				  "    add_user       leaky.c:21\n"));
	assert_non_null(strstr(s, "mtrace: mismatched free of 0x1000 (80 bytes): calloc made it, "
				  "free releases it\n"));
	free(s);
	heap_free(f.heap);
}

/* Addresses that came back while they were open, and unknown ones. */
static void releases_not_seen(void **state)
{
	struct feed f = session_start(PROC_LAUNCHED);
	char *s;

	(void)state;
	feed_alloc(&f, 0x1000, 80, 1);
	FEED(&f, .type = EV_RELEASE, .u.release = { .addr = 0x1000, .size = 80, .stack = 1,
						    .known = RELEASE_UNSEEN });
	FEED(&f, .type = EV_RELEASE, .u.release = { .addr = 0x9, .known = RELEASE_UNKNOWN });
	s = text_of(&f, &defaults, false, false, 100);
	assert_non_null(strstr(s, "    unknown releases     1 of blocks whose allocation was not seen\n"
				  "    handed out twice     1 whose release was not seen, most of "
				  "read_line leaky.c:10\n"
				  "    heap errors          0\n"));
	free(s);
	heap_free(f.heap);
}

static void all_is_well(void **state)
{
	struct feed f = session_start(PROC_LAUNCHED);
	struct report_opts quiet = REPORT_OPTS_INIT;
	char *s;

	(void)state;
	feed_alloc(&f, 0x1000, 100, 3);
	feed_release(&f, 0x1000, 100, 3);
	f.now += 100 * MS;
	feed_end(&f, END_EXITED, 3);
	quiet.quiet = true;
	s = text_of(&f, &quiet, false, false, 80);
	assert_string_equal(s, "");
	free(s);
	check(&f, &defaults, false, false, 80,
	      "leaky (pid 4711) exited with status 3 after 0.10 s\n"
	      "    in use at exit        0 bytes in 0 blocks\n"
	      "    heap usage          100 bytes: 1 alloc, 1 free, 0 failed\n"
	      "    high-water mark     100 bytes in 1 block, after 0.00 s\n"
	      "    heap errors           0\n"
	      "\n"
	      "mtrace: nothing in use at exit, 0 errors\n");
}

static void to_a_file(void **state)
{
	struct feed f = session_start(PROC_LAUNCHED);

	(void)state;
	feed_alloc(&f, 0x1000, 16, 2);
	feed_alloc(&f, 0x2000, 84, 3);
	feed_end(&f, END_EXITED, 0);
	check(&f, &defaults, true, false, 0,
	      "leaky (pid 4711) exited with status 0 after 0.00 s\n"
	      "    in use at exit      100 bytes in 2 blocks\n"
	      "    heap usage          100 bytes: 2 allocs, 0 frees, 0 failed\n"
	      "    high-water mark     100 bytes in 2 blocks, at exit\n"
	      "    heap errors           0\n"
	      "\n"
	      "in use             84 bytes in 1 block             84 % of use     [1]\n"
	      "    malloc(84)\n"
	      "    open_log       leaky.c:26\n"
	      "    main           leaky.c:30\n"
	      "\n"
	      "in use             16 bytes in 1 block             16 % of use     [2]\n"
	      "    calloc(16)\n"
	      "    add_user       leaky.c:21\n"
	      "    main           leaky.c:32\n"
	      "\n"
	      "mtrace: 100 bytes in 2 blocks in use at exit from 2 stacks, 0 errors\n");
}

static void the_rest_is_one_line(void **state)
{
	struct feed f = session_leaky();
	struct report_opts one = REPORT_OPTS_INIT;
	char *s;

	(void)state;
	one.max_stacks = 1;
	s = text_of(&f, &one, false, false, 80);
	/* 272 of 4,272 bytes */
	assert_non_null(strstr(s, "… 2 more stacks hold 272 bytes (6.4 %): -m 0\n"
				  "\n"
				  "in use             4,000 bytes in 50 blocks"));
	assert_null(strstr(s, "[2]"));
	free(s);
	one.max_stacks = 2;
	s = text_of(&f, &one, false, false, 80);
	assert_non_null(strstr(s, "… 1 more stack holds 16 bytes (0.4 %): -m 0\n"));
	free(s);
	one.max_stacks = 0;
	s = text_of(&f, &one, false, false, 80);
	assert_null(strstr(s, "more stack"));
	/* It still runs: no end was told. */
	assert_non_null(strstr(s, "leaky (pid 4711) is still running after"));
	assert_non_null(strstr(s, "mtrace: 4,272 bytes in 52 blocks in use from 3 stacks, 0 errors\n"));
	free(s);
	heap_free(f.heap);
}

static void ten_by_default(void **state)
{
	struct feed f = session_start(PROC_LAUNCHED);
	char *s;

	(void)state;
	for (uint32_t i = 0; i < 12; i++) {
		STACK(&f, 20 + i, P_MALLOC, STACK_COMPLETE, LEAKY + 0x1000 + i);
		feed_alloc(&f, 0x1000 + i * 64, 10 + i, 20 + i);
	}
	s = text_of(&f, &defaults, false, false, 80);
	/* The two smallest, 10 and 11 bytes of 186. */
	assert_non_null(strstr(s, "… 2 more stacks hold 21 bytes (11 %): -m 0\n"));
	assert_non_null(strstr(s, "[10]"));
	assert_null(strstr(s, "[11]"));
	free(s);
	s = text_of(&f, &defaults, true, false, 0);
	assert_non_null(strstr(s, "[12]"));
	free(s);
	heap_free(f.heap);
}

/* Two stack ids that differ by where the module was mapped are one caller;
 * another operation is not. */
static void identical_callers_merge(void **state)
{
	struct feed f = session_start(PROC_LAUNCHED);
	const taddr_t again[] = { 0x900000 + 0x160, 0x900000 + 0x170 };
	char *s;

	(void)state;
	STACK(&f, 10, P_MALLOC, STACK_COMPLETE, LEAKY + 0x160, LEAKY + 0x170);
	feed_module(&f, 9, 0x900000, "/src/leaky");
	feed_stack_end(&f, 11, P_MALLOC, STACK_COMPLETE, 2, again, (const uint32_t[]){ 9, 9 });
	STACK(&f, 12, P_CALLOC, STACK_COMPLETE, LEAKY + 0x160, LEAKY + 0x170);
	feed_alloc(&f, 0x1000, 10, 10);
	feed_alloc(&f, 0x2000, 30, 11);
	feed_alloc(&f, 0x3000, 5, 12);
	s = text_of(&f, &defaults, false, false, 80);
	assert_non_null(strstr(s, "in use             40 bytes in 2 blocks            89 % of use     [1]\n"
				  "    malloc(10…30)  2 allocated, none freed\n"
				  "    open_log       leaky.c:26\n"));
	assert_non_null(strstr(s, "in use from 2 stacks,"));
	free(s);
	heap_free(f.heap);
}

static void ends_of_stacks(void **state)
{
	struct feed f = session_start(PROC_LAUNCHED);

	(void)state;
	STACK(&f, 10, P_MALLOC, STACK_CUT, LEAKY + 0x140, SQLITE + 0x1f2c3);
	STACK(&f, 11, P_MALLOC, STACK_BROKEN, LEAKY + 0x140, SQLITE + 0x222);
	/* Cut below main: nobody misses anything. */
	STACK(&f, 12, P_MALLOC, STACK_CUT, LEAKY + 0x140, LEAKY + 0x150, LIBC + 0x120);
	feed_alloc(&f, 0x1000, 30, 10);
	feed_alloc(&f, 0x2000, 20, 11);
	feed_alloc(&f, 0x3000, 10, 12);
	feed_alloc(&f, 0x3000, 1, 0);
	feed_end(&f, END_DETACHED, 0);
	check(&f, &defaults, true, false, 0,
	      "leaky (pid 4711) was let go after 0.00 s\n"
	      "    in use              61 bytes in 4 blocks\n"
	      "    heap usage          61 bytes: 4 allocs, 0 frees, 0 failed\n"
	      "    high-water mark     61 bytes in 4 blocks, now\n"
	      "    heap errors          0\n"
	      "\n"
	      "in use             30 bytes in 1 block             49 % of use     [1]\n"
	      "    malloc(30)\n"
	      "    add_user       leaky.c:21\n"
	      "    libsqlite3.so.0+0x1f2c3\n"
	      "    …\n"
	      "\n"
	      "in use             20 bytes in 1 block             33 % of use     [2]\n"
	      "    malloc(20)\n"
	      "    add_user       leaky.c:21\n"
	      "    libsqlite3.so.0+0x222\n"
	      "    ?              the stack could not be followed from here\n"
	      "\n"
	      "in use             10 bytes in 1 block             16 % of use     [3]\n"
	      "    malloc(10)\n"
	      "    add_user       leaky.c:21\n"
	      "    main           leaky.c:32\n"
	      "\n"
	      "in use             1 byte in 1 block                               [4]\n"
	      "    ?(1)\n"
	      "    ?              no backtrace was taken\n"
	      "\n"
	      "mtrace: 1 of 3 stacks broke off, in libsqlite3.so.0:"
	      " install -dbgsym packages or set DEBUGINFOD_URLS\n"
	      "mtrace: no names in libsqlite3.so.0:"
	      " install -dbgsym packages or set DEBUGINFOD_URLS\n"
	      "mtrace: 61 bytes in 4 blocks in use from 4 stacks, 0 errors\n");
}

static void nothing_to_install(void **state)
{
	struct feed f = session_start(PROC_LAUNCHED);
	char *s;

	(void)state;
	STACK(&f, 10, P_MALLOC, STACK_BROKEN, 0x7777);
	feed_alloc(&f, 0x1000, 30, 10);
	s = text_of(&f, &defaults, false, false, 80);
	assert_non_null(strstr(s, "\nmtrace: 1 of 1 stack broke off, in code outside any file\n"));
	free(s);
	heap_free(f.heap);
}

static struct feed long_names(void)
{
	struct feed f = session_start(PROC_LAUNCHED);

	STACK(&f, 10, P_NEW, STACK_COMPLETE, LEAKY + 0x180, LEAKY + 0x1a0, LEAKY + 0x150,
	      BELOW_MAIN);
	feed_alloc(&f, 0x1000, 30, 10);
	return f;
}

static void names_are_shortened(void **state)
{
	struct feed f = long_names();
	char *s;

	(void)state;
	/* 60 − 4 − 2 − strlen("long.c:123") = 44 columns for the name: 21 from
	 * its beginning, 22 from its end, and the ellipsis. */
	s = text_of(&f, &defaults, false, false, 60);
	assert_non_null(strstr(s, "\n    a_function_with_a_ver…inal_holds_in_one_line  long.c:123\n"));
	assert_non_null(strstr(s, "\n    operator new[](30)\n"));
	assert_non_null(strstr(s, "\n    void store::add<…>(…)  store.h:5\n"
				  "    fill                   store.cc:40\n"));
	free(s);
	s = text_of(&f, &defaults, false, false, 0);
	assert_non_null(strstr(s, "    a_function_with_a_very_long_name_that_no_terminal_holds_in_one_line"
				  "  long.c:123\n"));
	free(s);
	heap_free(f.heap);
}

static void check_short(const char *name, size_t max, const char *want)
{
	char *s = text_shorten(name, max);

	assert_string_equal(s, want);
	free(s);
}

static void what_tells_least_goes_first(void **state)
{
	const char *add = "std::vector<int> ns::Store<std::map<int, long> >::add(std::map<int, long>)";

	(void)state;
	check_short(add, 74, add);
	check_short(add, 73, "std::vector<int> ns::Store<std::map<int, long> >::add(…)");
	check_short(add, 55, "std::vector<…> ns::Store<…>::add(…)");
	check_short(add, 35, "std::vector<…> ns::Store<…>::add(…)");
	check_short(add, 20, "std::vect……>::add(…)");
	check_short("a::operator<< <char>(b<int>&, int)", 30, "a::operator<< <char>(…)");
	check_short("a<int>::operator()(b<int>&, int, long)", 20, "a<…>::operator()(…)");
	check_short("a<int>::operator->() const", 25, "a<…>::operator->() const");
	check_short("(anonymous namespace)::f(int, int, int)", 30, "(anonymous namespace)::f(…)");
	check_short("broken<<<<name((((", 10, "broken<…>");
	check_short("áéíóúáéíóú", 5, "áé…óú");
}

static void demangled_and_inlined(void **state)
{
	struct report_opts opts = REPORT_OPTS_INIT;
	struct feed f = long_names();
	char *s;

	(void)state;
	opts.no_demangle = true;
	s = text_of(&f, &opts, false, false, 0);
	assert_non_null(strstr(s, "    _ZN5store3addINSt3mapIiSsEEEEvRT_i  store.h:5\n    fill "));
	free(s);
	opts.no_demangle = false;
	s = text_of(&f, &opts, false, false, 0);
	assert_null(strstr(s, "_ZN5store"));
	assert_non_null(strstr(s, "store::add<"));
	free(s);
	opts.long_form = true;
	s = text_of(&f, &opts, false, false, 40);
	assert_non_null(strstr(s, "/src/store.h:5  [/src/leaky+0x180, inlined]\n"));
	assert_non_null(strstr(s, "/src/leaky.c:32  [/src/leaky+0x150]\n"));
	/* Below main. */
	assert_non_null(strstr(s, "__libc_start_main_impl"));
	assert_non_null(strstr(s, "_start"));
	assert_non_null(strstr(s, "in_one_line"));
	free(s);
	heap_free(f.heap);
}

/* After a signal frame the pc is no return address. */
static void exact_pc(void **state)
{
	static const taddr_t pc[] = { LEAKY + 0x190, LEAKY + 0x190 };
	static const uint32_t module[] = { MOD_LEAKY, MOD_LEAKY };
	static const uint8_t exact[] = { 0, 1 };
	struct feed f = session_start(PROC_LAUNCHED);
	char *s;

	(void)state;
	FEED(&f, .type = EV_STACK, .u.stack = { .id = 10, .probe = P_MALLOC, .n = 2, .pc = pc,
						.module = module, .exact = exact });
	feed_alloc(&f, 0x1000, 1, 10);
	s = text_of(&f, &defaults, false, false, 80);
	assert_non_null(strstr(s, "    on_signal      leaky.c:99\n"
				  "    exactly_here   leaky.c:50\n"));
	free(s);
	heap_free(f.heap);
}

static void failed_requests(void **state)
{
	struct feed f = session_start(PROC_LAUNCHED);
	struct report_opts quiet = REPORT_OPTS_INIT;

	(void)state;
	quiet.quiet = true;
	feed_alloc(&f, 0x1000, 5, 2);
	feed_failed(&f, 1 << 30, 3);
	feed_failed(&f, 1 << 20, 3);
	FEED(&f, .type = EV_NOTE, .u.note = { false, "all went well" });
	FEED(&f, .type = EV_NOTE, .u.note = { true, "--alloc pool_get matched nothing" });
	feed_end(&f, END_EXITED, 0);
	check(&f, &quiet, false, false, 80,
	      "not granted        the last of 2 requests that were refused, after 0.00 s\n"
	      "    malloc(1048576)\n"
	      "    open_log       leaky.c:26\n"
	      "    main           leaky.c:30\n"
	      "    5 bytes in 1 block were in use then, most of it by\n"
	      "    5 bytes in 1 block  100 %  calloc, add_user leaky.c:21\n"
	      "\n"
	      "failed             2 requests of 1,048,576 to 1,073,741,824 bytes\n"
	      "    malloc(1048576…1073741824)\n"
	      "    open_log       leaky.c:26\n"
	      "    main           leaky.c:30\n"
	      "\n"
	      "mtrace: --alloc pool_get matched nothing\n"
	      "mtrace: 5 bytes in 1 block in use at exit from 1 stack, 0 errors\n");
}

static void own_mappings(void **state)
{
	struct feed f = session_start(PROC_LAUNCHED);

	(void)state;
	STACK(&f, 10, P_MMAP, STACK_COMPLETE, LEAKY + 0x140, LEAKY + 0x150);
	feed_map(&f, 0x100000, 0x10000, 10);
	feed_unmap(&f, 0x104000, 0x1000);
	FEED(&f, .type = EV_BRK, .u.map = { .addr = 0x605000, .old_addr = 0x601000 });
	feed_end(&f, END_EXITED, 0);
	check(&f, &defaults, false, false, 80,
	      "mapped             61,440 bytes in 2 regions\n"
	      "    mmap(65536)\n"
	      "    add_user       leaky.c:21\n"
	      "    main           leaky.c:32\n"
	      "\n"
	      "leaky (pid 4711) exited with status 0 after 0.00 s\n"
	      "    in use at exit           0 bytes in 0 blocks\n"
	      "    heap usage               0 bytes: 0 allocs, 0 frees, 0 failed\n"
	      "    high-water mark          0 bytes in 0 blocks\n"
	      "    mappings            61,440 bytes in 2 regions: 1 mapped, 1 unmapped\n"
	      "    program break       16,384 bytes grown, 16,384 now\n"
	      "    heap errors              0\n"
	      "\n"
	      "mtrace: nothing in use at exit, 0 errors\n");
}

/* The groups of a census are listed among the callers. */
static void older_blocks(void **state)
{
	struct feed f = session_start(PROC_ATTACHED);

	(void)state;
	feed_probe(&f, 9, OP_ALLOC, "before attach");
	feed_census(&f, 20, 9, 10, 24, 0, 0);
	feed_census(&f, 21, 9, 1, 5000, LEAKY + 0x40, MOD_LEAKY);
	feed_release(&f, 0x1000, 24, 20);
	feed_alloc(&f, 0x2000, 16, 2);
	feed_end(&f, END_DETACHED, 0);
	check(&f, &defaults, false, false, 80,
	      "in use             16 bytes in 1 block                             [3]\n"
	      "    calloc(16)\n"
	      "    add_user       leaky.c:21\n"
	      "    main           leaky.c:32\n"
	      "\n"
	      "before attach      216 bytes in 9 blocks                           [2]\n"
	      "    24 bytes       10 found, 1 freed\n"
	      "\n"
	      "before attach      5,000 bytes in 1 block          96 % of use     [1]\n"
	      "    5,000 bytes\n"
	      "    begins with a pointer to leaky+0x40\n"
	      "\n"
	      "leaky (pid 4711) was let go after 0.00 s\n"
	      "    in use              5,232 bytes in 11 blocks\n"
	      "    before the attach   5,216 bytes in 10 blocks; 1 released since\n"
	      "    heap usage             16 bytes: 1 alloc, 0 frees, 0 failed\n"
	      "    high-water mark     5,240 bytes in 11 blocks, after 0.00 s\n"
	      "    heap errors             0\n"
	      "\n"
	      "mtrace: add -a to see which of these are leaks\n"
	      "mtrace: 5,232 bytes in 11 blocks in use from 3 stacks, 0 errors\n");
}

static void several_processes(void **state)
{
	struct feed f = session_start(PROC_LAUNCHED);

	(void)state;
	feed_alloc(&f, 0x1000, 10, 2);
	/* A child that adds one block and keeps the inherited one. */
	feed_proc(&f, 4712, PROC_FORKED, 4711, "/src/leaky");
	feed_alloc(&f, 0x2000, 7, 3);
	f.now += 10 * MS;
	feed_end(&f, END_EXITED, 0);
	/* Three that have nothing to say: one name, one status. */
	for (pid_t pid = 4713; pid < 4716; pid++) {
		feed_proc(&f, pid, PROC_FORKED, 4711, "/src/leaky");
		feed_end(&f, END_EXITED, 0);
	}
	/* One that became another program. */
	feed_proc(&f, 4716, PROC_FORKED, 4711, "/src/leaky");
	feed_end(&f, END_EXECED, 0);
	feed_proc(&f, 4716, PROC_EXECED, 4711, "/usr/bin/true");
	feed_end(&f, END_EXITED, 1);
	f.pid = 4711;
	f.now += 10 * MS;
	feed_end(&f, END_EXITED, 0);
	check(&f, &defaults, false, false, 80,
	      "in use             7 bytes in 1 block              100 % of use    [1]\n"
	      "    malloc(7)\n"
	      "    open_log       leaky.c:26\n"
	      "    main           leaky.c:30\n"
	      "\n"
	      "leaky (pid 4712) exited with status 0 after 0.01 s\n"
	      "    in use at exit      17 bytes in 2 blocks\n"
	      "    of it inherited     10 bytes in 1 block, from 4711\n"
	      "    heap usage          17 bytes: 2 allocs, 0 frees, 0 failed\n"
	      "    high-water mark     17 bytes in 2 blocks, at exit\n"
	      "    heap errors          0\n"
	      "\n"
	      "in use             10 bytes in 1 block             100 % of use    [1]\n"
	      "    calloc(10)\n"
	      "    add_user       leaky.c:21\n"
	      "    main           leaky.c:32\n"
	      "\n"
	      "leaky (pid 4711) exited with status 0 after 0.02 s\n"
	      "    in use at exit      10 bytes in 1 block\n"
	      "    heap usage          10 bytes: 1 alloc, 0 frees, 0 failed\n"
	      "    high-water mark     10 bytes in 1 block, at exit\n"
	      "    heap errors          0\n"
	      "\n"
	      "   pid  program  status                in use               errors\n"
	      "  4711  leaky    exited with status 0  10 bytes in 1 block       0\n"
	      "  4712  leaky    exited with status 0  7 bytes in 1 block        0\n"
	      "   3 ×  leaky    exited with status 0  nothing                   0\n"
	      "  4716  true     exited with status 1  nothing                   0\n"
	      "\n"
	      "mtrace: 17 bytes in 2 blocks in use at exit from 2 stacks, 0 errors\n");
}

/* On a narrow terminal a program's long name gives way. */
static void the_table_fits(void **state)
{
	struct feed f = session_start(PROC_LAUNCHED);
	char *s;

	(void)state;
	feed_proc(&f, 4712, PROC_FORKED, 4711, "/src/a-program-whose-name-is-rather-long");
	feed_end(&f, END_EXITED, 0);
	s = text_of(&f, &defaults, false, false, 64);
	assert_non_null(strstr(s, "\n  4712  a-progra…her-long  exited with status 0  nothing       0\n"));
	free(s);
	s = text_of(&f, &defaults, false, false, 0);
	assert_non_null(strstr(s, "  4712  a-program-whose-name-is-rather-long  exited with"));
	free(s);
	heap_free(f.heap);
}

static void earlier_images(void **state)
{
	struct feed f = session_start(PROC_LAUNCHED);

	(void)state;
	feed_alloc(&f, 0x1000, 10, 2);
	feed_alloc(&f, 0x2000, 10, 2);
	feed_release(&f, 0x2000, 10, 2);
	feed_end(&f, END_EXECED, 0);
	f.now += 30 * MS;
	feed_proc(&f, 4711, PROC_EXECED, 0, "/bin/other");
	f.now += 30 * MS;
	feed_end(&f, END_EXITED, 0);
	check(&f, &defaults, false, false, 80,
	      "other (pid 4711) exited with status 0 after 0.06 s\n"
	      "    in use at exit      0 bytes in 0 blocks\n"
	      "    heap usage          0 bytes: 0 allocs, 0 frees, 0 failed\n"
	      "    high-water mark     0 bytes in 0 blocks\n"
	      "    heap errors         0\n"
	      "    earlier image       leaky: 10 bytes in 1 block in use at exec, 2 allocs, 1 free\n"
	      "\n"
	      "mtrace: nothing in use at exit, 0 errors\n");
}

/* Numbers of the stacks in the order that a key gives. */
static void check_order(struct feed *f, const char *key, const char *want)
{
	struct report_opts opts = REPORT_OPTS_INIT;
	struct strbuf order = STRBUF_INIT;
	char *s;

	opts.sort = report_sort_lookup(key);
	assert_non_null(opts.sort);
	s = text_of(f, &opts, true, false, 0);
	for (const char *p = s; (p = strchr(p, '(')); p++)
		if (p - s > 7 && !strncmp(p - 7, " malloc", 7))
			strbuf_addc(&order, p[1]);
	assert_string_equal(order.s, want);
	strbuf_release(&order);
	free(s);
}

static void sort_keys(void **state)
{
	struct feed f = session_start(PROC_LAUNCHED);

	(void)state;
	/* Stack s makes blocks of size s: the first digit of malloc(…) tells. */
	for (uint32_t s = 1; s <= 5; s++)
		STACK(&f, 10 + s, P_MALLOC, STACK_COMPLETE, LEAKY + 0x2000 + s);
	for (uint64_t i = 0; i < 9; i++)
		feed_alloc(&f, 0x1000 + i * 16, 2, 12); /* 18 bytes in 9 blocks */
	f.now++;
	feed_alloc(&f, 0x2000, 1, 11);
	for (uint64_t i = 0; i < 7; i++)
		feed_alloc(&f, 0x3000 + i * 16, 3, 13); /* 21 bytes in 7 blocks */
	f.now++;
	for (uint64_t i = 0; i < 20; i++) {
		feed_alloc(&f, 0x4000, 4, 14);
		feed_release(&f, 0x4000, 4, 14); /* nothing stays */
	}
	f.now++;
	feed_alloc(&f, 0x5000, 5, 15);
	f.now++;
	feed_alloc(&f, 0x6000, 1, 11); /* 2 bytes in 2 blocks, the last */
	check_order(&f, "usage", "3251");
	check_order(&f, "allocations", "2315");
	check_order(&f, "average", "5321");
	check_order(&f, "total", "42315");
	check_order(&f, "stacks", "21345");
	check_order(&f, "tsc", "1532");
	feed_failed(&f, 5, 12);
	heap_free(f.heap);
}

/* With the keys that list them: one block, and it is gone. */
static void released_ones(void **state)
{
	struct feed f = session_start(PROC_LAUNCHED);
	struct report_opts opts = REPORT_OPTS_INIT;
	char *s;

	(void)state;
	STACK(&f, 10, P_MALLOC, STACK_COMPLETE, LEAKY + 0x140, BELOW_MAIN);
	STACK(&f, 11, P_MALLOC, STACK_COMPLETE, LEAKY + 0x160, BELOW_MAIN);
	feed_alloc(&f, 0x1000, 5, 10);
	feed_release(&f, 0x1000, 5, 10);
	feed_alloc(&f, 0x2000, 7, 11);
	opts.symbols = &test_symbols;
	opts.sort = report_sort_lookup("stacks");
	s = text_of(&f, &opts, false, false, 80);
	assert_non_null(strstr(s, "in use             0 bytes in 0 blocks                             [1]\n"
				  "    malloc(5)      1 allocated, 1 freed\n"));
	assert_non_null(strstr(s, "    malloc(7)\n"));
	free(s);
	heap_free(f.heap);
}

static void sort_key_names(void **state)
{
	size_t n = 0;

	(void)state;
	for (; report_sort_name(n); n++)
		assert_non_null(report_sort_help(n));
	assert_int_equal(n, 10);
	assert_null(report_sort_help(n));
	assert_ptr_equal(report_sort_lookup("us"), report_sort_lookup("usage"));
	assert_ptr_equal(report_sort_lookup("ts"), report_sort_lookup("tsc"));
	assert_ptr_equal(report_sort_lookup("al"), report_sort_lookup("allocations"));
	assert_null(report_sort_lookup("t")); /* total, tsc */
	assert_int_equal(errno, ENOTUNIQ);
	assert_null(report_sort_lookup(""));
	assert_int_equal(errno, ENOTUNIQ);
	assert_null(report_sort_lookup("usages"));
	assert_int_equal(errno, ENOENT);
}

static void ignored_frames(void **state)
{
	static const char *const ignore[] = { "^read_", "libnothing", NULL };
	struct report_opts opts = REPORT_OPTS_INIT;
	struct feed f = session_leaky();
	char *s;

	(void)state;
	opts.ignore = ignore;
	s = text_of(&f, &opts, false, false, 80);
	assert_null(strstr(s, "read_line"));
	assert_non_null(strstr(s, "    of it ignored       4,000 bytes in 50 blocks, not listed\n"));
	assert_non_null(strstr(s, "open_log"));
	free(s);
	heap_free(f.heap);
}

static void interrupted(void **state)
{
	struct report_opts opts = REPORT_OPTS_INIT;
	struct feed f = session_leaky();
	volatile int stop = 1;
	char *s;

	(void)state;
	opts.interrupted = &stop;
	s = text_of(&f, &opts, false, false, 80);
	assert_non_null(strstr(s, "    leaky+0x110\n    leaky+0x120\n    leaky+0x130\n"));
	assert_null(strstr(s, "read_line"));
	free(s);
	heap_free(f.heap);
}

static void more_with_v(void **state)
{
	struct report_opts opts = REPORT_OPTS_INIT;
	struct feed f = session_leaky();
	char *s;

	(void)state;
	opts.verbose = 1;
	FEED(&f, .type = EV_TASK);
	FEED(&f, .type = EV_MODULE_GONE);
	s = text_of(&f, &opts, false, false, 80);
	assert_non_null(strstr(s, "    backtraces              3 stacks, 0 cut by -d, 0 broken\n"
				  "    threads                 2 in all, 2 modules mapped\n"
				  "    heap errors             0\n"));
	free(s);
	heap_free(f.heap);
}

/* A name from outside cannot write to the terminal. */
static void control_characters(void **state)
{
	struct feed f = session_start(PROC_LAUNCHED);
	char *s;

	(void)state;
	FEED(&f, .type = EV_NOTE, .u.note = { false, "a\033[2J\007b\001\177\302\2332J\302\240" });
	feed_end(&f, END_EXITED, 0);
	s = text_of(&f, &defaults, false, false, 80);
	assert_non_null(strstr(s, "mtrace: a?[2J?b??2J\302\240\n"));
	assert_null(strchr(s, 033));
	free(s);
	heap_free(f.heap);
}

static void attached(void **state)
{
	struct feed f = session_start(PROC_ATTACHED);
	char *s;

	(void)state;
	for (int i = 0; i < 3; i++)
		FEED(&f, .type = EV_RELEASE,
		     .u.release = { .addr = 0x9, .known = RELEASE_UNKNOWN });
	s = text_of(&f, &defaults, false, false, 80);
	assert_non_null(strstr(s, "    older blocks        3 released, older than the attach\n"
				  "    heap errors         0\n"));
	assert_non_null(strstr(s, "mtrace: nothing in use, 0 errors\n"));
	free(s);
	heap_free(f.heap);
}

/* -- memory that ran out ----------------------------------------------------- */

static void check_begins(struct feed *f, const char *expected)
{
	char *s = text_of(f, &defaults, true, false, 0);

	s[MIN(strlen(s), strlen(expected))] = '\0';
	assert_string_equal(s, expected);
	free(s);
}

static void killed_by_the_kernel(void **state)
{
	struct feed f = session_leaky();

	(void)state;
	FEED(&f, .type = EV_OOM, .u.oom = { OOM_CGROUP, 65536, 1 });
	feed_end(&f, END_SIGNALED, 9);
	check_begins(&f, "out of memory      leaky (pid 4711) was killed by the kernel\n"
			 "    its control group may have 65,536 bytes, and counts 1 process killed for want of memory\n"
			 "    4,272 bytes in 52 blocks were in use, most of it by\n"
			 "    4,000 bytes in 50 blocks   94 %  malloc, read_line leaky.c:10\n"
			 "      256 bytes in 1 block    6.0 %  malloc, open_log leaky.c:26\n"
			 "       16 bytes in 1 block    0.4 %  calloc, add_user leaky.c:21\n"
			 "\n"
			 "leaky (pid 4711) was killed by SIGKILL (out of memory) after 0.02 s\n");
	heap_free(f.heap);
	f = session_start(PROC_LAUNCHED);
	FEED(&f, .type = EV_OOM, .u.oom = { OOM_SYSTEM, 0, 3 });
	feed_end(&f, END_SIGNALED, 9);
	check_begins(&f, "out of memory      leaky (pid 4711) was killed, probably by the kernel\n"
			 "    its control group is not known; 3 processes of the system were killed for want of memory meanwhile\n"
			 "    0 bytes in 0 blocks were in use\n"
			 "\n"
			 "leaky (pid 4711) was killed by SIGKILL (out of memory, probably) after 0.00 s\n");
	heap_free(f.heap);
}

static void refused_request(void **state)
{
	struct feed f = session_start(PROC_LAUNCHED);

	(void)state;
	feed_alloc(&f, 0x1000, 5, 2);
	f.now += 250 * MS;
	feed_failed(&f, 4096, 3);
	FEED(&f, .type = EV_OOM, .u.oom = { OOM_DATA, 20000, 19000 });
	feed_release(&f, 0x1000, 5, 2);
	feed_end(&f, END_EXITED, 1);
	check_begins(&f, "out of memory      a request was refused, after 0.25 s\n"
			 "    malloc(4096)\n"
			 "    open_log       leaky.c:26\n"
			 "    main           leaky.c:30\n"
			 "    RLIMIT_DATA allows 20,000 bytes of data, of which 19,000 were in use\n"
			 "    5 bytes in 1 block were in use then, most of it by\n"
			 "    5 bytes in 1 block  100 %  calloc, add_user leaky.c:21\n"
			 "\n"
			 "leaky (pid 4711) exited");
	heap_free(f.heap);
	f = session_start(PROC_LAUNCHED);
	feed_failed(&f, 4096, 0);
	feed_proc(&f, 4712, PROC_FORKED, 4711, "/src/leaky");
	check_begins(&f, "not granted        a request was refused to leaky (pid 4711), after 0.00 s\n"
			 "    an unknown caller asked for 4,096 bytes\n"
			 "    0 bytes in 0 blocks were in use then\n");
	heap_free(f.heap);
}

/* -- where it goes ---------------------------------------------------------- */

static void names_of_files(void **state)
{
	char *s = name_with_pid("/tmp/a%p-%%p%%.%q%", 42);

	(void)state;
	assert_string_equal(s, "/tmp/a42-%p%.%q%");
	free(s);
}

static char *slurp(int fd)
{
	struct strbuf sb = STRBUF_INIT;
	char buf[4096];
	ssize_t n;

	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	while ((n = read(fd, buf, sizeof buf)) > 0)
		strbuf_add(&sb, buf, (size_t)n);
	close(fd);
	return strbuf_detach(&sb);
}

static int message_file(void)
{
	char name[] = "/tmp/mtrace-test-XXXXXX";
	int fd = mkstemp(name);

	assert_true(fd >= 0);
	unlink(name);
	msg_set_fd(fd);
	return fd;
}

static void written_to_files(void **state)
{
	struct report_opts opts = REPORT_OPTS_INIT;
	char dir[] = "/tmp/mtrace-test-XXXXXX", *out, *json, *s, *path;
	struct feed f = session_leaky();
	int fd;

	(void)state;
	assert_non_null(mkdtemp(dir));
	out = xasprintf("%s/r.%%p", dir);
	json = xasprintf("%s/r.json", dir);
	opts.output = out;
	opts.json = json;
	opts.symbols = &test_symbols;
	assert_int_equal(report_write(f.heap, &opts), 0);
	path = xasprintf("%s/r.4711", dir);
	fd = open(path, O_RDONLY);
	assert_true(fd >= 0);
	s = slurp(fd);
	assert_non_null(strstr(s, "in use from 3 stacks, 0 errors\n"));
	free(s);
	unlink(path);
	assert_int_equal(unlink(json), 0);
	rmdir(dir);
	free(out);
	free(json);
	free(path);
	heap_free(f.heap);
}

static void unwritable(void **state)
{
	struct report_opts opts = REPORT_OPTS_INIT;
	struct feed f = session_leaky();
	int fd = message_file();
	char *s;

	(void)state;
	opts.symbols = &test_symbols;
	opts.output = "/dev/full";
	assert_int_equal(report_write(f.heap, &opts), -ENOSPC);
	opts.output = "/nonexistent/r";
	opts.json = "/nonexistent/j";
	assert_int_equal(report_write(f.heap, &opts), -ENOENT);
	msg_set_fd(STDERR_FILENO);
	s = slurp(fd);
	assert_string_equal(s, "mtrace: cannot write /dev/full: No space left on device\n"
			       "mtrace: cannot write /nonexistent/j: No such file or directory\n"
			       "mtrace: cannot write /nonexistent/r: No such file or directory\n");
	free(s);
	heap_free(f.heap);
}

static void calls(void **state)
{
	struct report_opts opts = REPORT_OPTS_INIT;
	struct feed f = session_start(PROC_LAUNCHED);
	struct event_sink *sink;
	struct event ev = { .type = EV_CALL, .pid = 4711, .tid = 4713 };
	int fd = message_file(), err;
	char *s;

	(void)state;
	msg_set_fd(STDERR_FILENO);
	opts.symbols = &test_symbols;
	sink = calls_sink_new(heap_sink(f.heap), f.heap, &opts, fd, &err);
	ev.u.call.probe = P_MALLOC;
	ev.u.call.nargs = 1;
	ev.u.call.arg[0] = 50;
	ev.u.call.has_result = true;
	ev.u.call.result = 0x5581c0de;
	ev.u.call.caller = LEAKY + 0x140;
	ev.u.call.module = MOD_LEAKY;
	assert_int_equal(sink->emit(sink, &ev), EMIT_GO);
	ev.u.call.result = 0;
	ev.u.call.caller = SQLITE + 0x20;
	ev.u.call.module = MOD_SQLITE;
	assert_int_equal(sink->emit(sink, &ev), EMIT_GO);
	ev.u.call.probe = P_FREE;
	ev.u.call.has_result = false;
	ev.u.call.arg[0] = 0x5581c0de;
	ev.u.call.pointers = 1;
	ev.u.call.module = 0;
	assert_int_equal(sink->emit(sink, &ev), EMIT_GO);
	/* What maps memory fails with -1. */
	ev.u.call.probe = P_MMAP;
	ev.u.call.nargs = 2;
	ev.u.call.arg[0] = 0;
	ev.u.call.has_result = true;
	ev.u.call.result = UINT64_MAX;
	assert_int_equal(sink->emit(sink, &ev), EMIT_GO);
	assert_int_equal(err, 0);
	sink->flush(sink);
	sink->free(sink);
	s = slurp(fd);
	assert_string_equal(s, "mtrace[4713]: malloc(50) = 0x5581c0de  leaky.c:21 add_user\n"
			       "mtrace[4713]: malloc(50) = NULL  libsqlite3.so.0+0x20\n"
			       "mtrace[4713]: free(0x5581c0de)  0x7f1000000020\n"
			       "mtrace[4713]: mmap(NULL, 0) = MAP_FAILED  0x7f1000000020\n");
	free(s);
	heap_free(f.heap);
}

static void calls_to_a_full_disk(void **state)
{
	struct report_opts opts = REPORT_OPTS_INIT;
	struct feed f = session_start(PROC_LAUNCHED);
	struct event ev = { .type = EV_CALL, .pid = 4711, .tid = 4711 };
	int full = open("/dev/full", O_WRONLY), fd = message_file(), err;
	struct event_sink *sink;
	char *s;

	(void)state;
	opts.output = "/dev/full";
	sink = calls_sink_new(heap_sink(f.heap), f.heap, &opts, full, &err);
	for (int i = 0; i < 3; i++)
		assert_int_equal(sink->emit(sink, &ev), EMIT_GO);
	assert_int_equal(err, -ENOSPC);
	sink->free(sink);
	close(full);
	msg_set_fd(STDERR_FILENO);
	s = slurp(fd);
	assert_string_equal(s, "mtrace: cannot write calls to /dev/full:"
			       " No space left on device\n");
	free(s);
	heap_free(f.heap);
}

static int no_servers(void **state)
{
	(void)state;
	return unsetenv("DEBUGINFOD_URLS");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(on_a_terminal),    cmocka_unit_test(in_colour),
		cmocka_unit_test(errors_when_they_happen), cmocka_unit_test(sanity),
		cmocka_unit_test(releases_not_seen),
		cmocka_unit_test(all_is_well),      cmocka_unit_test(to_a_file),
		cmocka_unit_test(the_rest_is_one_line), cmocka_unit_test(ten_by_default),
		cmocka_unit_test(identical_callers_merge), cmocka_unit_test(ends_of_stacks),
		cmocka_unit_test(names_are_shortened), cmocka_unit_test(demangled_and_inlined),
		cmocka_unit_test(what_tells_least_goes_first),
		cmocka_unit_test(killed_by_the_kernel), cmocka_unit_test(refused_request),
		cmocka_unit_test(exact_pc),         cmocka_unit_test(failed_requests),
		cmocka_unit_test(own_mappings),     cmocka_unit_test(several_processes),
		cmocka_unit_test(nothing_to_install), cmocka_unit_test(released_ones),
		cmocka_unit_test(the_table_fits),  cmocka_unit_test(earlier_images),   cmocka_unit_test(sort_keys),
		cmocka_unit_test(sort_key_names),   cmocka_unit_test(ignored_frames),
		cmocka_unit_test(more_with_v),      cmocka_unit_test(control_characters),
		cmocka_unit_test(interrupted),      cmocka_unit_test(attached),
		cmocka_unit_test(names_of_files),   cmocka_unit_test(written_to_files),
		cmocka_unit_test(unwritable),       cmocka_unit_test(calls),
		cmocka_unit_test(calls_to_a_full_disk), cmocka_unit_test(older_blocks),
	};

	return cmocka_run_group_tests(tests, no_servers, NULL);
}
