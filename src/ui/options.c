/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Goes through the words of the command line. */
#include <errno.h>
#include <limits.h>

#include "base/file.h"
#include "base/msg.h"
#include "base/strbuf.h"
#include "options-internal.h"
#include "serve/recording.h"
#include "serve/serving.h"

static const struct option_row *find_short(char key)
{
	const struct option_row *row;

	for (size_t i = 0; (row = option_row(i)); i++)
		if (row->key == key)
			return row;
	options_wrong("unknown option -%c%s", key, host_unknown_hint);
	return NULL;
}

static const struct option_row *find_whole(const char *name, size_t n)
{
	const struct option_row *row;

	for (size_t i = 0; (row = option_row(i)); i++)
		if (!strncmp(row->name, name, n) && strlen(row->name) == n)
			break;
	return row;
}

/* The whole name, or a beginning that no other option shares. */
static const struct option_row *find_long(const char *name, size_t n)
{
	const struct option_row *found = find_whole(name, n), *row;

	if (found)
		return found;
	for (size_t i = 0; (row = option_row(i)); i++) {
		if (strncmp(row->name, name, n))
			continue;
		if (row->group == GROUP_HIDDEN)
			continue;
		if (found) {
			options_wrong("option --%.*s may be --%s or --%s", (int)n, name, found->name,
			      row->name);
			return NULL;
		}
		found = row;
	}
	if (!found || !n) {
		options_wrong("unknown option --%.*s%s", (int)n, name, host_unknown_hint);
		return NULL;
	}
	return found;
}

/* What is not for a configuration file: other files, and questions that are
 * answered at once.  On the command line these are looked at first. */
static bool comes_first(const struct option_row *row)
{
	return row->field.at == offsetof(struct options, config) ||
	       row->field.at == offsetof(struct options, answer);
}

const struct option_row *options_key(const char *name)
{
	const struct option_row *row;

	for (size_t i = 0; (row = option_row(i)); i++)
		if (!strcmp(row->name, name) && !comes_first(row))
			return row;
	return NULL;
}

/* Takes an option back that takes no argument. */
static int unset(struct options *o, const struct option_row *row)
{
	if (row->set == set_flag)
		return clear_flag(o, row, NULL);
	if (row->set == clear_flag)
		return set_flag(o, row, NULL);
	if (row->set == set_verbose)
		o->verbose = 0;
	else if (row->set == set_autoscan)
		o->trace.scan.attached = o->list_leaks = false;
	else if (row->set == set_no_autoscan)
		o->trace.scan.launched = true;
	else
		return options_wrong("option --%s cannot be taken back", row->name);
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
	if (row->set == set_why || row->set == set_trace)
		return row->set(o, row, arg);
	return options_wrong("option --%s takes no argument but yes or no", row->name);
}

/* The words of the command line are gone through twice: first for what
 * comes_first(), then, when configuration files were read, for the others, so
 * that they have the last word. */
