/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Events as bytes and back: every field of every type arrives as it was sent,
 * what is mangled or cut off is refused, and what a later writer adds is passed
 * over. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <stdio.h>

#include "base/hash.h"
#include "model/state.h"
#include "model/wire.h"

#define NEVENTS 20000

static uint64_t seed = 7;

static uint64_t rnd(void)
{
	return hash_u64(seed += 0x9e3779b97f4a7c15u);
}

/* Small and large ones, and the largest that a field of that many bits takes. */
static uint64_t number(unsigned bits)
{
	uint64_t r = rnd(), all = bits == 64 ? UINT64_MAX : ((uint64_t)1 << bits) - 1;

	switch (r % 5) {
	case 0: return 0;
	case 1: return all;
	case 2: return (r >> 32) % 200 & all;
	default: return (r >> 8) >> (r >> 3) % 56 & all;
	}
}

#define N8  ((uint8_t)number(8))
#define N16 ((uint16_t)number(16))
#define N32 ((uint32_t)number(32))
#define N64 number(64)
#define NPID ((pid_t)number(31))

static taddr_t address(void)
{
	return rnd() % 8 ? 0x5555000000u + rnd() % 4096 * 16 : N64;
}

/* What events point to, of which each has its own. */
struct sent {
	struct event ev;
	char a[40], b[40], c[8];
	uint8_t data[32];
	taddr_t pc[40];
	uint32_t module[40];
	uint8_t exact[40], origin[40];
	uint64_t figures[STATE_FIGURES];
};

static struct sent sent[NEVENTS];

static const char *string(char *into, size_t size)
{
	size_t n = rnd() % size;

	for (size_t i = 0; i < n; i++)
		into[i] = (char)(1 + rnd() % 255);
	into[n] = '\0';
	return into;
}

static const char *string_or_null(char *into, size_t size)
{
	return rnd() % 4 ? string(into, size) : NULL;
}

static void make_stack(struct sent *s)
{
	uint32_t n = (uint32_t)(rnd() % 40);

	for (uint32_t i = 0; i < n; i++) {
		s->pc[i] = address();
		s->module[i] = N32;
		s->exact[i] = rnd() % 8 == 0;
		s->origin[i] = (uint8_t)(i && rnd() % 3 ? s->origin[i - 1] : rnd() % 16);
	}
	s->ev.u.stack.id = N32;
	s->ev.u.stack.probe = N16;
	s->ev.u.stack.end = (uint8_t)(rnd() % 3);
	s->ev.u.stack.n = n;
	s->ev.u.stack.pc = s->pc;
	s->ev.u.stack.module = s->module;
	s->ev.u.stack.exact = s->exact;
	s->ev.u.stack.origin = n && rnd() % 4 ? s->origin : NULL;
}

