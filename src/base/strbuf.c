/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "base/strbuf.h"
#include "base/xalloc.h"

static void make_room(struct strbuf *sb, size_t n)
{
	if (sb->n + n + 1 > sb->cap) {
		sb->cap = MAX(sb->cap * 2, sb->n + n + 1);
		sb->cap = MAX(sb->cap, (size_t)64);
		sb->s = xrealloc(sb->s, sb->cap, 1);
	}
}

void strbuf_add(struct strbuf *sb, const void *p, size_t n)
{
	make_room(sb, n);
	if (n)
		memcpy(sb->s + sb->n, p, n);
	sb->n += n;
	sb->s[sb->n] = '\0';
}

void strbuf_adds(struct strbuf *sb, const char *s)
{
	strbuf_add(sb, s, strlen(s));
}

void strbuf_addc(struct strbuf *sb, char c)
{
	strbuf_add(sb, &c, 1);
}

void strbuf_vaddf(struct strbuf *sb, const char *fmt, va_list ap)
{
	va_list again;
	int n;

	make_room(sb, 0);
	va_copy(again, ap);
	n = vsnprintf(sb->s + sb->n, sb->cap - sb->n, fmt, ap);
	if (n >= 0 && (size_t)n >= sb->cap - sb->n) {
		make_room(sb, (size_t)n);
		n = vsnprintf(sb->s + sb->n, sb->cap - sb->n, fmt, again);
	}
	va_end(again);
	if (n > 0)
		sb->n += (size_t)n;
	sb->s[sb->n] = '\0';
}

void strbuf_addf(struct strbuf *sb, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	strbuf_vaddf(sb, fmt, ap);
	va_end(ap);
}

void strbuf_add_grouped(struct strbuf *sb, uint64_t v)
{
	char digits[24];
	int n = snprintf(digits, sizeof digits, "%llu", (unsigned long long)v);

	for (int i = 0; i < n; i++) {
		if (i && (n - i) % 3 == 0)
			strbuf_addc(sb, ',');
		strbuf_addc(sb, digits[i]);
	}
}

void strbuf_reset(struct strbuf *sb)
{
	sb->n = 0;
	if (sb->s)
		sb->s[0] = '\0';
}

void strbuf_release(struct strbuf *sb)
{
	free(sb->s);
	*sb = (struct strbuf)STRBUF_INIT;
}

char *strbuf_detach(struct strbuf *sb)
{
	char *s = sb->s ? sb->s : xstrdup("");

	*sb = (struct strbuf)STRBUF_INIT;
	return s;
}

size_t control_at(const char *s, size_t n)
{
	unsigned char c = (unsigned char)s[0];

	if (c < ' ' || c == 0x7f)
		return 1;
	return c == 0xc2 && n > 1 && ((unsigned char)s[1] & 0xe0) == 0x80 ? 2 : 0;
}

void defuse_controls(char *s, size_t n)
{
	for (size_t i = 0; i < n; i++)
		for (size_t len = control_at(s + i, n - i); len; len--)
			s[i + len - 1] = '?';
}

const char *last_part(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}
