/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The C library's functions that allocate for the program: each is called by a
 * function of its own, which must be among the frames, and main above it.  On ARM
 * most of the library has no unwinding tables. */
#define _GNU_SOURCE
#include <signal.h>
#include <stdio.h>

#include "expect.h"

#define OWN __attribute__((noinline, noclone)) static void

static char *line;
static void *kept[16];
static int nkept;

static void keep(void *p)
{
	EXPECT_THAT(p && nkept < 16);
	kept[nkept++] = p;
	KEEP(p);
}

OWN plain(void) { keep(malloc(10)); }
OWN by_strdup(const char *s) { keep(strdup(s)); }
OWN by_asprintf(int n)
{
	char *s = NULL;

	EXPECT_THAT(asprintf(&s, "%d and some more text", n) > 0);
	keep(s);
}

OWN by_fopen(FILE **f) { *f = fopen("/proc/self/status", "r"); keep(*f); }
OWN by_getline(FILE *f)
{
	size_t n = 0;

	EXPECT_THAT(getline(&line, &n, f) > 0);
	keep(line);
}

OWN by_setenv(const char *value) { EXPECT_THAT(!setenv("MTRACE_FRAMES", value, 1)); }

static int compare(const void *a, const void *b)
{
	keep(malloc(20));
	return *(const int *)a - *(const int *)b;
}

OWN by_qsort(int *v) { qsort(v, 2, sizeof *v, compare); KEEP(v); }

static void on_signal(int nr)
{
	(void)nr;
	keep(malloc(30));
}

static void on_info(int nr, siginfo_t *info, void *context)
{
	(void)nr;
	(void)info;
	(void)context;
	keep(malloc(40));
}

OWN by_signal(int nr) { EXPECT_THAT(!raise(nr)); }

/* The stack pointer moves by a number that only the program knows. */
OWN by_alloca(size_t n)
{
	char *p = __builtin_alloca(n);

	KEEP(p);
	keep(malloc(50));
	KEEP(p);
}

OWN by_large(void)
{
	char large[20000], *p = large;

	KEEP(p);
	keep(malloc(60));
	KEEP(p);
}

/* Whatever is pushed late. */
OWN by_late(int n)
{
	if (n < 3)
		return;
	keep(malloc((size_t)n));
	keep(malloc((size_t)n + 1));
}

int main(int argc, char **argv)
{
	struct sigaction info = { .sa_sigaction = on_info, .sa_flags = SA_SIGINFO };
	int v[] = { 2, 1 };
	FILE *f;

	(void)argc;
	plain();
	by_strdup(argv[0]);
	by_asprintf(argc);
	by_fopen(&f);
	by_getline(f);
	by_setenv("value");
	by_qsort(v);
	signal(SIGUSR1, on_signal);
	sigaction(SIGUSR2, &info, NULL);
	by_signal(SIGUSR1);
	by_signal(SIGUSR2);
	by_alloca((size_t)argc * 100);
	by_large();
	by_late(1);
	by_late(3);
	expect_stack("plain", "total_blocks", 1);
	expect_stack("by_strdup", "open_blocks", 1);
	expect_stack("by_asprintf", "open_blocks", 1);
	expect_stack("by_fopen", "open_blocks", 1);
	expect_stack("by_getline", "open_blocks >=", 1);
	expect_stack("by_setenv", "open_blocks >=", 1);
	expect_stack("by_qsort", "total_blocks", 1);
	expect_stack("compare", "total_blocks", 1);
	expect_stack("on_signal", "total_blocks", 1);
	expect_stack("by_signal", "total_blocks", 2);
	expect_stack("by_alloca", "total_blocks", 1);
	expect_stack("by_large", "total_blocks", 1);
	expect_stack("by_late", "total_blocks", 2);
	expect_stack("main", "open_blocks >=", 14);
	expect("unwind.broken", 0);
	return 0;
}
