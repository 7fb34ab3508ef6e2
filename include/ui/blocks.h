/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The open blocks of each process one by one, which the heap only counts: a sink in
 * front of it.  From a whole log it knows them all; behind a client it knows those
 * that were allocated since, and the others after REQUEST_BLOCKS. */
#ifndef MTRACE_UI_BLOCKS_H
#define MTRACE_UI_BLOCKS_H

#include "base/hash.h"
#include "heap/heap.h"
#include "report/report.h"

struct blocks;

struct known_block {
	taddr_t addr;
	uint64_t size, born_ns; /* born_ns 0: unknown */
	uint32_t stack, mark;
};

/* Hands every event on to `next`. */
struct blocks *blocks_new(struct event_sink *next);
void blocks_free(struct blocks *);
/* Its free does nothing. */
struct event_sink *blocks_sink(struct blocks *);

/* Forgets all of it: the events begin anew. */
void blocks_forget(struct blocks *);

/* Around REQUEST_BLOCKS: what is not told again in between, and is not newer, is
 * forgotten.  pid 0: of all. */
void blocks_begin(struct blocks *, pid_t pid);
void blocks_end(struct blocks *, pid_t pid);

/* Those of a process, by address; the caller frees *out.  How many. */
size_t blocks_of(const struct blocks *, pid_t pid, struct known_block **out);
/* The one that covers an address. */
bool blocks_find(const struct blocks *, pid_t pid, taddr_t addr, struct known_block *out);

/* As reports take one: how old it is now its process tells. */
struct report_block blocks_report(const struct heap *heap, pid_t pid, const struct known_block *b);
/* What report_opts.blocks calls; `arg` is a struct blocks_source. */
struct blocks_source {
	const struct heap *heap;
	const struct blocks *blocks;
};
size_t blocks_for_report(void *arg, pid_t pid, struct report_block **out);

#endif
