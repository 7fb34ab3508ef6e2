/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>
#include <unistd.h>

#include "elf/elf_file.h"
#include "console.h"

enum { DEPTH_MAX = 1024 };

static int set_searchpath(struct console *c, const char *folders)
{
	struct strings path = { 0 };

	for (const char *at = folders; *at;) {
		size_t n = strcspn(at, ":");

		if (n)
			vec_push(&path, xstrndup(at, n));
		at += n + (at[n] == ':');
	}
	for (size_t i = 0; i < path.n; i++) {
		if (!access(path.v[i], X_OK))
			continue;
		console_error(c, "there is no folder %s", path.v[i]);
		strings_release(&path);
		return -1;
	}
	elf_set_debug_roots(NULL);
	strings_release(&c->searchpath);
	c->searchpath = path;
	vec_push(&c->searchpath, NULL);
	c->report.binpath = (const char *const *)c->searchpath.v;
	elf_set_debug_roots(c->report.binpath);
	return 0;
}

static int set_depth(struct console *c, const char *arg)
{
	unsigned long n;

	if (console_number(c, "number of frames", arg, DEPTH_MAX, &n))
		return -1;
	if (!n)
		return console_error(c, "a backtrace has at least one frame");
	return console_tell(c, REQUEST_DEPTH, 0, n);
}

static const char *const what[] = { "depth", "searchpath", NULL };

static int run(struct console *c, int argc, char **argv)
{
	int i;

	if (argc != 3)
		return console_usage(c, &command_set);
	i = command_choose(c, "thing to set", what, argv[1]);
	if (i < 0)
		return -1;
	return i ? set_searchpath(c, argv[2]) : set_depth(c, argv[2]);
}

const struct command command_set = {
	.name = "set",
	.args = "searchpath A:B|depth N",
	.words = WORDS_FILE,
	.choices = what,
	.help = "where binaries are looked for, or the frames of backtraces",
	.more = "searchpath replaces the folders of --binpath. depth is of backtraces taken from\n"
		"now on.\n",
	.run = run,
};
