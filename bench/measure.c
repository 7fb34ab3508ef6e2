/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Runs a program and prints `wall_ns=N peak_kb=N status=N` to stderr at its end: measure COMMAND...
 *
 * The peak is VmHWM of the program itself, looked at every half millisecond.  getrusage() would
 * not do: its maximum includes children that the program has waited for, and what a tracer waits
 * for is the traced program. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static long long now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static unsigned long peak_kb(pid_t pid)
{
	char path[64], line[256];
	unsigned long kb = 0;
	FILE *status;

	snprintf(path, sizeof path, "/proc/%d/status", (int)pid);
	status = fopen(path, "r");
	if (!status)
		return 0;
	while (fgets(line, sizeof line, status) && sscanf(line, "VmHWM: %lu", &kb) != 1)
		;
	fclose(status);
	return kb;
}

int main(int argc, char **argv)
{
	const struct timespec pause = { 0, 500000 };
	unsigned long peak = 0, kb;
	long long begin = now();
	pid_t pid;
	int status;

	if (argc < 2)
		return 2;
	pid = fork();
	if (pid < 0) {
		perror("fork");
		return 1;
	}
	if (!pid) {
		execvp(argv[1], argv + 1);
		perror(argv[1]);
		_exit(127);
	}
	while (waitpid(pid, &status, WNOHANG) == 0) {
		kb = peak_kb(pid);
		if (kb > peak)
			peak = kb;
		nanosleep(&pause, NULL);
	}
	fprintf(stderr, "wall_ns=%lld peak_kb=%lu status=%d\n", now() - begin, peak, status);
	return status != 0;
}
