/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A client that comes late: after the state and what followed, its reports are byte
 * for byte those of one that has listened from the beginning.  Long sessions with
 * something of everything, chosen by a seed; clients come at moments chosen by it
 * too, in the midst of scans as well. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "base/hash.h"
#include "late.h"

#define SESSIONS 12 /* or as many as the environment's STATE_SESSIONS says */
#define EVENTS 1500
#define CLIENTS 5 /* the first one is there from the beginning */
#define PROCS 6
#define BLOCKS 64
#define US UINT64_C(1000)

struct block {
	taddr_t addr; /* 0: none */
	uint64_t size;
	uint32_t stack, mark;
};

struct tracee {
	pid_t pid; /* 0: none */
	struct block block[BLOCKS];
	struct event last; /* the last release */
};

struct session {
	uint64_t seed, now;
	unsigned events;
	struct tracee proc[PROCS];
	pid_t next_pid;
	uint32_t stacks, modules, marks;
	uint16_t probes;
	struct state *state;
	struct heap *client[CLIENTS];
	unsigned comes[CLIENTS]; /* after so many events */
};

static uint64_t rnd(struct session *s)
{
	return hash_u64(s->seed += 0x9e3779b97f4a7c15u);
}

static bool one_in(struct session *s, unsigned n)
{
	return rnd(s) % n == 0;
}

/* -- clients ------------------------------------------------------------------- */

static void same_reports(const struct session *s, unsigned client)
{
	struct strbuf a = STRBUF_INIT, b = STRBUF_INIT;

	late_reports(s->client[0], &a);
	late_reports(s->client[client], &b);
	if (a.n != b.n || memcmp(a.s, b.s, a.n)) {
		size_t i = 0;

		while (i < MIN(a.n, b.n) && a.s[i] == b.s[i])
			i++;
		i -= MIN(i, (size_t)100);
		print_error("from the beginning:\n%.200s\nlate:\n%.200s\n", a.s + i, b.s + i);
		fail_msg("client %u, which came after event %u", client, s->comes[client]);
	}
	strbuf_release(&a);
	strbuf_release(&b);
}

static void emit(struct session *s, struct event *ev)
{
	s->now += rnd(s) % 50 * US;
	ev->time_ns = s->now;
	state_sink(s->state)->emit(state_sink(s->state), ev);
	for (unsigned i = 0; i < CLIENTS; i++)
		if (s->client[i])
			late_take(s->client[i], ev);
	s->events++;
	for (unsigned i = 1; i < CLIENTS; i++)
		if (s->events == s->comes[i]) {
			s->client[i] = late_client(s->state);
			assert_non_null(s->client[i]);
			same_reports(s, i);
		}
}

#define EMIT(s, p, ...)                                                              \
	emit((s), &(struct event){ .pid = (p)->pid,                                  \
				   .tid = (p)->pid + (pid_t)(rnd(s) % 2), __VA_ARGS__ })

/* -- events -------------------------------------------------------------------- */

/* One that was told, or, seldom, one that never is, or none. */
static uint32_t stack(struct session *s)
{
	return one_in(s, 30) ? (uint32_t)(rnd(s) % 2) * 1000000 : 1 + (uint32_t)(rnd(s) % s->stacks);
}

static uint32_t module(struct session *s)
{
	return (uint32_t)(rnd(s) % (s->modules + 2));
}

static uint64_t size(struct session *s)
{
	return one_in(s, 20) ? rnd(s) >> rnd(s) % 40 >> 20 : rnd(s) % 500;
}

static struct product product(struct session *s)
{
	return one_in(s, 3) ? (struct product){ true, rnd(s) % 9, rnd(s) % 99 }
			    : (struct product){ 0 };
}

static void new_probe(struct session *s, struct tracee *p)
{
	static const char *const names[] = { "malloc", "realloc", "free", "mmap", "munmap",
					     "mremap", "sbrk" };
	unsigned op = s->probes % ARRAY_SIZE(names);

	EMIT(s, p, .type = EV_PROBE,
	     .u.probe = { s->probes, (enum alloc_op)op, FAMILY_C, names[op], NULL, one_in(s, 2) });
	s->probes++;
}

