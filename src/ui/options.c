/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>

#include "base/msg.h"
#include "base/strbuf.h"
#include "model/openset.h"
#include "options-internal.h"

/* A message about the command line, in one line. */
static PRINTF_LIKE(1, 2) int wrong(const char *fmt, ...)
{
	struct strbuf sb = STRBUF_INIT;
	va_list ap;

	va_start(ap, fmt);
	strbuf_vaddf(&sb, fmt, ap);
	va_end(ap);
	msg_error("%s; try '%s --help'", sb.s, msg_program());
	strbuf_release(&sb);
	return -1;
}

/* -- words to choose from --------------------------------------------------- */

static const char *const colors[] = {
	[COLOR_AUTO] = "auto", [COLOR_ALWAYS] = "always", [COLOR_NEVER] = "never",
};

static const char *const formats[] = { "json", "xml" };
static const char *const leak_checks[] = { "no", "summary", "full" };
static const char *const leak_kinds[] = {
	[LEAK_DEFINITE] = "definite", [LEAK_INDIRECT] = "indirect", [LEAK_POSSIBLE] = "possible",
	[LEAK_REACHABLE] = "reachable", [LEAK_KINDS] = "all",
};
static const char *const scans[] = { "reachability", "references" };
static const char *const yes_no_all[] = { "no", "yes", "all" };
static const char *const on_signals[] = { "USR1:scan", "USR2:scan", "USR1:mark", "USR2:mark" };

static const char *const yes_no[] = { "yes", "no" };

const char *option_word(enum option_word word, size_t i)
{
	switch (word) {
	case WORD_COLOR:
		return i < ARRAY_SIZE(colors) ? colors[i] : NULL;
	case WORD_SORT_KEY:
		return report_sort_name(i);
	case WORD_FORMAT:
		return i < ARRAY_SIZE(formats) ? formats[i] : NULL;
	case WORD_LEAK_CHECK:
		return i < ARRAY_SIZE(leak_checks) ? leak_checks[i] : NULL;
	case WORD_LEAK_KIND:
		return i < ARRAY_SIZE(leak_kinds) ? leak_kinds[i] : NULL;
	case WORD_SCAN:
		return i < ARRAY_SIZE(scans) ? scans[i] : NULL;
	case WORD_ON_SIGNAL:
		return i < ARRAY_SIZE(on_signals) ? on_signals[i] : NULL;
	case WORD_GEN:
		return i < ARRAY_SIZE(yes_no_all) ? yes_no_all[i] : NULL;
	case WORD_YES_NO:
		return i < ARRAY_SIZE(yes_no) ? yes_no[i] : NULL;
	default:
		return NULL;
	}
}

/* Finds the word that `arg`, n bytes long, is or begins unambiguously.  Its
 * index, or -1 after a message that lists what there is. */
static int pick_word(const struct option_row *row, const char *arg, size_t n)
{
	struct strbuf all = STRBUF_INIT, like = STRBUF_INIT;
	unsigned hits = 0;
	int found = -1;
	const char *w;

	for (size_t i = 0; (w = option_word(row->word, i)); i++) {
		strbuf_addf(&all, "%s%s", i ? ", " : "", w);
		if (strncmp(w, arg, n))
			continue;
		strbuf_addf(&like, "%s%s", hits++ ? ", " : "", w);
		found = (int)i;
		if (strlen(w) == n) {
			hits = 1;
			break;
		}
	}
	if (!n || !hits)
		found = wrong("--%s: '%.*s' is none of %s", row->name, (int)n, arg, all.s);
	else if (hits > 1)
		found = wrong("--%s: '%.*s' may be any of %s", row->name, (int)n, arg, like.s);
	strbuf_release(&all);
	strbuf_release(&like);
	return found;
}

/* -- what options do -------------------------------------------------------- */

static bool *flag_of(struct options *o, const struct option_row *row)
{
	return (bool *)((char *)o + row->field);
}

static int set_flag(struct options *o, const struct option_row *row, const char *arg)
{
	(void)arg;
	*flag_of(o, row) = true;
	return 0;
}

static int clear_flag(struct options *o, const struct option_row *row, const char *arg)
{
	(void)arg;
	*flag_of(o, row) = false;
	return 0;
}

static int set_string(struct options *o, const struct option_row *row, const char *arg)
{
	if (!*arg)
		return wrong("--%s needs %s", row->name, row->arg);
	*(const char **)((char *)o + row->field) = arg;
	return 0;
}

static int set_nothing(struct options *o, const struct option_row *row, const char *arg)
{
	(void)o;
	(void)row;
	(void)arg;
	return 0;
}

static int set_census(struct options *o, const struct option_row *row, const char *arg)
{
	(void)row;
	(void)arg;
	o->trace.census = CENSUS_YES;
	return 0;
}

static int clear_census(struct options *o, const struct option_row *row, const char *arg)
{
	(void)row;
	(void)arg;
	o->trace.census = CENSUS_NO;
	return 0;
}

static int set_verbose(struct options *o, const struct option_row *row, const char *arg)
{
	(void)row;
	(void)arg;
	o->report.verbose++;
	return 0;
}

/* Decimal digits only: no sign, no blanks.  0 or -1 after a message. */
static int number(const struct option_row *row, const char *arg, unsigned long min,
		  unsigned long max, unsigned long *out)
{
	char *end = NULL;
	unsigned long v = 0;

	errno = 0;
	if (*arg >= '0' && *arg <= '9')
		v = strtoul(arg, &end, 10);
	if (!end || *end || errno || v < min || v > max)
		return wrong("--%s: '%s' is not a number from %lu to %lu", row->name, arg, min,
			     max);
	*out = v;
	return 0;
}