static void make_rare(struct sent *s)
{
	struct event *ev = &s->ev;
	const uint8_t *data = rnd() % 2 ? s->data : NULL;
	uint8_t ndata = data ? (uint8_t)(1 + rnd() % 32) : 0;

	for (size_t i = 0; i < sizeof s->data; i++)
		s->data[i] = (uint8_t)rnd();
	switch (ev->type) {
	case EV_PROC:
		ev->u.proc.how = rnd() % 4;
		ev->u.proc.ppid = NPID;
		ev->u.proc.exe = string(s->a, 40);
		ev->u.proc.name = string_or_null(s->b, 40);
		ev->u.proc.word = rnd() % 2 ? 4 : 8;
		ev->u.proc.abi = string(s->c, 8);
		ev->u.proc.log = (uint8_t)(rnd() % (PROC_LOG_LIVE + 1));
		break;
	case EV_PLACE:
		ev->u.place.module = N32;
		ev->u.place.vaddr = N64;
		ev->u.place.file = string_or_null(s->a, 40);
		ev->u.place.function = string_or_null(s->b, 40);
		ev->u.place.line = N32;
		ev->u.place.variable = string_or_null(s->c, 8);
		break;
	case EV_TARGET:
		ev->u.target.said = (uint8_t)(rnd() % (TARGET_SAID + 1));
		ev->u.target.header = N8;
		ev->u.target.start = N64;
		ev->u.target.size = N64;
		ev->u.target.free = N64;
		ev->u.target.used = N64;
		ev->u.target.threshold = N64;
		break;
	case EV_PROC_END:
		ev->u.end.how = rnd() % 5;
		ev->u.end.status = NPID;
		break;
	case EV_MODULE:
	case EV_MODULE_GONE:
		ev->u.module.id = N32;
		ev->u.module.start = N64;
		ev->u.module.end = N64;
		ev->u.module.bias = N64;
		ev->u.module.path = string(s->a, 40);
		ev->u.module.build_id = data;
		ev->u.module.build_id_len = ndata;
		ev->u.module.dev = N64;
		ev->u.module.ino = N64;
		break;
	case EV_BLOCK:
		ev->u.alloc.addr = N64;
		ev->u.alloc.size = N64;
		ev->u.alloc.stack = N32;
		ev->u.alloc.mark = N32;
		break;
	case EV_IMAGE:
		ev->u.image.module = N32;
		ev->u.image.bias = N64;
		ev->u.image.size = 32 + rnd() % (IMAGE_MAX - 32);
		ev->u.image.offset = rnd() % (ev->u.image.size - 31);
		ev->u.image.data = data;
		ev->u.image.ndata = ndata;
		break;
	case EV_PROBE:
		ev->u.probe.id = N16;
		ev->u.probe.op = rnd() % 7;
		ev->u.probe.family = rnd() % 5;
		ev->u.probe.name = string(s->a, 40);
		ev->u.probe.symbol = string_or_null(s->b, 40);
		ev->u.probe.size_first = rnd() % 2;
		break;
	case EV_STACK:
		make_stack(s);
		break;
	case EV_STACK_REST:
		ev->u.rest.stack = N32;
		ev->u.rest.machine = N16;
		ev->u.rest.class = N8;
		ev->u.rest.data = N8;
		ev->u.rest.exact = rnd() % 2;
		ev->u.rest.code = N64;
		ev->u.rest.sp = N64;
		ev->u.rest.depth = N32;
		ev->u.rest.known = N64;
		for (unsigned i = 0; i < REST_REGS; i++)
			s->figures[i] = ev->u.rest.known >> i & 1 ? N64 : 0;
		ev->u.rest.reg = s->figures;
		ev->u.rest.bytes = data;
		ev->u.rest.nbytes = ndata;
		break;
	case EV_OOM:
		ev->u.oom.cause = rnd() % OOM_CAUSES;
		ev->u.oom.limit = N64;
		ev->u.oom.used = N64;
		break;
	case EV_ROWS_WANTED:
	case EV_ROWS_GIVEN:
		ev->u.rows.path = string(s->a, 40);
		ev->u.rows.build_id = s->data;
		ev->u.rows.build_id_len = (uint8_t)(1 + rnd() % 32);
		ev->u.rows.size = N64;
		break;
	case EV_NOTE:
		ev->u.note.bad = rnd() % 2;
		ev->u.note.text = string(s->a, 40);
		break;
	case EV_LEAK:
	case EV_LEAK_BLOCK:
		ev->u.leak.stack = N32;
		ev->u.leak.kind = (uint8_t)(rnd() % LEAK_KINDS);
		ev->u.leak.under = N32;
		ev->u.leak.blocks = N64;
		ev->u.leak.bytes = N64;
		ev->u.leak.largest = N64;
		ev->u.leak.largest_size = N64;
		ev->u.leak.data = data;
		ev->u.leak.ndata = ndata;
		break;
	case EV_LEAK_WHY:
		ev->u.why.stack = N32;
		ev->u.why.kind = (uint8_t)(rnd() % LEAK_KINDS);
		ev->u.why.step = N32;
		ev->u.why.steps = N32;
		ev->u.why.from = (uint8_t)(rnd() % 4);
		ev->u.why.at = N64;
		ev->u.why.module = N32;
		ev->u.why.tid = NPID;
		ev->u.why.block = N64;
		ev->u.why.size = N64;
		ev->u.why.block_stack = N32;
		ev->u.why.offset = N64;
		break;
	case EV_WHY:
		ev->u.asked.addr = N64;
		ev->u.asked.found = rnd() % 2;
		ev->u.asked.kind = (uint8_t)(rnd() % LEAK_KINDS);
		ev->u.asked.block = N64;
		ev->u.asked.size = N64;
		ev->u.asked.stack = N32;
		ev->u.asked.holder = N64;
		break;
	case EV_SCAN:
		ev->u.scan.references = rnd() % 2;
		ev->u.scan.final = rnd() % 2;
		ev->u.scan.mappings = rnd() % 2;
		ev->u.scan.blocks = N64;
		ev->u.scan.bytes = N64;
		ev->u.scan.unread = N64;
		ev->u.scan.pause_ns = N64;
		break;
	case EV_CENSUS:
		ev->u.census.stack = N32;
		ev->u.census.blocks = N64;
		ev->u.census.bytes = N64;
		ev->u.census.min_size = N64;
		ev->u.census.max_size = N64;
		ev->u.census.word = N64;
		ev->u.census.module = N32;
		break;
	case EV_MARK:
		ev->u.mark.nr = N32;
		break;
	case EV_STATE_OLDER:
	case EV_STATE_PROC:
	case EV_STATE_COUNT:
	case EV_STATE_REGION:
	case EV_STATE_AGED:
	case EV_STATE_REFUSED:
	case EV_STATE_SUSPECT:
		ev->u.figures.v = s->figures;
		ev->u.figures.n = (uint32_t)(rnd() % (STATE_FIGURES + 1));
		for (size_t i = 0; i < STATE_FIGURES; i++)
			s->figures[i] = N64;
		break;
	case EV_HEAP:
		ev->u.heap.nr = N32;
		ev->u.heap.kind = N8;
		ev->u.heap.arena = N32;
		ev->u.heap.start = N64;
		ev->u.heap.size = N64;
		ev->u.heap.lead = N64;
		ev->u.heap.header = N32;
		ev->u.heap.align = N32;
		ev->u.heap.min = N32;
		ev->u.heap.page = N32;
		ev->u.heap.runs = s->figures;
		ev->u.heap.nruns = (uint32_t)(rnd() % (HEAP_RUNS + 1));
		for (size_t i = 0; i < HEAP_RUNS; i++)
			s->figures[i] = N64;
		break;
	case EV_STATE_ERROR:
	case EV_ERROR:
		ev->u.error.count = ev->type == EV_STATE_ERROR ? N64 : 0;
		ev->u.error.kind = (uint8_t)(rnd() % (ERROR_FISHY_SIZE + 1));
		ev->u.error.place = (uint8_t)(rnd() % (PLACE_NOWHERE + 1));
		ev->u.error.addr = N64;
		ev->u.error.size = N64;
		ev->u.error.given = N64;
		ev->u.error.offset = N64;
		ev->u.error.at = N32;
		ev->u.error.stack = N32;
		ev->u.error.freed = N32;
		ev->u.error.module = N32;
		ev->u.error.path = string_or_null(s->a, 40);
		ev->u.error.data = data;
		ev->u.error.ndata = ndata;
		break;
	default:
		break;
	}
}

