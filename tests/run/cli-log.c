/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Ten blocks, one of which stays; and what cli-log.sh asks for: says (prints),
 * work (a thousand blocks, then "done"), wait (a thousand, then nothing), forever. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void *volatile kept;

static void once(size_t n)
{
	void *p = malloc(n);

	if (!kept)
		kept = p;
	else
		free(p);
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";
	int n = !strcmp(what, "work") || !strcmp(what, "wait") ? 1000 : 10;

	for (int i = 0; i < n; i++)
		once(100);
	if (!strcmp(what, "says") && write(1, "the program says so\n", 20) != 20)
		return 1;
	if (!strcmp(what, "work") && write(1, "done\n", 5) != 5)
		return 1;
	while (!strcmp(what, "wait"))
		pause();
	while (!strcmp(what, "forever"))
		once(100);
	return 0;
}
