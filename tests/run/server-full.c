/* SPDX-License-Identifier: GPL-2.0-or-later */
/* server-full N     takes and releases a block N times, and keeps one
 * server-full open  takes five blocks, of which it releases the last four */
#include "expect.h"

int main(int argc, char **argv)
{
	unsigned n = argc > 1 ? (unsigned)atoi(argv[1]) : 0;
	void *volatile b[5];

	for (unsigned i = 0; i < n; i++) {
		b[0] = malloc(i % 1000);
		free(b[0]);
	}
	if (n) {
		b[0] = malloc(77);
		return write(1, "done\n", 5) != 5;
	}
	for (unsigned i = 0; i < 5; i++)
		b[i] = malloc(i + 1);
	b[4] = realloc(b[4], 600);
	for (unsigned i = 1; i < 5; i++)
		free(b[i]);
	return 0;
}
