/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Allocation that dies when memory is short.  Sizes that come from outside
 * (files, the wire, a tracee) are checked against a limit before they get
 * here.  Everything returned is released with free(). */
#ifndef MTRACE_BASE_XALLOC_H
#define MTRACE_BASE_XALLOC_H

#include <stdlib.h>
#include <string.h>
#include "base/types.h"

void *xmalloc(size_t size) __attribute__((malloc, returns_nonnull));
void *xcalloc(size_t n, size_t size) __attribute__((malloc, returns_nonnull));
/* reallocarray(3) with the check for overflow.  Its symbol has another name:
 * libiberty's demangler calls an xrealloc(p, size) of its own. */
void *xrealloc(void *p, size_t n, size_t size)
	__asm__("mtrace_xrealloc") __attribute__((warn_unused_result));
char *xstrdup(const char *s) __attribute__((malloc, returns_nonnull));
char *xstrndup(const char *s, size_t n) __attribute__((malloc, returns_nonnull));
void *xmemdup(const void *p, size_t n) __attribute__((malloc, returns_nonnull));
char *xasprintf(const char *fmt, ...) PRINTF_LIKE(1, 2) __attribute__((malloc, returns_nonnull));

#endif
