/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Says of each of its calls how --trace should tell it, on standard output: the line of
 * the call, then mbed OS's record (argv[1] is "mbed", with @ for the caller) or what
 * follows the place in glibc's (any other word).  What is left in the end goes to
 * descriptor 3, if it is open: address, size and line. */
#include <malloc.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define P(p) ((unsigned long long)(size_t)(p))
#define HUGE ((size_t)-1 / 2 + 1) /* more than there ever is */

static bool mbed;
static char line[512];

/* No stdio stream: its buffers are allocated. */
#define SAY(fd, ...) \
	do { \
		int n_ = snprintf(line, sizeof line, __VA_ARGS__); \
		if (write(fd, line, (size_t)n_) != n_ && (fd) != 3) \
			_exit(1); \
	} while (0)

static const char *pointer(const volatile void *p)
{
	static char text[2][40];
	static int i;

	i ^= 1;
	snprintf(text[i], sizeof text[i], p || mbed ? "0x%llx" : "(nil)", P(p));
	return text[i];
}

static void made(int at, char kind, const volatile void *p, size_t size)
{
	if (mbed)
		SAY(1, "%d #%c:%s;@-%llu\n", at, kind, pointer(p), P(size));
	else
		SAY(1, "%d + %s %#llx\n", at, pointer(p), P(size));
}

static void *volatile a, *volatile b;
static size_t volatile huge = HUGE;

static void moved(int at, const void *old, const volatile void *p, size_t size)
{
	if (mbed)
		SAY(1, "%d #r:%s;@-%s;%llu\n", at, pointer(p), pointer(old), P(size));
	else if (!p && size)
		SAY(1, "%d ! %s %#llx\n", at, pointer(old), P(size));
	else if (!p)
		SAY(1, "%d - %s\n", at, pointer(old));
	else if (!old)
		SAY(1, "%d + %s %#llx\n", at, pointer(p), P(size));
	else
		SAY(1, "%d < %s\n%d > %s %#llx\n", at, pointer(old), at, pointer(p), P(size));
}

static void gone(int at, const volatile void *p)
{
	if (mbed)
		SAY(1, "%d #f:0x0;@-%s\n", at, pointer(p));
	else
		SAY(1, "%d - %s\n", at, pointer(p));
}

static void sizes(void)
{
	a = malloc(50); made(__LINE__, 'm', a, 50);
	b = calloc(3, 7);
	if (mbed)
		SAY(1, "%d #c:%s;@-3;7\n", __LINE__ - 2, pointer(b));
	else
		made(__LINE__ - 4, 'c', b, 21);
	gone(__LINE__ + 1, b);
	free(b);
	SAY(3, "0x%llx 50 %d\n", P(a), __LINE__ - 8);
	a = memalign(64, 10); made(__LINE__, 'm', a, 10);
	gone(__LINE__ + 1, a);
	free(a);
	if (posix_memalign((void **)(size_t)&b, 32, 90))
		_exit(2);
	made(__LINE__ - 2, 'm', b, 90);
	SAY(3, "0x%llx 90 %d\n", P(b), __LINE__ - 3);
}

static void moves(void)
{
	void *volatile old;

	a = malloc(60); made(__LINE__, 'm', a, 60);
	old = a; a = realloc(old, 70000); moved(__LINE__, old, a, 70000);
	old = a; b = realloc(old, huge); moved(__LINE__, old, b, huge);
	old = a; b = realloc(old, 0); moved(__LINE__, old, b, 0);
	old = NULL; a = realloc(old, 12); moved(__LINE__, old, a, 12);
	SAY(3, "0x%llx 12 %d\n", P(a), __LINE__ - 1);
	b = malloc(huge); made(__LINE__, 'm', b, huge);
	free(b); /* of NULL: tells nothing */
}

/* Somebody else's call: of a library. */
static void library(void)
{
	a = strdup("library");
	if (mbed)
		made(0, 'm', a, 8);
	else
		SAY(1, "strdup + %s 0x8\n", pointer(a));
	gone(__LINE__ + 1, a);
	free(a);
}

int main(int argc, char **argv)
{
	mbed = argc > 1 && !strcmp(argv[1], "mbed");
	sizes();
	moves();
	library();
	return 0;
}
