/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Backtraces of a stopped task from call-frame information.
 *
 * For each code address the reduced row (CFA = register + offset, where the
 * return address and the saved registers are) is kept in a table that is
 * filled from libdw on first sight.  A warm unwind is one read of the stack
 * and one look-up a frame.  Rows that do not reduce are evaluated in full by
 * one evaluator for all ABIs.  Reference: DWARF 5, section 6.4; the psABI of
 * each machine for register numbers. */
#ifndef MTRACE_TRACE_UNWIND_H
#define MTRACE_TRACE_UNWIND_H

#include "arch/abi.h"
#include "elf/modules.h"
#include "model/event.h"
#include "model/request.h"
#include "model/rows.h"

#define UNWIND_MAX_DEPTH 1024

struct unwinder; /* one per address space */

/* A copy of the top of a stack, read in one go. */
struct stack_copy {
	taddr_t addr;   /* of bytes[0] */
	size_t len;     /* valid bytes */
	size_t cap;
	uint8_t *bytes;
};

/* Where a backtrace broke off in code of which nothing is known: what another
 * unwinder needs to go on. */
struct unwind_rest {
	bool there;
	uint8_t exact;
	const struct abi *abi;
	taddr_t code, sp; /* code pointer */
	uint64_t known;   /* bit n: reg[n] is the value of DWARF register n */
	uint64_t reg[ABI_MAX_DWARF];
	size_t len;       /* bytes of the stack, from sp on */
	uint8_t bytes[REST_BYTES];
};

struct backtrace {
	uint32_t n;
	uint8_t end;              /* enum stack_end */
	taddr_t broke_at;         /* STACK_BROKEN: the pc nothing is known of */
	taddr_t pc[UNWIND_MAX_DEPTH];
	taddr_t cfa[UNWIND_MAX_DEPTH]; /* sp right after the return into frame i;
					  strictly: the value of sp in frame i at pc[i] */
	uint32_t module[UNWIND_MAX_DEPTH]; /* id, 0: none */
	uint8_t exact[UNWIND_MAX_DEPTH];   /* 1: no return address */
	uint8_t origin[UNWIND_MAX_DEPTH];  /* enum frame_origin */
	struct unwind_rest rest;
};

/* `mem` reads the tracee with breakpoints spliced out.  `refresh` is asked
 * once when a pc is in no module (a library mapped behind our back): it brings
 * `modules` up to date and returns true when something changed.  May be NULL. */
struct unwinder *unwinder_new(const struct abi *abi, struct modules *modules,
			      const struct mem_reader *mem,
			      bool (*refresh)(void *arg), void *arg);
void unwinder_free(struct unwinder *);
/* The bits of a code address (host.h); the others of saved return addresses are
 * their signature, and are left out. */
void unwinder_set_code_mask(struct unwinder *, uint64_t mask);
/* Rows for [start, end) are forgotten (a module went). */
void unwinder_forget(struct unwinder *, taddr_t start, taddr_t end);

/* At a function's first instruction: frame 0 of the result is the caller (its
 * return address), as reports want it.  `stack` is a copy from regs' sp on,
 * made by the caller; when it is too short, more is read through `mem` (so the
 * task must still be stopped).  Never fails: at worst one frame, broken. */
void unwind_entry(struct unwinder *, const struct regs *regs, const struct stack_copy *stack,
		  unsigned depth, struct backtrace *out);
/* At any instruction: frame 0 is regs' own pc (exact). */
void unwind_any(struct unwinder *, const struct regs *regs, const struct stack_copy *stack,
		unsigned depth, struct backtrace *out);

/* From where another one broke off: frame 0 is its last one. */
void unwind_rest(struct unwinder *, const struct unwind_rest *, unsigned depth,
		 struct backtrace *out);
/* Fill in `rest` of those that break; without it only while a client's rows are to come. */
void unwinder_keep_rest(struct unwinder *, bool on);

/* -- rows that a client gives ----------------------------------------------- */

struct given_rows; /* of all modules of a session */

struct given_rows *given_rows_new(void);
void given_rows_free(struct given_rows *);
/* Are they wanted of a file that was mapped: it has a build id, most of its code is in
 * no table, and it was not asked for before?  Then they are from now on: bytes of its
 * code; else 0. */
uint64_t given_rows_want(struct given_rows *, const struct abi *abi, struct elf_file *f);
/* Is an answer to come? */
bool given_rows_awaited(const struct given_rows *);
/* Is one more of the stacks that break to be kept for clients, which have the rows that
 * are still to come here?  So many for each module that is asked for. */
bool given_rows_rest(struct given_rows *);
/* Takes a part; `what`: enum request_rows.  1: that was the last one, the rows are used
 * from now on; 0: fine; -EALREADY: it is not wanted; -EBADMSG: *why, and no more are
 * taken of this module. */
int given_rows_take(struct given_rows *, const struct rows_part *p, uint64_t what, const char **why);
/* Bytes that are there of a module. */
uint64_t given_rows_bytes(const struct given_rows *, const uint8_t *id, size_t len);
/* Where no call-frame information is found, they are asked.  NULL: none. */
void unwinder_use_given(struct unwinder *, struct given_rows *);

/* The other end (with the client only): the rows of a file, in blocks in the order of
 * addresses; `block` returns false when it wants no more. */
void unwind_tell_rows(struct elf_file *f, bool (*block)(void *arg, const void *bytes, size_t n),
		      void *arg);

/* Counters, for -v and the benchmarks. */
struct unwind_stats {
	uint64_t backtraces, frames, row_misses, evaluated, refills;
};
const struct unwind_stats *unwinder_stats(const struct unwinder *);

#endif
