/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A hostile stream: records, events, the bookkeeping that they are told to, and the
 * reports made of it.
 *
 * With clang: -fsanitize=fuzzer,address -DLIBFUZZER.  Without, main() changes
 * streams (one of its own and the files named, logs that are not compressed) at
 * places that a fixed seed chooses, for FUZZ_SECONDS (5) seconds. */
#include <fcntl.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "base/hash.h"
#include "report/heapinfo.h"
#include "ui/heaps.h"
#include "ui/rest.h"
#include "../unit/late.h"

static void draw_heaps(struct heaps *heaps, const struct heap *heap, const struct report_opts *opts)
{
	const struct report_page page = { .width = 80 };
	struct strbuf sb = STRBUF_INIT;

	for (size_t i = 0; i < heap_nprocs(heap); i++) {
		pid_t pid = heap_proc_at(heap, i)->pid;
		struct heapmap *m = heaps_map(heaps, pid);

		if (!m)
			continue;
		report_heapmap(m, HEAPMAP_ALL, opts, &page, &sb);
		report_heapinfo(m, heaps_info(heaps, pid), opts, &page, &sb);
		heapmap_free(m);
	}
	strbuf_release(&sb);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Behind the sink that unwinds what broke off. */
struct behind {
	struct event_sink sink;
	struct heap *heap;
};

static int take_behind(struct event_sink *sink, const struct event *ev)
{
	return late_take(((struct behind *)sink)->heap, ev);
}

static int take(void *arg, const struct event *ev)
{
	struct event_sink *rest = arg;

	return rest->emit(rest, ev);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct report_opts opts;
	struct heap *heap = heap_new();
	struct behind behind = { { take_behind, sink_keeps_nothing, sink_is_owned }, heap };
	struct blocks *blocks = blocks_new(&behind.sink);
	struct heaps *heaps = heaps_new(blocks_sink(blocks), blocks);
	struct event_sink *rest = rest_sink_new(heaps_sink(heaps), heap, &opts);
	struct strbuf sb = STRBUF_INIT;
	struct wire_decoder d = { 0 };
	struct wire_hello hello;
	struct wire_record r;
	ssize_t n;

	while ((n = wire_next(data, size, &r)) > 0) {
		if (r.type == WIRE_HELLO)
			wire_decode_hello(&d, &r, &hello);
		else
			wire_decode(&d, &r, take, rest);
		data += n;
		size -= (size_t)n;
	}
	late_reports(heap, &sb);
	draw_heaps(heaps, heap, &opts);
	strbuf_release(&sb);
	wire_decoder_release(&d);
	rest->free(rest);
	heaps_free(heaps);
	blocks_free(blocks);
	heap_free(heap);
	return 0;
}

#ifndef LIBFUZZER
static uint64_t seed = 11;

static uint64_t rnd(void)
{
	return hash_u64(seed += 0x9e3779b97f4a7c15u);
}

#define SEND(e, ...) wire_encode((e), &(struct event){ .pid = 7, .tid = 8, __VA_ARGS__ })

/* The books at this moment, of a process with one of everything. */
static void make_state(struct wire_encoder *e)
{
	static const uint64_t v[STATE_FIGURES] = { 1, 0x1000, 0x9000, 1, 1, 1, 1, 1, 1, 1 };

	SEND(e, .type = EV_PROC, .u.proc = { PROC_FORKED, 7, "/bin/x", "x", 8, "x86-64", PROC_TRACED });
	SEND(e, .type = EV_STATE_OLDER, .u.figures = { v, 3 });
	SEND(e, .type = EV_STATE_PROC, .u.figures = { v, 39 });
	for (uint32_t i = 0; i < 4; i++)
		SEND(e, .type = EV_STATE_COUNT, .u.figures = { v, 22 - i });
	SEND(e, .type = EV_STATE_REGION, .u.figures = { v + 1, 3 });
	SEND(e, .type = EV_STATE_AGED, .u.figures = { v + 3, 4 });
	SEND(e, .type = EV_STATE_ERROR, .u.error = { ERROR_INVALID_FREE, PLACE_FILE, 0x5000, 4, 0, 0, 1, 2, 3, 1, "/x", NULL, 0, 9 });
	SEND(e, .type = EV_STATE_SUSPECT, .u.figures = { v + 3, 4 });
	SEND(e, .type = EV_STATE_SUSPECT, .u.figures = { v + 20, 4 });
	SEND(e, .type = EV_HEAP, .u.heap = { 0, HEAP_BREAK, 0, 0x1000, 0x9000, 8, 8, 16, 32, 4096, v, 3 });
	SEND(e, .type = EV_HEAP, .u.heap = { 1, HEAP_ARENA, 1, 0x20000, 0x9000, 8, 8, 16, 32, 4096, v + 3, 6 });
	SEND(e, .type = EV_STATE_REFUSED, .u.figures = { v, 27 });
	SEND(e, .type = EV_STATE_REFUSED, .u.figures = { v, 11 });
}

/* A session with something of everything. */
static void make_stream(struct strbuf *sb)
{
	struct wire_encoder e = WIRE_ENCODER_INIT(sb);
	taddr_t pc[] = { 0x1010, 0x1020, 0x1030 };
	uint32_t module[] = { 1, 1, 1 };
	uint8_t data[] = "0123456789";
	uint64_t reg[REST_REGS] = { 1, 2, 0x7f08 };

	wire_encode_hello(&e, &(struct wire_hello){ .tool = "fuzz" });
	SEND(&e, .type = EV_PROC, .u.proc = { PROC_LAUNCHED, 1, "/bin/x", "x", 8, "x86-64", PROC_TRACED });
	SEND(&e, .type = EV_MODULE, .u.module = { 1, 0x1000, 0x2000, 0x1000, "/bin/x", data, 8, 3, 4 });
	SEND(&e, .type = EV_IMAGE, .u.image = { 1, 0, 10, 0, data, 10 });
	for (unsigned i = 0; i < 4; i++)
		SEND(&e, .type = EV_PROBE, .u.probe = { (uint16_t)i, (enum alloc_op)i, FAMILY_C, "malloc", NULL, 0 });
	for (unsigned i = 1; i < 6; i++)
		SEND(&e, .type = EV_STACK, .u.stack = { i, (uint16_t)(i % 4), STACK_COMPLETE, 3, pc, module, NULL, NULL });
	SEND(&e, .type = EV_STACK_REST, .u.rest = { 6, 62, 2, 1, 0, 0x1030, 0x7f00, 20, 0x1ffff, reg, data, 10 });
	SEND(&e, .type = EV_STACK, .u.stack = { 6, 1, STACK_BROKEN, 3, pc, module, NULL, NULL });
	SEND(&e, .type = EV_ROWS_WANTED, .u.rows = { data, 8, "/bin/x", 4000 });
	SEND(&e, .type = EV_ROWS_GIVEN, .u.rows = { data, 8, "/bin/x", 400 });
	for (unsigned i = 0; i < 40; i++) {
		SEND(&e, .type = EV_ALLOC, .u.alloc = { 0x5000 + i * 16, i, 1 + i % 5, i / 10, { i % 2, i, 1 } });
		SEND(&e, .type = EV_FAILED, .u.alloc = { 0, i, 2, 0, { 0, 0, 0 } });
		SEND(&e, .type = EV_RELEASE, .u.release = { 0x5000 + i * 16, i, 1, 2, (uint8_t)(i % 4), i % 3, 0, 0 });
		SEND(&e, .type = EV_REALLOC, .u.realloc = { 0x6000, 3, 2, 0x7000, 9, 2, false, 0, 0, { 0, 0, 0 } });
		SEND(&e, .type = EV_MAP, .u.map = { 0x100000 + i * 0x1000, 0x1000, 0, 0, 4 });
		SEND(&e, .type = EV_UNMAP, .u.map = { 0x100000 + i * 0x1800, 0x1000, 0, 0, 4 });
		SEND(&e, .type = EV_REMAP, .u.map = { 0x200000, 0x1000, 0x100000, 0x1000, 4 });
		SEND(&e, .type = EV_BRK, .u.map = { 0x900000 + i, 0, 0x900000, 0, 4 });
	}
	SEND(&e, .type = EV_MARK, .u.mark = { 1 });
	SEND(&e, .type = EV_CENSUS, .u.census = { 3, 4, 400, 10, 200, 0x1040, 1 });
	SEND(&e, .type = EV_ERROR, .u.error = { ERROR_DOUBLE_FREE, PLACE_FREED, 0x5000, 4, 0, 0, 1, 2, 3, 1, "/x", data, 9, 0 });
	SEND(&e, .type = EV_SCAN_BEGIN);
	SEND(&e, .type = EV_LEAK, .u.leak = { 1, LEAK_DEFINITE, 0, 2, 20, 0x5000, 12, data, 9 });
	SEND(&e, .type = EV_LEAK, .u.leak = { 2, LEAK_INDIRECT, 1, 2, 20, 0x5000, 12, data, 9 });
	SEND(&e, .type = EV_LEAK_WHY, .u.why = { 1, LEAK_DEFINITE, 0, 1, FROM_MEMORY, 0x1000, 1, 0, 0x5000, 12, 1, 4 });
	SEND(&e, .type = EV_LEAK_BLOCK, .u.leak = { 1, LEAK_DEFINITE, 0, 1, 10, 0x5000, 12, NULL, 0 });
	SEND(&e, .type = EV_WHY, .u.asked = { 0x5004, 1, LEAK_POSSIBLE, 0x5000, 12, 1, 0 });
	SEND(&e, .type = EV_SCAN, .u.scan = { 0, 1, 0, 4, 4000, 0, 99 });
	SEND(&e, .type = EV_PROC, .u.proc = { PROC_FORKED, 7, "/bin/x", "x", 4, "ppc", PROC_TRACED });
	SEND(&e, .type = EV_NOTE, .u.note = { true, "a note" });
	SEND(&e, .type = EV_OOM, .u.oom = { OOM_DATA, 4000, 3999 });
	SEND(&e, .type = EV_OOM, .u.oom = { OOM_CGROUP, 4000, 1 });
	SEND(&e, .type = EV_PLACE, .u.place = { .vaddr = 0x400d0123, .file = "main.c", .function = "app_main", .line = 42 });
	SEND(&e, .type = EV_TARGET, .u.target = { .said = TARGET_BOUNDS | TARGET_FREE, .header = 4, .start = 0x20000000,
						  .size = 4096, .free = 96 });
	SEND(&e, .type = EV_PROC_END, .u.end = { END_EXITED, 3 });
	make_state(&e);
	wire_encode_record(&e, WIRE_BYE, NULL, 0);
}

/* A few bytes are changed, a piece is taken out or put in twice. */
static void mutate(struct strbuf *sb)
{
	size_t at = rnd() % sb->n, n = rnd() % 64;

	n = MIN(n, sb->n - at);
	switch (rnd() % 8) {
	case 0:
		memmove(sb->s + at, sb->s + at + n, sb->n - at - n);
		sb->n -= n;
		break;
	case 1:
		for (size_t i = 0; i < n; i++)
			sb->s[rnd() % sb->n] = sb->s[at + i];
		break;
	default:
		for (uint64_t i = 1 + rnd() % 6; i; i--)
			sb->s[rnd() % sb->n] = (char)(rnd() >> rnd() % 8);
	}
}

/* Figures that are no process's, which changed bytes seldom make. */
static void add_nonsense(struct strbuf *sb)
{
	struct wire_encoder e = WIRE_ENCODER_INIT(sb);
	uint64_t v[STATE_FIGURES];
	uint32_t n = (uint32_t)(rnd() % STATE_FIGURES);

	for (uint32_t i = 0; i < n; i++)
		v[i] = rnd() % 2 ? rnd() % 4 : rnd() >> rnd() % 64;
	if (rnd() % 4)
		SEND(&e, .type = EV_STATE_OLDER + (enum event_type)(rnd() % 5), .u.figures = { v, n });
	else if (n > 10)
		SEND(&e, .type = EV_HEAP, .u.heap = { (uint32_t)v[0], (uint8_t)v[1], (uint32_t)v[2], v[3],
						      v[4], v[5], (uint32_t)v[6], (uint32_t)v[7],
						      (uint32_t)v[8], 1u << v[9] % 32, v + 10, n - 10 });
}

static void read_file(struct strbuf *sb, const char *path)
{
	int fd = open(path, O_RDONLY);
	char buf[4096];
	ssize_t n;

	while (fd >= 0 && (n = read(fd, buf, sizeof buf)) > 0)
		strbuf_add(sb, buf, (size_t)n);
	if (fd >= 0)
		close(fd);
}

static void one_round(const struct strbuf *from)
{
	struct strbuf sb = STRBUF_INIT;
	uint8_t *exact;

	strbuf_add(&sb, from->s, from->n);
	for (uint64_t i = rnd() % 8; i; i--)
		add_nonsense(&sb);
	for (uint64_t i = rnd() % 8; i && sb.n; i--)
		mutate(&sb);
	exact = xmemdup(sb.s, MAX(sb.n, (size_t)1));
	LLVMFuzzerTestOneInput(exact, sb.n);
	free(exact);
	strbuf_release(&sb);
}

int main(int argc, char **argv)
{
	const char *seconds = getenv("FUZZ_SECONDS");
	time_t end = time(NULL) + (seconds ? atoi(seconds) : 5);
	struct strbuf *from = xcalloc((size_t)argc, sizeof *from);
	unsigned long rounds = 0;

	make_stream(&from[0]);
	for (int i = 1; i < argc; i++)
		read_file(&from[i], argv[i]);
	do
		one_round(&from[rounds % (unsigned)argc]);
	while (++rounds % 16 || time(NULL) < end);
	printf("ok 1 - %lu streams\n1..1\n", rounds);
	for (int i = 0; i < argc; i++)
		strbuf_release(&from[i]);
	free(from);
	return 0;
}
#endif
