/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A heap whose layout is known: blocks of one size one behind the other, every second one
 * released, in the main arena and in one of a thread's; one block with a mapping of its
 * own.  Every free piece of the break is told as the heap map lists it.  With `wait` it
 * stands there until it is read to. */
#include <stdint.h>
#include <stdio.h>
#ifdef THREAD
#include <pthread.h>
#endif

#include "expect.h"

enum { BLOCKS = 40, SIZE = 4000, CHUNK = 4016 };

static char *block[BLOCKS], *volatile large;

#ifdef THREAD
static char *theirs[BLOCKS];

static void *thread(void *arg)
{
	for (int i = 0; i < BLOCKS; i++)
		theirs[i] = malloc(SIZE);
	for (int i = 1; i < BLOCKS; i += 2)
		free(theirs[i]);
	return arg;
}

static void run_thread(void)
{
	pthread_t t;

	EXPECT_THAT(!pthread_create(&t, NULL, thread, NULL));
	EXPECT_THAT(!pthread_join(t, NULL));
}
#else
static void run_thread(void)
{
}
#endif

/* "4,016 at 0x5581c2a10ff8": from the head of a released block to that of the next. */
static void tell_free(void)
{
	static char line[80];

	for (int i = 1; i + 1 < BLOCKS; i += 2) {
		int n = snprintf(line, sizeof line, "4,016 at 0x%llx\n",
				 (unsigned long long)(uintptr_t)(block[i] - sizeof(void *)));

		EXPECT_THAT(block[i + 1] - block[i] == CHUNK);
		EXPECT_THAT(write(STDOUT_FILENO, line, (size_t)n) == n);
	}
}

int main(int argc, char **argv)
{
	char c;

	for (int i = 0; i < BLOCKS; i++)
		block[i] = malloc(SIZE);
	large = malloc(1 << 20);
	for (int i = 1; i < BLOCKS; i += 2)
		free(block[i]);
	run_thread();
	/* At least these: the C library has blocks for its threads. */
	expect("heap.blocks >=", BLOCKS / 2 + 1);
	expect("heap.outside", 0);
	expect("heap.overlapping", 0);
	expect("heap.bytes >=", (1 << 20) + BLOCKS / 2 * SIZE);
	expect("heap.resident >=", BLOCKS / 2 * SIZE);
	expect("heap.largest_free <", 1 << 20);
#if defined(__GLIBC__) && (defined(__x86_64__) || defined(__i386__))
	expect("heap.free_pieces >=", BLOCKS / 2 - 1);
	expect("heap.free >=", BLOCKS / 2 * CHUNK);
	tell_free();
#endif
	if (argc > 1 && !strcmp(argv[1], "wait")) {
		EXPECT_THAT(write(STDOUT_FILENO, "ready\n", 6) == 6);
		EXPECT_THAT(read(STDIN_FILENO, &c, 1) >= 0);
	}
	return 0;
}
