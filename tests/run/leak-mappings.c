/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Regions of the program's own can be lost, with what is in them. */
#include <pthread.h>
#include <sys/mman.h>

#include "expect.h"

#define NOINLINE __attribute__((noinline, noclone))

static void *volatile kept, *volatile held;

NOINLINE static void **region(size_t size)
{
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	EXPECT_THAT(p != MAP_FAILED);
	return p;
}

static void *thread(void *arg)
{
	held = malloc(70);
	memset(held, 0, 70);
	return arg;
}

NOINLINE static void run(void)
{
	void **lost = region(1 << 22), **other = region(1 << 23), **mine = region(1 << 24);
	pthread_t t;

	/* Too large for holes that the linker has left pointers to. */
	lost[100] = calloc(1, 50);  /* lost with its region */
	lost[200] = other;          /* a region in a region */
	mine[300] = calloc(1, 60);
	kept = mine;
	pthread_create(&t, NULL, thread, NULL);
	pthread_join(t, NULL);
}

NOINLINE static void scrub(void)
{
	char room[16384];
	char *p = room;

	memset(p, 0, sizeof room);
	KEEP(p);
}

int main(int argc, char **argv)
{
	(void)argv;
	run();
	scrub();
	if (argc > 1) { /* without --scan-mappings: all of it is a root */
		expect("leaks.indirect.blocks", 0);
		expect("leaks.definite.blocks", 0);
		return 0;
	}
	expect("leaks.mappings_lost.blocks", 2);
	expect("leaks.mappings_lost.bytes", (1 << 22) + (1 << 23));
	expect("leaks.indirect.blocks", 1);
	expect("leaks.definite.blocks", 0);
	expect("leaks.reachable.blocks >=", 2);
	return 0;
}
