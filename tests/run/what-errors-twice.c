/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One double or invalid release, which the C library ends the program for: mtrace
 * tells it first.  The argument says which. */
#include <sys/wait.h>
#include "expect.h"

static int is(const char *argument, const char *name)
{
	return !strcmp(argument, name);
}

__attribute__((noinline)) static void release(char *p)
{
	KEEP(p);
	free(p);
}

int main(int argc, char **argv)
{
	const char *how = argc > 1 ? argv[1] : "";
	/* Of size 0, as the C library sees what is there: it looks no further. */
	char on_stack[64] = { 0 }, *p = malloc(4000), *q;
	int status;

	KEEP(p);
	expect("allocs >=", 1);
	if (is(how, "fork")) { /* it is the child's error alone */
		expect("0:error_count", 0);
		expect("1:error_count", 1);
	} else {
		expect_error(is(how, "stack") || is(how, "inside-freed") || is(how, "realloc-stack") ?
			     "invalid_free" : "double_free", 1);
		expect("error_count", 1);
	}
	if (is(how, "free")) {
		release(p);
		release(p);
	} else if (is(how, "stack")) {
		release(on_stack + 19);
	} else if (is(how, "inside-freed")) {
		release(p);
		release(p + 24);
	} else if (is(how, "realloc")) {
		p = malloc(40);
		release(p);
		q = realloc(p, 5000);
		KEEP(q);
	} else if (is(how, "realloc-stack")) {
		q = realloc(on_stack + 17, 5000);
		KEEP(q);
	} else if (is(how, "moved")) { /* by realloc, which released the old one */
		char *barrier = malloc(10);

		KEEP(barrier);
		q = realloc(p, 500000);
		EXPECT_THAT(q != p);
		release(p);
	} else if (is(how, "fork")) { /* the child knows what its parent released */
		release(p);
		if (!fork()) {
			release(p);
			_exit(1);
		}
		wait(&status);
		abort();
	}
	_exit(0);
}
