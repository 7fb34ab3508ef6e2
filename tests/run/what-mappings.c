/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The program's own mappings and its break are counted apart from its blocks;
 * what malloc does for a block is neither. */
#include <stdint.h>
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

/* The old addresses stay mapped; false: this kernel cannot. */
static int remap_and_keep(void)
{
	/* Some C libraries hand the last argument on, whatever it is. */
	char *a = map(4 * PAGE),
	     *b = mremap(a, 4 * PAGE, 4 * PAGE, MREMAP_MAYMOVE | MREMAP_DONTUNMAP, NULL);
	int can = b != MAP_FAILED;

	EXPECT_THAT(!can || !munmap(b, 4 * PAGE));
	EXPECT_THAT(!munmap(a, 4 * PAGE));
	return can;
}

/* What is refused leaves things as they are. */
__attribute__((noinline)) static void refused_unmap(char *kept)
{
	EXPECT_THAT(munmap(kept + 1, PAGE));
	EXPECT_THAT(munmap(kept, 0));
}

__attribute__((noinline)) static void refused_brk(void)
{
	EXPECT_THAT(brk((void *)-PAGE));
}

__attribute__((noinline)) static void refused_sbrk(void)
{
	intptr_t much = INTPTR_MAX / (1 << 17) + 1; /* 2^46, or on 32-bit ABIs little */

	if (sizeof much == 8)
		EXPECT_THAT(sbrk(much) == (void *)-1);
}

__attribute__((noinline)) static long long breaks(void)
{
#ifdef __GLIBC__
	char *at = sbrk(0), *up = sbrk(3 * PAGE);

	EXPECT_THAT(up == at);
	EXPECT_THAT(sbrk(-PAGE) == at + 3 * PAGE);
	EXPECT_THAT(!brk(at + 8 * PAGE));
	EXPECT_THAT(!brk(at + 4 * PAGE));
	/* To the byte, not to the page. */
	EXPECT_THAT(sbrk(100) == at + 4 * PAGE);
	EXPECT_THAT(!brk(at + 4 * PAGE + 1000));
	EXPECT_THAT(!brk(at + 4 * PAGE + 50));
	EXPECT_THAT(!brk(at + 4 * PAGE));
	return (3 + 6) * PAGE + 1000;
#else
	return 0;
#endif
}

int main(void)
{
	long long grown = 0;
	char *kept;
	int can;

	for (int i = 0; i < N; i++) {
		blocks();
		regions();
		grown += breaks();
	}
	kept = keep_open();
	refused_unmap(kept);
	can = remap_and_keep();
	expect_stack("blocks", "total_blocks", N * (1 + 1 + 64));
	expect_stack("blocks", "open_blocks", 0);
	expect("mappings.maps", 2 * N + 2);
	expect("mappings.unmaps", 3 * N + 1 + can);
	expect("mappings.remaps", N + can);
	if (grown) {
		refused_brk();
		refused_sbrk();
		expect_region("refused_brk", "failed", 1);
		if (sizeof(long) == 8)
			expect_region("refused_sbrk", "failed_max_size", 1LL << 46);
	}
	expect("mappings.failed", N + !can + (grown ? sizeof(long) / 4 : 0));
	expect("mappings.open_regions", 1);
	expect("mappings.open_bytes", 6 * PAGE);
	expect("mappings.brk_grown", grown);
	if (grown) {
		expect("mappings.brk_current", 4 * N * PAGE);
		expect("mappings.brk_calls", 8 * N);
	}
	expect("unknown_releases", 0);
	expect("failed", 0);
	return 0;
}
