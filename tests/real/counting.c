/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The corners of counting: sizes of nothing, NULL, requests that are refused. */
#include <errno.h>
#include <malloc.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int main(void)
{
	volatile size_t huge = PTRDIFF_MAX, none = 0;
	void *p = NULL, *kept[8] = { NULL };
	char *line = NULL;
	size_t room = 0;

	free(NULL);
	free(malloc(none));
	free(calloc(none, 8));
	free(calloc(7, 9));
	p = realloc(NULL, 100);
	p = realloc(p, 50);
	p = realloc(p, 5000);
	free(p);
	free(realloc(NULL, none));
	kept[0] = reallocarray(NULL, 3, 5);
	kept[0] = reallocarray(kept[0], 30, 5);
	if (posix_memalign(&kept[1], 64, 33))
		return 1;
	kept[2] = memalign(32, 31);
	kept[3] = valloc(10);
	kept[4] = aligned_alloc(16, 48);
	kept[5] = strdup("a copy");
	if (asprintf(&line, "%d of %s", 12, "them") < 0)
		return 1;
	free(line);
	line = NULL;
	while (getline(&line, &room, stdin) > 0)
		;
	free(line);
	free(kept[0]);
	free(kept[2]);
	printf("counting: %zu\n", malloc_usable_size(kept[4]) / 100 + (huge == none));
	return 0;
}
