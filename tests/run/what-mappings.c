/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The program's own mappings and its break are counted apart from its blocks;
 * what malloc does for a block is neither. */
#include <sys/mman.h>
#include "expect.h"

#define PAGE 4096
#define N 10

static char *map(size_t n)
{
	char *p = mmap(NULL, n, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	KEEP(p);
	EXPECT_THAT(p != MAP_FAILED);
	return p;
}

/* Blocks that have a mapping of their own, one that is enlarged with mremap,
 * and ones that make the heap grow and shrink again. */
__attribute__((noinline)) static void blocks(void)
{
	char *many[64], *p = malloc(1 << 20);

	KEEP(p);
	p = realloc(p, 4 << 20);
	KEEP(p);
	free(p);
	for (int i = 0; i < 64; i++) {
		many[i] = malloc(100000);
		KEEP(many[i]);
		memset(many[i], i, 100000);
	}
	for (int i = 64; i--;)
		free(many[i]);
}

__attribute__((noinline)) static void regions(void)
{
	char *a = map(10 * PAGE), *b = map(4 * PAGE), *c;

	EXPECT_THAT(!munmap(a + 3 * PAGE, 2 * PAGE)); /* a hole */
	EXPECT_THAT(!munmap(a, 10 * PAGE));           /* what is left */
	c = mremap(b, 4 * PAGE, 64 * PAGE, MREMAP_MAYMOVE);
	EXPECT_THAT(c != MAP_FAILED);
	EXPECT_THAT(!munmap(c, 64 * PAGE));
	EXPECT_THAT(mmap(NULL, 0, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED);
}

__attribute__((noinline)) static char *keep_open(void)
{
	return map(5 * PAGE + 1);
}

__attribute__((noinline)) static long long breaks(void)
{
#ifdef __GLIBC__
	char *at = sbrk(0), *up = sbrk(3 * PAGE);

	EXPECT_THAT(up == at);
	EXPECT_THAT(sbrk(-PAGE) == at + 3 * PAGE);
	EXPECT_THAT(!brk(at + 8 * PAGE));
	EXPECT_THAT(!brk(at + 4 * PAGE));
	return 3 + 6;
#else
	return 0;
#endif
}

int main(void)
{
	long long grown = 0;

	for (int i = 0; i < N; i++) {
		blocks();
		regions();
		grown += breaks();
	}
	EXPECT_THAT(keep_open() != NULL);
	expect_stack("blocks", "total_blocks", N * (1 + 1 + 64));
	expect_stack("blocks", "open_blocks", 0);
	expect("mappings.maps", 2 * N + 1);
	expect("mappings.unmaps", 3 * N);
	expect("mappings.remaps", N);
	expect("mappings.failed", N);
	expect("mappings.open_regions", 1);
	expect("mappings.open_bytes", 6 * PAGE);
	expect("mappings.brk_grown", grown * PAGE);
	if (grown) {
		expect("mappings.brk_current", 4 * N * PAGE);
		expect("mappings.brk_calls >=", 4 * N);
		expect("mappings.brk_calls <=", 5 * N);
	}
	expect("unknown_releases", 0);
	expect("failed", 0);
	return 0;
}
