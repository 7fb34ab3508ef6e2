/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <sched.h>

#include "trace/cpu.h"
#include "trace/proc.h"

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

bool cpu_several(void)
{
	return here.usable;
}

void cpu_follow(pid_t tid)
{
	cpu_set_t one;
	int cpu;

	if (!here.usable || ++here.since < LOOK_EVERY)
		return;
	here.since = 0;
	cpu = (int)proc_stat_number(tid, STAT_CPU, (uint64_t)-1);
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
