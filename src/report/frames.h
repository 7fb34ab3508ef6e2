/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A stack as a list of frames for people: inlined ones expanded, those below
 * main left out unless wanted. */
#ifndef MTRACE_SRC_REPORT_FRAMES_H
#define MTRACE_SRC_REPORT_FRAMES_H

#include "symbolize.h"

struct frame {
	taddr_t pc;
	const struct heap_module *module; /* NULL: none */
	const char *function, *file;      /* NULL: unknown */
	const char *dir;                  /* where `file` begins, if not at / */
	const char *symbol, *alias;       /* the function as the linker sees it */
	unsigned line;
	bool inlined;
};

struct frames {
	VEC(struct frame) v;
	bool below_main; /* some were left out */
};

/* Appends to *f, which is empty. */
void frames_of(struct frames *f, struct symbolizer *sym, const struct heap *heap,
	       const struct heap_stack *s, bool below_main);
/* The C library, the dynamic linker and the like. */
bool frame_is_libc(const struct frame *f);
/* Code of the language's library: not the line that a user would open. */
bool frame_is_library(const struct frame *f);
/* The innermost one that is no library's: the line to open.  Where all are: the innermost
 * one of all; the number of frames, when there is none. */
size_t frames_site(const struct frames *f);
/* "libsqlite3.so.0+0x1f2c3", or the address alone. */
void frame_place(struct strbuf *sb, const struct frame *f);

#endif
