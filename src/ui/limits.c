/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/msg.h"
#include "base/strbuf.h"
#include "base/xalloc.h"
#include "trace/requests.h"
#include "trace/trace.h"
#include "ui/background.h"
#include "ui/limits.h"

bool limits_control(const struct thresholds *t)
{
	return t->v.n && t->actions & LIMITS_CONTROL;
}

/* -- what is done ---------------------------------------------------------------------- */

static void dump(const struct limits *l)
{
	if (l->from == LIMITS_TRACER)
		trace_ask_report();
	else
		report_write(l->heap, l->report); /* nobody waits for us; it says itself what is wrong */
}

static void execute(const struct limits *l, const struct threshold_passed *p)
{
	char *env[] = {
		xasprintf("MTRACE_PID=%d", (int)p->pid),
		xasprintf("MTRACE_BYTES=%llu", (unsigned long long)p->bytes),
		xasprintf("MTRACE_THRESHOLD=%llu", (unsigned long long)p->threshold),
		NULL,
	};
	int err = run_in_background(l->thresholds->command, env, trace_leave_child);

	if (err)
		msg_warn("cannot run '%s': %s", l->thresholds->command, strerror(-err));
	for (size_t i = 0; env[i]; i++)
		free(env[i]);
}

static void answered(void *arg, const struct answer *a)
{
	/* It may have ended meanwhile. */
	if (a->error && a->error != ESRCH)
		msg_warn("--on-threshold %s: %s", (const char *)arg,
			 a->text ? a->text : strerror(a->error));
}

static void ask(struct limits *l, enum threshold_action what, uint8_t kind, pid_t pid)
{
	struct request q = { .kind = kind, .pid = pid };

	if (l->from == LIMITS_LOG)
		l->mark = what == THRESHOLD_MARK; /* all that a log can be asked for */
	else if (l->from == LIMITS_TRACER)
		trace_ask(&q, answered, (void *)(uintptr_t)threshold_action_name(what));
	else if (l->client && !client_refused_control(l->client))
		client_tell(l->client, &q);
}

/* First what shows the state, then what changes it. */
static void act(void *arg, const struct threshold_passed *p)
{
	struct limits *l = arg;
	unsigned actions = l->thresholds->actions;

	if (actions >> THRESHOLD_DUMP & 1)
		dump(l);
	if (actions >> THRESHOLD_EXEC & 1)
		execute(l, p);
	if (actions >> THRESHOLD_MARK & 1)
		ask(l, THRESHOLD_MARK, REQUEST_MARK, 0);
	if (actions >> THRESHOLD_STOP & 1) {
		msg_warn("%s (%d) is stopped; it goes on after: kill -CONT %d", p->name, (int)p->pid,
			 (int)p->pid);
		ask(l, THRESHOLD_STOP, REQUEST_SUSPEND, p->pid);
	}
	if (actions >> THRESHOLD_DETACH & 1) {
		msg_warn("%s (%d) is let go, and runs on untraced", p->name, (int)p->pid);
		ask(l, THRESHOLD_DETACH, REQUEST_DETACH, p->pid);
	}
	if (actions >> THRESHOLD_KILL & 1) {
		msg_warn("%s (%d) is killed", p->name, (int)p->pid);
		ask(l, THRESHOLD_KILL, REQUEST_KILL, p->pid);
	}
}

/* -- the sink ---------------------------------------------------------------------------- */

struct event_sink *limits_begin(struct limits *l, struct event_sink *next)
{
	if (!l->thresholds->v.n)
		return next;
	l->sink = threshold_sink_new(next, &(struct threshold_sink_opts){
		.heap = l->heap, .report = l->report, .thresholds = l->thresholds,
		.act = act, .arg = l });
	return l->sink;
}

void limits_connected(const struct limits *l)
{
	const char *why = l->client && limits_control(l->thresholds) ?
				  client_refused_control(l->client) : NULL;

	if (why)
		msg_warn("--on-threshold cannot have the tracer do anything: %s", why);
}

void limits_release(struct limits *l)
{
	if (l->sink)
		l->sink->free(l->sink);
	l->sink = NULL;
}
