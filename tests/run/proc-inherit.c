/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A followed child inherits what is allocated at the moment of the fork, however
 * soon its parent releases that, or ends: by fork(2), and by a clone(2) that
 * copies the memory but is reported as a thread's would be.
 * Run: -f. */
#include <sched.h>
#include <sys/syscall.h>
#include "expect.h"

#define CHILDREN 10

static long make_child(int i)
{
	return i % 2 ? syscall(SYS_clone, 0, NULL, NULL, NULL, NULL) : fork();
}

/* "3:inherited.blocks" */
static void expect_of(int child, const char *key, long long value)
{
	char name[64] = "", digits[24];

	strcat(strcat(strcat(name, expect_number(digits, child)), ":"), key);
	expect(name, value);
}

int main(void)
{
	for (int i = 1; i <= CHILDREN; i++) {
		expect_of(i, "inherited.blocks", 1);
		expect_of(i, "inherited.bytes", 1000);
		expect_of(i, "open_blocks", 2);
		expect_of(i, "allocs", i + 1);
		expect_of(i, "frees", i - 1);
	}
	expect("allocs", CHILDREN);
	expect("frees", CHILDREN);
	for (int i = 1; i <= CHILDREN; i++) {
		void *p = malloc(1000), *own;
		long pid;

		KEEP(p);
		pid = make_child(i);
		if (!pid) {
			own = malloc(10);
			KEEP(own);
			_exit(0);
		}
		EXPECT_THAT(pid > 0);
		free(p);
	}
	return 0;
}
