/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The options of the report, and what they do. */
#include <limits.h>

#include "base/msg.h"
#include "base/strbuf.h"
#include "model/openset.h"
#include "options-internal.h"
#include "import/input.h"
#include "report/heapmap.h"
#include "ui/console.h"

static const char *const colors[] = {
	[COLOR_AUTO] = "auto", [COLOR_ALWAYS] = "always", [COLOR_NEVER] = "never",
};

static const char *const formats[] = { "json", "xml" };
static const char *const yes_no_all[] = { "no", "yes", "all" };

const char *host_option_word(enum option_word word, size_t i)
{
	switch (word) {
	case WORD_COLOR:
		return i < ARRAY_SIZE(colors) ? colors[i] : NULL;
	case WORD_SORT_KEY:
		return report_sort_name(i);
	case WORD_FORMAT:
		return i < ARRAY_SIZE(formats) ? formats[i] : NULL;
	case WORD_IMPORT:
		return i + 1 < IMPORT_FORMATS ? import_format_name((enum import_format)(i + 1)) :
		       i + 1 == IMPORT_FORMATS ? import_format_name(IMPORT_AUTO) : NULL;
	case WORD_GEN:
		return i < ARRAY_SIZE(yes_no_all) ? yes_no_all[i] : NULL;
	case WORD_ON_THRESHOLD:
		return threshold_action_name(i);
	default:
		return NULL;
	}
}

/* -- what single options do ------------------------------------------------------- */

static int set_sort(struct options *o, const struct option_row *row, const char *arg)
{
	int i = option_pick(row, arg, strlen(arg));

	if (i < 0)
		return -1;
	o->report.sort = report_sort_lookup(option_word(row->word, (size_t)i));
	return 0;
}

static int set_export(struct options *o, const struct option_row *row, const char *arg)
{
	size_t n = strcspn(arg, ":");
	const char *file = arg[n] ? arg + n + 1 : "-";
	int i = option_pick(row, arg, n);

	if (i < 0)
		return -1;
	if (!*file)
		return options_wrong("--%s: '%s' names no file", row->name, arg);
	if (i == 0)
		o->report.json = file;
	else
		o->report.xml = file;
	return 0;
}

/* A:B, A: or :B.  The default of `text` when it is empty. */
static int mark_number(const struct option_row *row, const char *text, uint32_t otherwise,
		       uint32_t *out)
{
	unsigned long v = otherwise;

	if (*text && option_number(row, text, 1, OPENSET_MAX_MARK, &v))
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
	err = !to || (!*from && !*to) ? options_wrong("--%s: '%s' is not like 2:5, 2: or :5", row->name, arg)
				      : mark_number(row, from, 0, &ro->from);
	if (!err)
		err = mark_number(row, to, UINT32_MAX, &ro->to);
	if (!err && ro->from >= ro->to)
		err = options_wrong("--%s: mark %u is not before mark %u", row->name, ro->from, ro->to);
	ro->between = true;
	free(from);
	return err;
}

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
	int i = option_pick(row, arg, strlen(arg));

	if (i < 0)
		return -1;
	o->report.gen_suppressions = i > 0;
	return i > 0 ? set_autoscan(o, row, arg) : 0;
}

static int add_fail_if(struct options *o, const struct option_row *row, const char *arg)
{
	char *why = NULL;
	struct condition *c = condition_parse(arg, report_figure_find, &why);

	if (c)
		vec_push(&o->fail_if, c);
	else
		options_wrong("--%s: '%s': %s", row->name, arg, why);
	free(why);
	return c ? 0 : -1;
}

static int set_import(struct options *o, const struct option_row *row, const char *arg)
{
	int i = option_pick(row, arg, strlen(arg));

	if (i < 0)
		return -1;
	o->import_format = option_word(row->word, (size_t)i);
	o->import.format = import_format_find(o->import_format);
	return 0;
}