/* Member by member: events are compared with their padding. */
static void make_product(struct product *p)
{
	if (rnd() % 3)
		return;
	p->is_one = 1;
	p->count = N64;
	p->each = N64;
}

static void make_frequent(struct event *ev)
{
	switch (ev->type) {
	case EV_ALLOC:
	case EV_FAILED:
		ev->u.alloc.addr = address();
		ev->u.alloc.size = N64;
		ev->u.alloc.stack = N32;
		ev->u.alloc.mark = rnd() % 4 ? 3 : N32;
		make_product(&ev->u.alloc.product);
		break;
	case EV_RELEASE:
	case EV_RELEASE_UNDO:
	case EV_REALLOC_BEGIN:
		ev->u.release.addr = address();
		ev->u.release.size = N64;
		ev->u.release.stack = N32;
		ev->u.release.probe = rnd() % 4 ? 2 : N16;
		ev->u.release.known = (uint8_t)(rnd() % (RELEASE_NULL + 1));
		ev->u.release.at = N32;
		ev->u.release.allocator = rnd() % 4 ? 9 : N32;
		ev->u.release.mark = N32;
		break;
	case EV_REALLOC:
		ev->u.realloc.old_addr = address();
		ev->u.realloc.old_size = N64;
		ev->u.realloc.old_stack = N32;
		ev->u.realloc.addr = address();
		ev->u.realloc.size = N64;
		ev->u.realloc.stack = N32;
		ev->u.realloc.failed = rnd() % 2;
		ev->u.realloc.old_mark = N32;
		ev->u.realloc.mark = N32;
		make_product(&ev->u.realloc.product);
		break;
	case EV_MAP:
	case EV_UNMAP:
	case EV_REMAP:
	case EV_BRK:
		ev->u.map.addr = address();
		ev->u.map.size = N64;
		ev->u.map.old_addr = address();
		ev->u.map.old_size = N64;
		ev->u.map.stack = N32;
		break;
	case EV_CALL:
		ev->u.call.probe = N16;
		ev->u.call.nargs = (uint8_t)(rnd() % (CALL_ARGS + 1));
		ev->u.call.pointers = N8;
		ev->u.call.has_result = rnd() % 2;
		for (unsigned i = 0; i < ev->u.call.nargs; i++)
			ev->u.call.arg[i] = N64;
		ev->u.call.result = ev->u.call.has_result ? N64 : 0;
		ev->u.call.caller = address();
		ev->u.call.module = N32;
		break;
	default:
		break;
	}
}

