/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One heap error of each kind, in ways that glibc lets pass.  SIZED: also those
 * that memcheck of that time does not know. */
#include <malloc.h>
#include <new>
#include "expect.h"

static size_t fake_static[8] __attribute__((aligned(16)));

/* A chunk of 112 bytes, as glibc sees it, whose block is at word 2 of `word`,
 * which lies at a multiple of 16.  Of that size there are no others: it finds room in
 * the cache, where nobody looks at what follows. */
static void *fake(size_t *word)
{
	size_t *block = word + 16 / sizeof *word;

	block[-1] = 0x71;
	KEEP(block);
	return block;
}

static void *(*operator_new)(size_t);

template <class T> static T *kept(T *p)
{
	KEEP(p);
	return p;
}

__attribute__((noinline)) static void mismatched()
{
	free(kept(new int));
	free(kept(new int[10]));
	delete kept((int *)malloc(40));
	delete[] kept((int *)malloc(40));
	delete[] kept(new int);
	delete kept(new int[10]);
	free(realloc(kept(new char[10]), 20));
}

/* glibc itself checks the seven of its cache, and the newest of the others. */
__attribute__((noinline)) static void released_twice()
{
	char *p[12];

	for (int i = 0; i < 12; i++)
		p[i] = kept((char *)malloc(40));
	for (int i = 0; i < 12; i++)
		free(p[i]);
	free(kept(p[9]));
}

__attribute__((noinline)) static void never_a_block()
{
	size_t on_stack[8] __attribute__((aligned(16)));
	char *p = (char *)malloc(128);

	KEEP(p);
	free(fake((size_t *)p)); /* the inside of a block */
	free(fake(on_stack));
	free(fake(fake_static));
	free(p);
}

#ifdef SIZED
__attribute__((noinline)) static void wrong_size()
{
	::operator delete(kept(::operator new(40)), (size_t)8);
	::operator delete[](kept(::operator new[](40)), (size_t)8);
	::operator delete(kept(::operator new(40)), (size_t)40);
	::operator delete(kept(::operator new(0)), (size_t)0);
	::operator delete(kept(::operator new(64, std::align_val_t(64))), (size_t)32,
			  std::align_val_t(64));
}

__attribute__((noinline)) static void wrong_alignment()
{
	size_t odd = 24, small = 2, good = 64;
	void *p = NULL;

	KEEP(odd);
	KEEP(small);
	KEEP(good);
	EXPECT_THAT(posix_memalign(&p, odd, 80));
	EXPECT_THAT(posix_memalign(&p, small, 80));
	free(kept(memalign(odd, 80)));
	EXPECT_THAT(!posix_memalign(&p, good, 80));
	free(p);
	free(kept(memalign(good, 80)));
	free(kept(aligned_alloc(good, 81)));
}
#endif

int main()
{
	for (int i = 0; i < 4; i++)
		mismatched();
	delete[] kept(new int[10]);
	delete[] kept(new (std::nothrow) int[10]);
	delete kept(new (std::nothrow) int);
	/* Which of the operators was called nobody can tell here. */
	operator_new = ::operator new[];
	KEEP(operator_new);
	delete[] (char *)operator_new(10);
	free(NULL);
	delete kept((int *)NULL);
#ifdef UNSHOWN
	expect("error_count", 0);
	_exit(0);
#endif
	expect_error("mismatched_free", 4 * 7);
	expect_error("invalid_free", 3);
#ifdef SIZED
	wrong_size();
	wrong_alignment();
	expect_error("size_mismatch", 3);
	expect_error("misaligned", 3);
	expect("error_count", 4 * 7 + 3 + 1 + 3 + 3);
#else
	expect_error("size_mismatch", 0);
	expect("error_count", 4 * 7 + 3 + 1);
#endif
	expect_error("double_free", 1);
	never_a_block();
	released_twice();
	_exit(0);
}
