/* SPDX-License-Identifier: GPL-2.0-or-later */
#define _GNU_SOURCE
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

extern void *in_library(void);

int main(void)
{
	void *p = realloc(malloc(10), 20), *m = mmap(NULL, 5000, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	free(p);
	munmap(m, 5000);
	if (posix_memalign(&p, 64, 100))
		return 1;
	free(p);
	p = mmap(NULL, 0, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (sbrk(4096) == (void *)-1 || brk(sbrk(-4096)))
		return 2;
	return in_library() ? 0 : 1;
}
