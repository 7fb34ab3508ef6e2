/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/xalloc.h"
#include "trace/memlimit.h"
#include "trace/recorder.h"

/* -- limits of the process ------------------------------------------------------------- */

/* An allocator asks for more than the request: glibc, where the break cannot grow, for
 * a MiB (MMAP_AS_MORECORE_SIZE of its malloc.c). */
#define ASKED_BEYOND (1u << 20)

/* proc_pid_statm(5): size resident shared text lib data dt, in pages. */
static bool read_statm(pid_t pid, uint64_t *size, uint64_t *data)
{
	char path[40];
	unsigned long all, mine;
	FILE *f;
	bool ok;

	snprintf(path, sizeof path, "/proc/%d/statm", (int)pid);
	f = fopen(path, "re");
	if (!f)
		return false;
	ok = fscanf(f, "%lu %*u %*u %*u %*u %lu", &all, &mine) == 2;
	fclose(f);
	if (!ok)
		return false;
	*size = all * (uint64_t)sysconf(_SC_PAGESIZE);
	*data = mine * (uint64_t)sysconf(_SC_PAGESIZE);
	return true;
}

/* Would that much more be beyond the limit? */
static bool is_beyond(pid_t pid, int resource, uint64_t used, uint64_t size, uint64_t *limit)
{
	struct rlimit rl;

	if (prlimit(pid, (__typeof__(RLIMIT_AS))resource, NULL, &rl) || rl.rlim_cur == RLIM_INFINITY)
		return false;
	*limit = rl.rlim_cur;
	return used > *limit || size >= *limit - used || *limit - used - size < ASKED_BEYOND;
}

void memlimit_refused(struct task *t, uint64_t size)
{
	struct event ev = { .type = EV_OOM };
	pid_t pid = t->proc->pid;
	uint64_t all, data, limit;

	if (!read_statm(pid, &all, &data))
		return;
	if (is_beyond(pid, RLIMIT_AS, all, size, &limit)) {
		ev.u.oom.cause = OOM_ADDRESS_SPACE;
		ev.u.oom.used = all;
	} else if (is_beyond(pid, RLIMIT_DATA, data, size, &limit)) {
		ev.u.oom.cause = OOM_DATA;
		ev.u.oom.used = data;
	} else {
		return;
	}
	ev.u.oom.limit = limit;
	record_event(t->proc, &ev);
}

/* -- what the kernel counts --------------------------------------------------------------- */

/* The number behind a key in a file of lines "KEY NUMBER"; key "": of the only line.
 * "max", the greatest, is none. */
static bool read_key(const char *path, const char *key, uint64_t *v)
{
	size_t n = strlen(key);
	char line[256], *end;
	bool found = false;
	FILE *f = fopen(path, "re");

	while (f && !found && fgets(line, sizeof line, f)) {
		if (strncmp(line, key, n) || (n && line[n] != ' '))
			continue;
		*v = strtoull(line + n, &end, 10);
		found = end > line + n;
	}
	if (f)
		fclose(f);
	return found;
}

static bool read_in(const char *folder, const char *name, const char *key, uint64_t *v)
{
	char *path = xasprintf("%s/%s", folder, name);
	bool found = read_key(path, key, v);

	free(path);
	return found;
}

/* Version 2, then version 1; the system's sum where there is no group. */
static bool read_kills(const char *folder, uint64_t *v)
{
	if (!folder)
		return read_key("/proc/vmstat", "oom_kill", v);
	return read_in(folder, "memory.events", "oom_kill", v) ||
	       read_in(folder, "memory.oom_control", "oom_kill", v);
}

/* The least of the group and those that it is in; 0: there is none. */
static uint64_t read_limit(const char *folder)
{
	char *path = xstrdup(folder ? folder : ""), *slash;
	uint64_t least = 0, v;

	while ((slash = strrchr(path, '/'))) {
		/* Version 1 has no word for "none". */
		if ((read_in(path, "memory.max", "", &v) ||
		     read_in(path, "memory.limit_in_bytes", "", &v)) && !(v >> 62))
			least = least ? MIN(least, v) : v;
		*slash = '\0';
	}
	free(path);
	return least;
}

