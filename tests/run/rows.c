/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Allocations in a library, and here, of which the machine that they run on has no
 * unwinding tables.  Before the first of them nothing is waited for. */
#include <dlfcn.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "expect.h"

void rows_work(int n);

static void *volatile kept[4];

/* The C library has a frame in the midst. */
static int compare(const void *a, const void *b)
{
	if (!kept[1])
		kept[1] = malloc(30);
	return *(const int *)a - *(const int *)b;
}

/* Whoever gives the rows comes when the first stack was taken: when the folder `first` is
 * there, and when he has, `given`. */
static int late(const char *first, const char *given)
{
	int status = -1;
	pid_t pid;

	rows_work(1);
	/* A child's stacks are told before it when a client comes late. */
	pid = fork();
	if (!pid) {
		rows_work(2);
		_exit(0);
	}
	EXPECT_THAT(waitpid(pid, &status, 0) == pid && !status);
	if (mkdir(first, 0755))
		return 1;
	while (access(given, F_OK))
		usleep(10000);
	rows_work(2);
	expect_stack("one_way", "total_blocks", 1);
	expect_stack("other_way", "total_blocks", 1);
	expect_stack("late", "total_blocks", 2);
	expect("unwind.broken", 0);
	expect("1:allocs", 2); /* with that of its parent */
	expect("1:unwind.broken", 0);
	return 0;
}

/* Nobody can have given its rows when the first stack is taken. */
static int loads(const char *plugin)
{
	void *lib = dlopen(plugin, RTLD_NOW);
	void (*plugin_work)(int) = lib ? (void (*)(int))dlsym(lib, "plugin_work") : NULL;

	if (!plugin_work)
		return 1;
	plugin_work(1);
	plugin_work(2);
	expect_stack("one_way", "total_blocks", 1);
	expect_stack("other_way", "total_blocks", 1);
	expect_stack("plugin_work", "total_blocks", 2);
	expect("unwind.broken", 0);
	return 0;
}

int main(int argc, char **argv)
{
	volatile int numbers[] = { 2, 1 };

	if (argc > 2)
		return late(argv[1], argv[2]);
	if (argc > 1)
		return loads(argv[1]);
	kept[0] = strdup("a word");
	qsort((int *)numbers, 2, sizeof numbers[0], compare);
	rows_work(1);
	rows_work(2);
	expect_stack("leaf", "total_blocks", 2);
	expect_stack("one_way", "total_blocks", 1);
	expect_stack("other_way", "total_blocks", 1);
	expect_stack("rows_work", "total_blocks", 2);
	expect_stack("compare", "total_blocks", 1);
	expect_stack("main", "total_blocks", 4);
	expect("unwind.broken", 0);
	return 0;
}