static int set_baud(struct options *o, const struct option_row *row, const char *arg)
{
	unsigned long baud;

	if (option_number(row, arg, input_baud(0), 4000000, &baud))
		return -1;
	if (!input_knows_baud(baud))
		return options_wrong("--%s: %lu is no speed of serial lines, as 9600, 115200 or 921600 are",
				     row->name, baud);
	o->import.baud = baud;
	return 0;
}

/* Several are several regions. */
static int add_heap(struct options *o, const struct option_row *row, const char *arg)
{
	struct heapmap_region r;
	const char *wrong = heapmap_region_parse(arg, &r);

	if (wrong)
		return options_wrong("--%s: '%s' %s", row->name, arg, wrong);
	for (size_t i = 0; i < o->heaps.n; i++)
		if (r.start - o->heaps.v[i].start < o->heaps.v[i].size ||
		    o->heaps.v[i].start - r.start < r.size)
			return options_wrong("--%s: '%s' lies on another", row->name, arg);
	vec_push(&o->heaps, r);
	return 0;
}

/* -- the table --------------------------------------------------------------------- */

static const struct option_row table[] = {
	{ 0, "between", "A:B", WORD_ANY, GROUP_LEAKS,
	  "show what is open that was allocated between\nthese marks (default: the first and the last)",
	  set_between, NO_FIELD },
	{ 0, "suppressions", "FILE", WORD_FILE, GROUP_LEAKS,
	  "leaks and heap errors that are known: a file of\nLeakSanitizer or valgrind; may be repeated",
	  add_suppressions, NO_FIELD },
	{ 0, "gen-suppressions", "WHAT", WORD_GEN, GROUP_LEAKS,
	  "yes or all: list leaks, as -a; print a suppression\nfor each, and each wrong release, after the report",
	  set_gen_suppressions, NO_FIELD },
	{ 0, "sweep-max", "N", WORD_NUMBER, GROUP_CHECKS, "runs that a sweep makes (default: no limit)",
	  set_number, NUMBER(sweep_max, 1, LONG_MAX) },
	{ 0, "list", NULL, WORD_NONE, GROUP_REPORT,
	  "list every open block, too: address, size,\noperation, place, function, variable, age",
	  set_flag, FIELD(report.list_blocks) },
	{ 0, "source", NULL, WORD_NONE, GROUP_REPORT, "list them with the line of source",
	  set_flag, FIELD(report.source) },
	{ 0, "source-path", "FOLDER", WORD_FOLDER, GROUP_REPORT,
	  "look for source files below FOLDER first;\nmay be repeated", add_string, FIELD(source_path) },
	{ 'o', "output", "FILE", WORD_FILE, GROUP_REPORT,
	  "write the whole report to FILE; - is stdout,\n%p in its name the process id",
	  set_string, FIELD(report.output) },
	{ 's', "sort-by", "KEY", WORD_SORT_KEY, GROUP_REPORT, "order of the stacks (default usage)",
	  set_sort, NO_FIELD },
	{ 'm', "max-stacks", "N", WORD_NUMBER, GROUP_REPORT,
	  "stacks shown on a terminal (default 10; 0: all)",
	  set_number, NUMBER(report.max_stacks, 0, INT_MAX) },
	{ 'L', "long", NULL, WORD_NONE, GROUP_REPORT, "show frames below main too",
	  set_flag, FIELD(report.long_form) },
	{ 0, "no-demangle", NULL, WORD_NONE, GROUP_REPORT, "show C++ and Rust names as linkers see them",
	  set_flag, FIELD(report.no_demangle) },
	{ 0, "color", "WHEN", WORD_COLOR, GROUP_REPORT, "auto (default), always or never",
	  set_word, FIELD(report.color) },
	{ 0, "export", "FORMAT[:FILE]", WORD_FORMAT, GROUP_REPORT,
	  "write the report as FORMAT (json, or valgrind's xml)\ntoo, to FILE or, without FILE, to stdout",
	  set_export, NO_FIELD },
	{ 0, "error-exitcode", "N", WORD_NUMBER, GROUP_REPORT,
	  "exit status when there are definite leaks or heap\nerrors (default 0: the program's own)",
	  set_number, NUMBER(report.error_exitcode, 0, 255) },
	{ 0, "fail-if", "EXPR", WORD_ANY, GROUP_REPORT,
	  "exit status 1 when this is true of a process, as\n'definite_bytes > 0 || open_bytes > 10M';\nmay be repeated",
	  add_fail_if, NO_FIELD },
	{ 0, "diff", "OLD", WORD_FILE, GROUP_REPORT,
	  "compare with the log of an older run: what is new,\ngrown, shrunk and gone", set_string, FIELD(diff) },
	{ 0, "import", "FORMAT", WORD_IMPORT, GROUP_IMPORT,
	  "read the heap log of another system, instead of\ntracing: a file, a serial device, or - follows", set_import, NO_FIELD },
	{ 0, "elf", "FILE", WORD_FILE, GROUP_IMPORT,
	  "the program that wrote it, for functions and lines", set_string, FIELD(import.elf) },
	{ 0, "baud", "N", WORD_NUMBER, GROUP_IMPORT, "speed of a serial device (default 115200)",
	  set_baud, NO_FIELD },
	{ 0, "follow", NULL, WORD_NONE, GROUP_IMPORT,
	  "go on reading a file as it grows, until Ctrl-C", set_flag, FIELD(import.follow) },
	{ 0, "other-text", NULL, WORD_NONE, GROUP_IMPORT,
	  "print what else the target wrote, too", set_flag, FIELD(import.other_text) },
	{ 0, "audit", NULL, WORD_NONE, GROUP_REPORT,
	  "print a line for each operation on the heap as it\nhappens (default: of a serial device, on a terminal)",
	  set_flag, FIELD(audit) },
	{ 0, "no-audit", NULL, WORD_NONE, GROUP_REPORT, "print none", set_flag, FIELD(no_audit) },
	{ 0, "heap", "START:SIZE[:HEADER]", WORD_ANY, GROUP_REPORT,
	  "the memory of the heap, where the log does not tell:\n0x20000000:20K:4, HEADER bytes before each block",
	  add_heap, NO_FIELD },
	{ 0, "threshold", "BYTES", WORD_ANY, GROUP_REPORT,
	  "say so each time a process has more than this in\nuse, and who holds it: 65536, 64K, 10M, 2G; may be\nrepeated",
	  add_threshold, NO_FIELD },
	{ 0, "on-threshold", "ACTION", WORD_ON_THRESHOLD, GROUP_REPORT,
	  "what to do then: warn (default), dump, stop, detach,\nkill, mark or exec:COMMAND; may be repeated",
	  set_on_threshold, NO_FIELD },
	{ 'i', "interactive", NULL, WORD_NONE, GROUP_OTHER,
	  "type commands, in a console, instead of a report;\nfrom a pipe, too", set_flag, FIELD(interactive) },
	{ 'x', "execute", "FILE", WORD_FILE, GROUP_OTHER,
	  "read the console's commands from FILE; with -i go on\nwith what is typed", set_string, FIELD(script) },
	{ 0, "top", NULL, WORD_NONE, GROUP_OTHER,
	  "watch, on the whole screen, which stacks hold and\nallocate most; a report follows", set_flag, FIELD(top) },
	{ 'b', "binpath", "FOLDER", WORD_FOLDER, GROUP_OTHER,
	  "look for binaries below FOLDER first;\nmay be repeated", add_string, FIELD(binpath) },
	{ 'C', "cwd", "FOLDER", WORD_FOLDER, GROUP_OTHER,
	  "folder in which binaries are whose names are not\nabsolute", set_string, FIELD(cwd) },
};