static void make(struct sent *s)
{
	memset(s, 0, sizeof *s);
	/* Mostly what is frequent, so that batches are long. */
	s->ev.type = (enum event_type)(rnd() % (rnd() % 16 ? 8 : EV_TYPES));
	if (s->ev.type < EV_ALLOC && rnd() % 16)
		s->ev.type = EV_ALLOC + s->ev.type;
	s->ev.pid = 100 + (pid_t)(rnd() % 3);
	s->ev.tid = rnd() % 50 ? 100 + (pid_t)(rnd() % 100) : NPID; /* more than there are contexts */
	s->ev.time_ns = rnd() % 10 ? 1000 * (7000000 + rnd() % 100) : number(50) * 1000;
	make_rare(s);
	make_frequent(&s->ev);
}

static void same_string(const char *a, const char *b)
{
	assert_int_equal(!a, !b);
	if (a)
		assert_string_equal(a, b);
}

static void same_bytes(const uint8_t *a, size_t na, const uint8_t *b, size_t nb)
{
	assert_int_equal(na, nb);
	if (na)
		assert_memory_equal(a, b, na);
}

/* Compares what is pointed to, and makes the pointers alike. */
static void same_pointed(struct event *a, struct event *b)
{
	switch (a->type) {
	case EV_PROC:
		same_string(a->u.proc.exe, b->u.proc.exe);
		same_string(a->u.proc.name, b->u.proc.name);
		same_string(a->u.proc.abi, b->u.proc.abi);
		a->u.proc.exe = b->u.proc.exe;
		a->u.proc.name = b->u.proc.name;
		a->u.proc.abi = b->u.proc.abi;
		break;
	case EV_MODULE:
	case EV_MODULE_GONE:
		same_string(a->u.module.path, b->u.module.path);
		same_bytes(a->u.module.build_id, a->u.module.build_id_len, b->u.module.build_id,
			   b->u.module.build_id_len);
		a->u.module.path = b->u.module.path;
		a->u.module.build_id = b->u.module.build_id;
		break;
	case EV_ROWS_WANTED:
	case EV_ROWS_GIVEN:
		same_string(a->u.rows.path, b->u.rows.path);
		same_bytes(a->u.rows.build_id, a->u.rows.build_id_len, b->u.rows.build_id,
			   b->u.rows.build_id_len);
		a->u.rows.path = b->u.rows.path;
		a->u.rows.build_id = b->u.rows.build_id;
		break;
	case EV_STACK_REST:
		same_bytes(a->u.rest.bytes, a->u.rest.nbytes, b->u.rest.bytes, b->u.rest.nbytes);
		assert_memory_equal(a->u.rest.reg, b->u.rest.reg, REST_REGS * sizeof(uint64_t));
		a->u.rest.bytes = b->u.rest.bytes;
		a->u.rest.reg = b->u.rest.reg;
		break;
	case EV_IMAGE:
		same_bytes(a->u.image.data, a->u.image.ndata, b->u.image.data, b->u.image.ndata);
		a->u.image.data = b->u.image.data;
		break;
	case EV_PROBE:
		same_string(a->u.probe.name, b->u.probe.name);
		same_string(a->u.probe.symbol, b->u.probe.symbol);
		a->u.probe.name = b->u.probe.name;
		a->u.probe.symbol = b->u.probe.symbol;
		break;
	case EV_STACK:
		assert_int_equal(a->u.stack.n, b->u.stack.n);
		for (uint32_t i = 0; i < a->u.stack.n; i++) {
			assert_int_equal(a->u.stack.pc[i], b->u.stack.pc[i]);
			assert_int_equal(a->u.stack.module[i], b->u.stack.module[i]);
			assert_int_equal(a->u.stack.exact[i], b->u.stack.exact[i]);
			if (a->u.stack.origin)
				assert_int_equal(a->u.stack.origin[i], b->u.stack.origin[i]);
		}
		assert_int_equal(!a->u.stack.origin, !b->u.stack.origin);
		a->u.stack.origin = b->u.stack.origin;
		a->u.stack.pc = b->u.stack.pc;
		a->u.stack.module = b->u.stack.module;
		a->u.stack.exact = b->u.stack.exact;
		break;
	case EV_PLACE:
		same_string(a->u.place.file, b->u.place.file);
		same_string(a->u.place.function, b->u.place.function);
		same_string(a->u.place.variable, b->u.place.variable);
		a->u.place.file = b->u.place.file;
		a->u.place.function = b->u.place.function;
		a->u.place.variable = b->u.place.variable;
		break;
	case EV_NOTE:
		same_string(a->u.note.text, b->u.note.text);
		a->u.note.text = b->u.note.text;
		break;
	case EV_LEAK:
	case EV_LEAK_BLOCK:
		same_bytes(a->u.leak.data, a->u.leak.ndata, b->u.leak.data, b->u.leak.ndata);
		a->u.leak.data = b->u.leak.data;
		break;
	case EV_STATE_OLDER:
	case EV_STATE_PROC:
	case EV_STATE_COUNT:
	case EV_STATE_REGION:
	case EV_STATE_AGED:
	case EV_STATE_REFUSED:
	case EV_STATE_SUSPECT:
		assert_int_equal(a->u.figures.n, b->u.figures.n);
		for (uint32_t i = 0; i < a->u.figures.n; i++)
			assert_int_equal(a->u.figures.v[i], b->u.figures.v[i]);
		a->u.figures.v = b->u.figures.v;
		break;
	case EV_HEAP:
		assert_int_equal(a->u.heap.nruns, b->u.heap.nruns);
		for (uint32_t i = 0; i < a->u.heap.nruns; i++)
			assert_int_equal(a->u.heap.runs[i], b->u.heap.runs[i]);
		a->u.heap.runs = b->u.heap.runs;
		break;
	case EV_STATE_ERROR:
	case EV_ERROR:
		same_string(a->u.error.path, b->u.error.path);
		same_bytes(a->u.error.data, a->u.error.ndata, b->u.error.data, b->u.error.ndata);
		a->u.error.path = b->u.error.path;
		a->u.error.data = b->u.error.data;
		break;
	default:
		break;
	}
}

