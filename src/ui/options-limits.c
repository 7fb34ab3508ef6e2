/* SPDX-License-Identifier: GPL-2.0-or-later */
/* --threshold and --on-threshold. */
#include <ctype.h>
#include <errno.h>
#include <string.h>

#include "options-internal.h"
#include "ui/limits.h"

#define ENDS_RUNNING (1u << THRESHOLD_STOP | 1u << THRESHOLD_DETACH | 1u << THRESHOLD_KILL)

/* 65536, 64K, 10M, 2G, as --fail-if takes them. */
static int parse_bytes(const char *text, uint64_t *out)
{
	static const char units[] = "KMGT";
	const char *unit = NULL;
	char *end = NULL;
	uint64_t v = 0;

	errno = 0;
	if (isdigit((unsigned char)*text))
		v = strtoull(text, &end, 10);
	if (!end || errno)
		return -1;
	if (*end)
		unit = strchr(units, toupper((unsigned char)*end++));
	if (unit && __builtin_mul_overflow(v, (uint64_t)1 << (10 * (unit - units + 1)), &v))
		return -1;
	if ((end[-1] && !isdigit((unsigned char)end[-1]) && !unit) || *end)
		return -1;
	*out = v;
	return 0;
}

int add_threshold(struct options *o, const struct option_row *row, const char *arg)
{
	uint64_t bytes;

	if (parse_bytes(arg, &bytes))
		return options_wrong("--%s: '%s' is no size like 65536, 64K, 10M or 2G", row->name, arg);
	vec_push(&o->thresholds.v, bytes);
	return 0;
}

int set_on_threshold(struct options *o, const struct option_row *row, const char *arg)
{
	size_t n = strcspn(arg, ":");
	int i = option_pick(row, arg, n + (arg[n] == ':'));

	if (i < 0)
		return -1;
	if (i == THRESHOLD_EXEC && (!arg[n] || !arg[n + 1]))
		return options_wrong("--%s: '%s' names no command", row->name, arg);
	if (i == THRESHOLD_EXEC)
		o->thresholds.command = arg + n + 1;
	o->thresholds.actions |= 1u << i;
	return 0;
}

/* The first of those that are asked for. */
static const char *named(const struct thresholds *t, unsigned actions)
{
	for (size_t i = 0; i < THRESHOLD_ACTIONS; i++)
		if (t->actions & actions & 1u << i)
			return threshold_action_name(i);
	return "";
}

int options_check_thresholds(struct options *o, bool traces)
{
	struct thresholds *t = &o->thresholds;
	unsigned ends = t->actions & ENDS_RUNNING;
	unsigned beyond = o->import_format ? ENDS_RUNNING : LIMITS_CONTROL; /* what a log can do */

	if (!t->v.n && t->actions)
		return options_wrong("--on-threshold needs --threshold");
	if (t->v.n && o->sweep)
		return options_wrong("--inject sweep makes a report of its own: no --threshold");
	if (ends & (ends - 1))
		return options_wrong("--on-threshold: stop, detach and kill exclude one another");
	if (!traces && !o->remote && t->actions & beyond)
		return options_wrong("--on-threshold %s is for a program that runs%s", named(t, beyond),
				     o->import_format ? ", not for the heap log of a target" :
				     "; what a log tells is over: warn, dump and exec:COMMAND are left");
	thresholds_sort(t);
	return 0;
}
