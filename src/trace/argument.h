/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Arguments of a call, changed while the task stands at the function's entry. */
#ifndef TRACE_ARGUMENT_H
#define TRACE_ARGUMENT_H

#include "trace/proc.h"

/* Where argument n, counted from 1, lies for a call entered with this stack
 * pointer; 0: in a register. */
taddr_t argument_place(const struct abi *abi, taddr_t sp, unsigned n);
/* 0 or -errno. */
int argument_set(struct task *t, unsigned n, uint64_t value);
/* After the return, when it is still `set`: gives a stack argument its value
 * back, although it is the callee's by the ABIs. */
void argument_put_back(struct task *t, taddr_t sp, unsigned n, uint64_t set, uint64_t value);

#endif