static void new_stack(struct session *s, struct tracee *p)
{
	uint32_t n = (uint32_t)(rnd(s) % 6), modules[6];
	taddr_t pc[6];
	uint8_t exact[6], origin[6];

	for (uint32_t i = 0; i < n; i++) {
		pc[i] = 0x1000 + rnd(s) % 64;
		modules[i] = module(s);
		exact[i] = one_in(s, 9);
		origin[i] = (uint8_t)(rnd(s) % FRAME_ORIGINS);
	}
	EMIT(s, p, .type = EV_STACK,
	     .u.stack = { ++s->stacks, (uint16_t)(rnd(s) % 16 ? rnd(s) % s->probes : 999),
			  (uint8_t)(rnd(s) % 3), n, pc, modules, exact,
			  one_in(s, 2) ? origin : NULL });
}

static void new_module(struct session *s, struct tracee *p)
{
	uint32_t id = one_in(s, 3) ? module(s) : ++s->modules;
	char path[32];

	snprintf(path, sizeof path, "/lib/%u.so", id);
	EMIT(s, p, .type = one_in(s, 4) ? EV_MODULE_GONE : EV_MODULE,
	     .u.module = { id, id * 0x1000, id * 0x1000 + 0x800, id * 0x1000, path,
			   (const uint8_t *)"build", 5, 1, id });
	EMIT(s, p, .type = EV_IMAGE,
	     .u.image = { id, 0, 4, 0, (const uint8_t *)"\177ELF", 4 });
}

static void allocate(struct session *s, struct tracee *p)
{
	struct block *b = &p->block[rnd(s) % BLOCKS];

	if (one_in(s, 8)) {
		EMIT(s, p, .type = EV_FAILED, .u.alloc = { 0, size(s), stack(s), 0, product(s) });
		if (one_in(s, 2))
			EMIT(s, p, .type = EV_OOM,
			     .u.oom = { (uint8_t)(rnd(s) % OOM_CAUSES), size(s), size(s) });
		return;
	}
	if (b->addr)
		return;
	*b = (struct block){ 0x100000 + rnd(s) % 5000 * 16, size(s), stack(s), s->marks };
	EMIT(s, p, .type = EV_ALLOC,
	     .u.alloc = { b->addr, b->size, b->stack, b->mark, product(s) });
}

static void release(struct session *s, struct tracee *p)
{
	struct block *b = &p->block[rnd(s) % BLOCKS];
	uint32_t at = one_in(s, 3) ? stack(s) : 0;

	if (!b->addr)
		return;
	EMIT(s, p, .type = EV_REALLOC_BEGIN, .u.release = { .addr = b->addr });
	p->last = (struct event){
		.type = EV_RELEASE, .pid = p->pid, .tid = p->pid,
		.u.release = { b->addr, b->size, b->stack, 2,
			       one_in(s, 9) ? RELEASE_UNSEEN : RELEASE_KNOWN, at, b->mark,
			       module(s) },
	};
	b->addr = 0;
	emit(s, &p->last);
}

static void undo(struct session *s, struct tracee *p)
{
	p->last.type = EV_RELEASE_UNDO;
	p->last.pid = p->last.tid = p->pid;
	emit(s, &p->last);
}

static void reallocate(struct session *s, struct tracee *p)
{
	struct block *b = &p->block[rnd(s) % BLOCKS], old = *b;
	bool failed = one_in(s, 5), known = old.addr != 0;

	if (!failed)
		*b = (struct block){ one_in(s, 9) ? 0 : 0x200000 + rnd(s) % 5000 * 16, size(s),
				     stack(s), s->marks };
	EMIT(s, p, .type = EV_REALLOC,
	     .u.realloc = { known ? old.addr : rnd(s) % 2 * 0x777, known ? old.size : 0,
			    known ? old.stack : 0, failed ? 0 : b->addr, b->size, stack(s), failed,
			    known ? old.mark : 0, b->mark, product(s) });
}

