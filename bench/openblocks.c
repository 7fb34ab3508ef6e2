/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Takes N blocks of 8 to 64 bytes and keeps them: openblocks [N] */
#include <stdio.h>
#include <stdlib.h>

int main(int argc, char **argv)
{
	unsigned long count = argc > 1 ? strtoul(argv[1], NULL, 0) : 1000000, i;
	void **blocks = calloc(count + 1, sizeof *blocks);

	if (!blocks) {
		perror("calloc");
		return 1;
	}
	for (i = 0; i < count; i++)
		if (!(blocks[i] = malloc(8 + i * 7 % 57))) {
			perror("malloc");
			return 1;
		}
	printf("openblocks: %lu blocks\n", i);
	return 0;
}
