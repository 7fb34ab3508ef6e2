/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdarg.h>
#include <stdio.h>

#include "base/msg.h"
#include "base/xalloc.h"

static void *checked(void *p, size_t n, size_t size)
{
	if (!p)
		die("out of memory (%zu × %zu bytes)", n, size);
	return p;
}

void *xmalloc(size_t size)
{
	return checked(malloc(size ? size : 1), 1, size);
}

void *xcalloc(size_t n, size_t size)
{
	return checked(calloc(n ? n : 1, size ? size : 1), n, size);
}

void *xrealloc(void *p, size_t n, size_t size)
{
	size_t all;

	if (__builtin_mul_overflow(n, size, &all))
		die("out of memory (%zu × %zu bytes)", n, size);
	return checked(realloc(p, all ? all : 1), n, size);
}

char *xstrdup(const char *s)
{
	return xstrndup(s, strlen(s));
}

char *xstrndup(const char *s, size_t n)
{
	return checked(strndup(s, n), n, 1);
}

void *xmemdup(const void *p, size_t n)
{
	void *copy = xmalloc(n);

	if (n)
		memcpy(copy, p, n);
	return copy;
}

char *xasprintf(const char *fmt, ...)
{
	va_list ap;
	char *s;

	va_start(ap, fmt);
	if (vasprintf(&s, fmt, ap) < 0)
		die("out of memory");
	va_end(ap);
	return s;
}