static int apply(struct options *o, const struct option_row *row, const char *arg, bool first)
{
	if (comes_first(row) != first)
		return 0;
	if (option_side(row) == SIDE_TRACER)
		o->tracer_option = row->name;
	else if (option_side(row) == SIDE_REPORT)
		o->report_option = row->name;
	return options_set(o, row, arg);
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
			return options_wrong("option --%s needs %s", row->name, row->arg);
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
			return options_wrong("option -%c needs %s", *c, row->arg);
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

static bool traces(const struct options *o)
{
	return o->trace.argv || o->trace.pids.n;
}

/* Of what belongs to a server, and to a client. */
static int check_remote(const struct options *o)
{
	if (!o->remote && (o->wait || o->insecure || o->token_file || o->port))
		return options_wrong("--%s needs --remote", o->wait ? "wait" : o->insecure ? "insecure" :
				     o->port ? "port" : "token-file");
	if (!o->remote)
		return 0;
	if (o->logfile && !traces(o))
		return options_wrong("--logfile and --remote do not go together here: the log is written where "
				     "the program is traced");
	if (traces(o) && o->report_option)
		return options_wrong("--%s is for the side that reports: give it to '%s -r ADDR' without a "
				     "command or process", o->report_option, msg_program());
	if (!traces(o) && o->tracer_option)
		return options_wrong("--%s is for the side that traces: give it to the server", o->tracer_option);
	if (o->sweep)
		return options_wrong("--inject sweep is not for a server");
	return 0;
}

static int check_combination(const struct options *o)
{
	if (host_imports(o))
		return 0; /* host_options_finish() knows what goes with it */
	if (!traces(o) && !o->logfile && !o->remote)
		return options_wrong("nothing to trace: name a command, or a process with -p PID");
	if (check_remote(o))
		return -1;
	if (!traces(o) && o->tracer_option)
		return options_wrong("--%s is for the side that traces: what is in %s was traced already",
				     o->tracer_option, o->logfile);
	if (o->trace_format && o->trace.calls)
		return options_wrong("--calls and --trace=FORMAT both print each call: choose one");
	if (o->trace.user && !o->trace.argv)
		return options_wrong("--user needs a command");
	if (o->trace.change.redzone && o->trace.pids.n)
		return options_wrong("--redzone-size and -p do not go together: blocks that are there already "
			     "have no red zones");
	if (o->trace.change.redzone && o->trace.max_blocks)
		return options_wrong("--redzone-size needs to know every block: no --max-blocks");
	if (o->trace.change.redzone &&
	    (o->trace.no_cpp || o->trace.omit.n || o->trace.detach_on_exit))
		return options_wrong("--redzone-size needs to see every release: no --nocpp, --omit or "
			     "--detach-on-exit");
	if (o->trace.change.redzone && o->trace.heaps)
		return options_wrong("--redzone-size and --heapmap do not go together: red zones would look free");
	if (o->sweep && (!o->trace.argv || o->trace.pids.n))
		return options_wrong("--inject sweep needs a command, and no -p");
	if (o->sweep && (o->trace.change.fail.n > 1 || o->trace.change.fail.v[0].first))
		return options_wrong("--inject sweep chooses itself which requests fail: no other rule, no when=");
	if (o->trace.argv && !*o->trace.argv[0])
		return options_wrong("the command's name is empty");
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
	else if (o->quiet)
		msg_set_level(MSG_QUIET);
	else
		msg_set_level(o->verbose ? MSG_VERBOSE : MSG_NORMAL);
}

static enum options_result answer(const struct options *o)
{
	static void (*const answers[])(struct strbuf *sb) = {
		[ANSWER_HELP] = options_help,
		[ANSWER_VERSION] = options_version,
		[ANSWER_LIST] = options_list,
		[ANSWER_COMMANDS] = host_list_commands,
	};
	struct strbuf sb = STRBUF_INIT;
	int err;

	answers[o->answer](&sb);
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
	o->words = argv;
	host_options_init(o);
	if (parse_words(o, argv, true))
		return OPTIONS_WRONG;
	if (o->answer)
		return answer(o);
	if (read_configuration(o) || parse_words(o, argv, false))
		return OPTIONS_WRONG;
	host_options_words(o);
	set_message_level(o);
	o->trace.scan.data = o->verbose > 0;
	/* In a heap map what is not known looks free. */
	if (o->trace.heaps && o->trace.census == CENSUS_AUTO)
		o->trace.census = CENSUS_YES;
	if (check_combination(o))
		return OPTIONS_WRONG;
	o->trace.calls |= o->trace_format != 0;
	if (host_options_finish(o))
		return OPTIONS_WRONG;
	o->trace.images = o->logfile || o->remote;
	o->trace.stack_rest = o->logfile != NULL;
	set_environment(o);
	return host_imports(o) ? OPTIONS_IMPORT : traces(o) ? OPTIONS_TRACE : o->remote ? OPTIONS_CLIENT : OPTIONS_LOG;
}

struct recording_opts options_recording(const struct options *o)
{
	return (struct recording_opts){ .path = o->logfile,
					.plain = o->no_compress,
					.drop = o->when_full == FULL_DROP,
					.words = o->words,
					.command = o->trace.argv };
}

struct serving_opts options_serving(const struct options *o)
{
	return (struct serving_opts){ .remote = o->remote,
				      .port = o->port,
				      .token_file = o->token_file,
				      .insecure = o->insecure,
				      .private = o->private,
				      .wait = o->wait,
				      .on_disconnect = (enum on_disconnect)o->on_disconnect,
				      .when_full = (enum when_full)o->when_full,
				      .words = o->words,
				      .command = o->trace.argv };
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
	strings_release(&o->trace.omit);
	strings_release(&o->config);
	strings_release(&o->kept);
	strings_release(&o->env);
	host_options_release(o);
	memset(o, 0, sizeof *o);
}
