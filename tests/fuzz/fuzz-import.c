/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Heap logs of any bytes, through each parser: it must come to the end of each line, read
 * nothing outside of it, and tell of nothing that is not there.
 *
 * With clang: -fsanitize=fuzzer,address -DLIBFUZZER; the first byte chooses the format.
 * Without, main() changes a log of each format at places that a fixed seed chooses, for
 * FUZZ_SECONDS (3) seconds in all. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/xalloc.h"
#include "import/record.h"
#include "check.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Reads it all: a sanitizer sees whether it is there. */
static void touch(const char *s, unsigned n)
{
	unsigned sum = 0;

	check(s || !n, "a text of nothing");
	for (unsigned i = 0; i < n; i++)
		sum += (unsigned char)s[i];
	check(sum <= n * 255, "arithmetic");
}

static void check_record(const struct import_record *r)
{
	check((unsigned)r->what <= RECORD_LISTED, "a kind that there is not");
	check(r->npc <= IMPORT_FRAMES, "more callers than there is room for");
	check(r->what != RECORD_ALLOC || r->addr, "an allocation at NULL");
	check(r->what != RECORD_FAILED || !r->addr, "a failed request with a block");
	touch(r->module, r->nmodule);
	touch(r->symbol, r->nsymbol);
	touch(r->file, r->nfile);
	touch(r->function, r->nfunction);
	touch(r->variable, r->nvariable);
	if (r->operation)
		touch(r->operation, (unsigned)strlen(r->operation));
}

static void parse_line(struct import_parser *parser, const char *bytes, size_t n)
{
	char *line = xmemdup(n ? bytes : "", n + !n); /* so that its end is an end */
	size_t rest = n, before, behind;
	unsigned stays = 0; /* records of the lines before: a reset, and bounds */
	enum import_line what;
	struct import_record r;

	do {
		what = import_parse(parser, line + n - rest, rest, &r, &before, &behind);
		check(before <= rest && behind <= rest - before, "more than the line");
		check(what != LINE_OTHER || (before == rest && !behind), "other text is all of it");
		stays = behind == rest ? stays + 1 : 0;
		check(!rest || stays < 3, "nothing is taken of the line");
		if (what == LINE_RECORD)
			check_record(&r);
		rest = behind;
	} while (what != LINE_OTHER && rest);
	free(line);
}

static void parse_log(enum import_format format, const char *bytes, size_t n)
{
	struct import_parser *parser = import_parser_new(format);
	const char *end = bytes + n, *eol;
	struct import_record r;

	for (; bytes < end; bytes = eol + 1) {
		eol = memchr(bytes, '\n', (size_t)(end - bytes));
		if (!eol)
			eol = end;
		parse_line(parser, bytes, (size_t)(eol - bytes));
	}
	if (import_parse_end(parser, &r) == LINE_RECORD)
		check_record(&r);
	check(import_parse_end(parser, &r) == LINE_OTHER, "an end without end");
	import_parser_free(parser);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size) {
		parse_log(1 + data[0] % (IMPORT_FORMATS - 1), (const char *)data + 1, size - 1);
		import_recognise((const char *)data + 1, size - 1);
	}
	return 0;
}

#ifndef LIBFUZZER

