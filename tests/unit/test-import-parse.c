/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>

#include "base/xalloc.h"
#include "import/record.h"

static struct import_parser *parser;
static struct import_record r;
static size_t before, behind;

static void begin(enum import_format format)
{
	import_parser_free(parser);
	parser = import_parser_new(format);
}

/* A copy that ends where the line does: valgrind and sanitizers see who reads on. */
static enum import_line parse_n(const char *line, size_t n)
{
	static char *copy;
	enum import_line what;

	free(copy);
	copy = xmalloc(n + !n);
	memcpy(copy, line, n);
	memset(&r, 0xa5, sizeof r);
	what = import_parse(parser, copy, n, &r, &before, &behind);
	assert_true(before <= n && behind <= n - before);
	if (what == LINE_OTHER)
		assert_true(before == n && !behind);
	return what;
}

static enum import_line parse(const char *line)
{
	return parse_n(line, strlen(line));
}

/* A record that is all of the line. */
static void parse_record(const char *line, enum import_what what)
{
	assert_int_equal(parse(line), LINE_RECORD);
	assert_int_equal(r.what, what);
	assert_int_equal(before, 0);
	assert_int_equal(behind, 0);
}

static void assert_block(const char *operation, taddr_t addr, uint64_t size)
{
	assert_string_equal(r.operation, operation);
	assert_int_equal(r.addr, addr);
	assert_int_equal(r.size, size);
}

static void assert_words(const char *is, unsigned n, const char *want)
{
	assert_int_equal(n, strlen(want));
	assert_memory_equal(is, want, n);
}
#define WORDS(member, want) assert_words(r.member, r.n##member, want)

static void assert_caller(taddr_t pc)
{
	assert_int_equal(r.npc, 1);
	assert_int_equal(r.pc[0], pc);
}

/* -- each line that is documented ------------------------------------------ */

static void mbed(void **state)
{
	(void)state;
	begin(IMPORT_MBED);
	parse_record("#m:0x20003240;0x600d-50", RECORD_ALLOC);
	assert_block("malloc", 0x20003240, 50);
	assert_caller(0x600d);
	assert_int_equal(r.old_size, UINT64_MAX);
	assert_int_equal(r.cpu, -1);
	assert_null(r.file);
	parse_record("#f:0x0;0x602f-0x20003240", RECORD_FREE);
	assert_block("free", 0x20003240, 0);
	assert_caller(0x602f);
	parse_record("#r:0x20003260;0x6001-0x20003240;90", RECORD_REALLOC);
	assert_block("realloc", 0x20003260, 90);
	assert_int_equal(r.old, 0x20003240);
	parse_record("#c:0x20003280;0x6003-4;100", RECORD_ALLOC);
	assert_block("calloc", 0x20003280, 400);
	assert_int_equal(r.count, 4);
	assert_int_equal(r.each, 100);
	parse_record("#m:0x0;0x600d-5000", RECORD_FAILED);
	assert_block("malloc", 0, 5000);
	parse_record("#r:0x0;0x600d-0x20003240;5000", RECORD_FAILED);
	assert_int_equal(r.old, 0x20003240);
	parse_record("#r:0x0;0x600d-0x20003240;0", RECORD_REALLOC);
	parse_record("#c:0x0;0x600d-4;100", RECORD_FAILED);
	assert_int_equal(r.size, 400);
	parse_record("#f:0x0;0x602f-0x0", RECORD_FREE);
	assert_int_equal(r.addr, 0);
	parse_record("#f:(nil);602f-20003240", RECORD_FREE);
	assert_int_equal(r.addr, 0x20003240);
	parse_record("#m:0x5616877f64a0;0x5616877f11a1-18446744073709551615", RECORD_ALLOC);
	assert_block("malloc", 0x5616877f64a0, UINT64_MAX);
	assert_int_equal(parse("?"), LINE_SILENT);
	assert_int_equal(parse("#?:0x0;0x602f-0x0"), LINE_SILENT);
	assert_int_equal(parse("what?"), LINE_OTHER);
	assert_int_equal(parse("#c: a remark"), LINE_OTHER);
	assert_int_equal(parse("#m:"), LINE_DAMAGED);
}

