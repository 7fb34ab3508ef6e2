/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A string that grows.  Always terminated once something was added. */
#ifndef MTRACE_BASE_STRBUF_H
#define MTRACE_BASE_STRBUF_H

#include <stdarg.h>
#include "base/types.h"

struct strbuf {
	char *s;     /* NULL while nothing was added */
	size_t n;    /* bytes, the terminating NUL not counted */
	size_t cap;
};

#define STRBUF_INIT { NULL, 0, 0 }

void strbuf_add(struct strbuf *sb, const void *p, size_t n);
void strbuf_adds(struct strbuf *sb, const char *s);
void strbuf_addc(struct strbuf *sb, char c);
void strbuf_addf(struct strbuf *sb, const char *fmt, ...) PRINTF_LIKE(2, 3);
void strbuf_vaddf(struct strbuf *sb, const char *fmt, va_list ap);
/* 12,345,678 */
void strbuf_add_grouped(struct strbuf *sb, uint64_t v);
void strbuf_reset(struct strbuf *sb);
void strbuf_release(struct strbuf *sb);
/* The string, never NULL; the caller owns it, the buffer is empty again. */
char *strbuf_detach(struct strbuf *sb);

/* Is there a control character at s, which has n bytes: C0, DEL, or C1 as UTF-8
 * writes it?  How many bytes it takes, 0: no. */
size_t control_at(const char *s, size_t n);
/* Makes '?' of each: names of files and programs come from outside, and may
 * hold what a terminal obeys. */
void defuse_controls(char *s, size_t n);

/* What follows the last slash of a path; all of it where there is none. */
const char *last_part(const char *path);

#endif
