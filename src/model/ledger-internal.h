/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files of the ledger share. */
#ifndef MTRACE_MODEL_LEDGER_INTERNAL_H
#define MTRACE_MODEL_LEDGER_INTERNAL_H

#include "model/ledger.h"

struct ledger {
	VEC(struct heap_proc *) procs;
	struct u64map by_pid;     /* pid → present or last image */
	struct heap_proc *last;   /* whose event came last */
	size_t images;            /* that began */
	struct u64map stacks;     /* id → probe | (index in `older` + 1) << 16 */
	VEC(struct ledger_older) older;
	VEC(uint8_t) ops;         /* by probe; NO_OP: unknown */
	VEC(struct heap_note) notes;
	VEC(uint64_t) marks;      /* when they were set */
};

enum { NO_OP = UINT8_MAX };

/* ledger.c: stacks, notes */
bool ledger_knows(const struct ledger *, uint32_t stack);
/* All blocks of the stack are older than the attach. */
void ledger_set_older(struct ledger *, uint32_t stack, taddr_t word, uint32_t module);

/* ledger-proc.c: processes and their images */
void proc_begin(struct ledger *, const struct event *);
void proc_finish(struct heap_proc *, const struct event *);
/* What is open is forgotten and counts begin anew; errors stay. */
void proc_reset(struct heap_proc *);
void proc_target(struct heap_proc *, const struct event *);
void heap_proc_free(struct heap_proc *);
/* The present image of a pid, NULL: unknown or ended. */
struct heap_proc *proc_live(struct ledger *, pid_t pid);

/* ledger-count.c: blocks.  The counts of a stack; an id that nobody announced counts
 * as 0.  Valid until the next call. */
struct heap_count *count_of(struct ledger *, struct heap_proc *, uint32_t stack);
void count_alloc(struct ledger *, struct heap_proc *, const struct event *);
void count_release(struct ledger *, struct heap_proc *, const struct event *);
void count_undo(struct ledger *, struct heap_proc *, const struct event *);
void count_realloc(struct ledger *, struct heap_proc *, const struct event *);
void count_failed(struct ledger *, struct heap_proc *, const struct event *);

/* ledger-refused.c */
void refused_note(struct ledger *, struct heap_proc *, const struct event *failed);
void refused_why(struct heap_proc *, const struct event *);
/* As figures, REFUSED_FIGURES at most; how many. */
enum { REFUSED_FIGURES = 12 + 3 * HEAP_OWNERS };
uint32_t refused_read(const struct heap_refused *, uint64_t *v);
void refused_restore(struct ledger *, struct heap_proc *, const struct event *);

/* ledger-marks.c */
void marks_add(struct ledger *, const struct event *);
void marks_count(struct heap_proc *, uint32_t stack, uint32_t mark, int64_t blocks,
		 uint64_t bytes);
void marks_release(struct heap_proc *);

/* ledger-scan.c */
void leaks_begin(struct heap_proc *);
void leaks_add(const struct ledger *, struct heap_proc *, const struct event *);
void leaks_add_block(struct heap_proc *, const struct event *);
void leaks_add_why(struct heap_proc *, const struct event *);
void leaks_add_asked(struct heap_proc *, const struct event *);
void leaks_finish(struct heap_proc *, const struct event *);
void leaks_release(struct heap_scan *);
/* A new high-water mark? */
void note_peak(struct heap_totals *, uint64_t now);

/* ledger-census.c: blocks older than the attach; one released, and that undone */
void census_found(struct ledger *, struct heap_proc *, const struct event *);
void census_released(struct heap_proc *, uint64_t size);
void census_undo(struct heap_proc *, uint64_t size);

/* ledger-errors.c */
void error_add(struct heap_proc *, const struct event *);
/* Counts n (−1: one of them did not happen) of a stack. */
void error_suspect(struct heap_suspects *, uint32_t stack, uint32_t allocator, int n);
/* Those of the state: nothing else is counted, and the second only once. */
void error_restore(struct heap_proc *, const struct event *);
void suspect_restore(struct heap_suspects *, const struct heap_suspect *);
/* Was this release told as an error just before? */
bool error_was_told(struct heap_proc *, const struct event *);
void errors_release(struct heap_proc *);

/* ledger-mapping.c */
void mapping_map(struct ledger *, struct heap_proc *, const struct event *);
void mapping_unmap(struct ledger *, struct heap_proc *, const struct event *);
void mapping_remap(struct ledger *, struct heap_proc *, const struct event *);
void mapping_brk(struct ledger *, struct heap_proc *, const struct event *);

/* ledger-state.c: EV_STATE_…; the process is NULL where it is of none */
void state_take(struct ledger *, struct heap_proc *, const struct event *);

#endif