static void microbit(void **state)
{
	(void)state;
	begin(IMPORT_MICROBIT);
	parse_record("malloc: ALLOCATED: 56 [0x20002954]", RECORD_ALLOC);
	assert_block("malloc", 0x20002954, 56);
	assert_int_equal(r.header, 4);
	parse_record("microbit_malloc: ALLOCATED: 56 [0x20002954]", RECORD_ALLOC);
	parse_record("device_malloc: ALLOCATED: 56 [20002954]", RECORD_ALLOC);
	assert_block("malloc", 0x20002954, 56);
	parse_record("microbit_malloc: NATIVE ALLOCATED: 56 [0x20002954]", RECORD_ALLOC);
	assert_int_equal(r.header, 0);
	parse_record("malloc: OUT OF MEMORY [128]", RECORD_FAILED);
	assert_block("malloc", 0, 128);
	parse_record("microbit_malloc: OUT OF MEMORY", RECORD_FAILED);
	assert_int_equal(r.size, 0);
	parse_record("free:   0x20002954", RECORD_FREE);
	assert_block("free", 0x20002954, 0);
	parse_record("microbit_free:   0x20002954", RECORD_FREE);
	parse_record("free:   0", RECORD_FREE);
	assert_int_equal(r.addr, 0);
	parse_record("mb_total_free : 3700", RECORD_FIGURES);
	assert_int_equal(r.figure_free, 3700);
	assert_int_equal(r.figure_used, UINT64_MAX);
	parse_record("mb_total_used : 60", RECORD_FIGURES);
	assert_int_equal(r.figure_used, 60);
	assert_int_equal(parse("heap free: 12"), LINE_OTHER);
	assert_int_equal(parse("my malloc: it is mine"), LINE_OTHER);
}

static void tell_bounds(unsigned number)
{
	char line[32];

	snprintf(line, sizeof line, "HEAP %u: ", number);
	assert_int_equal(parse(line), LINE_SILENT);
	parse_record("heap_start : 0x20002950", RECORD_BOUNDS);
	assert_int_equal(r.addr, 0x20002950);
	parse_record("heap_end   : 0x20003800", RECORD_BOUNDS);
	assert_int_equal(r.addr, 0x20002950);
	assert_int_equal(r.end, 0x20003800);
	parse_record("heap_size  : 3760", RECORD_BOUNDS);
	assert_int_equal(r.addr, 0x20002950);
	assert_int_equal(r.size, 3760);
	assert_int_equal(r.header, 4);
}

/* What comes first is of the lines before: then this line again. */
static void assert_reset(const char *line, bool is_reset)
{
	assert_int_equal(parse(line), LINE_RECORD);
	assert_int_equal(r.what == RECORD_RESET, is_reset);
	if (!is_reset)
		return;
	assert_int_equal(before, 0);
	assert_int_equal(behind, strlen(line));
	assert_int_equal(r.addr, 0);
	assert_int_equal(r.end, 0);
	assert_int_equal(parse(line), LINE_RECORD);
	assert_int_equal(r.what, RECORD_BOUNDS);
	assert_int_equal(r.addr, 0x20002950);
	assert_int_equal(r.end, 0x20003800);
	assert_int_equal(behind, strlen(line));
	assert_int_equal(parse(line), LINE_RECORD);
	assert_true(r.what != RECORD_RESET && r.what != RECORD_BOUNDS);
}

static void microbit_begins_anew(void **state)
{
	(void)state;
	begin(IMPORT_MICROBIT);
	tell_bounds(0);
	assert_reset("[F:3760] ", true);
	assert_int_equal(r.what, RECORD_BLOCK);
	assert_true(r.is_free);
	assert_int_equal(r.size, 3760);
	assert_int_equal(behind, 0);
	tell_bounds(0);
	assert_reset("[U:60] [F:3700] ", false);
	assert_int_equal(r.what, RECORD_BLOCK);
	assert_false(r.is_free);
	assert_int_equal(behind, strlen("[F:3700] "));
	tell_bounds(0);
	assert_reset("[F:60] [U:3700] ", false);
	tell_bounds(0);
	assert_reset("malloc: ALLOCATED: 56 [0x20002954]", true);
	tell_bounds(0);
	assert_reset("mb_total_free : 3760", false);
	assert_reset("mb_total_used : 0", true);
	tell_bounds(1);
	assert_int_equal(parse("[F:3760]"), LINE_RECORD);
	assert_int_equal(r.what, RECORD_RESET);
	assert_int_equal(r.addr, 0x20002950);
	assert_int_equal(r.end, 0x20003800);
	assert_int_equal(import_parse_end(parser, &r), LINE_OTHER);
}