static size_t received;

static int receive(void *arg, const struct event *ev)
{
	struct event copy = *ev;

	(void)arg;
	assert_true(received < NEVENTS);
	same_pointed(&copy, &sent[received].ev);
	assert_memory_equal(&copy, &sent[received].ev, sizeof copy);
	received++;
	return 0;
}

static void encode_all(struct strbuf *out)
{
	struct wire_encoder e = WIRE_ENCODER_INIT(out);

	for (size_t i = 0; i < NEVENTS; i++) {
		make(&sent[i]);
		wire_encode(&e, &sent[i].ev);
	}
	wire_close(&e);
}

static void test_round_trip(void **state)
{
	struct strbuf sb = STRBUF_INIT;
	struct wire_decoder d = { 0 };
	struct wire_record r;
	size_t at = 0, batches = 0;

	(void)state;
	encode_all(&sb);
	received = 0;
	while (at < sb.n) {
		ssize_t n = wire_next(sb.s + at, sb.n - at, &r);

		assert_true(n > 0);
		batches += r.type == WIRE_EVENTS && r.len > 100;
		assert_int_equal(wire_decode(&d, &r, receive, NULL), 0);
		at += (size_t)n;
	}
	assert_int_equal(received, NEVENTS);
	assert_true(batches > 10);
	wire_decoder_release(&d);
	strbuf_release(&sb);
}

