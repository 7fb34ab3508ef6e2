// SPDX-License-Identifier: GPL-2.0-or-later
// Blocks that begin with a vtable's address, with that of a variable, and with no
// address at all: a census groups them so.
#include "expect.h"

struct Widget {
	virtual ~Widget() {}
	long a[2];
};

struct Gadget : Widget {
	long b[20];
};

static long table[8];

static void *keep[300];

int main()
{
	char c;
	int n = 0;

	for (int i = 0; i < 40; i++)
		keep[n++] = new Widget;
	for (int i = 0; i < 30; i++)
		keep[n++] = new Gadget;
	for (int i = 0; i < 20; i++) {
		void **p = static_cast<void **>(malloc(400));

		*p = &table[2];
		keep[n++] = p;
	}
	for (int i = 0; i < 10; i++)
		keep[n++] = calloc(1, 1000);
	EXPECT_THAT(write(1, "ready\n", 6) == 6);
	EXPECT_THAT(read(0, &c, 1) == 1);
	return n == 100 ? 6 : 1;
}