static void azsphere(void **state)
{
	(void)state;
	begin(IMPORT_AZSPHERE);
	parse_record("Heap-Tracker lib: malloc(1024)=0xbeee9010... ", RECORD_ALLOC);
	assert_int_equal(r.verdict, VERDICT_NONE); /* a build that is not verbose, as yet */
	parse_record("Heap-Tracker lib: malloc(1024)=0xbeee9010... SUCCESS: heap_allocated (1024 bytes)"
		     " - delta with heap_threshold(254976 bytes)", RECORD_ALLOC);
	assert_block("malloc", 0xbeee9010, 1024);
	assert_int_equal(r.verdict, VERDICT_NONE);
	assert_int_equal(r.figure_used, 1024);
	assert_int_equal(r.delta, 254976);
	assert_int_equal(r.threshold, 256000);
	parse_record("Heap-Tracker lib: malloc(257024)=0xbedcf010... WARNING: heap_allocated "
		     "(257024 bytes) is above heap_threshold (256000 bytes)", RECORD_ALLOC);
	assert_int_equal(r.verdict, VERDICT_ABOVE);
	assert_int_equal(r.figure_used, 257024);
	assert_int_equal(r.threshold, 256000);
	assert_int_equal(r.delta, -1024);
	parse_record("Heap-Tracker lib: _realloc(0xbee7b010,1024,2048)=0xbeee9010... ",
		     RECORD_REALLOC);
	assert_block("realloc", 0xbeee9010, 2048);
	assert_int_equal(r.old, 0xbee7b010);
	assert_int_equal(r.old_size, 1024);
	assert_int_equal(r.verdict, VERDICT_CUT);
	parse_record("Heap-Tracker lib: _realloc(0,0,1024)=0xbee7b010... SUCCESS: available heap "
		     "(254975 bytes)", RECORD_REALLOC);
	assert_int_equal(r.old, 0);
	assert_int_equal(r.delta, 254975);
	parse_record("Heap-Tracker lib: _free(0xbeee9010,1024)... SUCCESS: heap_allocated (0 bytes)"
		     " - delta with heap_threshold(256000 bytes)", RECORD_FREE);
	assert_block("free", 0xbeee9010, 0);
	assert_int_equal(r.old_size, 1024);
	parse_record("Heap-Tracker: calloc(4,256)=0xbeee9010...", RECORD_ALLOC);
	assert_block("calloc", 0xbeee9010, 1024);
	assert_int_equal(r.count, 4);
	parse_record("Heap-Tracker: aligned_alloc(16,64)=0xbeee9010...", RECORD_ALLOC);
	assert_block("aligned_alloc", 0xbeee9010, 64);
	assert_int_equal(r.alignment, 16);
	parse_record("Heap-Tracker: realloc(0xbeee9010, 2048)=(nil)... SUCCESS: heap_allocated "
		     "(1024 bytes) - delta with heap_threshold(254976 bytes)", RECORD_FAILED);
	assert_block("realloc", 0, 2048);
	assert_int_equal(r.old, 0xbeee9010);
	parse_record("Heap-Tracker: malloc(99999999)=0... ", RECORD_FAILED);
	parse_record("Heap-Tracker: free(0xbeee9010)... WARNING: heap_allocated (-8) is NEGATIVE "
		     "--> 'heap_allocated' will not be reliable from now on!", RECORD_FREE);
	assert_int_equal(r.figure_used, UINT64_MAX);
}

static void azsphere_remarks(void **state)
{
	static const char remark[] =
		"Heap-Tracker: WARNING: free(0xbeee9010) was called for a non-tracked pointer.";
	static const char native[] = "Heap-Tracker: WARNING! Native free(0xbeee9010) was called "
		"instead of _free() helper: 'heap_allocated' will not be reliable from now on!";

	(void)state;
	begin(IMPORT_AZSPHERE);
	parse_record("Heap-Tracker: free(0xbeee9010)... Heap-Tracker: WARNING: free(0xbeee9010) was "
		     "called for a non-tracked pointer.", RECORD_FREE);
	assert_int_equal(r.verdict, VERDICT_UNTRACKED);
	assert_int_equal(parse(remark), LINE_SILENT); /* on a line of its own: the same */
	parse_record("SUCCESS: heap_allocated (1024 bytes) - delta with heap_threshold(254976 bytes)",
		     RECORD_FIGURES);
	assert_int_equal(r.figure_used, 1024);
	parse_record("Heap-Tracker: free(0xbeee9020)... ", RECORD_FREE);
	assert_int_equal(r.verdict, VERDICT_NONE); /* success is told, but not of this build */
	parse_record(remark, RECORD_FREE); /* its call is lost */
	assert_int_equal(r.verdict, VERDICT_UNTRACKED);
	begin(IMPORT_AZSPHERE);
	parse_record(native, RECORD_FREE);
	assert_int_equal(r.addr, 0xbeee9010);
	assert_int_equal(r.verdict, VERDICT_NONE);
	assert_int_equal(parse("Heap-Tracker lib: WARNING! Native realloc(0xbeee9010,12) was called "
			       "instead of _realloc() helper: 'heap_allocated' will not …"),
			 LINE_SILENT);
	assert_int_equal(parse("Heap-Tracker: heap_track_pointer(0xbeee9010,12) FAILED"), LINE_SILENT);
}

