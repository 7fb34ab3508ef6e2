/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A program with a malloc of its own, which waits in it for a line on standard
 * input while it is being attached to: the call that began before is not
 * counted and does not disturb those after it. */
#include <unistd.h>
#include "expect.h"

#define AFTER 50

static char pool[1 << 20];
static size_t used;
static int wait_inside;

__attribute__((noinline)) void *malloc(size_t n)
{
	char *p = pool + used, line[2];

	used += (n + 15) & ~(size_t)15;
	if (wait_inside) {
		wait_inside = 0;
		EXPECT_THAT(write(1, "inside\n", 7) == 7);
		EXPECT_THAT(read(0, line, 1) == 1);
	}
	return p;
}

__attribute__((noinline)) void free(void *p)
{
	KEEP(p);
}

__attribute__((noinline)) static void after(void)
{
	for (int i = 0; i < AFTER; i++) {
		void *p = malloc(10);

		KEEP(p);
		if (i % 2)
			free(p);
	}
}

int main(void)
{
	char *first, line[2];

	wait_inside = 1;
	first = malloc(100);
	KEEP(first);
	after();
	free(first); /* of a block that is older than the tracing */
	first = malloc(10);
	KEEP(first);
	free(first);
	KEEP(first);
	free(first); /* an error: its first release was seen */
	expect("allocs", AFTER + 1);
	expect("frees", AFTER / 2 + 1);
	expect("bytes_allocated", (AFTER + 1) * 10);
	expect("unknown_releases", 2);
	expect_error("double_free", 1);
	expect("error_count", 1);
	expect_stack("after", "open_blocks", AFTER / 2);
	EXPECT_THAT(write(1, "done\n", 5) == 5);
	EXPECT_THAT(read(0, line, 1) == 1);
	return 6;
}
