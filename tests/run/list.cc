// SPDX-License-Identifier: GPL-2.0-or-later
// Blocks that stay, and what each is assigned to.  On standard output, of each: size,
// line, function, variable.  With an argument it then waits for the end of its input.
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <unistd.h>

static char line[200];

// No stdio stream: its buffers are allocated.
static void say(unsigned size, int at, const char *function, const char *variable)
{
	int n = snprintf(line, sizeof line, "%u %d %s %s\n", size, at, function, variable);

	if (write(1, line, (size_t)n) != n)
		_exit(2);
}

struct node {
	char *name;
	struct node *next;
	void fill();
};

static node first;
static void *tab[3];

void node::fill()
{
	this->next = new node();
	say(sizeof(node), __LINE__ - 1, "node::fill()", "this->next");
}

static char *made(void)
{
	say(31, __LINE__ + 1, "made", "-");
	return (char *)malloc(31);
}

static void many(int i)
{
	char *buffer = (char *)malloc(1000);

	say(1000, __LINE__ - 2, "many", "buffer");
	tab[i] = calloc(3, 11);
	say(33, __LINE__ - 1, "many", "tab[i]");
	first.name = strdup("a name of 19 bytes");
	say(19, __LINE__ - 1, "many", "first.name");
	int *a = new int[13];
	say(sizeof(int[13]), __LINE__ - 1, "many", "a");
	void *q;
	if (posix_memalign(&q, 64, 71))
		_exit(3);
	say(71, __LINE__ - 2, "many", "q");
	static char *kept[2];
	kept[0] = buffer, kept[1] = (char *)a;
	asm volatile("" ::"r"(kept), "r"(q) : "memory");
}

int main(int argc, char **)
{
	char c;

	many(2);
	first.fill();
	tab[0] = made();
	while (argc > 1 && read(0, &c, 1) > 0)
		;
	return 0;
}
