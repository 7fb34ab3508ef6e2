/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Heap logs of any bytes, in any pieces, up to the host's books: these agree with those of
 * the importer, and every event can be written and read.
 *
 * With clang: -fsanitize=fuzzer,address -DLIBFUZZER; the first byte chooses the format, the
 * second the pieces.  Without, main() puts lines together as a fixed seed says, and damages
 * them, for FUZZ_SECONDS (3) seconds. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "heap/heap.h"
#include "import/feed.h"
#include "model/wire.h"
#include "check.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* In front of the heap: what is told goes over the wire. */
struct over_wire {
	struct event_sink sink;
	struct event_sink *heap;
	struct wire_encoder encoder;
	struct strbuf bytes;
	struct wire_decoder decoder;
};

static int take(void *arg, const struct event *ev)
{
	struct over_wire *w = arg;

	w->heap->emit(w->heap, ev);
	return 0;
}

static int emit(struct event_sink *sink, const struct event *ev)
{
	struct over_wire *w = container_of(sink, struct over_wire, sink);
	struct wire_record r;
	ssize_t n;

	wire_encode(&w->encoder, ev);
	wire_close(&w->encoder);
	n = wire_next(w->bytes.s, w->bytes.n, &r);
	check(n == (ssize_t)w->bytes.n, "an event is one record");
	check(!wire_decode(&w->decoder, &r, take, w), "what is written can be read");
	strbuf_reset(&w->bytes);
	return 0;
}

static void other(void *arg, const char *text, size_t n)
{
	size_t *sum = arg;

	*sum += n;
	check(!n || text[n - 1] == '\n' || n > FEED_LINE / 2 || *sum == n, "other text is whole lines");
}

static void feed(enum import_format format, bool live, size_t piece, const char *bytes, size_t n)
{
	struct heap *heap = heap_new();
	size_t sum = 0;
	struct over_wire w = { .sink = { emit, sink_keeps_nothing, sink_is_owned },
			       .heap = heap_sink(heap) };
	struct feed_opts o = { .books = { .sink = &w.sink, .name = "fuzz", .path = "fuzz", .live = live,
					  .releases = live, .freed_volume = 1000 },
			       .format = format, .other = other, .arg = &sum };
	const struct heap_proc *p;
	struct import_feed *f;

	w.encoder = (struct wire_encoder)WIRE_ENCODER_INIT(&w.bytes);
	f = import_feed_new(&o);
	for (size_t at = 0; at < n; at += piece) {
		import_feed_bytes(f, bytes + at, MIN(piece, n - at));
		if (at % 7 == 3)
			import_feed_restart(f);
		if (at % 11 == 5)
			import_books_mark(import_feed_books(f));
	}
	if (!import_feed_end(f)) {
		p = heap_proc_find(heap, IMPORT_PID);
		check(p && p->total.open_blocks == import_books_open(import_feed_books(f)),
		      "both sides know the same blocks");
	}
	import_feed_free(f);
	wire_decoder_release(&w.decoder);
	strbuf_release(&w.bytes);
	heap_free(heap);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size > 2)
		feed((enum import_format)(data[0] % IMPORT_FORMATS), data[0] & 128, 1 + data[1] * 3u,
		     (const char *)data + 2, size - 2);
	return 0;
}

#ifndef LIBFUZZER

static const char *const lines[] = {
	"#m:0x20003240;0x600d-50\n", "#f:0x0;0x602f-0x20003240\r\n", "#r:0x20003260;0x6001-0x20003240;90\r",
	"#c:0x20003280;0x6003-4;100", "#f:0x0;0x602f-0x20003260\n", "#m:0x0;0x600d-5000\n", "some text ",
	"heap_start : 0x20002950\nheap_end   : 0x20003800\nheap_size  : 3760\n",
	"malloc: ALLOCATED: 56 [0x20002954]\n", "free:   0x20002954\n", "malloc: OUT OF MEMORY [128]\n",
	"Heap-Tracker lib: malloc(1024)=0xbeee9010... SUCCESS: heap_allocated (1024 bytes) - delta with "
	"heap_threshold(254976 bytes)\n", "Heap-Tracker: free(0xbeee9010)... \n",
	"Heap-Tracker lib: _realloc(0xbeee9010,1024,2048)=0xbeee9050... \n",
	"Memory allocated at 0x3ffb1234, caps 0x1800, size 256 bytes, in main.c, line 42, function app_main, "
	"variable p\n", "Failed to allocate 512 bytes for heap_caps_calloc in app_main at main.c:47\n",
	"====== Heap Trace: 2 records (100 capacity) ======\n",
	"    64 bytes (@ 0x3ffb5d5c, Internal) allocated CPU 1 ccount 0x0b9a7fe4 caller 0x400d27a6:0x400d2811\n",
	"freed by 0x400d27c0:0x1\n", "= Start\n", "@ ./prog:[0x11a0] + 0x5616877f64a0 0x64\n",
	"@ ./prog:(f+0x1)[0x11a0] < 0x5616877f64a0\n", "@ ./prog:[0x11a0] > 0x5616877f6510 0x1f4\n",
	"@ ./prog:[0x11a0] - 0x5616877f6510\n", "! 0x10 0x20\n", "= End\n",
};

static uint64_t seed = 21;

static uint64_t next_random(uint64_t below)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (seed >> 8) % below;
}

static size_t make(uint8_t *log, size_t max)
{
	size_t n = 2;

	log[0] = (uint8_t)next_random(256);
	log[1] = (uint8_t)next_random(256);
	for (unsigned k = (unsigned)next_random(60); k--;) {
		const char *line = lines[next_random(ARRAY_SIZE(lines))];

		if (n + strlen(line) > max)
			break;
		memcpy(log + n, line, strlen(line));
		n += strlen(line);
	}
	for (unsigned k = (unsigned)next_random(5); k-- && n > 2;)
		log[2 + next_random(n - 2)] = (uint8_t)next_random(256);
	return n;
}

int main(void)
{
	static uint8_t log[1 << 14];
	const char *s = getenv("FUZZ_SECONDS");
	time_t end = time(NULL) + (s ? atoi(s) : 3);
	unsigned long n = 0;

	for (; time(NULL) < end || n < 1000; n++)
		LLVMFuzzerTestOneInput(log, make(log, sizeof log));
	printf("1..1\nok 1 - %lu logs\n", n);
	return 0;
}

#endif
