/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A small session with made-up names, for the tests of the reports. */
#ifndef MTRACE_TESTS_SESSION_H
#define MTRACE_TESTS_SESSION_H

#include <string.h>

#include "base/strbuf.h"
#include "events.h"
#include "report/report.h"

enum { MOD_LEAKY = 1, MOD_LIBC, MOD_SQLITE };
enum { P_MALLOC, P_CALLOC, P_NEW, P_MMAP, P_FREE };

#define LEAKY 0x400000u
#define LIBC 0x7f0000000000u
#define SQLITE 0x7f1000000000u

struct name {
	const char *module; /* how its path ends */
	taddr_t vaddr;      /* of the call: one below the return address */
	struct source_frame frame;
};

static const struct name names[] = {
	{ "leaky", 0x10f, { "read_line", "/src/leaky.c", 10, false, NULL } },
	{ "leaky", 0x11f, { "parse_config", "/src/leaky.c", 17, false, NULL } },
	{ "leaky", 0x12f, { "main", "/src/leaky.c", 31, false, NULL } },
	{ "leaky", 0x13f, { "add_user", "/src/leaky.c", 21, false, NULL } },
	{ "leaky", 0x14f, { "main", "/src/leaky.c", 32, false, NULL } },
	{ "leaky", 0x15f, { "open_log", "/src/leaky.c", 26, false, NULL } },
	{ "leaky", 0x16f, { "main", "/src/leaky.c", 30, false, NULL } },
	{ "leaky", 0x17f, { "_ZN5store3addINSt3mapIiSsEEEEvRT_i", "/src/store.h", 5, true, NULL } },
	{ "leaky", 0x17f, { "fill", "/src/store.cc", 40, false, NULL } },
	{ "leaky", 0x18f, { "on_signal", "/src/leaky.c", 99, false, NULL } },
	{ "leaky", 0x190, { "exactly_here", "/src/leaky.c", 50, false, NULL } },
	{ "leaky", 0x19f, { "a_function_with_a_very_long_name_that_no_terminal_holds_in_one_line",
			    "/src/long.c", 123, false, NULL } },
	{ "leaky", 0x1af, { "_start", NULL, 0, false, NULL } },
	{ "libc.so.6", 0x10f, { "__libc_start_main_impl", NULL, 0, false, NULL } },
	{ "libc.so.6", 0x12f, { "strdup", NULL, 0, false, NULL } },
};

static inline bool name_is_in(const char *module, const char *path)
{
	size_t n = strlen(module), m = strlen(path);

	return m >= n && !strcmp(path + m - n, module);
}

static inline int look_up_name(void *arg, const struct heap_module *m, taddr_t vaddr,
			       void (*fn)(void *, const struct source_frame *), void *fn_arg)
{
	int n = 0;

	(void)arg;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (names[i].vaddr == vaddr && name_is_in(names[i].module, m->path)) {
			fn(fn_arg, &names[i].frame);
			n++;
		}
	return n;
}

static const struct report_symbols test_symbols = { look_up_name, NULL };

/* Announces a stack from module/offset pairs. */
static inline void session_stack(struct feed *f, uint32_t id, uint16_t probe, enum stack_end end,
				 const taddr_t *pc, uint32_t n)
{
	uint32_t module[64];

	for (uint32_t i = 0; i < n; i++)
		module[i] = pc[i] >= SQLITE  ? MOD_SQLITE
			    : pc[i] >= LIBC  ? MOD_LIBC
			    : pc[i] >= LEAKY ? MOD_LEAKY
					     : 0;
	feed_stack_end(f, id, probe, end, n, pc, module);
}

#define STACK(f, id, probe, end, ...)                                      \
	session_stack(f, id, probe, end, (const taddr_t[]){ __VA_ARGS__ }, \
		      ARRAY_SIZE(((const taddr_t[]){ __VA_ARGS__ })))

#define BELOW_MAIN LIBC + 0x120, LIBC + 0x110, LEAKY + 0x1b0

static inline struct feed session_start(enum proc_how how)
{
	struct feed f = { .heap = heap_new(), .now = 1000 * MS };

	feed_proc(&f, 4711, how, 0, "/src/leaky");
	feed_module(&f, MOD_LEAKY, LEAKY, "/src/leaky");
	feed_module(&f, MOD_LIBC, LIBC, "/usr/lib/libc.so.6");
	feed_module(&f, MOD_SQLITE, SQLITE, "/usr/lib/libsqlite3.so.0");
	feed_probe(&f, P_MALLOC, OP_ALLOC, "malloc");
	feed_probe(&f, P_CALLOC, OP_ALLOC, "calloc");
	feed_probe(&f, P_NEW, OP_ALLOC, "operator new[](unsigned long)");
	feed_probe(&f, P_MMAP, OP_MAP, "mmap");
	feed_probe(&f, P_FREE, OP_RELEASE, "free");
	STACK(&f, 1, P_MALLOC, STACK_COMPLETE, LEAKY + 0x110, LEAKY + 0x120, LEAKY + 0x130,
	      BELOW_MAIN);
	STACK(&f, 2, P_CALLOC, STACK_COMPLETE, LEAKY + 0x140, LEAKY + 0x150, BELOW_MAIN);
	STACK(&f, 3, P_MALLOC, STACK_COMPLETE, LEAKY + 0x160, LEAKY + 0x170, BELOW_MAIN);
	return f;
}

/* 50 × 80 bytes, 16 and 256 stay; 100 bytes were released before. */
static inline struct feed session_leaky(void)
{
	struct feed f = session_start(PROC_LAUNCHED);

	feed_alloc(&f, 0x1000, 100, 3);
	feed_release(&f, 0x1000, 100, 3);
	for (uint64_t i = 0; i < 50; i++)
		feed_alloc(&f, 0x2000 + i * 96, 80, 1);
	FEED(&f, .type = EV_ALLOC,
	     .u.alloc = { .addr = 0x5000, .size = 16, .stack = 2, .product = { true, 1, 16 } });
	feed_alloc(&f, 0x6000, 256, 3);
	f.now += 20 * MS;
	return f;
}

static inline char *text_of(struct feed *f, const struct report_opts *opts, bool to_file,
			    bool color, unsigned width)
{
	struct report_opts o = *opts;
	struct strbuf sb = STRBUF_INIT;

	o.symbols = &test_symbols;
	report_text(f->heap, &o, to_file, color, width, &sb);
	return strbuf_detach(&sb);
}

#endif