const struct option_row *host_option_row(size_t i)
{
	return i < ARRAY_SIZE(table) ? &table[i] : NULL;
}

/* -- all of them together ------------------------------------------------------------ */

void host_options_init(struct options *o)
{
	o->report = (struct report_opts)REPORT_OPTS_INIT;
	o->leak_kinds = REPORT_LEAK_KINDS;
	o->sweep_max = ULONG_MAX;
	o->import.baud = INPUT_BAUD;
}

/* What decides on the exit status must be known of attached processes too. */
static int ask_for_scan(struct options *o)
{
	for (size_t i = 0; i < o->fail_if.n; i++) {
		if (host_imports(o) && condition_uses(o->fail_if.v[i], report_figure_needs_scan))
			return options_wrong("--fail-if: '%s' needs a leak scan, which a heap log has not",
					     condition_text(o->fail_if.v[i]));
		if (!o->diff && condition_uses(o->fail_if.v[i], report_figure_needs_diff))
			return options_wrong("--fail-if: '%s' needs --diff",
					     condition_text(o->fail_if.v[i]));
		if (!condition_uses(o->fail_if.v[i], report_figure_needs_scan))
			continue;
		if (!o->trace.scan.launched)
			return options_wrong("--fail-if: '%s' needs the leak scan, which is turned off",
				     condition_text(o->fail_if.v[i]));
		o->trace.scan.attached = true;
	}
	if (o->report.error_exitcode && o->trace.scan.launched)
		o->trace.scan.attached = true;
	return 0;
}

