/* SPDX-License-Identifier: GPL-2.0-or-later */
/* 2,000 blocks (400 in an emulated machine) of 100 bytes and 5 of 50 by two callers, a request that is wrong, and a
 * child with two of 7.  All of them stay. */
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "expect.h"

#define MANY ROUNDS_OF(2000, 400)
#define NOINLINE __attribute__((noinline, noclone))

static void *volatile kept[MANY + 10];

NOINLINE static void keep_many(int i)
{
	kept[i] = malloc(100);
}

NOINLINE static void keep_few(int i)
{
	kept[i] = malloc(50);
}

NOINLINE static void keep_in_child(int i)
{
	kept[i] = malloc(7);
}

int main(void)
{
	void *p;
	pid_t pid;

	for (int i = 0; i < MANY; i++)
		keep_many(i);
	for (int i = MANY; i < MANY + 5; i++)
		keep_few(i);
	if (!posix_memalign(&p, 3, 100))
		return 1;
	pid = fork();
	if (!pid) {
		keep_in_child(MANY + 5);
		keep_in_child(MANY + 6);
		_exit(3);
	}
	waitpid(pid, NULL, 0);
	return 0;
}
