/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Asks for more and more memory:
 *
 *	as BYTES       under RLIMIT_AS, until a request is refused; then releases half
 *	data BYTES     under RLIMIT_DATA
 *	touch          and writes to all of it, until it is killed
 *	wait           a little, then waits to be killed
 *	huge           one request that nobody can grant
 */
#include <stdio.h>
#include <sys/resource.h>

#include "expect.h"

#define NOINLINE __attribute__((noinline, noclone))

static void *block[4096];
static unsigned blocks;

NOINLINE static int grow(size_t n)
{
	void *p = malloc(n);

	if (!p)
		return 0;
	block[blocks++] = p;
	return 1;
}

static void limit(int resource, const char *bytes)
{
	struct rlimit rl = { strtoul(bytes, NULL, 10), strtoul(bytes, NULL, 10) };

	EXPECT_THAT(!setrlimit((__typeof__(RLIMIT_AS))resource, &rl));
}

static void fill(void)
{
	while (blocks < 4096 && grow(1 << 20))
		;
	EXPECT_THAT(blocks && blocks < 4096);
	expect("out_of_memory.refused.open_blocks", blocks);
	expect("out_of_memory.refused.size", 1 << 20);
	while (blocks)
		free(block[--blocks]);
}

static void touch(void)
{
	while (blocks < 4096 && grow(1 << 20))
		memset(block[blocks - 1], 1, 1 << 20);
}

int main(int argc, char **argv)
{
	size_t huge = (size_t)-1 / 4;

	EXPECT_THAT(argc > 1);
	if (argv[1][0] != 't' && argv[1][0] != 'w')
		expect("failed", 1);
	KEEP(huge);
	if (!strcmp(argv[1], "as") || !strcmp(argv[1], "data")) {
		expect_text("out_of_memory.refused.limit.what", argv[1][0] == 'a' ? "RLIMIT_AS" : "RLIMIT_DATA");
		limit(argv[1][0] == 'a' ? RLIMIT_AS : RLIMIT_DATA, argv[2]);
		fill();
	} else if (!strcmp(argv[1], "touch")) {
		touch();
	} else if (!strcmp(argv[1], "wait")) {
		EXPECT_THAT(grow(5000));
		EXPECT_THAT(write(1, "ready\n", 6) == 6);
		while (pause() || 1)
			;
	} else {
		EXPECT_THAT(grow(77) && !grow(huge));
		expect("out_of_memory.refused.open_bytes", 77);
	}
	return 0;
}