/* Lists for those who know nothing of vectors. */
static void end_lists(struct options *o)
{
	if (o->ignore.n) {
		vec_push(&o->ignore, NULL);
		o->report.ignore = (const char *const *)o->ignore.v;
	}
	if (o->binpath.n) {
		vec_push(&o->binpath, NULL);
		o->report.binpath = (const char *const *)o->binpath.v;
	}
	if (o->source_path.n) {
		vec_push(&o->source_path, NULL);
		o->report.source_path = (const char *const *)o->source_path.v;
	}
	if (o->fail_if.n) {
		vec_push(&o->fail_if, NULL);
		o->report.fail_if = o->fail_if.v;
	}
}

static int check_console(const struct options *o, bool traces)
{
	const struct report_opts *ro = &o->report;

	if (!o->interactive && !o->script)
		return 0;
	if (traces && (o->remote || o->logfile))
		return options_wrong("--%s is for the side that reports", o->interactive ? "interactive" :
											    "execute");
	if (ro->output || ro->json || ro->xml || o->trace.calls)
		return options_wrong("the console makes no report unasked: no --output, --export, --calls or --trace, but "
				     "dump >FILE, export FORMAT FILE");
	if (o->logfile && !strcmp(o->logfile, "-") &&
	    (o->interactive || (o->script && !strcmp(o->script, "-"))))
		return options_wrong("the log and the commands would be read from the same standard input: "
				     "--execute FILE");
	return 0;
}

static int check_top(const struct options *o, bool traces)
{
	if (!o->top)
		return 0;
	if (o->interactive || o->script)
		return options_wrong("--top and --%s are two views of the same thing: choose one",
				     o->interactive ? "interactive" : "execute");
	if (o->sweep || o->trace.calls)
		return options_wrong("--top and --%s would both write to the terminal",
				     o->sweep ? "inject sweep" : o->trace_format ? "trace" : "calls");
	if (!traces && !o->remote && !host_imports(o))
		return options_wrong("--top watches a program: nothing changes in a log any more");
	if (traces && o->remote)
		return options_wrong("--top is for the side that reports");
	if (o->logfile && !strcmp(o->logfile, "-"))
		return options_wrong("-l - and --top would both write to the terminal");
	return 0;
}

/* The log that is read is what stands where a command would. */
void host_options_words(struct options *o)
{
	if (!o->import_format || !o->trace.argv || o->trace.argv[1])
		return;
	o->import.path = o->trace.argv[0];
	o->trace.argv = NULL;
}

bool host_imports(const struct options *o)
{
	return o->import_format != NULL;
}

/* What is only for reading a heap log. */
static const char *import_option(const struct options *o)
{
	return o->import.elf	    ? "elf" :
	       o->import.follow	    ? "follow" :
	       o->import.other_text ? "other-text" : NULL;
}

