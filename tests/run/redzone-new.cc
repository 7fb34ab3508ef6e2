/* SPDX-License-Identifier: GPL-2.0-or-later */
/* With --redzone-size=24 -f: sized releases of many sizes; blocks may not overlap,
 * which they would soon if the allocator took one for smaller than it is. */
#include <new>

#include "expect.h"

#define BLOCKS ROUNDS_OF(400, 100)

struct block {
	unsigned char *p;
	std::size_t n;
};

static unsigned seed = 7;

static unsigned next()
{
	seed = seed * 1103515245u + 12345u;
	return seed >> 16 & 0x7fff;
}

static void fill(block &b, unsigned char c)
{
	b.n = 1 + next() % (next() % 8 ? 300 : 9000);
	b.p = static_cast<unsigned char *>(::operator new(b.n));
	KEEP(b.p);
	memset(b.p, c, b.n);
}

static void release(block &b, unsigned char c)
{
	for (std::size_t i = 0; i < b.n; i++)
		EXPECT_THAT(b.p[i] == c);
	::operator delete(b.p, b.n);
}

struct alignas(64) wide {
	unsigned char bytes[192];
};

int main()
{
	static block b[BLOCKS];

	for (int i = 0; i < BLOCKS; i++)
		fill(b[i], static_cast<unsigned char>(i));
	for (int round = 0; round < ROUNDS_OF(4000, 400); round++) {
		unsigned i = next() % BLOCKS;

		release(b[i], static_cast<unsigned char>(i));
		fill(b[i], static_cast<unsigned char>(i));
	}
	for (int i = 0; i < BLOCKS; i++)
		release(b[i], static_cast<unsigned char>(i));
	wide *w = new wide;
	KEEP(w);
	memset(w->bytes, 1, sizeof w->bytes);
	delete w;
	int *array = new int[100];
	KEEP(array);
	array[100] = 1;
	::operator delete[](array, 100 * sizeof *array);
	expect_error("overrun", 1);
	expect("error_count", 1);
	return 0;
}