static int set_depth(struct options *o, const struct option_row *row, const char *arg)
{
	unsigned long v;

	if (number(row, arg, 1, TRACE_MAX_DEPTH, &v))
		return -1;
	o->trace.depth = (unsigned)v;
	return 0;
}

static int set_max_stacks(struct options *o, const struct option_row *row, const char *arg)
{
	unsigned long v;

	if (number(row, arg, 0, INT_MAX, &v))
		return -1;
	o->report.max_stacks = (int)v;
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
static int set_pid(struct options *o, const struct option_row *row, const char *arg)
{
	char *copy = xstrdup(arg), *rest = copy, *word;
	unsigned long v;
	int err = *arg ? 0 : wrong("--%s needs a process id", row->name);

	while (!err && (word = strsep(&rest, ", \t\n"))) {
		if (!*word)
			continue;
		err = number(row, word, 1, INT_MAX, &v);
		if (!err)
			add_pid(o, (pid_t)v);
	}
	free(copy);
	return err;
}

static int add_probe(struct options *o, const char *spec, enum alloc_op op)
{
	struct user_probe p;

	if (user_probe_parse(spec, op, &p))
		return -1;
	vec_push(&o->trace.probes, p);
	return 0;
}

static int set_alloc(struct options *o, const struct option_row *row, const char *arg)
{
	(void)row;
	return add_probe(o, arg, OP_ALLOC);
}

static int set_free(struct options *o, const struct option_row *row, const char *arg)
{
	(void)row;
	return add_probe(o, arg, OP_RELEASE);
}

static int set_realloc(struct options *o, const struct option_row *row, const char *arg)
{
	(void)row;
	return add_probe(o, arg, OP_REALLOC);
}

static int add_omit(struct options *o, const struct option_row *row, const char *arg)
{
	if (!*arg)
		return wrong("--%s needs %s", row->name, row->arg);
	vec_push(&o->trace.omit, xstrdup(arg));
	return 0;
}

static int add_binpath(struct options *o, const struct option_row *row, const char *arg)
{
	if (!*arg)
		return wrong("--%s needs %s", row->name, row->arg);
	vec_push(&o->binpath, xstrdup(arg));
	return 0;
}

static int add_config(struct options *o, const struct option_row *row, const char *arg)
{
	(void)row;
	vec_push(&o->config, xstrdup(arg));
	return 0;
}

static int add_env(struct options *o, const struct option_row *row, const char *arg)
{
	if (!*arg || *arg == '=')
		return wrong("--%s: '%s' has no name", row->name, arg);
	vec_push(&o->env, xstrdup(arg));
	return 0;
}

static int set_sort(struct options *o, const struct option_row *row, const char *arg)
{
	int i = pick_word(row, arg, strlen(arg));

	if (i < 0)
		return -1;
	o->report.sort = report_sort_lookup(option_word(row->word, (size_t)i));
	return 0;
}

static int set_color(struct options *o, const struct option_row *row, const char *arg)
{
	int i = pick_word(row, arg, strlen(arg));

	if (i < 0)
		return -1;
	o->report.color = (enum color_mode)i;
	return 0;
}

static int set_mismatched(struct options *o, const struct option_row *row, const char *arg)
{
	int i = pick_word(row, arg, strlen(arg));

	if (i < 0)
		return -1;
	o->trace.no_mismatched = i == 1;
	return 0;
}

static int set_freed_volume(struct options *o, const struct option_row *row, const char *arg)
{
	unsigned long v;

	if (number(row, arg, 0, LONG_MAX, &v))
		return -1;
	o->trace.freed_volume = v;
	return 0;
}

static int set_export(struct options *o, const struct option_row *row, const char *arg)
{
	size_t n = strcspn(arg, ":");
	const char *file = arg[n] ? arg + n + 1 : "-";
	int i = pick_word(row, arg, n);

	if (i < 0)
		return -1;
	if (!*file)
		return wrong("--%s: '%s' names no file", row->name, arg);
	if (i == 0)
		o->report.json = file;
	else
		o->report.xml = file;
	return 0;
}

/* -- the leak scan ------------------------------------------------------------ */

static int set_autoscan(struct options *o, const struct option_row *row, const char *arg)
{
	(void)row;
	(void)arg;
	o->trace.scan.launched = o->trace.scan.attached = true;
	o->report.list_leaks = true;
	return 0;
}

static int set_no_autoscan(struct options *o, const struct option_row *row, const char *arg)
{
	(void)row;
	(void)arg;
	o->trace.scan.launched = o->trace.scan.attached = false;
	o->report.list_leaks = false;
	return 0;
}

/* As valgrind's: yes is full. */
static int set_leak_check(struct options *o, const struct option_row *row, const char *arg)
{
	int i = strcmp(arg, "yes") ? pick_word(row, arg, strlen(arg)) : 2;

	if (i < 0)
		return -1;
	if (i == 0)
		return set_no_autoscan(o, row, arg);
	set_autoscan(o, row, arg);
	o->report.list_leaks = i == 2;
	return 0;
}

static int set_leak_kinds(struct options *o, const struct option_row *row, const char *arg)
{
	unsigned kinds = 0;

	while (*arg) {
		size_t n = strcspn(arg, ",");
		int i = pick_word(row, arg, n);

		if (i < 0)
			return -1;
		kinds |= i == LEAK_KINDS ? (1u << LEAK_KINDS) - 1 : 1u << i;
		arg += n + (arg[n] == ',');
	}
	if (!kinds)
		return wrong("--%s needs %s", row->name, row->arg);
	o->report.leak_kinds = kinds;
	return set_autoscan(o, row, NULL);
}

static int set_scan(struct options *o, const struct option_row *row, const char *arg)
{
	int i = pick_word(row, arg, strlen(arg));

	if (i < 0)
		return -1;
	o->trace.scan.references = i == 1;
	return 0;
}

/* 10, 10s, 500ms, 5m, 2h.  0, or -1 after a message. */
static int set_time(const struct option_row *row, const char *arg, uint64_t *ns)
{
	static const struct {
		const char *unit;
		uint64_t ns;
	} units[] = { { "", 1000000000 }, { "s", 1000000000 }, { "ms", 1000000 },
		      { "m", 60000000000 }, { "h", 3600000000000 } };
	char *end = NULL;
	unsigned long v = *arg >= '0' && *arg <= '9' ? strtoul(arg, &end, 10) : 0;

	for (size_t i = 0; end && v && v <= 1000000 && i < ARRAY_SIZE(units); i++)
		if (!strcmp(end, units[i].unit)) {
			*ns = v * units[i].ns;
			return 0;
		}
	return wrong("--%s: '%s' is no time like 30, 30s, 500ms, 5m or 1h", row->name, arg);
}

static int set_scan_every(struct options *o, const struct option_row *row, const char *arg)
{
	return set_time(row, arg, &o->trace.scan.every_ns);
}

/* A signal asks for one thing; the last word counts. */
static int set_on_signal(struct options *o, const struct option_row *row, const char *arg)
{
	int i = pick_word(row, arg, strlen(arg)), sig = i % 2 ? SIGUSR2 : SIGUSR1;
	int *scan = &o->trace.scan.on_signal, *mark = &o->trace.mark_signal;

	if (i < 0)
		return -1;
	*(i < 2 ? scan : mark) = sig;
	if (*scan == *mark)
		*(i < 2 ? mark : scan) = 0;
	return 0;
}

static int set_mark_every(struct options *o, const struct option_row *row, const char *arg)
{
	return set_time(row, arg, &o->trace.mark_every_ns);
}

/* A:B, A: or :B.  The default of `text` when it is empty. */
static int mark_number(const struct option_row *row, const char *text, uint32_t otherwise,
		       uint32_t *out)
{
	unsigned long v = otherwise;

	if (*text && number(row, text, 1, OPENSET_MAX_MARK, &v))
		return -1;
	*out = (uint32_t)v;
	return 0;
}

static int set_between(struct options *o, const struct option_row *row, const char *arg)
{
	char *from = xstrdup(arg), *to = strchr(from, ':');
	struct report_opts *ro = &o->report;
	int err;

	if (to)
		*to++ = '\0';
	err = !to || (!*from && !*to) ? wrong("--%s: '%s' is not like 2:5, 2: or :5", row->name, arg)
				      : mark_number(row, from, 0, &ro->from);
	if (!err)
		err = mark_number(row, to, UINT32_MAX, &ro->to);
	if (!err && ro->from >= ro->to)
		err = wrong("--%s: mark %u is not before mark %u", row->name, ro->from, ro->to);
	ro->between = true;
	free(from);
	return err;
}

static int set_why(struct options *o, const struct option_row *row, const char *arg)
{
	(void)row;
	(void)arg;
	o->trace.scan.why = true;
	o->trace.scan.launched = o->trace.scan.attached = true;
	o->report.leak_kinds |= 1u << LEAK_REACHABLE;
	o->report.list_leaks = true;
	return 0;
}

/* -- suppressions --------------------------------------------------------------- */

static int add_suppressions(struct options *o, const struct option_row *row, const char *arg)
{
	(void)row;
	if (!o->report.suppressions)
		o->report.suppressions = suppressions_new();
	return suppressions_read(o->report.suppressions, arg);
}

/* Valgrind asks for each of them when it is `yes`; here both are the same. */
static int set_gen_suppressions(struct options *o, const struct option_row *row, const char *arg)
{
	int i = pick_word(row, arg, strlen(arg));

	if (i < 0)
		return -1;
	o->report.gen_suppressions = i > 0;
	return i > 0 ? set_autoscan(o, row, arg) : 0;
}

/* -- the exit status ----------------------------------------------------------- */

static int set_error_exitcode(struct options *o, const struct option_row *row, const char *arg)
{
	unsigned long v;

	if (number(row, arg, 0, 255, &v))
		return -1;
	o->report.error_exitcode = (int)v;
	return 0;
}

static int add_fail_if(struct options *o, const struct option_row *row, const char *arg)
{
	char *why = NULL;
	struct condition *c = condition_parse(arg, report_figure_find, &why);

	if (c)
		vec_push(&o->fail_if, c);
	else
		wrong("--%s: '%s': %s", row->name, arg, why);
	free(why);
	return c ? 0 : -1;
}

/* -- checks ------------------------------------------------------------------- */

/* One byte in hexadecimal, with or without 0x, as valgrind takes it. */
static int set_byte(const struct option_row *row, const char *arg, bool *given, uint8_t *byte)
{
	const char *digits = strncmp(arg, "0x", 2) && strncmp(arg, "0X", 2) ? arg : arg + 2;
	size_t n = strspn(digits, "0123456789abcdefABCDEF");

	if (!n || digits[n] || strtoul(digits, NULL, 16) > 0xff)
		return wrong("--%s: '%s' is no byte in hexadecimal, 00 to ff", row->name, arg);
	*given = true;
	*byte = (uint8_t)strtoul(digits, NULL, 16);
	return 0;
}

static int set_malloc_fill(struct options *o, const struct option_row *row, const char *arg)
{
	return set_byte(row, arg, &o->trace.change.malloc_fill, &o->trace.change.malloc_byte);
}

static int set_free_fill(struct options *o, const struct option_row *row, const char *arg)
{
	return set_byte(row, arg, &o->trace.change.free_fill, &o->trace.change.free_byte);
}

static int add_injection(struct options *o, const struct option_row *row, const char *arg)
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
		return wrong("--%s: at most %d", row->name, FAIL_RULES_MAX);
	if (fail_rule_parse(arg, &r))
		return -1;
	vec_push(&o->trace.change.fail, r);
	return 0;
}

