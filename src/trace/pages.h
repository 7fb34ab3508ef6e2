/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which pages of a tracee have content: only these are read by a scan, since
 * reading an untouched page of shared or file memory would allocate it in the
 * tracee.  From /proc/TID/pagemap, by PAGEMAP_SCAN where the kernel has it
 * (Linux 6.7; Documentation/admin-guide/mm/pagemap.rst). */
#ifndef TRACE_PAGES_H
#define TRACE_PAGES_H

#include "base/types.h"

struct pages {
	int fd;
	bool no_scan;  /* the kernel has no PAGEMAP_SCAN */
	uint64_t page; /* bytes */
};

/* 0 or -errno. */
int pages_open(struct pages *pg, pid_t tid);
void pages_close(struct pages *pg);
/* Calls fn for each run of pages in [start, end) that are present or swapped
 * out, in ascending order; `own`: only of those that are the process's own, not
 * a file's.  0 or -errno. */
int pages_each(struct pages *pg, taddr_t start, taddr_t end, bool own,
	       void (*fn)(void *arg, taddr_t start, taddr_t end), void *arg);

#endif
