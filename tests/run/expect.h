/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a traced program says of itself: lines `KEY [OP] VALUE` in the file that
 * $EXPECT names, compared with mtrace's JSON export by tests/run/expect.
 *
 *	expect("allocs", 12);                 processes[0].allocs == 12
 *	expect("1:frees >=", 3);              processes[1].frees >= 3
 *	expect("mappings.count", 1);          processes[0].mappings.count == 1
 *	expect_stack("leaf", "open_blocks", 3);  sum over the stacks with a frame
 *	                                      of function leaf
 *	expect_region("leaf", "failed", 3);   likewise of mmap's and brk's stacks
 *	expect_error("double_free", 1);       how many of that kind
 *	expect_text("exe", "hello");          a string; also the end of a path
 *
 * Nothing here allocates, uses stdio or disturbs errno, so that a program's
 * counts are its own.  C and C++, 32 and 64 bit, glibc and musl. */
#ifndef MTRACE_TESTS_EXPECT_H
#define MTRACE_TESTS_EXPECT_H

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static inline void expect_line(const char *a, const char *b, const char *c, const char *d)
{
	const char *part[] = { a, b, c, d };
	const char *path = getenv("EXPECT");
	char line[512];
	size_t n = 0;
	int saved = errno, fd;

	for (int i = 0; i < 4; i++) {
		size_t len = part[i] ? strlen(part[i]) : 0;

		if (!len || n + len + 2 > sizeof line)
			continue;
		memcpy(line + n, part[i], len);
		n += len;
		line[n++] = ' ';
	}
	line[n - 1] = '\n';
	fd = open(path ? path : "/dev/null", O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
	if (fd < 0 || write(fd, line, n) != (ssize_t)n)
		_exit(99);
	close(fd);
	errno = saved;
}

/* Decimal digits of v, in buf, which has room for 24. */
static inline const char *expect_number(char *buf, long long v)
{
	unsigned long long u = v < 0 ? -(unsigned long long)v : (unsigned long long)v;
	char *p = buf + 23;

	*p = '\0';
	do {
		*--p = (char)('0' + u % 10);
	} while (u /= 10);
	if (v < 0)
		*--p = '-';
	return p;
}

static inline void expect(const char *key, long long value)
{
	char buf[24];

	expect_line(key, expect_number(buf, value), NULL, NULL);
}

static inline void expect_text(const char *key, const char *value)
{
	expect_line(key, value, NULL, NULL);
}

static inline void expect_stack(const char *function, const char *key, long long value)
{
	char buf[24];

	expect_line("stack", function, key, expect_number(buf, value));
}

static inline void expect_region(const char *function, const char *key, long long value)
{
	char buf[24];

	expect_line("region", function, key, expect_number(buf, value));
}

/* How many errors of a kind (doc/JSON.md). */
static inline void expect_error(const char *kind, long long count)
{
	char buf[24];

	expect_line("error", kind, expect_number(buf, count), NULL);
}

/* Ends the program with a status that no test expects. */
static inline void expect_that(int ok, const char *what)
{
	if (ok)
		return;
	(void)!write(2, what, strlen(what));
	(void)!write(2, " failed\n", 8);
	_exit(98);
}
#define EXPECT_THAT(condition) expect_that(!!(condition), #condition)

/* Rounds of something: fewer where each call takes milliseconds, in an emulated machine
 * (tests/cross compiles with -DEMULATED). */
#ifdef EMULATED
#define ROUNDS_OF(many, few) (few)
#else
#define ROUNDS_OF(many, few) (many)
#endif

/* What a pointer means: AArch64 ignores the highest byte, where a tag may be. */
static inline uintptr_t expect_address(const void *p)
{
#ifdef __aarch64__
	return (uintptr_t)p & (((uintptr_t)1 << 56) - 1);
#else
	return (uintptr_t)p;
#endif
}

/* Keeps the compiler from leaving out an allocation, or from knowing a size. */
#define KEEP(p) __asm__ volatile("" : "+r"(p) : : "memory")

#endif
