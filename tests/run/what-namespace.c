/* SPDX-License-Identifier: GPL-2.0-or-later */
/* In a mount and a pid namespace of its own, with another library at the path that
 * has this program's outside.  Without an argument: what is run inside. */
#include <sched.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include "expect.h"

void *library_get(size_t n);

__attribute__((noinline)) static void program_get(void)
{
	void *p = library_get(50);

	KEEP(p);
	free(p);
}

/* argv: the library that is to lie over the one outside, its place. */
int main(int argc, char **argv)
{
	pid_t child;

	if (argc < 3)
		for (;;) {
			program_get();
			usleep(2000);
		}
	if (unshare(CLONE_NEWNS | CLONE_NEWPID) || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	    mount(argv[1], argv[2], NULL, MS_BIND, NULL))
		return 77;
	child = fork();
	if (!child) {
		execl("/proc/self/exe", argv[0], (char *)NULL);
		_exit(76);
	}
	printf("%d\n", (int)child);
	fflush(stdout);
	waitpid(child, NULL, 0);
	return 0;
}