static int set_sweep_max(struct options *o, const struct option_row *row, const char *arg)
{
	return number(row, arg, 1, LONG_MAX, &o->sweep_max);
}

static int set_redzone(struct options *o, const struct option_row *row, const char *arg)
{
	unsigned long v;

	if (number(row, arg, 0, REDZONE_MAX, &v))
		return -1;
	o->trace.change.redzone = (uint32_t)v;
	return 0;
}

static int answer_help(struct options *o, const struct option_row *row, const char *arg)
{
	(void)row;
	(void)arg;
	o->answer = options_help;
	return 0;
}

static int answer_version(struct options *o, const struct option_row *row, const char *arg)
{
	(void)row;
	(void)arg;
	o->answer = options_version;
	return 0;
}

static int answer_list(struct options *o, const struct option_row *row, const char *arg)
{
	(void)row;
	(void)arg;
	o->answer = options_list;
	return 0;
}

/* -- the table --------------------------------------------------------------- */

#define FIELD(f) offsetof(struct options, f)

static const struct option_row table[] = {
	{ 'p', "pid", "PID", WORD_PID, GROUP_WHAT,
	  "attach to a running process; may be repeated and\ngo together with a command",
	  set_pid, 0 },
	{ 'f', "follow-fork", NULL, WORD_NONE, GROUP_WHAT,
	  "trace the children of fork, vfork and clone too", set_flag, FIELD(trace.follow_fork) },
	{ 'e', "follow-exec", NULL, WORD_NONE, GROUP_WHAT,
	  "go on when a process executes another program\n(the default)", set_flag,
	  FIELD(trace.follow_exec) },
	{ 0, "no-follow-exec", NULL, WORD_NONE, GROUP_WHAT,
	  "let a process go when it executes another program", clear_flag,
	  FIELD(trace.follow_exec) },
	{ 'u', "user", "NAME", WORD_USER, GROUP_WHAT, "run the command as that user", set_string,
	  FIELD(trace.user) },
	{ 'E', "env", "NAME[=VALUE]", WORD_ANY, GROUP_WHAT,
	  "set, or without VALUE remove, a variable of the\ncommand's environment", add_env, 0 },
	{ 0, "detach-on-exit", NULL, WORD_NONE, GROUP_WHAT,
	  "when tracing is ended, let a launched command run on", set_flag,
	  FIELD(trace.detach_on_exit) },
	{ 't', "trace", NULL, WORD_NONE, GROUP_WHAT, "accepted for compatibility; no effect",
	  set_nothing, 0 },
	{ 0, "census", NULL, WORD_NONE, GROUP_WHAT,
	  "when attaching, take in the blocks that are in use\nalready: stops the program for a moment; glibc only",
	  set_census, 0 },
	{ 0, "no-census", NULL, WORD_NONE, GROUP_WHAT, "leave them out", clear_census, 0 },

	{ 'd', "depth", "N", WORD_NUMBER, GROUP_CALLS, "frames of a backtrace, 1 to 1024 (default 12)",
	  set_depth, 0 },
	{ 'n', "nocpp", NULL, WORD_NONE, GROUP_CALLS, "leave out C++ operators new and delete",
	  set_flag, FIELD(trace.no_cpp) },
	{ 'O', "omit", "FILE", WORD_FILE, GROUP_CALLS,
	  "leave out the functions of this library or program;\nmay be repeated", add_omit, 0 },
	{ 0, "alloc", "SPEC", WORD_ANY, GROUP_CALLS,
	  "SPEC allocates too: SYMBOL:size=N or\nOBJECT+0xOFFSET:size=N, arguments counted from 1",
	  set_alloc, 0 },
	{ 0, "free", "SPEC", WORD_ANY, GROUP_CALLS, "SPEC releases too: SYMBOL:ptr=N", set_free, 0 },
	{ 0, "realloc", "SPEC", WORD_ANY, GROUP_CALLS,
	  "SPEC changes sizes too: SYMBOL:ptr=N,size=N", set_realloc, 0 },
	{ 'S', "sanity", NULL, WORD_NONE, GROUP_CALLS,
	  "take a backtrace of every release too", set_flag, FIELD(trace.sanity) },
	{ 0, "show-mismatched-frees", "WHETHER", WORD_YES_NO, GROUP_CALLS,
	  "no: releases that do not match the allocation (new\nand free) are no errors", set_mismatched,
	  0 },
	{ 0, "stop-on-error", NULL, WORD_NONE, GROUP_CALLS,
	  "leave the process stopped for a debugger at its\nfirst heap error", set_flag,
	  FIELD(trace.stop_on_error) },
	{ 0, "freelist-vol", "BYTES", WORD_NUMBER, GROUP_CALLS,
	  "remember released blocks of up to so many bytes\n(default 20000000)", set_freed_volume, 0 },

	{ 'a', "autoscan", NULL, WORD_NONE, GROUP_LEAKS,
	  "list leaks by stack instead of all blocks in use;\nscan attached processes, too, when they are left",
	  set_autoscan, 0 },
	{ 0, "no-autoscan", NULL, WORD_NONE, GROUP_LEAKS, "no leak scan when a launched program ends",
	  set_no_autoscan, 0 },
	{ 0, "leak-check", "WHAT", WORD_LEAK_CHECK, GROUP_LEAKS,
	  "no (as --no-autoscan), summary, or full (as -a)", set_leak_check, 0 },
	{ 0, "show-leak-kinds", "KINDS", WORD_LEAK_KIND, GROUP_LEAKS,
	  "classes to list: definite, indirect, possible,\nreachable, all (default definite,possible)",
	  set_leak_kinds, 0 },
	{ 0, "scan", "QUESTION", WORD_SCAN, GROUP_LEAKS,
	  "reachability: memcheck's classes (default);\nreferences: is a block's address anywhere at all?",
	  set_scan, 0 },
	{ 0, "why", NULL, WORD_NONE, GROUP_LEAKS,
	  "list reachable blocks too, and what points to them", set_why, 0 },
	{ 0, "scan-mappings", NULL, WORD_NONE, GROUP_LEAKS,
	  "the program's own mmap regions can be lost, too", set_flag, FIELD(trace.scan.mappings) },
	{ 0, "list-blocks", NULL, WORD_NONE, GROUP_LEAKS, "name each block in the JSON export", set_flag,
	  FIELD(trace.scan.each_block) },
	{ 0, "scan-every", "TIME", WORD_ANY, GROUP_LEAKS,
	  "scan while the program runs, every so often:\n30, 500ms, 5m, 1h", set_scan_every, 0 },
	{ 0, "on-signal", "SIG:ACTION", WORD_ON_SIGNAL, GROUP_LEAKS,
	  "what to do at USR1 or USR2: scan and report, or set\na mark; may be repeated",
	  set_on_signal, 0 },
	{ 0, "mark-every", "TIME", WORD_ANY, GROUP_LEAKS,
	  "number a moment every so often, to see what was\nallocated between two of them", set_mark_every,
	  0 },
	{ 0, "between", "A:B", WORD_ANY, GROUP_LEAKS,
	  "show what is open that was allocated between\nthese marks (default: the first and the last)",
	  set_between, 0 },

	{ 0, "suppressions", "FILE", WORD_FILE, GROUP_LEAKS,
	  "leaks that are known: a suppression file of\nLeakSanitizer or valgrind; may be repeated",
	  add_suppressions, 0 },
	{ 0, "gen-suppressions", "WHAT", WORD_GEN, GROUP_LEAKS,
	  "yes or all: list leaks, as -a, and print a\nsuppression for each after the report",
	  set_gen_suppressions, 0 },

	{ 0, "malloc-fill", "HEX", WORD_ANY, GROUP_CHECKS,
	  "fill blocks with this byte as they are handed out", set_malloc_fill, 0 },
	{ 0, "free-fill", "HEX", WORD_ANY, GROUP_CHECKS,
	  "fill blocks with this byte as they are released", set_free_fill, 0 },

	{ 0, "redzone-size", "N", WORD_NUMBER, GROUP_CHECKS,
	  "make each block N bytes larger, and tell when the\nprogram writes there", set_redzone, 0 },
	{ 0, "inject", "RULE", WORD_ANY, GROUP_CHECKS,
	  "make requests fail: malloc:fail[:when=N[+STEP]]\n[:min-size=BYTES][:caller=REGEX]; or those of one\ncaller after the other, run after run: sweep",
	  add_injection, 0 },
	{ 0, "sweep-max", "N", WORD_NUMBER, GROUP_CHECKS, "runs that a sweep makes (default: no limit)",
	  set_sweep_max, 0 },

	{ 'o', "output", "FILE", WORD_FILE, GROUP_REPORT,
	  "write the whole report to FILE; - is stdout,\n%p in its name the process id", set_string,
	  FIELD(report.output) },
	{ 's', "sort-by", "KEY", WORD_SORT_KEY, GROUP_REPORT, "order of the stacks (default usage)",
	  set_sort, 0 },
	{ 'm', "max-stacks", "N", WORD_NUMBER, GROUP_REPORT,
	  "stacks shown on a terminal (default 10; 0: all)", set_max_stacks, 0 },
	{ 'L', "long", NULL, WORD_NONE, GROUP_REPORT, "show frames below main too", set_flag,
	  FIELD(report.long_form) },
	{ 0, "no-demangle", NULL, WORD_NONE, GROUP_REPORT, "show C++ and Rust names as linkers see them",
	  set_flag, FIELD(report.no_demangle) },
	{ 0, "color", "WHEN", WORD_COLOR, GROUP_REPORT, "auto (default), always or never", set_color,
	  0 },
	{ 0, "export", "FORMAT[:FILE]", WORD_FORMAT, GROUP_REPORT,
	  "write the report as FORMAT (json, or valgrind's xml)\ntoo, to FILE or, without FILE, to stdout",
	  set_export, 0 },
	{ 0, "error-exitcode", "N", WORD_NUMBER, GROUP_REPORT,
	  "exit status when there are definite leaks or heap\nerrors (default 0: the program's own)",
	  set_error_exitcode, 0 },
	{ 0, "fail-if", "EXPR", WORD_ANY, GROUP_REPORT,
	  "exit status 1 when this is true of a process, as\n'definite_bytes > 0 || open_bytes > 10M';\nmay be repeated",
	  add_fail_if, 0 },
	{ 0, "calls", NULL, WORD_NONE, GROUP_REPORT, "print each call as it happens", set_flag,
	  FIELD(trace.calls) },

	{ 'F', "config", "FILE", WORD_FILE, GROUP_OTHER,
	  "read FILE instead of the default configuration file;\nmay be repeated", add_config, 0 },
	{ 'b', "binpath", "FOLDER", WORD_FOLDER, GROUP_OTHER,
	  "look for binaries below FOLDER first;\nmay be repeated", add_binpath, 0 },
	{ 'C', "cwd", "FOLDER", WORD_FOLDER, GROUP_OTHER,
	  "folder in which binaries are whose names are not\nabsolute", set_string,
	  FIELD(cwd) },
	{ 'v', "verbose", NULL, WORD_NONE, GROUP_OTHER, "say more; may be repeated", set_verbose, 0 },
	{ 'q', "quiet", NULL, WORD_NONE, GROUP_OTHER, "say only what is wrong", set_flag,
	  FIELD(report.quiet) },
	{ 'D', "debug", NULL, WORD_NONE, GROUP_OTHER, "say what the tracer does", set_flag,
	  FIELD(debug) },
	{ 'h', "help", NULL, WORD_NONE, GROUP_OTHER, "show this text", answer_help, 0 },
	{ 'V', "version", NULL, WORD_NONE, GROUP_OTHER, "show the version and how it was built",
	  answer_version, 0 },
	{ 0, "list-options", NULL, WORD_NONE, GROUP_HIDDEN, "for completion and tests", answer_list, 0 },
};

