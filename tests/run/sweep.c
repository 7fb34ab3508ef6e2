/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Callers that take it well when a request fails, and others; reads what it is
 * given, and says how often it was run to its end. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "expect.h"

__attribute__((noinline)) static void *careless(size_t n)
{
	char *volatile p = malloc(n);

	*p = 1;
	return p;
}

__attribute__((noinline)) static void *prepared(size_t n)
{
	char *p = malloc(n);

	if (!p)
		_exit(3);
	return p;
}

__attribute__((noinline)) static void *strict(size_t n)
{
	void *p = calloc(n, 1);

	if (!p)
		abort();
	return p;
}

__attribute__((noinline)) static void *patient(size_t n)
{
	void *p = malloc(n);

	while (!p)
		pause();
	return p;
}

int main(int argc, char **argv)
{
	char word[8];
	ssize_t n = read(0, word, sizeof word);

	for (int i = 0; i < 3; i++) {
		void *volatile p = prepared(20);

		free(p);
	}
	for (int i = 1; i < argc; i++) {
		void *volatile p = NULL;

		if (!strcmp(argv[i], "careless"))
			p = careless(30);
		else if (!strcmp(argv[i], "strict"))
			p = strict(40);
		else if (!strcmp(argv[i], "patient"))
			p = patient(50);
		free(p);
	}
	if (n > 0)
		(void)!write(1, word, (size_t)n);
	(void)!write(1, "end\n", 4);
	return 0;
}
