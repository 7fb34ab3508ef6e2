/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Memory in the tracee that holds slots: pages that are injected (r-x, not
 * inherited over fork, never where brk or a stack grows, never unmapped), or,
 * where nothing may be injected, the zero padding behind a module's text. */
#ifndef TRACE_SCRATCH_H
#define TRACE_SCRATCH_H

#include "trace/proc.h"

/* A free slot within the ABI's reach of bp->addr, owned by bp; 0: none. */
taddr_t scratch_take(struct proc *p, struct task *stopped, struct breakpoint *bp);
void scratch_give_back(struct proc *p, taddr_t slot);
int scratch_write(struct proc *p, struct task *stopped, taddr_t slot, const void *code, size_t len);
struct breakpoint *scratch_owner(const struct proc *p, taddr_t pc, uint64_t *offset);
/* Is that memory the process's own (1), or a copy of it (0)?  -1: it cannot be told,
 * as while the process has no scratch memory yet. */
int scratch_is_in(const struct proc *p, const struct memory *mem);
void scratch_clean_copy(const struct proc *p, const struct memory *copy);
void scratch_copy_table(const struct proc *from, struct proc *to);
/* Maps a followed child's pages where its parent has them.  0 or -errno: some
 * breakpoints will be single-stepped. */
int scratch_restore(struct proc *p, struct task *stopped);
/* Padding that was written is made zero again (detach). */
void scratch_clean(struct proc *p);
void scratch_disown(struct proc *p, const struct breakpoint *bp);
void scratch_forget_module(struct proc *p, const struct module *m);
void scratch_forget_all(struct proc *p);

#endif