const struct option_row *option_row(size_t i)
{
	return i < ARRAY_SIZE(table) ? &table[i] : NULL;
}

/* -- texts made from the table ----------------------------------------------- */

static const char *const group_titles[] = {
	[GROUP_WHAT] = "What is traced:",
	[GROUP_CALLS] = "Which calls:",
	[GROUP_LEAKS] = "Leaks:",
	[GROUP_CHECKS] = "Checks that change what the program sees:",
	[GROUP_REPORT] = "The report:",
	[GROUP_OTHER] = "Other:",
};

static const char *const word_names[] = {
	[WORD_NONE] = "none",     [WORD_ANY] = "any",       [WORD_NUMBER] = "number",
	[WORD_FILE] = "file",     [WORD_FOLDER] = "folder", [WORD_PID] = "pid",
	[WORD_USER] = "user",     [WORD_SORT_KEY] = "word", [WORD_COLOR] = "word",
	[WORD_FORMAT] = "format", [WORD_LEAK_CHECK] = "word", [WORD_LEAK_KIND] = "word",
	[WORD_SCAN] = "word",     [WORD_ON_SIGNAL] = "word", [WORD_GEN] = "word",
	[WORD_YES_NO] = "word",
};

static void help_row(struct strbuf *sb, const struct option_row *row)
{
	enum { COLUMN = 28 };
	size_t start = sb->n;

	if (row->key)
		strbuf_addf(sb, "  -%c, --%s", row->key, row->name);
	else
		strbuf_addf(sb, "      --%s", row->name);
	if (row->arg)
		strbuf_addf(sb, " %s", row->arg);
	if (sb->n - start > COLUMN - 2) {
		strbuf_addc(sb, '\n');
		start = sb->n;
	}
	strbuf_addf(sb, "%*s", (int)(COLUMN - (sb->n - start)), "");
	for (const char *c = row->help; *c; c++) {
		strbuf_addc(sb, *c);
		if (*c == '\n')
			strbuf_addf(sb, "%*s", COLUMN, "");
	}
	strbuf_addc(sb, '\n');
}

