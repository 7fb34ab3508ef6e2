/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The program image of an address space: its ABI, its modules, and the probes
 * found in them. */
#ifndef TRACE_IMAGE_H
#define TRACE_IMAGE_H

#include "trace/proc.h"

/* Tells of the process (ppid: 0 unknown) and sets it up for the image it runs.  `fresh`: at its first instruction
 * (exec), where the libraries are still to come; else (attach) all is there.
 * 0, or -errno after a message; the process is then left alone. */
int image_begin(struct proc *p, struct task *stopped, bool fresh, pid_t ppid);
/* Releases all that belongs to the image; the proc itself stays. */
void image_end(struct proc *p);
/* The maps changed (run-time linker, unknown pc): modules, probes, wrappers. */
void image_sync(struct proc *p, struct task *stopped);
/* A followed fork: the child's proc becomes a copy of the parent's image. */
void image_copy(struct proc *child, struct proc *parent);
/* Is pc, a return address, inside an observed function that manages blocks? */
bool image_in_allocator(const struct proc *p, taddr_t pc);
/* Is pc in a library that is an allocator, neither the C library nor the
 * program itself? */
bool image_allocator_library(struct proc *p, taddr_t pc);
/* Is the module an allocator other than the C library's? */
bool image_own_allocator(const struct module *m);
bool image_c_library(const struct module *m);
/* Does the module define malloc or free? */
bool image_has_malloc(const struct module *m);
/* Is pc in a module that defines C++ operators of its own, which the compiler may
 * have put into their callers? */
bool image_own_operators(struct proc *p, taddr_t pc);
/* The resolver of an indirect function begins (ret: its return address), and
 * has returned to bp. */
void image_resolver_called(struct task *t, const struct probe_site *site, taddr_t ret);
void image_resolver_returned(struct task *t, struct breakpoint *bp);
/* Is pc in the function that gets memory for an exception? */
bool image_throws(const struct proc *p, taddr_t pc);
/* The wrapper (operator new) whose body holds pc, or NULL. */
const struct range_probe *image_wrapper(const struct proc *p, taddr_t pc);
/* The code pointer to an address of which nothing else is known: as the symbol of
 * its function has it, else as the program's entry. */
taddr_t image_code(struct proc *p, taddr_t addr);

#endif
