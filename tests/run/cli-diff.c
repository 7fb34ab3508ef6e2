/* SPDX-License-Identifier: GPL-2.0-or-later */
/* For cli-diff.sh: `FUNCTION COUNT SIZE`, one after the other, allocates there; the
 * blocks of lose() are lost, `fork` does what follows in a child.  Built again with
 * -DSHIFTED, in which all lines and addresses are others, and with
 * -Dopen_log=open_journal, in which a function has another name. */
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

struct kept {
	struct kept *next;
};

static struct kept *kept;
volatile int zero;

#ifdef SHIFTED
#define TWICE(statement) do { statement; statement; } while (0)
#define NOISE                                                                        \
	do {                                                                         \
		zero = zero * 3;                                                     \
		zero = zero * 5;                                                     \
	} while (0)

__attribute__((noinline, used)) static int another(int n)
{
	return n ? another(n - 1) + zero : zero;
}
#else
#define NOISE (void)zero
#endif

static void keep(struct kept *k)
{
	NOISE;
	k->next = kept;
	kept = k;
}

__attribute__((noinline)) static void read_config(size_t size)
{
	keep(malloc(size));
	NOISE;
}

__attribute__((noinline)) static void open_log(size_t size)
{
	NOISE;
	keep(calloc(1, size));
	NOISE;
}

/* In itself, as deep as the block is large. */
__attribute__((noinline)) static void descend(size_t size, int depth)
{
	if (depth)
		descend(size, depth - 1);
	else
		keep(malloc(size));
	NOISE;
}

__attribute__((noinline)) static void lose(size_t size)
{
	char *volatile p = malloc(size);

	NOISE;
	p = NULL;
	(void)p;
}

static void once(const char *where, size_t size)
{
	if (!strcmp(where, "read_config"))
		read_config(size);
	else if (!strcmp(where, "open_log"))
		open_log(size);
	else if (!strcmp(where, "descend"))
		descend(size, (int)(size / 100));
	else
		lose(size);
}

int main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		if (!strcmp(argv[i], "fork")) {
			if (fork())
				break;
			continue;
		}
		if (i + 2 >= argc)
			return 1;
		for (int n = atoi(argv[i + 1]); n; n--)
			once(argv[i], (size_t)atol(argv[i + 2]));
		i += 2;
	}
	while (wait(NULL) > 0)
		;
	return 0;
}