void options_help(struct strbuf *sb)
{
	const char *name = msg_program(), *w;

	strbuf_addf(sb, "usage: %s [OPTION...] COMMAND [ARG...]\n"
		    "       %s [OPTION...] -p PID... [COMMAND [ARG...]]\n"
		    "Traces the allocations of native programs and reports what they hold.\n",
		    name, name);
	for (size_t g = 0; g < ARRAY_SIZE(group_titles); g++) {
		strbuf_addf(sb, "\n%s\n", group_titles[g]);
		for (size_t i = 0; i < ARRAY_SIZE(table); i++)
			if (table[i].group == g)
				help_row(sb, &table[i]);
	}
	strbuf_adds(sb, "\nKeys to sort by, of which the beginning is enough:\n");
	for (size_t i = 0; (w = report_sort_name(i)); i++)
		strbuf_addf(sb, "  %-14s%s\n", w, report_sort_help(i));
	strbuf_adds(sb, "\nFigures for --fail-if:");
	for (size_t i = 0, n = 80; (w = report_figure_name(i)); i++) {
		n += 1 + strlen(w);
		if (n > 78) {
			strbuf_adds(sb, "\n ");
			n = 2 + strlen(w);
		}
		strbuf_addf(sb, " %s", w);
	}
	strbuf_adds(sb, "\n");
	strbuf_addf(sb, "\nThe manual page %s(1) tells the rest.\n", name);
}

