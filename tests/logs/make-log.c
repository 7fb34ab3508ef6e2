/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Writes the log of a session that never was, of a machine that is not here:
 *
 *   make-log ppc|x86-64 >FILE
 *
 * tests/check-logs compares it with the file of the same name that was written by
 * the first version of the format, and the report of that with what it was then. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "model/wire.h"

struct machine {
	const char *name;
	uint8_t word;
	taddr_t program, library, heap, stack;
};

/* 32 bits, the most significant byte first: what travels does not show it. */
static const struct machine machines[] = {
	{ "ppc", 4, 0x10000000, 0x0fe10000, 0x10230008, 0xbffff000 },
	{ "x86-64", 8, 0x555555554000, 0x7ffff7c00000, 0x55555556a2a0, 0x7ffffffde000 },
};

struct session {
	struct strbuf out;
	struct wire_encoder e;
	const struct machine *m;
	pid_t pid, tid;
	uint64_t now_us;
};

static void send(struct session *s, struct event ev)
{
	ev.pid = s->pid;
	ev.tid = s->tid;
	ev.time_ns = s->now_us++ * 1000;
	wire_encode(&s->e, &ev);
}

#define SEND(s, ...) send(s, (struct event){ __VA_ARGS__ })

static void begin(struct session *s)
{
	static const char *const words[] = { "mtrace", "-l", "board.log", "./sensord", "-v" };
	static const uint8_t id[20] = { 0xde, 0xad, 0xbe, 0xef, 1, 2, 3 };

	wire_encode_hello(&s->e, &(struct wire_hello){ .wall_us = 1794000000000000, .clock_us = s->now_us,
						       .tool = "mtrace 0.1.0", .host = "board",
						       .cwd = "/root", .nwords = 5, .words = words,
						       .command = 3 });
	SEND(s, .type = EV_PROC, .u.proc = { PROC_LAUNCHED, 1, "/usr/sbin/sensord", "./sensord",
					     s->m->word, s->m->name, PROC_TRACED });
	SEND(s, .type = EV_TASK);
	SEND(s, .type = EV_MODULE, .u.module = { 1, s->m->program, s->m->program + 0x30000, s->m->program,
						 "/usr/sbin/sensord", id, 20, 0xb302, 77 });
	SEND(s, .type = EV_MODULE, .u.module = { 2, s->m->library, s->m->library + 0x1c0000, s->m->library,
						 "/lib/libc.so.6", id + 1, 19, 0xb302, 78 });
	SEND(s, .type = EV_PROBE, .u.probe = { 0, OP_ALLOC, FAMILY_C, "malloc", "malloc", false });
	SEND(s, .type = EV_PROBE, .u.probe = { 1, OP_ALLOC, FAMILY_C, "calloc", "calloc", false });
	SEND(s, .type = EV_PROBE, .u.probe = { 2, OP_REALLOC, FAMILY_C, "realloc", "realloc", false });
	SEND(s, .type = EV_PROBE, .u.probe = { 3, OP_RELEASE, FAMILY_C, "free", "free", false });
	SEND(s, .type = EV_PROBE, .u.probe = { 4, OP_MAP, FAMILY_MAP, "mmap", "mmap", false });
}

static void stack(struct session *s, uint32_t id, uint16_t probe, taddr_t where)
{
	taddr_t pc[] = { s->m->library + 0x87a10, s->m->program + where, s->m->program + 0x1200,
			 s->m->library + 0x21c4c };
	uint32_t module[] = { 2, 1, 1, 2 };
	uint8_t exact[] = { 0, 0, 0, 0 };

	SEND(s, .type = EV_STACK, .u.stack = { id, probe, STACK_COMPLETE, 4, pc, module, exact, NULL });
}

