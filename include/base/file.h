/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Files that are written to the end. */
#ifndef MTRACE_BASE_FILE_H
#define MTRACE_BASE_FILE_H

#include "base/types.h"

/* Writes all of it, in one write(2) where the kernel takes it.  0 or -errno. */
int write_all(int fd, const void *p, size_t n);
/* The same, and waits where the descriptor does not block (the traced program may
 * have made our terminal so). */
int write_patiently(int fd, const void *p, size_t n);
/* `name` with %p replaced by the pid and %% by %.  The caller frees. */
char *name_with_pid(const char *name, pid_t pid);

#endif