void options_version(struct strbuf *sb)
{
	strbuf_addf(sb, "%s %s\n%s", msg_program(), PACKAGE_VERSION, BUILD_CHOICES);
	strbuf_adds(sb, "License GPL-2.0-or-later. There is no warranty.\n");
}

/* -d --depth N number · - --color WHEN word auto always never */
void options_list(struct strbuf *sb)
{
	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		const struct option_row *row = &table[i];
		const char *w;

		if (row->group == GROUP_HIDDEN)
			continue;
		if (row->key)
			strbuf_addf(sb, "-%c", row->key);
		else
			strbuf_addc(sb, '-');
		strbuf_addf(sb, " --%s %s %s", row->name, row->arg ? row->arg : "-",
			    word_names[row->word]);
		for (size_t k = 0; (w = option_word(row->word, k)); k++)
			strbuf_addf(sb, " %s", w);
		strbuf_addc(sb, '\n');
	}
}

/* -- the parser --------------------------------------------------------------- */

static const struct option_row *find_short(char key)
{
	for (size_t i = 0; i < ARRAY_SIZE(table); i++)
		if (table[i].key == key)
			return &table[i];
	wrong("unknown option -%c", key);
	return NULL;
}

/* The whole name, or a beginning that no other option shares. */
static const struct option_row *find_long(const char *name, size_t n)
{
	const struct option_row *found = NULL;

	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		const struct option_row *row = &table[i];

		if (strncmp(row->name, name, n))
			continue;
		if (strlen(row->name) == n)
			return row;
		if (row->group == GROUP_HIDDEN)
			continue;
		if (found) {
			wrong("option --%.*s may be --%s or --%s", (int)n, name, found->name,
			      row->name);
			return NULL;
		}
		found = row;
	}
	if (!found || !n) {
		wrong("unknown option --%.*s", (int)n, name);
		return NULL;
	}
	return found;
}

