/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Says what /proc/PID/oom_score_adj is for itself, a child, and its tracer. */
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

static int score(int pid)
{
	char path[64];
	int value = -9999;
	FILE *f;

	snprintf(path, sizeof path, "/proc/%d/oom_score_adj", pid);
	f = fopen(path, "r");
	if (!f || fscanf(f, "%d", &value) != 1)
		perror(path);
	if (f)
		fclose(f);
	return value;
}

int main(void)
{
	int self = score(getpid()), tracer = score(getppid());

	printf("program %d tracer %d", self, tracer);
	fflush(stdout);
	if (!fork()) {
		printf(" child %d\n", score(getpid()));
		return 0;
	}
	wait(NULL);
	return 0;
}
