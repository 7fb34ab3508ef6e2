/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The workload of workload.h with C++ operators: new[] where C has calloc, and half of all calls
 * are deletes, since nothing in C++ resizes. */
#include <cstddef>
#include <new>

static inline void *take(size_t size)
{
	return ::operator new(size);
}

static inline void *take_zeroed(size_t size)
{
	return ::operator new[](size);
}

static inline void *resize(void *, size_t)
{
	return nullptr;
}

static inline void drop(void *p, bool zeroed)
{
	if (zeroed)
		::operator delete[](p);
	else
		::operator delete(p);
}

#include "workload.h"

int main(int argc, char **argv)
{
	return bench_main("allocbench-cxx", argc, argv);
}
