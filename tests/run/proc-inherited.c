/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A forked child begins with its parent's blocks and totals as they are at that
 * moment, whatever the parent does while the child has not run yet.  Run: -f. */
#include <sys/wait.h>
#include "expect.h"

#define BLOCKS 8
#define CHILDREN 25

__attribute__((noinline)) static void *block(size_t n)
{
	void *p = malloc(n);

	KEEP(p);
	EXPECT_THAT(p);
	return p;
}

int main(void)
{
	void *kept[BLOCKS];
	char key[32];
	long long allocs = 0;

	for (int i = 0; i < BLOCKS; i++, allocs++)
		kept[i] = block(100);
	for (int child = 1; child <= CHILDREN; child++) {
		pid_t pid = fork();
		int status;

		EXPECT_THAT(pid >= 0);
		if (!pid) {
			for (int i = 0; i < BLOCKS; i++)
				free(kept[i]);
			_exit(0);
		}
		/* Before the child has run, as a rule. */
		for (int i = 0; i < BLOCKS; i++) {
			free(kept[i]);
			kept[i] = block(200);
		}
		EXPECT_THAT(waitpid(pid, &status, 0) == pid && status == 0);
		strcpy(key, "00:allocs");
		key[0] = (char)('0' + child / 10);
		key[1] = (char)('0' + child % 10);
		expect(key, allocs);
		strcpy(key + 3, "frees");
		expect(key, allocs);
		strcpy(key + 3, "unknown_releases");
		expect(key, 0);
		strcpy(key + 3, "open_blocks");
		expect(key, 0);
		allocs += BLOCKS;
	}
	expect("allocs", allocs);
	expect("open_blocks", BLOCKS);
	return 0;
}