/* An error, and mostly the unknown release that it is about. */
static void mishandle(struct session *s, struct tracee *p)
{
	taddr_t addr = 0x300000 + rnd(s) % 3 * 16;
	pid_t tid = p->pid + (pid_t)(rnd(s) % 2);

	if (!one_in(s, 3))
		emit(s, &(struct event){
			.type = EV_ERROR, .pid = p->pid, .tid = tid,
			.u.error = { (uint8_t)(rnd(s) % (ERROR_FISHY_SIZE + 1)),
				     (uint8_t)(rnd(s) % (PLACE_NOWHERE + 1)), addr, size(s),
				     size(s), size(s), 1 + (uint32_t)(rnd(s) % 3),
				     (uint32_t)(rnd(s) % 3), (uint32_t)(rnd(s) % 2), module(s),
				     one_in(s, 2) ? "/dev/shm/x" : NULL,
				     (const uint8_t *)"overwritten", (uint8_t)(rnd(s) % 12), 0 } });
	if (one_in(s, 4))
		return;
	p->last = (struct event){
		.type = EV_RELEASE, .pid = p->pid, .tid = tid,
		.u.release = { .addr = addr, .at = 1 + (uint32_t)(rnd(s) % 4),
			       .known = one_in(s, 4) ? RELEASE_SHUTDOWN : RELEASE_UNKNOWN,
			       .allocator = module(s) } };
	emit(s, &p->last);
}

static void map(struct session *s, struct tracee *p)
{
	taddr_t addr = 0x10000000 + rnd(s) % 40 * 0x1000, old = 0x10000000 + rnd(s) % 40 * 0x1000;
	uint64_t bytes = rnd(s) % 0x6000, old_bytes = rnd(s) % 0x4000;
	unsigned which = (unsigned)(rnd(s) % 8);

	EMIT(s, p, .type = which < 4 ? EV_MAP : which < 6 ? EV_UNMAP : which < 7 ? EV_REMAP : EV_BRK,
	     .u.map = { addr, bytes, old, old_bytes, stack(s) });
}

static void way(struct session *s, struct tracee *p, uint32_t of, uint8_t kind)
{
	for (uint32_t i = 0, n = (uint32_t)(rnd(s) % 4); i < n; i++)
		EMIT(s, p, .type = EV_LEAK_WHY,
		     .u.why = { of, kind, i, n, (uint8_t)(rnd(s) % 4), 0x5000 + i, module(s), p->pid,
				0x6000, size(s), stack(s), size(s) });
}

static void scan(struct session *s, struct tracee *p)
{
	EMIT(s, p, .type = EV_SCAN_BEGIN);
	for (uint64_t i = rnd(s) % 12; i; i--) {
		uint32_t of = stack(s);
		uint8_t kind = (uint8_t)(rnd(s) % LEAK_KINDS);

		EMIT(s, p, .type = EV_LEAK,
		     .u.leak = { of, kind, stack(s), 1 + rnd(s) % 9, size(s), 0x5000, size(s),
				 (const uint8_t *)"a block", (uint8_t)(rnd(s) % 8) });
		way(s, p, of, kind);
		EMIT(s, p, .type = EV_LEAK_BLOCK,
		     .u.leak = { of, kind, 0, 1, 9, 0x5000, size(s), NULL, 0 });
	}
	for (uint64_t i = rnd(s) % 3; i; i--) {
		uint32_t of = stack(s);

		EMIT(s, p, .type = EV_WHY,
		     .u.asked = { 0x5004, one_in(s, 2), LEAK_INDIRECT, 0x5000, 12, of, 0x7000 });
		way(s, p, of, LEAK_INDIRECT);
	}
	if (!one_in(s, 6)) /* was it interrupted? */
		EMIT(s, p, .type = EV_SCAN,
		     .u.scan = { one_in(s, 5), one_in(s, 5), one_in(s, 2), size(s), size(s), size(s),
				 size(s) });
}

static void census(struct session *s, struct tracee *p)
{
	new_stack(s, p);
	EMIT(s, p, .type = EV_CENSUS,
	     .u.census = { one_in(s, 4) ? stack(s) : s->stacks, rnd(s) % 9, size(s), 1 + rnd(s) % 8,
			   10 + rnd(s) % 8, 0x1040, module(s) });
}

static void begin(struct session *s, enum proc_how how, pid_t pid, pid_t parent)
{
	struct tracee *p = &s->proc[rnd(s) % PROCS];

	for (unsigned i = 0; i < PROCS; i++)
		if (s->proc[i].pid == pid)
			p = &s->proc[i];
	memset(p, 0, sizeof *p);
	p->pid = pid;
	EMIT(s, p, .type = EV_PROC,
	     .u.proc = { how, parent, one_in(s, 2) ? "/bin/one" : "/bin/two", one_in(s, 2) ? "x" : NULL,
			 one_in(s, 4) ? 4 : 8, "x86-64", PROC_TRACED });
}

