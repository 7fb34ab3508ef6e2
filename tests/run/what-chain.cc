// SPDX-License-Identifier: GPL-2.0-or-later
// delete[] jumps to delete, and that to free (on i386 they are called): one
// release, and on x86-64 one stop of it.
#include <cstdlib>
#include <new>

extern "C" {
#include "expect.h"
}

#define N ROUNDS_OF(1000, 200)

__attribute__((noinline)) static void chain(void)
{
	char *p = new char[24];

	KEEP(p);
	delete[] p;
}

int main()
{
	for (int i = 0; i < N; i++)
		chain();
	expect_stack("chain", "total_blocks", N);
	expect_stack("chain", "open_blocks", 0);
	expect("error_count", 0);
	expect("unknown_releases", 0);
	return 0;
}
