/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Heap errors: calls that mishandle a block, found at their entry, while the
 * task is stopped.  What is looked up here costs the hot path nothing: a call
 * that is right asks for two table look-ups at most. */
#ifndef TRACE_ERRORS_H
#define TRACE_ERRORS_H

#include "trace/proc.h"

/* What is wrong with a call; how the rest of the program sees it is event.h's
 * EV_ERROR. */
struct fault {
	enum error_kind kind;
	taddr_t addr;
	uint64_t size, given;
	uint32_t stack, freed;
	uint64_t offset;    /* ERROR_OVERRUN, and what was found there */
	uint8_t data[32], ndata;
};

/* The release (or realloc) of an open block.  `given`: the size it was told, of
 * a sized release.  True: something is wrong. */
bool fault_in_release(const struct proc *p, const struct probe_site *site,
		      const struct open_block *b, uint64_t given, struct fault *out);
/* Is a mismatch only one of C++ operators of the program's own with their
 * bodies inlined into this caller? */
bool fault_is_inlined(struct proc *p, const struct fault *f, const struct probe_site *site,
		      taddr_t caller);
/* The release (or realloc) of an address that is no open block. */
bool fault_in_unknown(const struct proc *p, taddr_t addr, struct fault *out);
/* A request for memory. */
bool fault_in_request(const struct proc *p, const struct probe *probe, uint64_t size,
		      uint64_t align, struct fault *out);

/* Tells it; `at` is the stack of the call.  False: it is suppressed. */
bool fault_tell(struct task *t, const struct fault *f, uint32_t at);
/* Tells what was found without a call. */
void fault_tell_later(struct proc *p, const struct fault *f);
/* --stop-on-error: the task, which stands at the entry bp, stays there, until
 * faults_let_go() leaves its process to a debugger.  False: it goes on. */
bool fault_stops(struct task *t, const struct breakpoint *bp, const struct fault *f);
void faults_let_go(struct session *s);

#endif