/* A build that is not verbose ends no lines. */
static void azsphere_one_line(void **state)
{
	static const char line[] = "Heap-Tracker: malloc(16)=0xbeee9010... Heap-Tracker: "
		"free(0xbeee9010)... Heap-Tracker: malloc(17)=0xbeee9";

	(void)state;
	begin(IMPORT_AZSPHERE);
	assert_int_equal(parse(line), LINE_RECORD);
	assert_block("malloc", 0xbeee9010, 16);
	assert_int_equal(parse(line + strlen(line) - behind), LINE_RECORD);
	assert_int_equal(r.what, RECORD_FREE);
	assert_int_equal(parse(line + strlen(line) - behind), LINE_DAMAGED);
	assert_int_equal(behind, 0);
}

static void esp(void **state)
{
	(void)state;
	begin(IMPORT_ESP);
	parse_record("Memory allocated at 0x3ffb1234, caps 0x1800, size 256 bytes, in ./main/main.c, "
		     "line 42, function app_main, variable buf", RECORD_LISTED);
	assert_block("heap_caps_malloc", 0x3ffb1234, 256);
	assert_int_equal(r.caps, 0x1800);
	assert_int_equal(r.line, 42);
	WORDS(file, "./main/main.c");
	WORDS(function, "app_main");
	WORDS(variable, "buf");
	assert_int_equal(parse("Memory allocated at 0x3ffb1234, caps 0x4, size 8 bytes, in a b.c, "
			       "line 1, function f, variable p->rows[i + 1] and text"), LINE_RECORD);
	WORDS(file, "a b.c");
	WORDS(variable, "p->rows[i + 1]");
	assert_int_equal(behind, strlen(" and text"));
	parse_record("Failed to allocate 512 bytes for heap_caps_calloc in app_main at main.c:47",
		     RECORD_FAILED);
	assert_block("heap_caps_calloc", 0, 512);
	assert_int_equal(r.line, 47);
	WORDS(function, "app_main");
	WORDS(file, "main.c");
	assert_int_equal(parse("Capturing memory snapshot for region: MALLOC_CAP_8BIT "), LINE_SILENT);
	assert_int_equal(parse("    free 4 allocated 6128 min_free 2 largest_free_block 0"),
			 LINE_RECORD);
	assert_int_equal(r.what, RECORD_FIGURES);
	assert_int_equal(r.figure_free, 4);
	assert_int_equal(r.figure_used, 6128);
	assert_int_equal(parse("Failed to allocate memory for tracking allocations"), LINE_OTHER);
	assert_int_equal(parse("Failed to allocate 12 bytes"), LINE_OTHER);
}

static void esp_heaptrace(void **state)
{
	(void)state;
	begin(IMPORT_ESP_HEAPTRACE);
	assert_int_equal(parse("====== Heap Trace: 2 records (100 capacity) ======"), LINE_SILENT);
	assert_int_equal(parse("    64 bytes (@ 0x3ffb5d5c, Internal) allocated CPU 1 ccount 0x0b9a7fe4"
			       " caller 0x400d27a6:0x400d2811"), LINE_RECORD);
	assert_int_equal(r.what, RECORD_ALLOC);
	assert_block("malloc", 0x3ffb5d5c, 64);
	assert_int_equal(r.cpu, 1);
	assert_int_equal(r.time, 0x0b9a7fe4);
	assert_int_equal(r.npc, 2);
	assert_int_equal(r.pc[1], 0x400d2811);
	assert_int_equal(behind, 0);
	parse_record("128 bytes (@ 0x3f800020,    PSRAM) allocated CPU 0 ccount 0x0b9a8fe8 "
		     "caller 0x400d27b1:", RECORD_ALLOC);
	assert_caller(0x400d27b1);
	parse_record("freed by 0x400d27c0:0x0:(nil)", RECORD_FREE);
	assert_block("free", 0x3f800020, 0);
	assert_caller(0x400d27c0);
	assert_int_equal(parse("freed by 0x400d27c0"), LINE_SILENT); /* of no block */
	parse_record("12 bytes (@ 0x3ffb5d5c) allocated CPU 0 ccount 0x00000010 caller ",
		     RECORD_ALLOC);
	assert_int_equal(r.npc, 0);
	assert_int_equal(parse("====== Heap Trace Summary ======"), LINE_SILENT);
	assert_int_equal(parse("Mode: Heap Trace All"), LINE_SILENT);
	parse_record("64 bytes alive in trace (1/2 allocations)", RECORD_FIGURES);
	assert_int_equal(r.figure_used, 64);
	parse_record("48 bytes 'leaked' in trace (3 allocations)", RECORD_FIGURES);
	assert_int_equal(parse("records: 2 (100 capacity, 2 high water mark)"), LINE_SILENT);
	assert_int_equal(parse("total frees: 1"), LINE_SILENT);
	assert_int_equal(parse("================================"), LINE_SILENT);
	assert_int_equal(parse("====== Heap Trace: 3 records (100 capacity) ======"), LINE_RECORD);
	assert_int_equal(r.what, RECORD_RESET); /* what was listed is listed again */
}