/* Is `controllers`, "cpu,memory", one with memory? */
static bool has_memory(const char *controllers)
{
	const char *at = strstr(controllers, "memory");

	return at && (at == controllers || at[-1] == ',') && (!at[6] || at[6] == ',');
}

/* The memory of a group to which nobody has given the controller counts in the next one
 * above that has it.  False: there is none below the root. */
static bool climb(char *folder, size_t root)
{
	uint64_t v;

	while (!read_kills(folder, &v)) {
		char *slash = strrchr(folder + root, '/');

		if (!slash)
			return false;
		*slash = '\0';
	}
	return true;
}

/* Where the counts of a line of /proc/PID/cgroup are, "4:memory:/a" or "0::/a": the
 * caller frees; NULL: there are none. */
static char *folder_of(char *line)
{
	static const char *const roots[] = { "/sys/fs/cgroup", "/sys/fs/cgroup/unified" };
	char *controllers = strchr(line, ':'), *path = controllers ? strchr(controllers + 1, ':') : NULL;

	if (!path)
		return NULL;
	*path++ = '\0';
	path[strcspn(path, "\n")] = '\0';
	controllers++;
	for (size_t i = 0; i < ARRAY_SIZE(roots); i++) {
		char *folder = NULL;

		if (!*controllers)
			folder = xasprintf("%s%s", roots[i], path);
		else if (has_memory(controllers) && !i)
			folder = xasprintf("%s/memory%s", roots[i], path);
		if (folder && climb(folder, strlen(roots[i])))
			return folder;
		free(folder);
	}
	return NULL;
}

static char *find_folder(pid_t pid)
{
	char path[40], line[4096], *folder = NULL;
	FILE *f;

	snprintf(path, sizeof path, "/proc/%d/cgroup", (int)pid);
	f = fopen(path, "re");
	while (f && !folder && fgets(line, sizeof line, f))
		folder = folder_of(line);
	if (f)
		fclose(f);
	return folder;
}

static bool is_same(const char *a, const char *b)
{
	return a && b ? !strcmp(a, b) : !a && !b;
}

/* Its number; what was counted before is no business of ours. */
static size_t group_of(struct session *s, char *folder)
{
	struct memgroup g = { folder, 0 };

	for (size_t i = 0; i < s->memgroups.n; i++)
		if (is_same(s->memgroups.v[i].folder, folder)) {
			free(folder);
			return i;
		}
	read_kills(folder, &g.kills);
	vec_push(&s->memgroups, g);
	return s->memgroups.n - 1;
}

/* Who is moved to another group is so, as a rule, between fork() and exec(). */
void memlimit_begin(struct proc *p)
{
	if (p->how != PROC_FORKED)
		p->memgroup = group_of(p->session, find_folder(p->pid));
}

/* A process that shares its group with others may have died of something else in the
 * moment in which one of them was killed; more than that cannot be known. */
void memlimit_killed(struct proc *p)
{
	struct event ev = { .type = EV_OOM };
	struct memgroup *g;
	uint64_t kills;

	if (p->memgroup >= p->session->memgroups.n)
		return;
	g = &p->session->memgroups.v[p->memgroup];
	if (!read_kills(g->folder, &kills) || kills <= g->kills)
		return;
	ev.u.oom.cause = g->folder ? OOM_CGROUP : OOM_SYSTEM;
	ev.u.oom.limit = read_limit(g->folder);
	ev.u.oom.used = kills - g->kills;
	g->kills++;
	record_event(p, &ev);
}

void memlimit_end(struct session *s)
{
	for (size_t i = 0; i < s->memgroups.n; i++)
		free(s->memgroups.v[i].folder);
	vec_release(&s->memgroups);
}
