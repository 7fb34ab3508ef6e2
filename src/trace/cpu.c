/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "trace/cpu.h"

/* Batches between two looks at where the tracee is: a look costs about as much
 * as one stop, and the scheduler moves tasks seldom. */
#define LOOK_EVERY 512

static struct {
	cpu_set_t allowed;
	bool usable;
	int on;          /* CPU we are bound to; −1: none */
	unsigned since;  /* batches since the last look */
} here = { .on = -1 };

void cpu_begin(void)
{
	here.usable = !sched_getaffinity(0, sizeof here.allowed, &here.allowed) &&
		      CPU_COUNT(&here.allowed) > 1;
	here.on = -1;
	here.since = LOOK_EVERY - 1;
}

/* Field 39 of /proc/PID/stat; −1: unknown. */
static int cpu_of(pid_t tid)
{
	char path[40], line[512], *p;
	ssize_t n;
	int fd;

	snprintf(path, sizeof path, "/proc/%d/stat", tid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -1;
	n = read(fd, line, sizeof line - 1);
	close(fd);
	line[n > 0 ? n : 0] = '\0';
	p = strrchr(line, ')'); /* field 2 ends here, whatever it holds */
	for (int field = 2; p && field < 39; field++)
		p = strchr(p + 1, ' ');
	return p ? atoi(p + 1) : -1;
}

void cpu_follow(pid_t tid)
{
	cpu_set_t one;
	int cpu;

	if (!here.usable || ++here.since < LOOK_EVERY)
		return;
	here.since = 0;
	cpu = cpu_of(tid);
	if (cpu < 0 || cpu == here.on || cpu >= CPU_SETSIZE || !CPU_ISSET(cpu, &here.allowed))
		return;
	CPU_ZERO(&one);
	CPU_SET(cpu, &one);
	if (!sched_setaffinity(0, sizeof one, &one))
		here.on = cpu;
}

void cpu_end(void)
{
	if (here.usable && here.on >= 0)
		sched_setaffinity(0, sizeof here.allowed, &here.allowed);
	here.on = -1;
}