static void many_callers(void **state)
{
	char line[4096];
	size_t n = (size_t)snprintf(line, sizeof line, "1 bytes (@ 0x10, Internal) allocated CPU 0 "
				    "ccount 0x00000004 caller 0x1");

	(void)state;
	for (unsigned i = 2; i <= IMPORT_FRAMES + 9; i++)
		n += (size_t)snprintf(line + n, sizeof line - n, ":0x%x", i);
	begin(IMPORT_ESP_HEAPTRACE);
	parse_record(line, RECORD_ALLOC);
	assert_int_equal(r.npc, IMPORT_FRAMES);
	assert_int_equal(r.pc[IMPORT_FRAMES - 1], IMPORT_FRAMES);
}

static void glibc(void **state)
{
	(void)state;
	begin(IMPORT_GLIBC);
	assert_int_equal(parse("= Start"), LINE_SILENT);
	parse_record("@ ./prog:[0x11a0] + 0x5616877f64a0 0x64", RECORD_ALLOC);
	assert_block("malloc", 0x5616877f64a0, 100);
	assert_caller(0x11a0);
	WORDS(module, "./prog");
	assert_null(r.symbol);
	assert_int_equal(parse("@ ./prog:(main+0x2c)[0x11c8] < 0x5616877f62a0"), LINE_MORE);
	parse_record("@ ./prog:(main+0x2c)[0x11c8] > 0x5616877f6510 0x1f4", RECORD_REALLOC);
	assert_block("realloc", 0x5616877f6510, 500);
	assert_int_equal(r.old, 0x5616877f62a0);
	WORDS(symbol, "main+0x2c");
	WORDS(module, "./prog");
	parse_record("@ ./prog:[0x11fb] - 0x5616877f64a0", RECORD_FREE);
	assert_block("free", 0x5616877f64a0, 0);
	parse_record("@ ./prog:[0x124a] ! 0x5616877f62a0 0x4000000000000000", RECORD_FAILED);
	assert_block("realloc", 0, UINT64_C(0x4000000000000000));
	assert_int_equal(r.old, 0x5616877f62a0);
	parse_record("@ ./prog:[0x1260] + (nil) 0x10", RECORD_FAILED);
	parse_record("@ [0x7f0011223344] + 0x10 0", RECORD_ALLOC);
	assert_null(r.module);
	assert_int_equal(r.size, 0);
	parse_record("@ /my [odd] folder:(a)/lib.so.6:(f+18)[0x20] - 0x10", RECORD_FREE);
	WORDS(module, "/my [odd] folder:(a)/lib.so.6");
	WORDS(symbol, "f+18");
	parse_record("- 0x804a018", RECORD_FREE);
	assert_int_equal(r.npc, 0);
	parse_record("= End", RECORD_END);
	assert_int_equal(parse("user@host: x = 5 + 4"), LINE_OTHER);
	assert_int_equal(parse("+ 1 more"), LINE_OTHER);
}

/* Of a realloc only one line is whole. */
static void glibc_halves(void **state)
{
	static const char first[] = "@ ./prog:(main+0x2c)[0x11c8] < 0x62a0";
	static const char second[] = "@ ./prog:(main+0x2c)[0x11c8] > 0x6510 0x1f4";
	static const char other[] = "@ ./prog:[0x11fb] - 0x64a0";

	(void)state;
	begin(IMPORT_GLIBC);
	parse_record(second, RECORD_ALLOC);
	assert_int_equal(parse(first), LINE_MORE);
	assert_int_equal(parse("hello"), LINE_OTHER);
	assert_int_equal(parse(other), LINE_RECORD);
	assert_int_equal(r.what, RECORD_FREE);
	assert_block("realloc", 0x62a0, 0);
	WORDS(module, "./prog");
	WORDS(symbol, "main+0x2c");
	assert_caller(0x11c8);
	assert_int_equal(behind, strlen(other));
	parse_record(other, RECORD_FREE);
	assert_int_equal(r.addr, 0x64a0);
	/* What is between them was a half, too. */
	assert_int_equal(parse(first), LINE_MORE);
	assert_int_equal(parse("@ ./prog:(main+0x2c)[0x11c8] > 0x6?10 0x1f4"), LINE_DAMAGED);
	assert_int_equal(parse(second), LINE_RECORD);
	assert_int_equal(r.what, RECORD_FREE);
	parse_record(second, RECORD_ALLOC);
	assert_int_equal(parse(first), LINE_MORE);
	assert_int_equal(import_parse_end(parser, &r), LINE_RECORD);
	assert_int_equal(r.what, RECORD_FREE);
	assert_int_equal(import_parse_end(parser, &r), LINE_OTHER);
}

