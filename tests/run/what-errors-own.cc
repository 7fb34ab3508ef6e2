/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The program's own operators, which the compiler puts into their callers: malloc
 * and operator delete, or new and free, then belong together. */
#include <new>
#include "expect.h"

inline __attribute__((always_inline)) void *take(size_t size)
{
	void *p = malloc(size);

	KEEP(p);
	return p;
}

void *operator new(size_t size) { return take(size); }
void *operator new[](size_t size) { return take(size); }
void operator delete(void *p) noexcept { free(p); }
void operator delete[](void *p) noexcept { free(p); }
void operator delete(void *p, size_t) noexcept { free(p); }
void operator delete[](void *p, size_t) noexcept { free(p); }

int main()
{
	for (int i = 0; i < 10; i++) {
		int *a = (int *)take(sizeof(int)), *b = new int;

		KEEP(a);
		KEEP(b);
		delete a; /* as where only new was inlined */
		free(b);  /* … where only delete was */
	}
	expect("error_count", 0);
	expect("frees >=", 20);
	return 0;
}
