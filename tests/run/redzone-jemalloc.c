/* SPDX-License-Identifier: GPL-2.0-or-later */
/* jemalloc's own entry points with red zones: sizes are what was asked for. */
#include <dlfcn.h>

#include "expect.h"

#define ZERO 0x40 /* MALLOCX_ZERO */

int main(void)
{
	void *(*mallocx)(size_t, int) = (void *(*)(size_t, int))dlsym(RTLD_DEFAULT, "mallocx");
	void *(*rallocx)(void *, size_t, int) =
		(void *(*)(void *, size_t, int))dlsym(RTLD_DEFAULT, "rallocx");
	size_t (*xallocx)(void *, size_t, size_t, int) =
		(size_t (*)(void *, size_t, size_t, int))dlsym(RTLD_DEFAULT, "xallocx");
	size_t (*sallocx)(const void *, int) =
		(size_t (*)(const void *, int))dlsym(RTLD_DEFAULT, "sallocx");
	size_t (*nallocx)(size_t, int) = (size_t (*)(size_t, int))dlsym(RTLD_DEFAULT, "nallocx");
	void (*sdallocx)(void *, size_t, int) =
		(void (*)(void *, size_t, int))dlsym(RTLD_DEFAULT, "sdallocx");
	unsigned char *p;
	size_t n;

	for (size_t size = 1; size < 3000; size += 1 + size / 5) {
		n = nallocx(size, 0);
		EXPECT_THAT(n == size);
		p = mallocx(n, ZERO);
		KEEP(p);
		EXPECT_THAT(p && sallocx(p, 0) == size);
		for (size_t i = 0; i < size; i++)
			EXPECT_THAT(!p[i]);
		p = rallocx(p, size + 40, ZERO);
		KEEP(p);
		for (size_t i = 0; i < size + 40; i++)
			EXPECT_THAT(!p[i]);
		/* In place, or not: what it says it has may be written. */
		n = xallocx(p, size + 44, 0, 0);
		EXPECT_THAT(n == size + 40 || n == size + 44);
		EXPECT_THAT(sallocx(p, 0) == n);
		memset(p, 'x', n);
		n = xallocx(p, size + 20, 0, 0);
		EXPECT_THAT(n >= size + 20 && sallocx(p, 0) == n);
		memset(p, 'y', n);
		sdallocx(p, n, 0);
	}
	p = mallocx(100, 0);
	KEEP(p);
	p[100] = 1;
	sdallocx(p, 100, 0);
	expect_error("overrun", 1);
	expect("error_count", 1);
	return 0;
}
