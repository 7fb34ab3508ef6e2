/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Operators of the program's own, over malloc with a header in front: each call
 * counts once, with the size that was asked of the operator. */
#include <new>

#include "expect.h"

#define N 40
#define HEADER 32

__attribute__((noinline)) void *operator new(std::size_t n)
{
	char *p = static_cast<char *>(std::malloc(n + HEADER));

	if (!p)
		throw std::bad_alloc();
	return p + HEADER;
}

__attribute__((noinline)) void operator delete(void *p) noexcept
{
	if (p)
		std::free(static_cast<char *>(p) - HEADER);
}

__attribute__((noinline)) void operator delete(void *p, std::size_t) noexcept
{
	operator delete(p);
}

extern "C" __attribute__((noinline)) void single()
{
	long *p = new long(3);

	KEEP(p);
	delete p;
}

/* The library's new[] and delete[] call the program's new and delete. */
extern "C" __attribute__((noinline)) void array()
{
	long *p = new long[10];

	KEEP(p);
	delete[] p;
}

extern "C" __attribute__((noinline)) void plain()
{
	void *p = std::malloc(5);

	KEEP(p);
	std::free(p);
}

extern "C" __attribute__((noinline)) void refused()
{
	std::size_t huge = static_cast<std::size_t>(-1) / 2;
	bool caught = false;

	KEEP(huge);
	try {
		void *p = ::operator new(huge);
		KEEP(p);
	} catch (const std::bad_alloc &) {
		caught = true;
	}
	EXPECT_THAT(caught);
}

int main()
{
	for (int i = 0; i < N; i++) {
		single();
		array();
		plain();
	}
	refused();
	long long each = sizeof(long);
	expect_stack("single", "total_blocks", N);
	expect_stack("single", "total_bytes", N * each);
	expect_stack("single", "open_blocks", 0);
	expect_stack("array", "total_blocks", N);
	expect_stack("array", "total_bytes", N * 10 * each);
	expect_stack("array", "open_blocks", 0);
	expect_stack("plain", "total_bytes", N * 5);
	expect_stack("refused", "failed", 1);
	expect("unknown_releases", 0);
	expect("error_count", 0);
	return 0;
}