static const char *const logs[IMPORT_FORMATS] = {
	[IMPORT_MBED] = "#m:0x20003240;0x600d-50\n#r:0x20003260;0x6001-0x20003240;90\nhello "
		"#c:0x20003280;0x6003-4;100#f:0x0;0x602f-0x20003240\r\n?\n#?:0x0;0x602f-0x0\n",
	[IMPORT_MICROBIT] = "HEAP 0: \nheap_start : 0x20002950\nheap_end   : 0x20003800\n"
		"heap_size  : 3760\n[F:60] [U:3700] \nmb_total_free : 60\nmb_total_used : 0\n"
		"microbit_malloc: NATIVE ALLOCATED: 56 [0x20002954]\nmalloc: OUT OF MEMORY [128]\n"
		"free:   0x20002954device_free:   0\n--- HEAP NOT INITIALISED ---\n",
	[IMPORT_AZSPHERE] = "Heap-Tracker lib: malloc(1024)=0xbeee9010... SUCCESS: heap_allocated "
		"(1024 bytes) - delta with heap_threshold(254976 bytes)\nHeap-Tracker: "
		"realloc(0xbeee9010, 2048)=(nil)...WARNING: heap_allocated (257024 bytes) is above "
		"heap_threshold (256000 bytes)\nHeap-Tracker: free(0xbeee9010)... Heap-Tracker: "
		"WARNING: free(0xbeee9010) was called for a non-tracked pointer.\nWARNING: "
		"heap_allocated (-8) is NEGATIVE\nHeap-Tracker: calloc(4,256)=0xbeee9010..."
		"Heap-Tracker lib: _realloc(0xbee7b010,1024,2048)=0xbeee9010... \n",
	[IMPORT_ESP] = "Memory allocated at 0x3ffb1234, caps 0x1800, size 256 bytes, in main.c, line "
		"42, function app_main, variable p->rows[i + 1] x\nFailed to allocate 512 bytes for "
		"heap_caps_calloc in app_main at main.c:47\n  Totals:\n"
		"    free 4 allocated 6128 min_free 2 largest_free_block 0\n",
	[IMPORT_ESP_HEAPTRACE] = "====== Heap Trace: 2 records (100 capacity) ======\n"
		"    64 bytes (@ 0x3ffb5d5c, Internal) allocated CPU 1 ccount 0x0b9a7fe4 caller "
		"0x400d27a6:0x400d2811freed by 0x400d27c0:(nil)    12 bytes (@ 0x3f800020,    PSRAM) "
		"allocated CPU 0 ccount 0x0b9a8fe8 caller 0x400d27b1:\nfreed by 0x1:0x2\n"
		"64 bytes alive in trace (1/2 allocations)\n",
	[IMPORT_GLIBC] = "= Start\n@ ./prog:[0x11a0] + 0x5616877f64a0 0x64\n@ ./p:(main+0x2c)[0x11c8] "
		"< 0x5616877f62a0\n@ ./p:(main+0x2c)[0x11c8] > 0x5616877f6510 0x1f4\n@ [0x11fb] - "
		"0x10@ ./p:[0x1] < 0x20\n! 0x10 0x20\n= End\n",
};

static uint64_t seed = 20;

static uint64_t next_random(uint64_t below)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (seed >> 8) % below;
}

/* Bytes become others, get lost, come twice; pieces are moved. */
static size_t mutate(char *log, size_t n, size_t cap)
{
	static const char interesting[] = "0x(nil)[]:;-@#= \n\r.,\0\xff" "9";

	for (unsigned k = (unsigned)next_random(12); k-- && n > 2;) {
		size_t at = next_random(n), len = 1 + next_random(MIN(n - at, (size_t)24));

		switch (next_random(5)) {
		case 0:
			log[at] = (char)next_random(256);
			break;
		case 1:
			log[at] = interesting[next_random(sizeof interesting)];
			break;
		case 2:
			memmove(log + at, log + at + len, n - at - len);
			n -= len;
			break;
		case 3:
			if (n + len > cap)
				break;
			memmove(log + at + len, log + at, n - at);
			n += len;
			break;
		case 4:
			memmove(log + next_random(n - len + 1), log + at, len);
			break;
		}
	}
	return n;
}

static unsigned long fuzz(enum import_format format, double seconds)
{
	char log[4096];
	struct timespec began, now;
	unsigned long runs = 0;

	clock_gettime(CLOCK_MONOTONIC, &began);
	do {
		size_t n = strlen(logs[format]);

		log[0] = (char)(format - 1);
		memcpy(log + 1, logs[format], n);
		if (runs)
			n = mutate(log + 1, n, sizeof log - 1);
		LLVMFuzzerTestOneInput((const uint8_t *)log, n + 1);
		runs++;
		clock_gettime(CLOCK_MONOTONIC, &now);
	} while ((double)(now.tv_sec - began.tv_sec) +
		 (double)(now.tv_nsec - began.tv_nsec) / 1e9 < seconds);
	return runs;
}

int main(void)
{
	const char *s = getenv("FUZZ_SECONDS"), *start = getenv("FUZZ_SEED");
	double seconds = s ? atof(s) : 3;

	if (start)
		seed = strtoull(start, NULL, 0) | 1;
	printf("1..%d\n", IMPORT_FORMATS - 1);
	for (enum import_format format = 1; format < IMPORT_FORMATS; format++) {
		unsigned long runs = fuzz(format, seconds / (IMPORT_FORMATS - 1));

		printf("ok %u - %s: %lu damaged logs\n", format, import_format_name(format), runs);
	}
	return 0;
}

#endif
