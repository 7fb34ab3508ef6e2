/* SPDX-License-Identifier: GPL-2.0-or-later */
/* With --redzone-size=16: writes of 1 to 16 bytes behind blocks of every origin, and
 * programs that do nothing wrong. */
#include <malloc.h>
#include <stdint.h>
#include <sys/wait.h>

#include "expect.h"

#define ZONE 16

enum { ORIGINS = 7 };

#ifdef UNOBSERVED
/* As jemalloc calls it when it is built with a prefix. */
__attribute__((noinline)) void je_sdallocx(void *p, size_t n, int flags)
{
	KEEP(p);
	KEEP(n);
	KEEP(flags);
}
#endif

static unsigned char *make(int origin, size_t n)
{
	void *p = NULL;

	switch (origin) {
	case 0: p = malloc(n); break;
	case 1: p = calloc(n, 1); break;
	case 2: p = realloc(NULL, n); break;
	case 3: p = realloc(malloc(n / 2 + 1), n); break;
	case 4: p = realloc(malloc(n * 3), n); break;
	case 5: EXPECT_THAT(!posix_memalign(&p, 64, n)); break;
	case 6: p = aligned_alloc(64, n); break;
	}
	KEEP(p);
	EXPECT_THAT(p);
	return p;
}

__attribute__((noinline)) static void release(void *p)
{
	free(p);
	KEEP(p);
}

/* Two blocks of each kind, so that what lies behind is one of them; the first
 * or the last byte of each overrun is all that is written. */
static void behind(size_t n)
{
	for (int origin = 0; origin < ORIGINS; origin++)
		for (int i = 1; i <= ZONE; i++) {
			unsigned char *p = make(origin, n), *q = make(origin, n);

			memset(p, 'p', n);
			memset(q, 'q', n);
			p[n + (size_t)i - 1] = (unsigned char)(i % 2 ? 0 : 'x');
			memset(q + n, 'y', (size_t)i);
			release(p);
			release(q);
		}
}

/* Found by realloc, and at the end. */
static void later(void)
{
	char *p = malloc(100), *q = malloc(100), *r = malloc(0);

	KEEP(p);
	KEEP(q);
	KEEP(r);
	p[100] = 1;
	p = realloc(p, 200);
	KEEP(p);
	free(p);
	q[100] = 1;
	r[0] = 1;
}

static void nothing_shows(void)
{
	for (size_t n = 1; n < 3000; n += 1 + n / 7) {
		unsigned char *p = malloc(n), *q = calloc(1, n);

		KEEP(p);
		KEEP(q);
		EXPECT_THAT(malloc_usable_size(p) == n);
		memset(p, 'a', malloc_usable_size(p));
		for (size_t i = 0; i < n; i++)
			EXPECT_THAT(!q[i]);
		q = realloc(q, 2 * n);
		KEEP(q);
		EXPECT_THAT(malloc_usable_size(q) == 2 * n);
		for (size_t i = 0; i < n; i++)
			EXPECT_THAT(!q[i]);
		memset(q, 'b', malloc_usable_size(q));
		q = realloc(q, n / 2 + 1);
		KEEP(q);
		EXPECT_THAT(malloc_usable_size(q) == n / 2 + 1 && q[n / 2] == 'b' && p[n - 1] == 'a');
		free(p);
		free(q);
	}
	EXPECT_THAT(!malloc_usable_size(NULL));
}

/* A child, which is not followed, has the same blocks. */
static void with_a_child(void)
{
	void *p = malloc(50);
	pid_t pid;
	int status;

	KEEP(p);
	pid = fork();
	if (!pid) {
		p = realloc(p, 5000);
		memset(p, 1, 5000);
		free(p);
		free(malloc(20));
		_exit(5);
	}
	EXPECT_THAT(waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == 5);
	free(p);
}

int main(int argc, char **argv)
{
	int bad = argc < 2 || strcmp(argv[1], "good");

	if (argc > 1 && !strcmp(argv[1], "wait")) {
		char *volatile p = malloc(40);

		p[42] = 'x';
		(void)!write(1, "waiting\n", 8);
		pause();
		return 97;
	}
	if (argc > 1 && !strcmp(argv[1], "alone")) { /* refused */
		char *volatile p = malloc(1);

		expect("error_count", 0);
		EXPECT_THAT(malloc_usable_size(p) > 1);
		free(p);
		return 0;
	}
	nothing_shows();
	with_a_child();
	if (bad) {
		behind(1);
		behind(24);
		behind(1000);
		later();
	}
	expect_error("overrun", bad ? 3 * ORIGINS * ZONE * 2 + 3 : 0);
	expect("error_count", bad ? 3 * ORIGINS * ZONE * 2 + 3 : 0);
	return 0;
}
