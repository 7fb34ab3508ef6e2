/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The entry points that only this allocator has, found with dlsym in the
 * preloaded library.  Argument: jemalloc, mimalloc or tcmalloc. */
#include <dlfcn.h>
#include "expect.h"

#define N 20

typedef void *(*fn)();

static fn find(const char *name)
{
	fn f = (fn)dlsym(RTLD_DEFAULT, name);

	EXPECT_THAT(f);
	return f;
}

__attribute__((noinline)) static void jemalloc(void)
{
	void *p = find("mallocx")((size_t)100, 0);

	KEEP(p);
	p = find("rallocx")(p, (size_t)5000, 0);
	KEEP(p);
	find("xallocx")(p, (size_t)5001, (size_t)0, 0);
	find("sdallocx")(p, (size_t)5001, 0);
	p = find("mallocx")((size_t)10, 0);
	KEEP(p);
	find("dallocx")(p, 0);
}

__attribute__((noinline)) static void mimalloc(void)
{
	void *p = find("mi_malloc")((size_t)100);

	KEEP(p);
	p = find("mi_realloc")(p, (size_t)5000);
	KEEP(p);
	find("mi_free")(p);
	p = find("mi_zalloc")((size_t)10);
	KEEP(p);
	p = find("mi_reallocf")(p, (size_t)5001);
	KEEP(p);
	find("mi_free")(p);
}

__attribute__((noinline)) static void tcmalloc(void)
{
	void *p = find("tc_malloc")((size_t)100);

	KEEP(p);
	p = find("tc_realloc")(p, (size_t)5000);
	KEEP(p);
	find("tc_free")(p);
	p = find("tc_calloc")((size_t)1, (size_t)10);
	KEEP(p);
	p = find("tc_realloc")(p, (size_t)5001);
	KEEP(p);
	find("tc_free")(p);
}

int main(int argc, char **argv)
{
	void (*use)(void) = tcmalloc;

	EXPECT_THAT(argc > 1);
	if (!strcmp(argv[1], "jemalloc"))
		use = jemalloc;
	else if (!strcmp(argv[1], "mimalloc"))
		use = mimalloc;
	for (int i = 0; i < N; i++)
		use();
	expect_stack(argv[1], "total_blocks", 4 * N);
	expect_stack(argv[1], "total_bytes", (100 + 5000 + 5001 + 10) * N);
	expect_stack(argv[1], "open_blocks", 0);
	expect("unknown_releases", 0);
	return 0;
}
