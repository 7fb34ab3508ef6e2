/* SPDX-License-Identifier: GPL-2.0-or-later */
/* With --malloc-fill=a5 --free-fill=0: operators, and what std::vector shows. */
#include <new>
#include <vector>

#include "expect.h"

static bool all(const unsigned char *p, std::size_t n, unsigned char byte)
{
	for (std::size_t i = 0; i < n; i++)
		if (p[i] != byte)
			return false;
	return true;
}

int main()
{
	unsigned char *p = new unsigned char[1000], *next = new unsigned char[1000];
	void *wide = ::operator new(100, std::align_val_t(64));
	std::vector<int> v;

	KEEP(p);
	KEEP(next);
	KEEP(wide);
	expect("failed", 0);
	EXPECT_THAT(all(p, 1000, 0xa5));
	EXPECT_THAT(all(static_cast<unsigned char *>(wide), 100, 0xa5));
	::operator delete(wide, std::align_val_t(64));
	delete[] p;
	KEEP(p);
	EXPECT_THAT(all(p + 64, 900, 0));
	EXPECT_THAT(all(next, 1000, 0xa5));
	delete[] next;
	for (int i = 0; i < 1000; i++)
		v.push_back(i);
	for (int i = 0; i < 1000; i++)
		EXPECT_THAT(v[static_cast<std::size_t>(i)] == i);
	return 0;
}