static void live_or_die(struct session *s, struct tracee *p)
{
	switch (rnd(s) % 8) {
	case 0: /* its end is told before, or not; the pid may be one of before */
		if (one_in(s, 2))
			EMIT(s, p, .type = EV_PROC_END, .u.end = { END_EXECED, 0 });
		begin(s, PROC_EXECED, p->pid, 0);
		break;
	case 1:
		EMIT(s, p, .type = EV_PROC_END,
		     .u.end = { (enum proc_end_how)(rnd(s) % (END_RUNNING + 1)), (int)(rnd(s) % 7) });
		break;
	case 2:
		begin(s, PROC_ATTACHED, 200 + (pid_t)(rnd(s) % 20), 0);
		break;
	case 3:
		EMIT(s, p, .type = EV_TASK);
		break;
	default:
		begin(s, PROC_FORKED, 100 + (pid_t)(rnd(s) % 50), p->pid);
	}
}

static void something(struct session *s)
{
	struct tracee *p = &s->proc[rnd(s) % PROCS];

	switch (rnd(s) % 40) {
	case 0: new_probe(s, p); break;
	case 1: case 2: new_stack(s, p); break;
	case 3: new_module(s, p); break;
	case 4: live_or_die(s, p); break;
	case 5: EMIT(s, p, .type = EV_MARK, .u.mark.nr = s->marks += one_in(s, 2)); break;
	case 6: EMIT(s, p, .type = EV_NOTE, .u.note = { one_in(s, 2), "something is odd" }); break;
	case 7: if (one_in(s, 2)) scan(s, p); break;
	case 8: census(s, p); break;
	case 9: undo(s, p); break;
	case 10: case 11: case 12: mishandle(s, p); break;
	case 13: case 14: case 15: reallocate(s, p); break;
	case 16: case 17: case 18: map(s, p); break;
	case 19: case 20: case 21: case 22: case 23: case 24: release(s, p); break;
	default: allocate(s, p);
	}
}

static void start(struct session *s, uint64_t seed)
{
	*s = (struct session){ .seed = seed, .now = 1000 * US, .state = state_new() };
	s->client[0] = heap_new();
	for (unsigned i = 1; i < CLIENTS; i++)
		s->comes[i] = (unsigned)(rnd(s) % EVENTS);
	/* One that was attached to together with the command began before it. */
	if (one_in(s, 2))
		begin(s, PROC_ATTACHED, 200, 0);
	begin(s, PROC_LAUNCHED, 100, 0);
	for (unsigned i = 0; i < 7; i++)
		new_probe(s, &s->proc[0]);
	for (unsigned i = 0; i < 5; i++)
		new_stack(s, &s->proc[0]);
}

static void test_late_clients(void **state)
{
	const char *more = getenv("STATE_SESSIONS");
	uint64_t sessions = more ? strtoull(more, NULL, 10) : SESSIONS;
	struct session *s = xmalloc(sizeof *s);

	(void)state;
	for (uint64_t seed = 1; seed <= sessions; seed++) {
		start(s, seed * 1000003);
		while (s->events < EVENTS)
			something(s);
		for (unsigned i = 1; i < CLIENTS; i++)
			if (s->client[i])
				same_reports(s, i);
		for (unsigned i = 0; i < CLIENTS; i++)
			heap_free(s->client[i]);
		state_free(s->state);
	}
	free(s);
}

/* A state of a state: what was told is told again, byte for byte. */
static int to_state(void *arg, const struct event *ev)
{
	struct event_sink *sink = state_sink(arg);

	return sink->emit(sink, ev) < 0 ? -1 : 0;
}

static void test_told_twice(void **state)
{
	struct session *s = xmalloc(sizeof *s);
	struct state *second = state_new();
	struct strbuf a = STRBUF_INIT, b = STRBUF_INIT;
	struct wire_decoder d = { 0 };
	struct wire_record r;

	(void)state;
	start(s, 77);
	while (s->events < 4 * EVENTS)
		something(s);
	state_tell(s->state, &a);
	for (size_t at = 0; at < a.n; at += WIRE_HEADER + r.len) {
		assert_true(wire_next(a.s + at, a.n - at, &r) > 0);
		assert_int_equal(wire_decode(&d, &r, to_state, second), 0);
	}
	state_tell(second, &b);
	assert_int_equal(a.n, b.n);
	assert_memory_equal(a.s, b.s, a.n);
	for (unsigned i = 0; i < CLIENTS; i++)
		heap_free(s->client[i]);
	state_free(s->state);
	state_free(second);
	strbuf_release(&a);
	strbuf_release(&b);
	wire_decoder_release(&d);
	free(s);
}

