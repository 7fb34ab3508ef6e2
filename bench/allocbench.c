/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The workload of workload.h with malloc and friends: allocbench [OPERATIONS [THREADS]] */
#include <stdbool.h>
#include <stdlib.h>

static inline void *take(size_t size)
{
	return malloc(size);
}

static inline void *take_zeroed(size_t size)
{
	return calloc(1, size);
}

static inline void *resize(void *p, size_t size)
{
	return realloc(p, size);
}

static inline void drop(void *p, bool zeroed)
{
	(void)zeroed;
	free(p);
}

#include "workload.h"

int main(int argc, char **argv)
{
	return bench_main("allocbench", argc, argv);
}