static int stop_at_third(void *arg, const struct event *ev)
{
	(void)ev;
	return ++*(int *)arg == 3 ? -77 : 0;
}

static void test_stops_when_told(void **state)
{
	struct strbuf sb = STRBUF_INIT;
	struct wire_encoder e = WIRE_ENCODER_INIT(&sb);
	struct wire_decoder d = { 0 };
	struct wire_record r;
	int told = 0;

	(void)state;
	for (int i = 0; i < 5; i++)
		wire_encode(&e, &(struct event){ .type = EV_ALLOC, .pid = 1, .tid = 1 });
	wire_close(&e);
	assert_int_equal(wire_next(sb.s, sb.n, &r), sb.n);
	assert_int_equal(wire_decode(&d, &r, stop_at_third, &told), -77);
	assert_int_equal(told, 3);
	strbuf_release(&sb);
}

static int ignore(void *arg, const struct event *ev)
{
	/* What is told can be read, to its last byte. */
	*(size_t *)arg += strlen(ev->type == EV_NOTE ? ev->u.note.text : "");
	for (uint32_t i = 0; ev->type == EV_STACK && i < ev->u.stack.n; i++)
		*(size_t *)arg += ev->u.stack.pc[i] + ev->u.stack.module[i] + ev->u.stack.exact[i];
	for (uint32_t i = 0; ev->type == EV_HEAP && i < ev->u.heap.nruns; i++)
		*(size_t *)arg += ev->u.heap.runs[i];
	return 0;
}

/* Every record of the stream, each from a copy of its own size so that a reader
 * beyond its end is found out. */
static void test_mangled(void **state)
{
	struct strbuf sb = STRBUF_INIT;
	struct wire_decoder d = { 0 };
	struct wire_record r;
	size_t refused = 0, sum = 0;

	(void)state;
	encode_all(&sb);
	for (size_t at = 0; at < sb.n; at += WIRE_HEADER + r.len) {
		uint8_t *copy;
		int err;

		assert_true(wire_next(sb.s + at, sb.n - at, &r) > 0);
		for (unsigned round = 0; round < 4; round++) {
			struct wire_record bad = r;

			copy = xmalloc(r.len + 1);
			memcpy(copy, r.body, r.len);
			bad.body = copy;
			if (round == 0 && r.len)
				bad.len = rnd() % r.len;
			for (unsigned i = 0; i < round && r.len; i++)
				copy[rnd() % r.len] = (uint8_t)rnd();
			bad.body = xmemdup(copy, MAX(bad.len, (size_t)1));
			free(copy);
			err = wire_decode(&d, &bad, ignore, &sum);
			assert_true(err == 0 || err == -EBADMSG);
			refused += err != 0;
			free((void *)bad.body);
		}
	}
	assert_true(refused > 100);
	wire_decoder_release(&d);
	strbuf_release(&sb);
}

