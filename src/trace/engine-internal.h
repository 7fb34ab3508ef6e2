/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the engine's files share. */
#ifndef TRACE_ENGINE_INTERNAL_H
#define TRACE_ENGINE_INTERNAL_H

#include "trace/breakpoint.h"
#include "trace/engine.h"
#include "trace/errors.h"

/* Pending calls of one task; older ones were left by longjmp. */
#define CALLS_MAX 64

/* What is known of the task that stands at a breakpoint.  One is looked at at a
 * time, so one of each is enough. */
extern struct look {
	struct stack_copy stack;
	struct backtrace bt; /* the last look_unwind's */
} look;

/* -- engine.c -- */
/* Reads so many bytes at the stack pointer; what follows needs them. */
void look_stack(struct task *t, size_t want);
taddr_t look_return_address(const struct task *t);
/* The same as a code pointer. */
taddr_t look_return_code(const struct task *t);
/* Argument n, counted from 1; 0 when there is none. */
uint64_t look_argument(const struct task *t, unsigned n);
/* The same of a pointer, without its tag. */
taddr_t look_pointer(const struct task *t, unsigned n);
/* The first CALL_ARGS of them, those that are pointers without their tags. */
void look_arguments(const struct task *t, const struct probe *pr, uint64_t arg[CALL_ARGS]);
uint64_t look_size(const struct task *t, const struct probe *pr);
bool args_on_stack(const struct abi *abi, const struct probe *pr);
void look_unwind(struct task *t, unsigned depth);

/* This was entered last. */
void entry_remember(struct task *t, int what, const struct breakpoint *bp, uint64_t ptr);
/* Is the call that begins now made inside a function that we observe as part
 * of an allocator?  A caller `within` the same file must be one itself: calls of
 * libc to itself, when a thread ends, are not. */
bool entry_in_allocator(struct task *t, const struct module *within);
/* The stack, for what needs the evidence while the task is stopped. */
uint32_t entry_stack(struct task *t, const struct breakpoint *bp);
/* Tells it, once, even if a signal takes the call back and it comes again.
 * True: the task stays where it is. */
bool entry_tell_fault(struct task *t, const struct breakpoint *bp, const struct fault *f,
		      uint32_t at);

/* -- engine-nest.c -- */
/* Is the call that begins now inside one that we already observe?  The frames
 * decide, not the stack pointer: a handler's alternate stack or a coroutine's
 * may lie above as well as below. */
bool calls_nested(struct task *t, const struct probe *pr, taddr_t sp, taddr_t ra);
/* Of the innermost call, which must be there: is it an operator new of the program's
 * own, or another function of its, which may do more than allocate?  In it, is memory
 * asked for by `ra` for what the C library does (stdio's buffer, strdup's copy)?
 * Then it is not what the function will return. */
bool calls_in_own_function(const struct task *t);
bool calls_for_library(const struct task *t, taddr_t ra);
bool site_is_new(const struct probe_site *site);
void calls_forget_oldest(struct task *t);
/* The breakpoint where a call returns to; NULL: there can be none. */
struct breakpoint *calls_plant_return(struct task *t, taddr_t ra);

/* -- engine-call.c, engine-release.c, engine-return.c: they resume the task, then
 * do the accounting -- */
void enter_call(struct task *t, struct breakpoint *bp);
void enter_release(struct task *t, struct breakpoint *bp);
/* malloc_usable_size and the like: how large is a block?  As large as it was asked
 * to be. */
void enter_usable(struct task *t, struct breakpoint *bp);
void enter_unmap(struct task *t, struct breakpoint *bp);
void on_return(struct task *t, struct breakpoint *bp);

static inline bool module_covers(const struct module *m, taddr_t pc)
{
	return pc >= m->start && pc < m->end;
}

#endif
