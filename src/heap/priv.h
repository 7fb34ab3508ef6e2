/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files of this layer share. */
#ifndef MTRACE_SRC_HEAP_PRIV_H
#define MTRACE_SRC_HEAP_PRIV_H

#include "heap/heap.h"

struct heap {
	struct event_sink sink;
	struct ledger *ledger;
	struct u64map stacks, modules; /* id → struct … * */
	VEC(struct heap_probe *) probes; /* by id; with holes */
	size_t stack_memory;
};

/* session.c: what belongs to no process */
void session_add_module(struct heap *, const struct event *);
void session_add_probe(struct heap *, const struct event *);
void session_add_stack(struct heap *, const struct event *);
void session_mark_older(struct heap *, uint32_t stack);
void session_release(struct heap *);

<<<<<<< HEAD
/* proc.c: processes and their images */
void proc_begin(struct heap *, const struct event *);
void proc_finish(struct heap_proc *, const struct event *);
void heap_proc_free(struct heap_proc *);
/* What is open is forgotten and counts begin anew; errors stay. */
void proc_reset(struct heap_proc *);
/* The present image of a pid, NULL: unknown or ended. */
struct heap_proc *proc_live(struct heap *, pid_t pid);

/* count.c: blocks.  The counts of a stack; an id that nobody announced counts
 * as 0.  Valid until the next call. */
struct heap_count *count_of(struct heap *, struct heap_proc *, uint32_t stack);
void count_alloc(struct heap *, struct heap_proc *, const struct event *);
void count_release(struct heap *, struct heap_proc *, const struct event *);
void count_undo(struct heap *, struct heap_proc *, const struct event *);
void count_realloc(struct heap *, struct heap_proc *, const struct event *);
void count_failed(struct heap *, struct heap_proc *, const struct event *);

/* marks.c */
void marks_add(struct heap *, const struct event *);
void marks_count(struct heap_proc *, uint32_t stack, uint32_t mark, int blocks, uint64_t bytes);
void marks_release(struct heap_proc *);

/* leaks.c */
void leaks_begin(struct heap_proc *);
void leaks_add(struct heap *, struct heap_proc *, const struct event *);
void leaks_add_block(struct heap_proc *, const struct event *);
void leaks_add_why(struct heap_proc *, const struct event *);
void leaks_add_asked(struct heap_proc *, const struct event *);
void leaks_finish(struct heap_proc *, const struct event *);
void leaks_release(struct heap_scan *);
/* A new high-water mark? */
void note_peak(struct heap_totals *, uint64_t now);

/* census.c: blocks older than the attach; one released, and that undone */
void census_found(struct heap *, struct heap_proc *, const struct event *);
void census_released(struct heap_proc *, uint64_t size);
void census_undo(struct heap_proc *, uint64_t size);

/* errors.c */
void error_add(struct heap_proc *, const struct event *);
/* Counts n (−1: one of them did not happen) of a stack. */
void error_suspect(struct heap_suspects *, uint32_t stack, uint32_t allocator, int n);
/* Was this release told as an error just before? */
bool error_was_told(struct heap_proc *, const struct event *);
void errors_release(struct heap_proc *);

/* mapping.c */
void mapping_map(struct heap *, struct heap_proc *, const struct event *);
void mapping_unmap(struct heap *, struct heap_proc *, const struct event *);
void mapping_remap(struct heap *, struct heap_proc *, const struct event *);
void mapping_brk(struct heap *, struct heap_proc *, const struct event *);

=======
>>>>>>> hc
#endif
