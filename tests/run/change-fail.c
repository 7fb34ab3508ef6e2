/* SPDX-License-Identifier: GPL-2.0-or-later */
/* With --inject malloc:fail:min-size=1000, and :when=3+2:caller=^counted$ as a
 * second rule.  `wait`: begins when a line was read. */
#include <malloc.h>
#include <stdint.h>

#include "expect.h"

static int was_refused(void *p)
{
	int ok = !p && errno == ENOMEM;

	errno = 0;
	return ok;
}

/* Of every kind one that is made to fail, eight in all. */
__attribute__((noinline)) static void refused(void)
{
	size_t n = 1000;
	void *p = NULL, *q;
	char *old;

	KEEP(n);
	EXPECT_THAT(was_refused(malloc(n)));
	EXPECT_THAT(was_refused(calloc(n, 1)));
	EXPECT_THAT(was_refused(calloc(10, n / 10)));
	EXPECT_THAT(was_refused(calloc(1, n)));
	EXPECT_THAT(posix_memalign(&p, 64, n) == ENOMEM && !p);
	EXPECT_THAT(was_refused(aligned_alloc(128, 1024)));
	EXPECT_THAT(was_refused(realloc(NULL, n)));
	old = malloc(10);
	KEEP(old);
	EXPECT_THAT(old);
	strcpy(old, "unharmed");
	q = realloc(old, n);
	EXPECT_THAT(!q && !strcmp(old, "unharmed")); /* jemalloc sets no errno */
	free(old);
}

__attribute__((noinline)) static void granted(void)
{
	size_t n = 999;
	void *p[6];

	KEEP(n);
	p[0] = malloc(n);
	p[1] = calloc(n / 9, 9);
	p[2] = realloc(NULL, n);
	p[2] = realloc(p[2], n - 1);
	EXPECT_THAT(!posix_memalign(&p[3], 64, n));
	p[4] = malloc(0);
	p[5] = aligned_alloc(64, 64);
	for (int i = 0; i < 6; i++) {
		KEEP(p[i]);
		EXPECT_THAT(p[i] || i == 4);
		free(p[i]);
	}
}

__attribute__((noinline)) void *counted(size_t n)
{
	void *p = malloc(n);

	KEEP(p);
	return p;
}

/* Whether requests 1 to 8 were refused, one bit for each. */
static unsigned in_turn(void)
{
	unsigned bits = 0;

	for (unsigned i = 1; i <= 8; i++) {
		void *p = counted(i);

		if (!p)
			bits |= 1u << i;
		free(p);
	}
	return bits;
}

int main(int argc, char **argv)
{
	char line[8];

	if (argc > 1 && !strcmp(argv[1], "wait")) {
		(void)!write(1, "waiting\n", 8);
		if (read(0, line, sizeof line) < 1)
			return 97;
	}
	refused();
	granted();
	EXPECT_THAT(in_turn() == (1u << 3 | 1u << 5 | 1u << 7));
	expect("failed", 8 + 3);
	expect_stack("refused", "failed", 8);
	expect_stack("counted", "failed", 3);
	expect_stack("counted", "failed_max_size", 7);
	if (argc > 1 && !strcmp(argv[1], "wait")) {
		(void)!write(1, "done\n", 5);
		return read(0, line, sizeof line) < 1;
	}
	return 0;
}