/* A second thread allocates, too; one block of each tenth stays. */
static void work(struct session *s)
{
	stack(s, 1, 0, 0x1500);
	stack(s, 2, 1, 0x1540);
	stack(s, 3, 2, 0x1580);
	for (unsigned i = 0; i < 200; i++) {
		taddr_t addr = s->m->heap + i % 50 * 0x40;

		s->tid = s->pid + (i / 7) % 2;
		s->now_us += i * 3;
		SEND(s, .type = EV_ALLOC, .u.alloc = { addr, 16 + i % 40, 1 + i % 2, i / 100,
						       { i % 2, 4, (16 + i % 40) / 4 } });
		if (i % 10)
			SEND(s, .type = EV_RELEASE, .u.release = { addr, 16 + i % 40, 1 + i % 2, 3,
								   RELEASE_KNOWN, 0, i / 100, 0 });
		if (i == 99)
			SEND(s, .type = EV_MARK, .u.mark = { 1 });
	}
	SEND(s, .type = EV_REALLOC_BEGIN, .u.release = { s->m->heap, 16, 1, 2, RELEASE_KNOWN, 0, 0, 0 });
	SEND(s, .type = EV_REALLOC, .u.realloc = { s->m->heap, 16, 1, s->m->heap + 0x2000, 900, 3, false,
						   0, 1, { 0 } });
	SEND(s, .type = EV_FAILED, .u.alloc = { 0, 0x7fffffff, 1, 1, { 0 } });
	SEND(s, .type = EV_RELEASE, .u.release = { s->m->stack, 0, 0, 3, RELEASE_UNKNOWN, 0, 0, 0 });
	SEND(s, .type = EV_MAP, .u.map = { s->m->library - 0x100000, 0x20000, 0, 0, 0 });
	SEND(s, .type = EV_UNMAP, .u.map = { s->m->library - 0x100000, 0x8000, 0, 0, 0 });
	SEND(s, .type = EV_BRK, .u.map = { s->m->heap + 0x21000, 0, s->m->heap, 0, 0 });
	SEND(s, .type = EV_ERROR, .u.error = { .kind = ERROR_INVALID_FREE, .place = PLACE_STACK,
					       .addr = s->m->stack, .at = 1 });
}

static void end(struct session *s)
{
	static const uint8_t data[] = "sensor 7";

	s->tid = s->pid;
	SEND(s, .type = EV_SCAN_BEGIN);
	SEND(s, .type = EV_LEAK, .u.leak = { 1, LEAK_DEFINITE, 0, 6, 120, s->m->heap + 0x280, 26, data, 8 });
	SEND(s, .type = EV_LEAK, .u.leak = { 2, LEAK_POSSIBLE, 0, 1, 33, s->m->heap + 0x500, 33, NULL, 0 });
	SEND(s, .type = EV_LEAK_WHY, .u.why = { 2, LEAK_POSSIBLE, 0, 1, FROM_MEMORY, s->m->program + 0x20040,
						1, 0, s->m->heap + 0x500, 33, 2, 8 });
	SEND(s, .type = EV_SCAN, .u.scan = { 0, 1, 0, 20, 1 << 20, 4096, 0 });
	SEND(s, .type = EV_NOTE, .u.note = { false, "a note of the tracer" });
	s->now_us += 1500000;
	SEND(s, .type = EV_PROC_END, .u.end = { END_EXITED, 3 });
	wire_encode_record(&s->e, WIRE_BYE, NULL, 0);
}

int main(int argc, char **argv)
{
	struct session s = { .pid = 412, .tid = 412, .now_us = 86400000000 };
	int err;

	s.e = (struct wire_encoder)WIRE_ENCODER_INIT(&s.out);
	for (size_t i = 0; argc > 1 && i < ARRAY_SIZE(machines); i++)
		if (!strcmp(machines[i].name, argv[1]))
			s.m = &machines[i];
	if (!s.m) {
		fprintf(stderr, "usage: make-log ppc|x86-64\n");
		return 2;
	}
	begin(&s);
	work(&s);
	end(&s);
	err = write_all(STDOUT_FILENO, s.out.s, s.out.n);
	strbuf_release(&s.out);
	return err ? 1 : 0;
}