/* -- other text, lost line ends, damage ------------------------------------- */

/* A line of each kind, and the address that it must not be without. */
static const struct sample {
	enum import_format format;
	const char *line, *addr;
} samples[] = {
	{ IMPORT_MBED, "#m:0x20003240;0x600d-50", "20003240" },
	{ IMPORT_MBED, "#f:0x0;0x602f-0x20003240", "20003240" },
	{ IMPORT_MBED, "#r:0x20003260;0x6001-0x20003240;90", "20003260" },
	{ IMPORT_MBED, "#c:0x20003280;0x6003-4;100", "20003280" },
	{ IMPORT_MICROBIT, "malloc: ALLOCATED: 56 [0x20002954]", "20002954" },
	{ IMPORT_MICROBIT, "microbit_free:   0x20002954", "20002954" },
	{ IMPORT_MICROBIT, "heap_start : 0x20002950", "20002950" },
	{ IMPORT_AZSPHERE, "Heap-Tracker lib: _free(0xbeee9010,1024)... SUCCESS: heap_allocated "
	  "(0 bytes) - delta with heap_threshold(256000 bytes)", "beee9010" },
	{ IMPORT_AZSPHERE, "Heap-Tracker: calloc(4,256)=0xbeee9010...", "beee9010" },
	{ IMPORT_ESP, "Memory allocated at 0x3ffb1234, caps 0x1800, size 256 bytes, in main.c, "
	  "line 42, function app_main, variable buf", "3ffb1234" },
	{ IMPORT_ESP_HEAPTRACE, "64 bytes (@ 0x3ffb5d5c, Internal) allocated CPU 1 ccount "
	  "0x0b9a7fe4 caller 0x400d27a6:0x400d2811", "3ffb5d5c" },
	{ IMPORT_GLIBC, "@ ./prog:[0x11a0] + 0x5616877f64a0 0x64", "5616877f64a0" },
	{ IMPORT_GLIBC, "@ ./prog:[0x11fb] - 0x5616877f64a0", "5616877f64a0" },
};

static taddr_t address(const struct sample *s)
{
	return strtoull(s->addr, NULL, 16);
}

static void other_text(void **state)
{
	static const char *const firsts[] = { "I (12) wifi: ", "temp=2 \033[0m", "\x80\0?", "=@#[" };
	static const char *const lasts[] = { " [main] ok", "\033[0m", "\r", "\t", "  " };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(samples); i++)
		for (size_t a = 0; a < ARRAY_SIZE(firsts); a++)
			for (size_t b = 0; b < ARRAY_SIZE(lasts); b++) {
				char *line = xasprintf("%s%s%s", firsts[a], samples[i].line, lasts[b]);

				begin(samples[i].format);
				assert_int_equal(parse(line), LINE_RECORD);
				assert_int_equal(r.addr, address(&samples[i]));
				assert_int_equal(before, strlen(firsts[a]));
				assert_true(behind <= strlen(lasts[b]));
				free(line);
			}
}

static void lost_line_ends(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(samples); i++)
		for (size_t j = 0; j < ARRAY_SIZE(samples); j++) {
			char *line;

			if (samples[i].format != samples[j].format || !strncmp(samples[i].line, "heap", 4)
			    || !strncmp(samples[j].line, "heap", 4))
				continue;
			line = xasprintf("%s%s", samples[i].line, samples[j].line);
			begin(samples[i].format);
			assert_int_equal(parse(line), LINE_RECORD);
			assert_int_equal(r.addr, address(&samples[i]));
			/* Callers may be hexadecimal digits, or the next line's number. */
			if (samples[i].format != IMPORT_ESP_HEAPTRACE) {
				assert_int_equal(behind, strlen(samples[j].line));
				assert_int_equal(parse(line + strlen(line) - behind), LINE_RECORD);
				assert_int_equal(r.addr, address(&samples[j]));
				assert_int_equal(behind, 0);
			}
			free(line);
		}
}

/* All that can be had of a line; true: a record had the address of none. */
static bool has_wrong_address(const struct sample *s, const char *line, size_t n)
{
	size_t rest = n;
	bool is_wrong = false;
	enum import_line what;

	do {
		what = parse_n(line + n - rest, rest);
		if (what == LINE_RECORD && r.what != RECORD_RESET && r.what != RECORD_FIGURES)
			is_wrong |= r.addr != address(s);
		rest = behind;
	} while (what != LINE_OTHER && rest);
	return is_wrong;
}

/* An address is whole or it is none, whatever byte comes for a digit; but a blank for the
 * last digit of a line is the line's end. */
