/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Code addresses of a heap's stacks made into functions and lines. */
#ifndef MTRACE_SRC_REPORT_SYMBOLIZE_H
#define MTRACE_SRC_REPORT_SYMBOLIZE_H

#include "report/report.h"

struct symbol_frame {
	const char *function; /* readable; NULL unknown */
	const char *symbol;   /* the same as the linker sees it */
	const char *alias;    /* another such name; only with suppressions */
	const char *file;     /* NULL unknown */
	const char *dir;      /* where it begins when it is not absolute; NULL unknown */
	unsigned line;        /* 0 unknown */
	bool inlined;
};

/* One place in the code: the functions inlined there, innermost first, last
 * the one that was really called.  n is 0 when nothing is known. */
struct symbol_place {
	size_t n;
	struct symbol_frame frame[];
};

struct symbolizer;

struct symbolizer *symbolizer_new(const struct heap *heap, const struct report_opts *opts);
void symbolizer_free(struct symbolizer *);
/* Frame i of a stack; lives as long as the symbolizer. */
const struct symbol_place *symbolize(struct symbolizer *, const struct heap_stack *s, uint32_t i);
/* Where a variable is: its name (NULL: unknown), how far into it, and its
 * section (NULL: unknown). */
struct symbol_data {
	const char *name, *section;
	uint64_t offset;
};
struct symbol_data symbolize_data(struct symbolizer *, taddr_t addr, uint32_t module);
/* The same for any return address. */
const struct symbol_place *symbolize_pc(struct symbolizer *, taddr_t pc, uint32_t module,
					bool exact);

/* What a data address points to: "vtable for Widget", "table+0x10", a function;
 * without symbols "libfoo.so+0x1230".  Lives as long as the symbolizer; NULL: in
 * no module. */
const char *symbolize_pointer(struct symbolizer *, taddr_t addr, uint32_t module);

/* Of a return address what dladdr(3) tells: "malloc_hook+0x1a", as the linker sees the
 * name.  Lives as long as the symbolizer; NULL: no symbol is there. */
const char *symbolize_caller(struct symbolizer *, taddr_t pc, uint32_t module);

#endif
