/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Much of a tracee's memory, read ahead by a thread of its own: so that a read
 * that the kernel does not end (a userfaultfd range whose handler is stopped, a
 * network file system) costs its time limit and no more, and so that on two
 * CPUs reading and looking go on at the same time. */
#ifndef TRACE_REMOTE_H
#define TRACE_REMOTE_H

#include "base/types.h"

#define REMOTE_BYTES ((size_t)1 << 20) /* at most in one batch */
#define REMOTE_PIECES 128

/* Pieces of memory that are read together. */
struct remote_batch {
	struct remote_piece {
		taddr_t addr;
		size_t len;
		ssize_t got;          /* bytes, from the start, or -errno */
		const uint8_t *bytes;
	} piece[REMOTE_PIECES];
	unsigned n;
	size_t total;                 /* of len */
};

/* One piece more; false: it does not fit any more. */
bool remote_batch_add(struct remote_batch *b, taddr_t addr, size_t len);

struct remote;

/* `fd`: /proc/PID/mem, used where process_vm_readv on tid does not work; it is
 * duplicated.  NULL: no thread could be made. */
struct remote *remote_new(pid_t tid, int fd, unsigned limit_ms);
/* A read that hangs is left to itself: its thread ends with the process. */
void remote_free(struct remote *r);
/* Asks for a batch, which is copied; two at most are under way, one of them the
 * one that remote_get has returned last. */
void remote_ask(struct remote *r, const struct remote_batch *b);
/* The oldest batch that was asked for, read; valid until remote_ask.
 * -ETIMEDOUT: *out has what was asked for, and no bytes; or another -errno and
 * no *out. */
int remote_get(struct remote *r, const struct remote_batch **out);

#endif
