/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From a line of C or C++ to the variable that the result of a call there goes to. */
#ifndef MTRACE_SRC_REPORT_SOURCE_VARIABLE_H
#define MTRACE_SRC_REPORT_SOURCE_VARIABLE_H

#include "base/types.h"

/* `line[n-1]` is the line of the call, the others are those before it; `callee` is the
 * function that is called ("malloc", "strdup", "operator new[]").  `itself`: the
 * allocator is called from there, be it by way of a macro that has another name.
 *
 *	char *buffer = malloc(256);	buffer		tab[i] = new int[3];	tab[i]
 *	p->name = strdup(x);		p->name		posix_memalign(&q, …);	q
 *
 * The caller frees.  NULL: to none, or it cannot be told (two calls in one line). */
char *source_variable(const char *const *line, size_t n, const char *callee, bool itself);

#endif
