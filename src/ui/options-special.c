/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What single options do. */
#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <signal.h>

#include "options-internal.h"

int set_verbose(struct options *o, const struct option_row *row, const char *arg)
{
	(void)row;
	(void)arg;
	o->verbose++;
	return 0;
}

static void add_pid(struct options *o, pid_t pid)
{
	for (size_t i = 0; i < o->trace.pids.n; i++)
		if (o->trace.pids.v[i] == pid)
			return;
	vec_push(&o->trace.pids, pid);
}

/* Several may be given at once, as `pidof` prints them or with commas. */
int set_pid(struct options *o, const struct option_row *row, const char *arg)
{
	char *copy = xstrdup(arg), *rest = copy, *word;
	unsigned long v;
	int err = *arg ? 0 : options_wrong("--%s needs a process id", row->name);

	while (!err && (word = strsep(&rest, ", \t\n"))) {
		if (!*word)
			continue;
		err = option_number(row, word, 1, INT_MAX, &v);
		if (!err)
			add_pid(o, (pid_t)v);
	}
	free(copy);
	return err;
}

int add_probe(struct options *o, const struct option_row *row, const char *arg)
{
	struct user_probe p;

	if (user_probe_parse(arg, (enum alloc_op)row->field.value, &p))
		return -1;
	vec_push(&o->trace.probes, p);
	return 0;
}

int add_env(struct options *o, const struct option_row *row, const char *arg)
{
	if (!*arg || *arg == '=')
		return options_wrong("--%s: '%s' has no name", row->name, arg);
	vec_push(&o->env, xstrdup(arg));
	return 0;
}

int set_autoscan(struct options *o, const struct option_row *row, const char *arg)
{
	(void)row;
	(void)arg;
	o->trace.scan.launched = o->trace.scan.attached = true;
	o->list_leaks = true;
	return 0;
}

int set_no_autoscan(struct options *o, const struct option_row *row, const char *arg)
{
	(void)row;
	(void)arg;
	o->trace.scan.launched = o->trace.scan.attached = false;
	o->list_leaks = false;
	return 0;
}

/* As valgrind's: yes is full. */
int set_leak_check(struct options *o, const struct option_row *row, const char *arg)
{
	int i = strcmp(arg, "yes") ? option_pick(row, arg, strlen(arg)) : 2;

	if (i < 0)
		return -1;
	if (i == 0)
		return set_no_autoscan(o, row, arg);
	set_autoscan(o, row, arg);
	o->list_leaks = i == 2;
	return 0;
}

int set_leak_kinds(struct options *o, const struct option_row *row, const char *arg)
{
	unsigned kinds = 0;

	while (*arg) {
		size_t n = strcspn(arg, ",");
		int i = option_pick(row, arg, n);

		if (i < 0)
			return -1;
		kinds |= i == LEAK_KINDS ? (1u << LEAK_KINDS) - 1 : 1u << i;
		arg += n + (arg[n] == ',');
	}
	if (!kinds)
		return options_wrong("--%s needs %s", row->name, row->arg);
	o->leak_kinds = kinds;
	return set_autoscan(o, row, NULL);
}

/* A signal asks for one thing; the last word counts. */
int set_on_signal(struct options *o, const struct option_row *row, const char *arg)
{
	int i = option_pick(row, arg, strlen(arg)), sig = i % 2 ? SIGUSR2 : SIGUSR1;
	int *scan = &o->trace.scan.on_signal, *mark = &o->trace.mark_signal;

	if (i < 0)
		return -1;
	*(i < 2 ? scan : mark) = sig;
	if (*scan == *mark)
		*(i < 2 ? mark : scan) = 0;
	return 0;
}

/* --why=ADDR asks about one block. */
int set_why(struct options *o, const struct option_row *row, const char *arg)
{
	char *end;

	o->trace.scan.launched = o->trace.scan.attached = true;
	o->list_leaks = true;
	if (!arg) {
		o->trace.scan.why = true;
		o->leak_kinds |= 1u << LEAK_REACHABLE;
		return 0;
	}
	errno = 0;
	o->trace.scan.why_addr = isxdigit((unsigned char)*arg) ? strtoull(arg, &end, 16) : 0;
	if (!o->trace.scan.why_addr || errno || *end)
		return options_wrong("--%s: '%s' is no address like 0x55d0c2a8", row->name, arg);
	return 0;
}

/* --trace=FORMAT; the side that reports prints it. */
int set_trace(struct options *o, const struct option_row *row, const char *arg)
{
	int i = arg ? option_pick(row, arg, strlen(arg)) : -1;

	if (!arg) /* of older versions' options */
		return 0;
	if (i < 0)
		return -1;
	o->trace_format = (uint32_t)i + 1;
	return 0;
}

int add_injection(struct options *o, const struct option_row *row, const char *arg)
{
	static const char word[] = "sweep";
	struct fail_rule r;
	char *as_rule;
	int err;

	if (!strncmp(arg, word, sizeof word - 1)) {
		as_rule = xasprintf("malloc:fail%s", arg + sizeof word - 1);
		err = fail_rule_parse(as_rule, &r);
		free(as_rule);
		if (err)
			return -1;
		o->sweep = true;
		vec_push(&o->trace.change.fail, r);
		return 0;
	}
	if (o->trace.change.fail.n == FAIL_RULES_MAX)
		return options_wrong("--%s: at most %d", row->name, FAIL_RULES_MAX);
	if (fail_rule_parse(arg, &r))
		return -1;
	vec_push(&o->trace.change.fail, r);
	return 0;
}