static void damaged_addresses(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(samples); i++) {
		const struct sample *s = &samples[i];
		size_t n = strlen(s->line), first = (size_t)(strstr(s->line, s->addr) - s->line);
		char *line = xstrdup(s->line);

		for (size_t at = first; at < first + strlen(s->addr); at++)
			for (int byte = 0; byte < 256; byte++) {
				bool is_end = at == n - 1 && byte && strchr(" \t\r", byte);

				if ((byte && strchr("0123456789abcdefABCDEFxX", byte)) || is_end)
					continue;
				line[at] = (char)byte;
				begin(s->format);
				if (has_wrong_address(s, line, n))
					fail_msg("byte %d at %zu of %s", byte, at, s->line);
				line[at] = s->line[at];
			}
		free(line);
	}
}

/* Cut anywhere, with any byte another, or one byte too many: nothing is read beyond the end,
 * and what is told is of this line. */
static void any_damage(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(samples); i++) {
		size_t n = strlen(samples[i].line);
		char *line = xstrdup(samples[i].line);

		for (size_t cut = 0; cut < n; cut++) {
			begin(samples[i].format);
			parse_n(line, cut);
			import_parse_end(parser, &r);
			begin(samples[i].format);
			parse_n(line + cut, n - cut);
		}
		for (size_t at = 0; at < n; at++)
			for (int byte = 0; byte < 256; byte++) {
				line[at] = (char)byte;
				begin(samples[i].format);
				has_wrong_address(&samples[i], line, n);
				line[at] = samples[i].line[at];
			}
		free(line);
	}
}

/* Before the address is whole there is no record: only what comes behind may be cut. */
static void truncated(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(samples); i++) {
		const char *line = samples[i].line, *addr = strstr(line, samples[i].addr);
		size_t whole = (size_t)(addr - line) + strlen(samples[i].addr);

		/* The last digits: nothing tells that they are lost; and the first of 0x is NULL. */
		if (whole == strlen(line))
			whole -= strlen(samples[i].addr) + 2;
		for (size_t cut = 0; cut <= whole; cut++) {
			begin(samples[i].format);
			assert_int_not_equal(parse_n(line, cut), LINE_RECORD);
		}
	}
}

/* A call is what it is, whatever became of its result. */
static void damaged_result(void **state)
{
	static const char line[] = "Heap-Tracker: malloc(16)=0xbeee9010... SUCCESS: heap_allocated "
		"(10?4 bytes) - delta with heap_threshold(254976 bytes)";

	(void)state;
	begin(IMPORT_AZSPHERE);
	assert_int_equal(parse(line), LINE_RECORD);
	assert_block("malloc", 0xbeee9010, 16);
	assert_int_equal(r.figure_used, UINT64_MAX);
	assert_int_equal(parse(line + strlen(line) - behind), LINE_DAMAGED);
	assert_int_equal(behind, 0);
}

/* All of a dump that has lost its line ends. */
static void dump_of_one_line(void **state)
{
	static const char line[] = "64 bytes (@ 0x3ffb5d5c, Internal) allocated CPU 1 ccount 0x00000004 "
		"caller 0x400d27a6freed by 0x400d27b1:0x0    12 bytes (@ 0x3ffb5d60, Internal) "
		"allocated CPU 0 ccount 0x00000008 caller 0x400d27a6:8 bytes (@ 0x3ffb5d";

	(void)state;
	begin(IMPORT_ESP_HEAPTRACE);
	assert_int_equal(parse(line), LINE_RECORD);
	assert_block("malloc", 0x3ffb5d5c, 64);
	assert_caller(0x400d27a6);
	assert_int_equal(parse(line + strlen(line) - behind), LINE_RECORD);
	assert_block("free", 0x3ffb5d5c, 0);
	assert_caller(0x400d27b1);
	assert_int_equal(parse(line + strlen(line) - behind), LINE_RECORD);
	assert_block("malloc", 0x3ffb5d60, 12);
	assert_caller(0x400d27a6);
	assert_int_equal(parse(line + strlen(line) - behind), LINE_DAMAGED);
	assert_int_equal(behind, 0);
}

