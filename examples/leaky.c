/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Loses memory in some of the usual ways, so that there is something to see. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char *line, *cursor, *buffer;
static struct user { char *name; } *user;

static void read_line(void)
{
	line = malloc(80);
	memset(line, ' ', 80);
}

static void parse_config(void)
{
	for (int i = 0; i < 50; i++, line = NULL)
		read_line(); /* nobody frees it */
}

static void add_user(void)
{
	user = calloc(1, 2 * sizeof user);
	user->name = strdup("alice");
	user = NULL; /* and with it its name */
}

static void open_log(void)
{
	cursor = malloc(256);
	cursor += 16; /* the start of the block is forgotten */
}

int main(void)
{
	open_log();
	parse_config();
	add_user();
	buffer = malloc(1024);
	free(malloc(100));
	puts("ready");
	return 0;
}
