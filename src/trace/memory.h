/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A tracee's memory.  Reads show the program as it is without us: breakpoint
 * bytes are spliced out by the reader of proc.h; the calls here are raw. */
#ifndef TRACE_MEMORY_H
#define TRACE_MEMORY_H

#include "base/types.h"

struct memory {
	pid_t pid;
	pid_t thread; /* one that has the memory still, as the first may end before the others */
	int fd; /* /proc/PID/mem, bound to this address space; −1: could not be opened */
};

/* After an exec the old descriptor shows the old address space: open anew. */
void memory_open(struct memory *m, pid_t pid);
void memory_close(struct memory *m);
/* Bytes read, which may be fewer than asked, or -errno.  process_vm_readv,
 * then /proc/PID/mem. */
ssize_t memory_read(const struct memory *m, taddr_t addr, void *buf, size_t len);
/* 0 or -errno.  Works on read-only text: /proc/PID/mem, then POKETEXT on
 * `tid`, which must then be a stopped task of the process (0: none is). */
int memory_write(const struct memory *m, pid_t tid, taddr_t addr, const void *buf, size_t len);
/* Writes what the tracee itself may write; heeds the protection of pages.  0 or
 * -errno. */
int memory_poke(struct memory *m, taddr_t addr, const void *buf, size_t len);
/* Sets `len` bytes of what the tracee itself may write.  0, or -errno, part of it
 * done. */
int memory_fill(struct memory *m, taddr_t addr, uint8_t byte, uint64_t len);

#endif
