/* SPDX-License-Identifier: GPL-2.0-or-later */
/* --trace: lines, and their order, from events of several threads. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/xalloc.h"
#include "report/report.h"

enum { MALLOC = 1, REALLOC, FREE };
enum { PID = 100, CALLER = 0x400100, MODULE = 1 };

struct traced {
	struct heap *heap;
	struct event_sink *sink;
	FILE *file;
};

static void tell(struct traced *t, pid_t pid, pid_t tid, struct event ev)
{
	ev.pid = pid;
	ev.tid = tid;
	t->sink->emit(t->sink, &ev);
}

#define TELL(t, tid, ...) tell(t, PID, tid, (struct event){ __VA_ARGS__ })

static void begin(struct traced *t, enum trace_format format)
{
	struct report_opts opts = REPORT_OPTS_INIT;

	opts.trace = format;
	t->heap = heap_new();
	t->file = tmpfile();
	assert_non_null(t->file);
	t->sink = calls_sink_new(heap_sink(t->heap), t->heap, &opts, fileno(t->file), NULL);
	TELL(t, PID, .type = EV_PROC, .u.proc = { .exe = "/bin/prog", .word = 8, .abi = "x86-64" });
	TELL(t, PID, .type = EV_MODULE,
	     .u.module = { .id = MODULE, .start = 0x400000, .end = 0x500000, .bias = 0x400000,
			   .path = "/bin/prog" });
	TELL(t, PID, .type = EV_PROBE, .u.probe = { .id = MALLOC, .op = OP_ALLOC, .name = "malloc" });
	TELL(t, PID, .type = EV_PROBE, .u.probe = { .id = REALLOC, .op = OP_REALLOC, .name = "realloc" });
	TELL(t, PID, .type = EV_PROBE, .u.probe = { .id = FREE, .op = OP_RELEASE, .name = "free" });
}

static void end(struct traced *t, const char *wanted)
{
	char text[2000];
	size_t n;

	TELL(t, PID, .type = EV_PROC_END, .u.end = { .how = END_EXITED });
	rewind(t->file);
	n = fread(text, 1, sizeof text - 1, t->file);
	text[n] = '\0';
	assert_string_equal(text, wanted);
	t->sink->free(t->sink);
	heap_free(t->heap);
	fclose(t->file);
}

static void call(struct traced *t, pid_t tid, uint16_t probe)
{
	TELL(t, tid, .type = EV_CALL, .u.call = { .probe = probe, .caller = CALLER, .module = MODULE });
}

static void allocate(struct traced *t, pid_t tid, taddr_t addr, uint64_t size)
{
	TELL(t, tid, .type = EV_ALLOC, .u.alloc = { .addr = addr, .size = size });
	call(t, tid, MALLOC);
}

static void release(struct traced *t, pid_t tid, taddr_t addr)
{
	TELL(t, tid, .type = EV_RELEASE, .u.release = { .addr = addr });
	call(t, tid, FREE);
}

static void realloc_begins(struct traced *t, pid_t tid, taddr_t addr)
{
	TELL(t, tid, .type = EV_REALLOC_BEGIN, .u.release = { .addr = addr });
}

static void realloc_ends(struct traced *t, pid_t tid, taddr_t old, taddr_t addr, uint64_t size)
{
	TELL(t, tid, .type = EV_REALLOC,
	     .u.realloc = { .old_addr = old, .addr = addr, .size = size, .failed = !addr });
	call(t, tid, REALLOC);
}

static void formats(void **state)
{
	struct traced t;

	(void)state;
	begin(&t, TRACE_MBED);
	allocate(&t, 1, 0x10, 50);
	release(&t, 2, 0x10);
	end(&t, "#m:0x10;0x400100-50\n#f:0x0;0x400100-0x10\n");
	begin(&t, TRACE_GLIBC);
	allocate(&t, 1, 0x10, 50);
	allocate(&t, 1, 0x30, 0);
	realloc_begins(&t, 1, 0x10);
	realloc_ends(&t, 1, 0x10, 0, 70);
	release(&t, 1, 0x10);
	end(&t, "= Start\n@ /bin/prog:[0x100] + 0x10 0x32\n@ /bin/prog:[0x100] + 0x30 0\n"
		"@ /bin/prog:[0x100] ! 0x10 0x46\n@ /bin/prog:[0x100] - 0x10\n= End\n");
}

/* An address that a realloc has given up, and another thread has got, is told of in
 * this order; lines about others do not wait. */
static void reallocs_of_threads(void **state)
{
	struct traced t;

	(void)state;
	begin(&t, TRACE_MBED);
	allocate(&t, 1, 0x10, 50);
	realloc_begins(&t, 1, 0x10);
	allocate(&t, 2, 0x10, 40);
	allocate(&t, 3, 0x50, 9);
	realloc_begins(&t, 2, 0x10);
	realloc_ends(&t, 2, 0x10, 0x60, 41); /* thread 2 has it, and is waited for no more */
	realloc_ends(&t, 1, 0x10, 0x20, 60);
	release(&t, 2, 0x60);
	end(&t, "#m:0x10;0x400100-50\n#m:0x50;0x400100-9\n#r:0x20;0x400100-0x10;60\n#m:0x10;0x400100-40\n"
		"#r:0x60;0x400100-0x10;41\n#f:0x0;0x400100-0x60\n");
	/* One that never returns. */
	begin(&t, TRACE_MBED);
	allocate(&t, 1, 0x10, 50);
	realloc_begins(&t, 1, 0x10);
	allocate(&t, 2, 0x10, 40);
	release(&t, 2, 0x10);
	end(&t, "#m:0x10;0x400100-50\n#m:0x10;0x400100-40\n#f:0x0;0x400100-0x10\n");
}

/* A release that is taken back and comes again; one of the C library's own. */
static void told_once(void **state)
{
	struct traced t;

	(void)state;
	begin(&t, TRACE_MBED);
	allocate(&t, 1, 0x10, 50);
	release(&t, 1, 0x10);
	TELL(&t, 1, .type = EV_RELEASE_UNDO, .u.release = { .addr = 0x10 });
	release(&t, 1, 0x10);
	TELL(&t, 1, .type = EV_RELEASE, .u.release = { .addr = 0x20, .known = RELEASE_SHUTDOWN });
	call(&t, 1, FREE);
	end(&t, "#m:0x10;0x400100-50\n#f:0x0;0x400100-0x10\n");
}

static void one_process(void **state)
{
	struct traced t;

	(void)state;
	begin(&t, TRACE_GLIBC);
	tell(&t, 200, 200, (struct event){ .type = EV_PROC, .u.proc = { .exe = "/bin/other" } });
	tell(&t, 200, 200, (struct event){ .type = EV_ALLOC, .u.alloc = { .addr = 0x10 } });
	tell(&t, 200, 200, (struct event){ .type = EV_CALL, .u.call = { .probe = MALLOC } });
	tell(&t, 200, 200, (struct event){ .type = EV_PROC_END, .u.end = { .how = END_EXITED } });
	end(&t, "= Start\n= End\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(formats),   cmocka_unit_test(reallocs_of_threads),
		cmocka_unit_test(told_once), cmocka_unit_test(one_process),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
