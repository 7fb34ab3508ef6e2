/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Regions of the program's own can be lost, with what is in them. */
#include <pthread.h>
#include <sys/mman.h>

#include "expect.h"

#define NOINLINE __attribute__((noinline, noclone))

static void *volatile kept, *volatile held;

/* Too large for holes that the linker has left pointers to; with 32 bits too small
 * for words with a random value (the stack's guard) to point into, apart, and at
 * addresses that are not made of one random byte (the kernel's, on the stack) among
 * zeros. */
#define IS_64 (sizeof(void *) == 8)
#define SIZE ((size_t)1 << (IS_64 ? 22 : 16))
#define APART(n) (IS_64 ? NULL : (void *)(0x20345000UL + (n) * apart))

/* Not constants: those are in the code, the end of which may be in the first page of the
 * data, too. */
static volatile unsigned long apart = 0x2000000;

NOINLINE static void **region(size_t size, void *hint)
{
	void *p = mmap(hint, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	EXPECT_THAT(p != MAP_FAILED);
	return p;
}

static void *thread(void *arg)
{
	held = malloc(70);
	memset(held, 0, 70);
	return arg;
}

NOINLINE static void make(void)
{
	void **lost = region(SIZE, APART(1)), **other = region(2 * SIZE, APART(2));
	void **mine = region(4 * SIZE, APART(3));

	lost[100] = calloc(1, 50);  /* lost with its region */
	lost[200] = other;          /* a region in a region */
	mine[300] = calloc(1, 60);
	kept = mine;
}

/* A new thread has its creator's registers, and saves them on its stack. */
NOINLINE static void run(void)
{
	pthread_t t;

	make();
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
	expect("leaks.mappings_lost.bytes", (long long)(3 * SIZE));
	expect("leaks.indirect.blocks", 1);
	expect("leaks.definite.blocks", 0);
	expect("leaks.reachable.blocks >=", 2);
	return 0;
}
