/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a heap's memory once came to: the low-water mark of what is free.  A heap keeps no
 * history, so an accumulator is fed with events while they come.
 *
 * Regions are known from the beginning (those of a small target), or later (those of a
 * process, which grow).  So what is in use is also counted by windows of the address
 * space, of the size to which glibc aligns the heaps of its arenas: one window has one
 * arena at most, and its peak is the arena's. */
#ifndef MTRACE_REPORT_HEAPINFO_H
#define MTRACE_REPORT_HEAPINFO_H

#include "model/event.h"
#include "report/heapmap.h"

struct heapinfo;

/* `word`: bytes of a pointer, which the windows go by; `layout` of the blocks outside
 * regions that are known. */
struct heapinfo *heapinfo_new(unsigned word, const struct heapmap_layout *layout);
/* As it is now, with the peaks anew (fork). */
struct heapinfo *heapinfo_copy(const struct heapinfo *);
void heapinfo_free(struct heapinfo *);
/* Blocks in it are from now on counted by themselves. */
void heapinfo_add_region(struct heapinfo *, taddr_t start, uint64_t size,
			 const struct heapmap_layout *layout);
/* An event of the process; most are of no interest. */
void heapinfo_event(struct heapinfo *, const struct event *ev);
/* What is in use in a region was found to be so much: blocks may be older than the first
 * event. */
void heapinfo_seen(struct heapinfo *, const struct heapmap_region *r, uint64_t used);
/* The least that would ever have been free in a region of the size it has now.  *exact:
 * it may also have been more when false.  False: not known. */
bool heapinfo_low(const struct heapinfo *, const struct heapmap_region *r, uint64_t *low,
		  bool *exact);

/* For reports with --heapmap: where heaps are known.  `map` returns a new map, which the
 * asker frees, or NULL: it is not known what memory the heap has. */
struct report_heaps {
	struct heapmap *(*map)(void *arg, pid_t pid);
	const struct heapinfo *(*info)(void *arg, pid_t pid); /* or NULL */
	void *arg;
};

struct heap_proc;
/* Why blocks of a process may be missing in its map, where they look free; NULL. */
const char *report_heap_doubt(const struct heap_proc *p);
/* The figures of each region, one line each.  `info` may be NULL. */
void report_heapinfo(const struct heapmap *, const struct heapinfo *info,
		     const struct report_opts *, const struct report_page *, struct strbuf *out);

#endif