static int check_import(struct options *o, bool traces)
{
	if (!o->import_format && import_option(o))
		return options_wrong("--%s is for heap logs of other systems, which --import reads",
				     import_option(o));
	if (!o->import_format)
		return 0;
	if (!o->import.path)
		return options_wrong("--import %s needs one log behind all options: a file, a serial device, or - for standard input",
				     o->import_format);
	if (traces || o->tracer_option)
		return options_wrong("--import reads a log, and traces nothing: no %s%s",
				     o->tracer_option ? "--" : "-p", o->tracer_option ? o->tracer_option : "");
	if (o->trace.calls)
		return options_wrong("--import knows no --%s: --audit prints a line for each operation",
				     o->trace_format ? "trace" : "calls");
	if (o->remote && o->report_option)
		return options_wrong("--%s is for the side that reports: give it to '%s -r ADDR'",
				     o->report_option, msg_program());
	if ((o->interactive || o->script) && !strcmp(o->import.path, "-") &&
	    (o->interactive || !strcmp(o->script, "-")))
		return options_wrong("the log and the commands would be read from the same standard input: "
				     "--execute FILE");
	o->list_leaks = false; /* nobody can look for pointers */
	o->import.releases = o->trace.sanity;
	return 0;
}

int host_options_finish(struct options *o)
{
	struct report_opts *ro = &o->report;
	bool traces = o->trace.argv || o->trace.pids.n;

	if (check_import(o, traces))
		return -1;
	if (o->sweep && (ro->json || ro->xml || ro->output || o->trace.calls))
		return options_wrong("--inject sweep makes a report of its own: no --export, --output, --calls or --trace");
	if (check_console(o, traces))
		return -1;
	if (o->sweep && o->diff)
		return options_wrong("--inject sweep makes a report of its own: no --diff");
	if (o->diff && ro->xml)
		return options_wrong("the XML export, which is valgrind's, knows no --diff: --export json has it");
	if (o->diff && o->logfile && !traces && !strcmp(o->diff, "-") && !strcmp(o->logfile, "-"))
		return options_wrong("--diff and --logfile cannot both be the standard input");
	if (check_top(o, traces) || options_check_thresholds(o, traces) || ask_for_scan(o))
		return -1;
	ro->trace = (enum trace_format)o->trace_format;
	if (ro->trace) {
		ro->trace_output = ro->output;
		ro->output = NULL;
	}
	ro->list_blocks |= ro->source;
	ro->quiet = o->quiet;
	ro->verbose = o->verbose;
	ro->list_leaks = o->list_leaks;
	ro->leak_kinds = o->leak_kinds;
	ro->sanity = o->trace.sanity;
	if (ro->sanity && !ro->sort)
		ro->sort = report_sort_lookup("errors");
	ro->words = o->words;
	ro->command = o->trace.argv;
	ro->cwd = o->cwd;
	end_lists(o);
	return 0;
}

void host_options_release(struct options *o)
{
	for (size_t i = 0; i < o->fail_if.n; i++)
		condition_free(o->fail_if.v[i]);
	vec_release(&o->fail_if);
	vec_release(&o->heaps);
	vec_release(&o->thresholds.v);
	suppressions_free(o->report.suppressions);
	strings_release(&o->binpath);
	strings_release(&o->source_path);
	strings_release(&o->ignore);
}

/* -- --help -------------------------------------------------------------------------- */

const char host_unknown_hint[] = "";

void host_help_usage(struct strbuf *sb)
{
	strbuf_addf(sb, "       %s [OPTION...] -l FILE\n"
		    "       %s [OPTION...] -r ADDR\n"
		    "       %s [OPTION...] --import FORMAT FILE|DEVICE|-\n"
		    "Traces the allocations of native programs and reports what they hold.\n",
		    msg_program(), msg_program(), msg_program());
}

void host_help_end(struct strbuf *sb)
{
	const char *w;

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
}

void host_list_commands(struct strbuf *sb)
{
	console_list_commands(sb);
}