/* What is not for a configuration file: other files, and questions that are
 * answered at once.  On the command line these are looked at first. */
static bool comes_first(const struct option_row *row)
{
	return row->set == add_config || row->set == answer_help || row->set == answer_version ||
	       row->set == answer_list;
}

const struct option_row *options_key(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(table); i++)
		if (!strcmp(table[i].name, name) && !comes_first(&table[i]))
			return &table[i];
	return NULL;
}

/* Takes an option back that takes no argument. */
static int unset(struct options *o, const struct option_row *row)
{
	if (row->set == set_flag)
		*flag_of(o, row) = false;
	else if (row->set == clear_flag)
		*flag_of(o, row) = true;
	else if (row->set == set_verbose)
		o->report.verbose = 0;
	else if (row->set == set_autoscan)
		o->trace.scan.attached = o->report.list_leaks = false;
	else if (row->set == set_no_autoscan)
		o->trace.scan.launched = true;
	else
		return wrong("option --%s cannot be taken back", row->name);
	return 0;
}

int options_set(struct options *o, const struct option_row *row, const char *arg)
{
	if (row->arg)
		return row->set(o, row, arg);
	if (!arg || !strcmp(arg, "yes"))
		return row->set(o, row, NULL);
	if (!strcmp(arg, "no"))
		return unset(o, row);
	return wrong("option --%s takes no argument but yes or no", row->name);
}

/* The words of the command line are gone through twice: first for what
 * comes_first(), then, when configuration files were read, for the others, so
 * that they have the last word. */
static int apply(struct options *o, const struct option_row *row, const char *arg, bool first)
{
	return comes_first(row) == first ? options_set(o, row, arg) : 0;
}

/* --name, --name=ARG, --name ARG.  The number of words used, or -1. */
static int parse_long(struct options *o, char **argv, bool first)
{
	const char *name = argv[0] + 2;
	size_t n = strcspn(name, "=");
	const char *arg = name[n] ? name + n + 1 : NULL;
	const struct option_row *row = find_long(name, n);
	int used = 1;

	if (!row)
		return -1;
	if (row->arg && !arg) {
		arg = argv[used++];
		if (!arg)
			return wrong("option --%s needs %s", row->name, row->arg);
	}
	return apply(o, row, arg, first) ? -1 : used;
}

/* -x, -xyz, -dN, -d N.  The number of words used, or -1. */
static int parse_short(struct options *o, char **argv, bool first)
{
	for (const char *c = argv[0] + 1; *c; c++) {
		const struct option_row *row = find_short(*c);

		if (!row)
			return -1;
		if (row->arg && c[1])
			return apply(o, row, c + 1, first) ? -1 : 1;
		if (row->arg && !argv[1])
			return wrong("option -%c needs %s", *c, row->arg);
		if (row->arg)
			return apply(o, row, argv[1], first) ? -1 : 2;
		if (apply(o, row, NULL, first))
			return -1;
	}
	return 1;
}

/* 0, or -1 after a message. */
static int parse_words(struct options *o, char **argv, bool first)
{
	for (argv++; *argv && !o->answer;) {
		int used;

		if (!strcmp(*argv, "--")) {
			argv++;
			break;
		}
		if (argv[0][0] != '-' || !argv[0][1])
			break;
		used = argv[0][1] == '-' ? parse_long(o, argv, first) :
					   parse_short(o, argv, first);
		if (used < 0)
			return -1;
		argv += used;
	}
	o->trace.argv = *argv ? argv : NULL;
	return 0;
}

