/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdlib.h>
#include <sys/mman.h>

extern void *in_library(void);

int main(void)
{
	void *p = realloc(malloc(10), 20), *m = mmap(NULL, 5000, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	free(p);
	munmap(m, 5000);
	if (posix_memalign(&p, 64, 100))
		return 1;
	free(p);
	return in_library() ? 0 : 1;
}
