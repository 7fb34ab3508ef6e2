/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/strbuf.h"
#include "base/xalloc.h"
#include "trace/leftover.h"
#include "trace/recorder.h"

/* How many pids a line names. */
#define NAMED 4

static bool is_alive(pid_t pid)
{
	return !strchr("ZX", proc_state_letter(pid));
}

/* A daemon's customs: fork, setsid, fork again.  The grandchild was never ours,
 * but its session has the child's number. */
static pid_t in_session_of(pid_t leader)
{
	DIR *dir = opendir("/proc");
	struct dirent *de;
	pid_t found = 0, pid;

	while (dir && !found && (de = readdir(dir))) {
		pid = (pid_t)strtol(de->d_name, NULL, 10);
		if (pid > 0 && is_alive(pid) &&
		    proc_stat_number(pid, STAT_SESSION, 0) == (uint64_t)leader)
			found = pid;
	}
	if (dir)
		closedir(dir);
	return found;
}

/* The launched program has ended, and this child of it has not: the pid that
 * runs on, or 0. */
static pid_t runs_on(const struct session *s, const struct let_go *c)
{
	if (!s->launched || !s->launched_ended || s->opts->pids.n || c->execed)
		return 0;
	return is_alive(c->pid) ? c->pid : in_session_of(c->pid);
}

static void tell_background(struct session *s)
{
	struct strbuf pids = STRBUF_INIT;
	size_t n = 0;
	char *line;

	for (size_t i = 0; i < s->not_followed.n; i++) {
		pid_t pid = runs_on(s, &s->not_followed.v[i]);

		s->not_followed.v[i].outlives = pid != 0;
		if (pid && n++ < NAMED)
			strbuf_addf(&pids, "%s%d", n > 1 ? ", " : "", pid);
	}
	if (n > NAMED)
		strbuf_addf(&pids, " and %zu more", n - NAMED);
	if (n) {
		line = xasprintf("%s left %s running untraced; use -f", s->opts->argv[0], pids.s);
		record_note(s, 0, true, line);
		free(line);
	}
	strbuf_release(&pids);
}

static bool is_child(const struct let_go *c)
{
	return !c->execed && !c->outlives;
}

static bool named_before(const struct session *s, size_t i)
{
	for (size_t k = 0; k < i; k++)
		if (is_child(&s->not_followed.v[k]) &&
		    !strcmp(s->not_followed.v[k].name, s->not_followed.v[i].name))
			return true;
	return false;
}

static void tell_children(struct session *s)
{
	struct strbuf names = STRBUF_INIT;
	size_t n = 0;
	char *line;

	for (size_t i = 0; i < s->not_followed.n; i++) {
		if (!is_child(&s->not_followed.v[i]))
			continue;
		if (!named_before(s, i))
			strbuf_addf(&names, "%s%s", n ? ", " : "", s->not_followed.v[i].name);
		n++;
	}
	if (n) {
		line = xasprintf("not followed: %zu child%s (%s); use -f", n, n == 1 ? "" : "ren",
				 names.s);
		record_note(s, 0, false, line);
		free(line);
	}
	strbuf_release(&names);
}

static void tell_execed(struct session *s)
{
	for (size_t i = 0; i < s->not_followed.n; i++) {
		const struct let_go *c = &s->not_followed.v[i];
		char *line;

		if (!c->execed)
			continue;
		line = xasprintf("%d went on as %s, untraced: --no-follow-exec", c->pid, c->name);
		record_note(s, 0, false, line);
		free(line);
	}
}

void leftover_tell(struct session *s)
{
	tell_background(s);
	tell_children(s);
	tell_execed(s);
}
