/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The host side's bookkeeping: takes events (model/event.h), keeps the books
 * (model/ledger.h) and the names of what they count, and lets reports read them.
 * It needs no process and no file; events may come from the target side of this
 * process, from a socket or from a log, and unknown ids in them are tolerated. */
#ifndef MTRACE_HEAP_HEAP_H
#define MTRACE_HEAP_HEAP_H

#include "model/ledger.h"

#define HEAP_MAX_FRAMES 4096  /* longer stacks are cut */
#define HEAP_BUILD_ID_MAX 64

/* -- per session ---------------------------------------------------------- */

struct heap_module {
	uint32_t id;
	taddr_t start, end, bias;
	char *path;          /* "" when nobody said */
	uint8_t build_id[HEAP_BUILD_ID_MAX];
	uint8_t build_id_len;
	uint64_t dev, ino;
};

struct heap_probe {
	enum alloc_op op;
	enum family family;
	char *name;
	char *symbol;          /* as the linker sees it: "_Znam" */
	bool size_first;       /* fread's order, not calloc's */
};

struct heap_stack {
	uint32_t id;
	uint32_t n;            /* frames, innermost first */
	uint16_t probe;
	uint8_t end;           /* enum stack_end */
	bool any_exact;
	const taddr_t *pc;
	const uint32_t *module;
	const uint8_t *exact;  /* NULL unless any_exact */
	const uint8_t *origin; /* enum frame_origin of each frame; NULL: not told */
	bool older;            /* stands for blocks older than the attach … */
	taddr_t word;          /* … all of which begin with this word, which */
	uint32_t word_module;  /* points into this module; 0: they differ */
};

/* What a log said in words of where a call came from. */
struct heap_place {
	uint32_t module;
	taddr_t vaddr;
	uint32_t line;         /* 0: unknown */
	char *file, *function, *variable; /* NULL: unknown */
};

struct heap;

struct heap *heap_new(void);
void heap_free(struct heap *);
/* Forgets everything: what is told next begins anew. */
void heap_reset(struct heap *);
/* The sink that feeds it; owned by the heap, its free does nothing. */
struct event_sink *heap_sink(struct heap *);

/* Images in the order in which they began; the launched process's first.
 * Earlier images of a process (end_how END_EXECED) are among them. */
size_t heap_nprocs(const struct heap *);
const struct heap_proc *heap_proc_at(const struct heap *, size_t i);
/* The present (or last) image of a pid; NULL: none. */
const struct heap_proc *heap_proc_find(const struct heap *, pid_t pid);
/* NULL: unknown id. */
const struct heap_module *heap_module(const struct heap *, uint32_t id);
const struct heap_probe *heap_probe(const struct heap *, uint16_t id);
const struct heap_stack *heap_stack(const struct heap *, uint32_t id);
/* NULL: nobody told it in words. */
const struct heap_place *heap_place(const struct heap *, uint32_t module, taddr_t vaddr);
size_t heap_nstacks(const struct heap *);
size_t heap_nnotes(const struct heap *);
const struct heap_note *heap_note_at(const struct heap *, size_t i);
/* How many marks were set, and when number `nr` was, from 1. */
uint32_t heap_nmarks(const struct heap *);
uint64_t heap_mark_ns(const struct heap *, uint32_t nr);
/* Of the blocks a process inherited by fork, those still open (what its
 * counts do not cover). */
void heap_inherited_open(const struct heap *, const struct heap_proc *p, uint64_t *blocks,
			 uint64_t *bytes);
/* Bytes of memory in use, for bench and tests. */
size_t heap_memory(const struct heap *);

#endif
