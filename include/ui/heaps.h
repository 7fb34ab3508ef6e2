/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What memory the heap of each process has, as EV_HEAP tells: a sink in front of that of
 * the open blocks, which together make heap maps. */
#ifndef MTRACE_UI_HEAPS_H
#define MTRACE_UI_HEAPS_H

#include "report/heapinfo.h"
#include "ui/blocks.h"

struct heaps;

/* Hands every event on to `next`; `blocks` is behind it, or is `next`. */
struct heaps *heaps_new(struct event_sink *next, const struct blocks *blocks);
void heaps_free(struct heaps *);
/* Its free does nothing. */
struct event_sink *heaps_sink(struct heaps *);
/* The memory of every heap is this, whatever is told; it stays the caller's.  Before the
 * first event. */
void heaps_give(struct heaps *, const struct heapmap_region *regions, size_t n);
/* Forgets all of it: the events begin anew. */
void heaps_forget(struct heaps *);

/* A new map, which the caller frees before the next event comes; NULL: nothing was told
 * of this process's memory. */
struct heapmap *heaps_map(struct heaps *, pid_t pid);
const struct heapinfo *heaps_info(const struct heaps *, pid_t pid);
/* A request was refused just now, in a heap that cannot grow: its map, and the sentence
 * that says why, "1,204 bytes free in 17 pieces, …".  Appended to *out; false: it is no such
 * heap. */
bool heaps_failure(struct heaps *, pid_t pid, const struct report_opts *,
		   const struct report_page *, struct strbuf *out);
/* Why its last refused request could not succeed, as report_opts.refusal.  `heaps` is a
 * struct heaps. */
const struct report_refusal *heaps_refusal(void *heaps, pid_t pid);
/* For report_opts. */
struct report_heaps heaps_report(struct heaps *);

#endif
