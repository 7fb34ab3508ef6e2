/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A small program for the target side alone (tests/check-target, tests/cross): blocks, a
 * probe for --alloc, and what its tracer has for itself.  Exit status 7. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

void *_ZN4pool3getEi(int n); /* a C++ name for --alloc */

__attribute__((noinline)) void *_ZN4pool3getEi(int n)
{
	static char pool[4096], *next = pool;

	next += n;
	return next - n;
}

/* What its tracer has for itself, in kB. */
static long private_kb(void)
{
	char line[256];
	long sum = 0, kb;
	FILE *f;

	snprintf(line, sizeof line, "/proc/%d/smaps", (int)getppid());
	f = fopen(line, "r");
	while (f && fgets(line, sizeof line, f))
		if (sscanf(line, "Private_Clean: %ld", &kb) == 1 ||
		    sscanf(line, "Private_Dirty: %ld", &kb) == 1)
			sum += kb;
	if (f)
		fclose(f);
	return sum;
}

static void *volatile kept[1000];

int main(void)
{
	for (int i = 0; i < 1000; i++)
		kept[i] = malloc((size_t)i + 1);
	for (int i = 0; i < 1000; i += 2) {
		free(kept[i]);
		kept[i] = NULL;
	}
	_ZN4pool3getEi(40);
	for (int i = 1; i < 100; i += 2)
		kept[i] = NULL;
	kept[0] = realloc(kept[101], 5000);
	fprintf(stderr, "private %ld kB\n", private_kb());
	return 7;
}
