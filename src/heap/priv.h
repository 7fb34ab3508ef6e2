/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files of this layer share. */
#ifndef MTRACE_SRC_HEAP_PRIV_H
#define MTRACE_SRC_HEAP_PRIV_H

#include "heap/heap.h"

struct heap {
	struct event_sink sink;
	struct ledger *ledger;
	struct u64map stacks, modules; /* id → struct … * */
	struct u64map places;  /* session_place_key() → struct heap_place * */
	VEC(struct heap_probe *) probes; /* by id; with holes */
	size_t stack_memory;
};

/* session.c: what belongs to no process */
void session_add_module(struct heap *, const struct event *);
void session_add_probe(struct heap *, const struct event *);
void session_add_place(struct heap *, const struct event *);
uint64_t session_place_key(uint32_t module, taddr_t vaddr);
void session_add_stack(struct heap *, const struct event *);
void session_mark_older(struct heap *, uint32_t stack);
void session_release(struct heap *);

#endif