static void test_nothing_yet(void **state)
{
	struct state *empty = state_new();
	struct strbuf sb = STRBUF_INIT;

	(void)state;
	state_tell(empty, &sb);
	assert_int_equal(sb.n, 0);
	state_free(empty);
}

struct rests { uint32_t of, rests, stacks; };

static int count_rests(void *arg, const struct event *ev)
{
	struct rests *n = arg;

	if (n->of && (ev->type != EV_STACK || ev->u.stack.id != n->of))
		fail_msg("what follows is not the stack");
	n->of = ev->type == EV_STACK_REST ? ev->u.rest.stack : 0;
	n->rests += ev->type == EV_STACK_REST;
	n->stacks += ev->type == EV_STACK;
	return 0;
}

/* What lies beyond stacks that broke off is kept of the first ones, and told with them. */
static void test_rests(void **state)
{
	enum { STACKS = 200, REST = 4096, KEPT = 262144 / REST };
	struct session *s = xmalloc(sizeof *s);
	static uint8_t bytes[REST];
	static uint64_t reg[64];
	uint32_t module = 1;
	taddr_t pc = 0x1000;
	struct strbuf sb = STRBUF_INIT;
	struct wire_decoder d = { 0 };
	struct wire_record r;
	struct rests n = { 0 };
	struct tracee *p;

	(void)state;
	*s = (struct session){ .seed = 6, .state = state_new() };
	begin(s, PROC_LAUNCHED, 100, 0);
	p = &s->proc[0];
	p->pid = 100;
	for (uint32_t i = 1; i <= STACKS; i++) {
		EMIT(s, p, .type = EV_STACK_REST,
		     .u.rest = { .stack = i, .machine = 62, .class = 2, .data = 1, .depth = 5, .reg = reg,
				 .bytes = bytes, .nbytes = REST });
		EMIT(s, p, .type = EV_STACK, .u.stack = { i, 0, STACK_BROKEN, 1, &pc, &module, NULL, NULL });
	}
	state_tell(s->state, &sb);
	for (size_t at = 0; at < sb.n; at += WIRE_HEADER + r.len) {
		assert_true(wire_next(sb.s + at, sb.n - at, &r) > 0);
		assert_int_equal(wire_decode(&d, &r, count_rests, &n), 0);
	}
	assert_int_equal(n.stacks, STACKS);
	assert_in_range(n.rests, KEPT - 2, KEPT);
	assert_true(state_memory(s->state) < 4 * KEPT * REST);
	strbuf_release(&sb);
	wire_decoder_release(&d);
	state_free(s->state);
	free(s);
}

/* What one more stack costs: kept, and told. */
static void test_cost(void **state)
{
	enum { STACKS = 100000, FRAMES = 12 };
	struct session *s = xmalloc(sizeof *s);
	taddr_t pc[FRAMES];
	uint32_t modules[FRAMES];
	struct strbuf sb = STRBUF_INIT;
	struct tracee *p;

	(void)state;
	*s = (struct session){ .seed = 5, .state = state_new() };
	begin(s, PROC_LAUNCHED, 100, 0);
	p = &s->proc[0];
	p->pid = 100;
	new_probe(s, p);
	for (uint32_t i = 1; i <= STACKS; i++) {
		for (unsigned k = 0; k < FRAMES; k++) {
			pc[k] = 0x7f0000000000 + rnd(s) % 0x100000;
			modules[k] = 1 + k / 4;
		}
		EMIT(s, p, .type = EV_STACK, .u.stack = { i, 0, 0, FRAMES, pc, modules, NULL, NULL });
		EMIT(s, p, .type = EV_ALLOC, .u.alloc = { 0x1000, 80, i, 0, { 0 } });
	}
	state_tell(s->state, &sb);
	print_message("state: %zu bytes of memory a stack of %d frames, %zu told\n",
		      state_memory(s->state) / STACKS, FRAMES, sb.n / STACKS);
	strbuf_release(&sb);
	state_free(s->state);
	free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nothing_yet),
		cmocka_unit_test(test_late_clients),
		cmocka_unit_test(test_told_twice),
		cmocka_unit_test(test_rests),
		cmocka_unit_test(test_cost),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