static void numbers_too_large(void **state)
{
	static const struct {
		enum import_format format;
		const char *line;
	} lines[] = {
		{ IMPORT_MBED, "#m:0x12345678123456781;0x600d-50" },
		{ IMPORT_MBED, "#m:0x20003240;0x600d-18446744073709551616" },
		{ IMPORT_MBED, "#m:0x20003240;0x600d-99999999999999999999" },
		{ IMPORT_MBED, "#m:0x20003240;0x600d-000000000000000000000000050" },
		{ IMPORT_MBED, "#c:0x20003240;0x600d-4294967296;4294967296" },
		{ IMPORT_MBED, "#f:0x8;0x600d-0x20003240" },
		{ IMPORT_MBED, "#m:;0x600d-50" },
		{ IMPORT_MBED, "3240;0x600d-50" },
		{ IMPORT_MICROBIT, "malloc: ALLOCATED: -1 [0x20002954]" },
		{ IMPORT_MICROBIT, "malloc: ALLOC" },
		{ IMPORT_MICROBIT, "loc: ALLOCATED: 56 [0x20002954]" },
		{ IMPORT_AZSPHERE, "Heap-Tracker: malloc(16)=0xbeee9010.." },
		{ IMPORT_AZSPHERE, "cker: malloc(16)=0xbeee9010... SUCCESS: heap_allocated (1024 bytes)"
		  " - delta with heap_threshold(254976 bytes)" },
		{ IMPORT_ESP, "Memory allocated at 0x3ffb1234, caps 0x100000000, size 256 bytes, in a, "
		  "line 4, function b, variable c" },
		{ IMPORT_ESP, "ory allocated at 0x3ffb1234, caps 0x1, size 256 bytes, in a, line 4" },
		{ IMPORT_ESP_HEAPTRACE, "freed" },
		{ IMPORT_ESP_HEAPTRACE, ", Internal) allocated CPU 1 ccount 0x0b9a7fe4 caller 0x1" },
		{ IMPORT_GLIBC, "@ ./prog:[0x11a0] + 0x12345678123456781 0x64" },
		{ IMPORT_GLIBC, "@ ./prog:[0x11a0] ? 0x5616877f64a0 0x64" },
		{ IMPORT_GLIBC, "@ ./prog:(main+0x" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
		begin(lines[i].format);
		assert_int_equal(parse(lines[i].line),
				 strcmp(lines[i].line, "freed") ? LINE_DAMAGED : LINE_OTHER);
	}
}

/* What lost its end, and the whole one behind it. */
static void damaged_and_whole(void **state)
{
	static const char line[] = "#m:0x20003#f:0x0;0x602f-0x20003240";
	static const char released[] = "free:   0xdevice_free:   0x20002954";
	static const char traced[] = "@ ./prog:[0x11@ ./prog:[0x11fb] - 0x64a0";

	(void)state;
	begin(IMPORT_MBED);
	assert_int_equal(parse(line), LINE_DAMAGED);
	assert_int_equal(behind, strlen("#f:0x0;0x602f-0x20003240"));
	parse_record(line + strlen(line) - behind, RECORD_FREE);
	begin(IMPORT_MICROBIT);
	assert_int_equal(parse(released), LINE_DAMAGED);
	parse_record(released + strlen(released) - behind, RECORD_FREE);
	assert_int_equal(r.addr, 0x20002954);
	begin(IMPORT_GLIBC);
	assert_int_equal(parse(traced), LINE_DAMAGED);
	parse_record(traced + strlen(traced) - behind, RECORD_FREE);
	assert_int_equal(r.addr, 0x64a0);
}

/* -- which format? --------------------------------------------------------- */

static void recognised(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(samples); i++) {
		char *log = xasprintf("hello\n#include\n\n%s\r\nfree: 4\n%s", samples[i].line,
				      samples[i].line);

		assert_int_equal(import_recognise(log, strlen(log)), samples[i].format);
		free(log);
	}
	assert_int_equal(import_recognise("hello\nworld\n", 12), IMPORT_AUTO);
	assert_int_equal(import_recognise("", 0), IMPORT_AUTO);
	assert_int_equal(import_format_find("esp-heaptrace"), IMPORT_ESP_HEAPTRACE);
	assert_int_equal(import_format_find("auto"), IMPORT_AUTO);
	assert_int_equal(import_format_find("esp8266"), IMPORT_FORMATS);
	assert_string_equal(import_format_name(IMPORT_GLIBC), "glibc");
	assert_null(import_format_name(IMPORT_FORMATS));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(mbed),
		cmocka_unit_test(microbit),
		cmocka_unit_test(microbit_begins_anew),
		cmocka_unit_test(azsphere),
		cmocka_unit_test(azsphere_remarks),
		cmocka_unit_test(azsphere_one_line),
		cmocka_unit_test(esp),
		cmocka_unit_test(esp_heaptrace),
		cmocka_unit_test(many_callers),
		cmocka_unit_test(glibc),
		cmocka_unit_test(glibc_halves),
		cmocka_unit_test(other_text),
		cmocka_unit_test(lost_line_ends),
		cmocka_unit_test(damaged_addresses),
		cmocka_unit_test(any_damage),
		cmocka_unit_test(truncated),
		cmocka_unit_test(damaged_result),
		cmocka_unit_test(dump_of_one_line),
		cmocka_unit_test(numbers_too_large),
		cmocka_unit_test(damaged_and_whole),
		cmocka_unit_test(recognised),
	};
	int status = cmocka_run_group_tests(tests, NULL, NULL);

	import_parser_free(parser);
	return status;
}
