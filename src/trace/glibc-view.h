/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What glibc.h wants to know of a traced program: where the variables of its allocator
 * are, and its memory that is no file's. */
#ifndef TRACE_GLIBC_VIEW_H
#define TRACE_GLIBC_VIEW_H

#include "trace/glibc.h"
#include "trace/proc.h"

struct glibc_program {
	struct glibc_view v; /* without thread pointers, and what pages are there */
	struct mem_reader mem;
	VEC(struct addr_range) data, anon;
	const char *module;  /* whose variables `data` are; NULL: none was found */
};

/* `tid` is a task of it that lives: its /proc tells.  0, or -errno and a reason: none
 * must be its C library's. */
int glibc_program_build(struct glibc_program *g, struct proc *p, pid_t tid, char *why, size_t size);
void glibc_program_release(struct glibc_program *g);
/* Private memory that can be written, and is no file's or the heap segment. */
bool glibc_is_anonymous(const struct map_line *l);

#endif