static void test_records(void **state)
{
	uint8_t bytes[WIRE_HEADER + 5] = { 5, 0, 0, 0, 0x34, 0x12, 0, 0, 7, 0, 0, 0, 8, 0, 0, 0,
					   1, 2, 3, 4, 5 };
	struct wire_decoder d = { 0 };
	struct wire_record r;
	size_t sum = 0;

	(void)state;
	for (size_t n = 0; n < sizeof bytes; n++)
		assert_int_equal(wire_next(bytes, n, &r), 0);
	assert_int_equal(wire_next(bytes, sizeof bytes, &r), sizeof bytes);
	assert_int_equal(r.type, 0x1234);
	assert_int_equal(r.pid, 7);
	assert_int_equal(r.tid, 8);
	assert_int_equal(r.len, 5);
	assert_int_equal(wire_decode(&d, &r, ignore, &sum), 0); /* unknown: skipped */
	bytes[3] = 1; /* 16 MiB */
	assert_int_equal(wire_next(bytes, sizeof bytes, &r), -EBADMSG);
}

static int take_mark(void *arg, const struct event *ev)
{
	*(struct event *)arg = *ev;
	return 0;
}

/* A body that is too short, and one that goes on: older and newer writers. */
static void test_versions(void **state)
{
	uint8_t mark[] = { 9, 4, 1, 2, 3 };
	struct wire_decoder d = { 0 };
	struct wire_record r = { .type = WIRE_MARK, .body = mark, .len = 1 };
	struct event ev = { 0 };

	(void)state;
	assert_int_equal(wire_decode(&d, &r, take_mark, &ev), 0);
	assert_int_equal(ev.time_ns, 9000);
	assert_int_equal(ev.u.mark.nr, 0);
	r.len = sizeof mark;
	assert_int_equal(wire_decode(&d, &r, take_mark, &ev), 0);
	assert_int_equal(ev.u.mark.nr, 4);
	mark[1] = 0x84; /* 4, and then too many bytes for 32 bits */
	mark[2] = mark[3] = 0xff;
	mark[4] = 0xff;
	assert_int_equal(wire_decode(&d, &r, take_mark, &ev), -EBADMSG);
}

static void test_hello(void **state)
{
	const char *words[] = { "mtrace", "-d", "3", "./prog", "" };
	struct wire_hello h = { .wall_us = 5, .clock_us = 6, .tool = "mtrace 9", .host = "board",
				.nwords = 5, .words = words, .command = 3 }, got;
	struct strbuf sb = STRBUF_INIT;
	struct wire_encoder e = WIRE_ENCODER_INIT(&sb);
	struct wire_decoder d = { 0 };
	struct wire_record r;

	(void)state;
	wire_encode_hello(&e, &h);
	assert_int_equal(wire_next(sb.s, sb.n, &r), sb.n);
	assert_int_equal(wire_decode_hello(&d, &r, &got), 0);
	assert_int_equal(got.version, WIRE_VERSION);
	assert_int_equal(got.wall_us, 5);
	assert_int_equal(got.clock_us, 6);
	assert_string_equal(got.tool, "mtrace 9");
	assert_string_equal(got.host, "board");
	assert_null(got.cwd);
	assert_int_equal(got.nwords, 5);
	assert_int_equal(got.command, 3);
	for (size_t i = 0; i < 5; i++)
		assert_string_equal(got.words[i], words[i]);
	sb.s[WIRE_HEADER + 8]++; /* the version */
	assert_int_equal(wire_decode_hello(&d, &r, &got), -EPROTONOSUPPORT);
	sb.s[WIRE_HEADER]++;
	assert_int_equal(wire_decode_hello(&d, &r, &got), -EBADMSG);
	wire_decoder_release(&d);
	strbuf_release(&sb);
}

