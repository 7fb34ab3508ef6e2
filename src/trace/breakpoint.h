/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Breakpoints of one address space, and the slots in which the instructions
 * under them are executed.  A breakpoint is not lifted to step over it. */
#ifndef TRACE_BREAKPOINT_H
#define TRACE_BREAKPOINT_H

#include "trace/proc.h"

struct breakpoint *bp_find(const struct proc *p, taddr_t addr);
/* Plants one at a code pointer (or adds a role to it).  NULL when the memory cannot
 * be written or holds no instruction, or one that works only where it is, or that
 * needs a slot and gets none where there is no single step.  `stopped` may be NULL:
 * then the slot is made at the first hit. */
struct breakpoint *bp_plant(struct proc *p, struct task *stopped, taddr_t code, uint8_t role);
/* Why a probe could not be planted at a code pointer, for a message. */
const char *bp_why_not(struct proc *p, taddr_t code);
/* Gives one up for good whose instruction turned out to need a single step where
 * there is none. */
void bp_abandon(struct proc *p, struct breakpoint *bp);
/* The code pointer to it. */
static inline taddr_t bp_code(const struct breakpoint *bp) { return bp->addr | bp->mode; }
/* Takes a role away; without roles the original bytes come back, and traps in
 * flight are remembered (moribund). */
void bp_drop_role(struct proc *p, struct breakpoint *bp, uint8_t role);
/* Lifts or plants a transient return site. */
void bp_lift(struct proc *p, struct breakpoint *bp);
void bp_replant(struct proc *p, struct breakpoint *bp);
/* Was there a breakpoint once, so that a trap here may be an old one? */
bool bp_was(const struct proc *p, taddr_t addr);
/* Where a task that hit bp goes on; makes the slot when there is none yet.
 * 0: it must be emulated or single-stepped.  A code pointer. */
taddr_t bp_resume(struct proc *p, struct task *stopped, struct breakpoint *bp);
/* Executes the instruction under bp, at which *regs stands, on *regs and the
 * memory of t.  0, or -errno: nothing has changed. */
int bp_emulate(struct task *t, struct breakpoint *bp, struct regs *regs);
/* Follows the jump at the code pointer *at; a no-operation counts as one.  NOT_A_JUMP: it is none,
 * or its target cannot be read. */
enum jump_kind bp_hop(struct proc *p, taddr_t *at);
/* Is the instruction only a jump to another probe (over PLT stubs)?  Then that
 * one; looked for again each time until it is found. */
void bp_follow_chain(struct proc *p, struct breakpoint *bp);

/* Original bytes instead of ours in a piece of memory that was read. */
void bp_splice(const struct proc *p, taddr_t addr, uint8_t *buf, size_t len);
/* All out of the tracee's memory; the table stays (moribund ones too). */
void bp_remove_all(struct proc *p);
/* In again, where the memory is as it was. */
void bp_plant_again(struct proc *p);
/* Out of a forked copy of the memory, padding slots included. */
void bp_clean_copy(const struct proc *p, const struct memory *copy);
/* Is any of them in what may be a copy? */
bool bp_is_in_copy(const struct proc *p, const struct memory *copy);
/* The same breakpoints in a forked child that is followed: planted there
 * already by the copy; scratch pages are not. */
void bp_copy_table(const struct proc *from, struct proc *to);
/* Those inside a module that was unmapped. */
void bp_forget_module(struct proc *p, struct module *m);
void bp_forget_all(struct proc *p);

/* The slot that holds pc, with the offset into it. */
struct breakpoint *bp_slot_at(const struct proc *p, taddr_t pc, uint64_t *offset);
/* Is there the breakpoint instruction that ends a slot (displaced.trap_at)? */
bool bp_ends_slot(const struct proc *p, taddr_t pc);

/* Takes the newest call off the task's list. */
void call_drop(struct task *t);

#endif
