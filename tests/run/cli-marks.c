/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Does what the lines of its standard input say, and confirms each:
 *
 *	one K N · two K N      block number K of N bytes, by two callers
 *	grow K N               … made larger
 *	free K
 *	fork K                 a child releases block K and ends
 */
#include <stdio.h>
#include <sys/wait.h>

#include "expect.h"

#define NOINLINE __attribute__((noinline, noclone))

static void *volatile block[16];

NOINLINE static void caller_one(unsigned k, size_t n)
{
	block[k] = malloc(n);
}

NOINLINE static void caller_two(unsigned k, size_t n)
{
	block[k] = calloc(1, n);
}

NOINLINE static void grow(unsigned k, size_t n)
{
	block[k] = realloc(block[k], n);
}

static void let_child_free(unsigned k)
{
	pid_t pid = fork();

	if (!pid) {
		free(block[k]);
		caller_one(15, 7);
		_exit(0);
	}
	waitpid(pid, NULL, 0);
}

/* Without stdio, which allocates. */
static int read_line(char *line, size_t size)
{
	size_t n = 0;

	while (n + 1 < size && read(0, line + n, 1) == 1 && line[n] != '\n')
		n++;
	line[n] = '\0';
	return n > 0;
}

int main(void)
{
	char line[64], word[16];
	unsigned k, n;

	if (write(1, "ready\n", 6) != 6)
		return 99;
	while (read_line(line, sizeof line)) {
		if (sscanf(line, "%15s %u %u", word, &k, &n) < 2 || k > 15)
			return 98;
		if (!strcmp(word, "one"))
			caller_one(k, n);
		else if (!strcmp(word, "two"))
			caller_two(k, n);
		else if (!strcmp(word, "grow"))
			grow(k, n);
		else if (!strcmp(word, "free"))
			free(block[k]);
		else if (!strcmp(word, "fork"))
			let_child_free(k);
		if (write(1, "done\n", 5) != 5)
			return 97;
	}
	return 0;
}
