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

/* What makes a string tells its size only by its result. */
__attribute__((noinline)) static void strings(void)
{
	char text[1000], *copy;
	void *heap;

	memset(text, 'x', sizeof text - 1);
	text[999] = '\0';
	copy = (char *)find("mi_strdup")(text);
	KEEP(copy);
	EXPECT_THAT(strlen(copy) == 999);
	find("mi_free")(copy);
	heap = find("mi_heap_new")();
	copy = (char *)find("mi_heap_strndup")(heap, text, (size_t)41);
	KEEP(copy);
	find("mi_free")(copy);
	EXPECT_THAT(!find("mi_dupenv_s")(&copy, NULL, "EXPECT"));
	KEEP(copy);
	find("mi_free")(copy);
	find("mi_heap_delete")(heap);
}

__attribute__((noinline)) static void others(void)
{
	void *p = find("mi_zalloc_aligned_at")((size_t)100, (size_t)64, (size_t)8);

	KEEP(p);
	EXPECT_THAT(find("mi_expand")(p, (size_t)101) == p);
	EXPECT_THAT(!find("mi_expand")(p, (size_t)1 << 30));
	p = find("mi_recalloc_aligned_at")(p, (size_t)7, (size_t)100, (size_t)64, (size_t)8);
	KEEP(p);
	find("mi_free")(p);
	p = find("mi_new_reallocn")(NULL, (size_t)3, (size_t)50);
	KEEP(p);
	find("mi_free_size")(p, (size_t)150);
}

static void mimalloc_more(void)
{
	for (int i = 0; i < N; i++) {
		strings();
		others();
	}
	expect_stack("strings", "total_blocks >=", 3 * N);
	expect_stack("strings", "total_bytes >=", (1000 + 42) * N);
	expect_stack("strings", "open_blocks", 0);
	expect_stack("others", "total_blocks", 4 * N);
	expect_stack("others", "total_bytes", (100 + 101 + 700 + 150) * N);
	expect_stack("others", "failed", N);
	expect_stack("others", "open_blocks", 0);
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
	find("tc_delete_nothrow")(p, NULL); /* which should be tc_free */
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
	if (use == mimalloc)
		mimalloc_more();
	expect("unknown_releases", 0);
	expect("error_count", use == tcmalloc ? N : 0);
	expect_error("mismatched_free", use == tcmalloc ? N : 0);
	return 0;
}
