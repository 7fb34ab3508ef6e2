/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Says when its constructor runs, which keeps a block, and when main does, which keeps
 * another one. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void *volatile kept[2];

static void say(const char *text)
{
	if (write(1, text, strlen(text)) < 0)
		_exit(1);
}

static void __attribute__((constructor)) before_main(void)
{
	kept[0] = malloc(1234);
	say("constructor\n");
}

int main(void)
{
	kept[1] = malloc(4321);
	say("main\n");
	return kept[0] && kept[1] ? 7 : 1;
}