static int check_combination(const struct options *o)
{
	if (!o->trace.argv && !o->trace.pids.n)
		return wrong("nothing to trace: name a command, or a process with -p PID");
	if (o->trace.user && !o->trace.argv)
		return wrong("--user needs a command");
	if (o->trace.change.redzone && o->trace.pids.n)
		return wrong("--redzone-size and -p do not go together: blocks that are there already "
			     "have no red zones");
	if (o->trace.change.redzone &&
	    (o->trace.no_cpp || o->trace.omit.n || o->trace.detach_on_exit))
		return wrong("--redzone-size needs to see every release: no --nocpp, --omit or "
			     "--detach-on-exit");
	if (o->sweep && (!o->trace.argv || o->trace.pids.n))
		return wrong("--inject sweep needs a command, and no -p");
	if (o->sweep && (o->trace.change.fail.n > 1 || o->trace.change.fail.v[0].first))
		return wrong("--inject sweep chooses itself which requests fail: no other rule, no when=");
	if (o->sweep &&
	    (o->report.json || o->report.xml || o->report.output || o->trace.calls))
		return wrong("--inject sweep makes a report of its own: no --export, --output or --calls");
	if (o->trace.argv && !*o->trace.argv[0])
		return wrong("the command's name is empty");
	return 0;
}

/* What decides on the exit status must be known of attached processes too. */
static int ask_for_scan(struct options *o)
{
	for (size_t i = 0; i < o->fail_if.n; i++) {
		if (!condition_uses(o->fail_if.v[i], report_figure_needs_scan))
			continue;
		if (!o->trace.scan.launched)
			return wrong("--fail-if: '%s' needs the leak scan, which is turned off",
				     condition_text(o->fail_if.v[i]));
		o->trace.scan.attached = true;
	}
	if (o->report.error_exitcode && o->trace.scan.launched)
		o->trace.scan.attached = true;
	return 0;
}

static int read_configuration(struct options *o)
{
	if (!o->config.n)
		options_find_config(o);
	for (size_t i = 0; i < o->config.n; i++)
		if (options_read_config(o, o->config.v[i]))
			return -1;
	return 0;
}

/* A launched command inherits our environment. */
static void set_environment(const struct options *o)
{
	for (size_t i = 0; i < o->env.n; i++) {
		char *value = strchr(o->env.v[i], '=');
		char *name = value ? xstrndup(o->env.v[i], (size_t)(value - o->env.v[i])) :
				     xstrdup(o->env.v[i]);

		if (value ? setenv(name, value + 1, 1) : unsetenv(name))
			die("environment: %s", strerror(errno));
		free(name);
	}
}

static void set_message_level(const struct options *o)
{
	if (o->debug)
		msg_set_level(MSG_DEBUG);
	else if (o->report.quiet)
		msg_set_level(MSG_QUIET);
	else
		msg_set_level(o->report.verbose ? MSG_VERBOSE : MSG_NORMAL);
}

static enum options_result answer(const struct options *o)
{
	struct strbuf sb = STRBUF_INIT;
	int err;

	o->answer(&sb);
	err = write_all(1, sb.s, sb.n);
	strbuf_release(&sb);
	if (!err)
		return OPTIONS_DONE;
	msg_error("stdout: %s", strerror(-err));
	return OPTIONS_WRONG;
}

enum options_result options_parse(struct options *o, char **argv)
{
	memset(o, 0, sizeof *o);
	o->trace.depth = TRACE_DEFAULT_DEPTH;
	o->trace.follow_exec = true;
	o->trace.scan.launched = true;
	o->trace.freed_volume = TRACE_FREED_VOLUME;
	o->sweep_max = ULONG_MAX;
	o->report = (struct report_opts)REPORT_OPTS_INIT;
	if (parse_words(o, argv, true))
		return OPTIONS_WRONG;
	if (o->answer)
		return answer(o);
	if (read_configuration(o) || parse_words(o, argv, false))
		return OPTIONS_WRONG;
	set_message_level(o);
	o->trace.scan.data = o->report.verbose > 0;
	o->report.sanity = o->trace.sanity;
	if (o->trace.sanity && !o->report.sort)
		o->report.sort = report_sort_lookup("errors");
	if (check_combination(o) || ask_for_scan(o))
		return OPTIONS_WRONG;
	if (o->ignore.n) {
		vec_push(&o->ignore, NULL);
		o->report.ignore = (const char *const *)o->ignore.v;
	}
	if (o->binpath.n) {
		vec_push(&o->binpath, NULL);
		o->report.binpath = (const char *const *)o->binpath.v;
	}
	if (o->fail_if.n) {
		vec_push(&o->fail_if, NULL);
		o->report.fail_if = o->fail_if.v;
	}
	o->report.words = argv;
	o->report.command = o->trace.argv;
	set_environment(o);
	return OPTIONS_TRACE;
}

static void release_strings(char **v, size_t n)
{
	for (size_t i = 0; i < n; i++)
		free(v[i]);
	free(v);
}

void options_release(struct options *o)
{
	for (size_t i = 0; i < o->trace.probes.n; i++)
		user_probe_release(&o->trace.probes.v[i]);
	vec_release(&o->trace.probes);
	for (size_t i = 0; i < o->trace.change.fail.n; i++)
		fail_rule_release(&o->trace.change.fail.v[i]);
	vec_release(&o->trace.change.fail);
	vec_release(&o->trace.pids);
	release_strings(o->trace.omit.v, o->trace.omit.n);
	release_strings(o->binpath.v, o->binpath.n);
	release_strings(o->config.v, o->config.n);
	release_strings(o->ignore.v, o->ignore.n);
	release_strings(o->kept.v, o->kept.n);
	release_strings(o->env.v, o->env.n);
	for (size_t i = 0; i < o->fail_if.n; i++)
		condition_free(o->fail_if.v[i]);
	vec_release(&o->fail_if);
	suppressions_free(o->report.suppressions);
	memset(o, 0, sizeof *o);
}
