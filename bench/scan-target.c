// SPDX-License-Identifier: GPL-2.0-or-later
// A heap to be scanned: a million blocks of 64 to 2 016 bytes, a word in ten of which points to
// (or, once in ten, into) another one; the rest are zeros, small numbers, text and code addresses.
// The last tenth is pointed to by itself only.
#include <malloc.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static uint64_t state = 88172645463325252u;
static void *roots[2000];

static uint64_t rnd(uint64_t n)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state % n;
}

static uint64_t pointer(uint64_t **block, const uint32_t *size, size_t i, size_t n)
{
	size_t tenth = n / 10, t = i / tenth * tenth + rnd(tenth);
	uint64_t v;

	if (!rnd(50) && i < 9 * tenth)
		t = rnd(9 * tenth);
	v = (uintptr_t)block[t];
	return rnd(10) ? v : v + 8 * rnd(size[t] / 8);
}

static uint64_t word(uint64_t **block, const uint32_t *size, size_t i, size_t n, unsigned percent)
{
	uint64_t r = rnd(100);

	if (r < percent)
		return pointer(block, size, i, n);
	if (r < 45)
		return 0;
	if (r < 65)
		return rnd(100000);
	if (r < 80)
		return rnd(UINT64_MAX);
	if (r < 95)
		return 0x2020202020202020u | (rnd(UINT64_MAX) & 0x5f5f5f5f5f5f5f5fu);
	return (uintptr_t)rnd + rnd(4096);
}

int main(int argc, char **argv)
{
	size_t n = argc > 1 ? strtoul(argv[1], NULL, 10) : 1000000;
	unsigned percent = argc > 2 ? (unsigned)atoi(argv[2]) : 10;
	uint64_t **block;
	uint32_t *size;

	mallopt(M_MMAP_THRESHOLD, 1 << 30);
	block = calloc(n, sizeof *block);
	size = calloc(n, sizeof *size);
	for (size_t i = 0; i < n; i++) {
		size[i] = (uint32_t)(64 + rnd(1952)) & ~7u;
		block[i] = malloc(size[i]);
	}
	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; k < size[i] / 8; k++)
			block[i][k] = word(block, size, i, n, percent);
	for (size_t i = 0; i < 2000; i++)
		roots[i] = block[rnd(n / 10 * 9)];
	memset(block, 0, n * sizeof *block); /* is no root */
	puts("ready");
	fflush(stdout);
	pause();
	return 0;
}