static void test_requests(void **state)
{
	struct request q = { 7, REQUEST_READ, 4711, UINT64_MAX, 300, (const uint8_t *)"rows", 4 }, got_q;
	struct answer a = { 7, ENOENT, "it is gone", (const uint8_t *)"abc", 3 }, got_a;
	struct wire_login l = { "secret", "mtrace 9", true, true }, got_l;
	struct strbuf sb = STRBUF_INIT;
	struct wire_encoder e = WIRE_ENCODER_INIT(&sb);
	struct wire_record r;
	const char *text;
	size_t at = 0;

	(void)state;
	wire_encode_login(&e, &l);
	wire_encode_request(&e, &q);
	wire_encode_answer(&e, &a);
	wire_encode_text(&e, WIRE_REFUSED, "no");
	at += (size_t)wire_next(sb.s + at, sb.n - at, &r);
	assert_int_equal(r.type, WIRE_LOGIN);
	assert_int_equal(wire_decode_login(&r, &got_l), 0);
	assert_string_equal(got_l.token, "secret");
	assert_string_equal(got_l.tool, "mtrace 9");
	assert_true(got_l.control);
	assert_true(got_l.rows);
	at += (size_t)wire_next(sb.s + at, sb.n - at, &r);
	assert_int_equal(r.type, WIRE_REQUEST);
	assert_int_equal(wire_decode_request(&r, &got_q), 0);
	assert_int_equal(got_q.id, q.id);
	assert_int_equal(got_q.kind, q.kind);
	assert_int_equal(got_q.pid, q.pid);
	assert_int_equal(got_q.ndata, q.ndata);
	assert_memory_equal(got_q.data, q.data, q.ndata);
	assert_int_equal(got_q.a, q.a);
	assert_int_equal(got_q.b, q.b);
	at += (size_t)wire_next(sb.s + at, sb.n - at, &r);
	assert_int_equal(r.type, WIRE_ANSWER);
	assert_int_equal(wire_decode_answer(&r, &got_a), 0);
	assert_int_equal(got_a.id, 7);
	assert_int_equal(got_a.error, ENOENT);
	assert_string_equal(got_a.text, "it is gone");
	assert_int_equal(got_a.ndata, 3);
	assert_memory_equal(got_a.data, "abc", 3);
	r.len--; /* cut off within the data */
	assert_int_equal(wire_decode_answer(&r, &got_a), -EBADMSG);
	r.len++;
	at += (size_t)wire_next(sb.s + at, sb.n - at, &r);
	assert_int_equal(r.type, WIRE_REFUSED);
	assert_int_equal(wire_decode_text(&r, &text), 0);
	assert_string_equal(text, "no");
	assert_int_equal(at, sb.n);
	strbuf_release(&sb);
}

static int note_wanted(void *arg, const struct event *ev)
{
	if (ev->type == EV_ROWS_WANTED)
		strbuf_addf(arg, "%s %d ", ev->u.rows.path, ev->u.rows.build_id[0]);
	return 0;
}

static void tell_wanted(const struct state *s, struct strbuf *text)
{
	struct strbuf sb = STRBUF_INIT;
	struct wire_decoder d = { 0 };
	struct wire_record r;
	ssize_t n;

	strbuf_reset(text);
	strbuf_adds(text, "");
	state_tell(s, &sb);
	for (size_t at = 0; (n = wire_next(sb.s + at, sb.n - at, &r)) > 0; at += (size_t)n)
		assert_int_equal(wire_decode(&d, &r, note_wanted, text), 0);
	strbuf_release(&sb);
	wire_decoder_release(&d);
}

/* A client that comes late is told of all that nobody has given, and once. */
static void test_rows_wanted(void **state)
{
	const uint8_t id[] = { 1, 2, 3 };
	struct event ev = { .type = EV_ROWS_WANTED, .u.rows = { id, 2, "/a", 9 } };
	struct state *s = state_new();
	struct strbuf text = STRBUF_INIT;

	(void)state;
	state_sink(s)->emit(state_sink(s), &ev);
	ev.u.rows.build_id = id + 1;
	ev.u.rows.path = "/b";
	state_sink(s)->emit(state_sink(s), &ev);
	state_sink(s)->emit(state_sink(s), &ev);
	tell_wanted(s, &text);
	assert_string_equal(text.s, "/a 1 /b 2 ");
	ev.type = EV_ROWS_GIVEN;
	ev.u.rows.build_id = id;
	state_sink(s)->emit(state_sink(s), &ev);
	tell_wanted(s, &text);
	assert_string_equal(text.s, "/b 2 ");
	strbuf_release(&text);
	state_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_stops_when_told),
		cmocka_unit_test(test_mangled),
		cmocka_unit_test(test_records),
		cmocka_unit_test(test_versions),
		cmocka_unit_test(test_hello),
		cmocka_unit_test(test_requests),
		cmocka_unit_test(test_rows_wanted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
