/* SPDX-License-Identifier: GPL-2.0-or-later */
/* For --top: keep_big() holds most bytes, keep_small() most blocks, lose() loses what it
 * allocates; then churn() allocates and releases until there is the file that the argument
 * names (without one, a few times).  What it writes meanwhile would spoil a screen. */
#include <stdlib.h>
#include <unistd.h>

#define NOINLINE __attribute__((noinline, noclone))

static void *volatile big[10], *volatile small[1000], *volatile lost, *volatile passing;

NOINLINE static void keep_big(int i)
{
	big[i] = malloc(100000);
}

NOINLINE static void keep_small(int i)
{
	small[i] = malloc(10);
}

NOINLINE static void lose(void)
{
	lost = malloc(4321);
	lost = NULL;
}

NOINLINE static void churn(void)
{
	passing = malloc(33);
	free(passing);
}

int main(int argc, char **argv)
{
	for (int i = 0; i < 10; i++)
		keep_big(i);
	for (int i = 0; i < 1000; i++)
		keep_small(i);
	for (int i = 0; i < 3; i++)
		lose();
	for (int i = 0; argc > 1 ? access(argv[1], F_OK) : i < 100; i++) {
		churn();
		if (write(STDOUT_FILENO, "SPOILT\n", 7) < 0 || write(STDERR_FILENO, "SPOILT\n", 7) < 0)
			return 1;
		usleep(10000);
	}
	return 0;
}
