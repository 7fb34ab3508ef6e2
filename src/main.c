/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Joins the sides: the tracer tells events to the heap, the report reads the
 * heap. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/msg.h"
#include "base/xalloc.h"
#include "elf/elf_file.h"
#include "report/audit.h"
#include "serve/recording.h"
#include "trace/trace.h"
#include "ui/log.h"
#include "ui/import.h"
#include "ui/oom.h"
#include "ui/rest.h"
#include "ui/sweep.h"
#include "run.h"

static void report_now(void *arg)
{
	struct run *run = arg;
	int err = report_write(run->heap, &run->opts.report);

	_exit(err ? EXIT_OURS : 0);
}

/* A trace that other tools read has its file for itself. */
static const char *calls_output(const struct report_opts *ro)
{
	return ro->trace ? ro->trace_output : ro->output;
}

static int open_output(void *arg, pid_t pid)
{
	struct run *run = arg;
	struct report_opts *ro = &run->opts.report;
	char *path = name_with_pid(calls_output(ro), pid);
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);

	if (fd < 0) {
		fd = -errno;
		msg_error("cannot write %s: %s", path, strerror(errno));
	} else {
		run->output = fd;
		ro->output_fd = ro->trace ? -1 : fd;
	}
	free(path);
	return fd;
}

/* Who knows what a report needs: the heap, and where single blocks are asked for these and
 * their memory too. */
struct event_sink *books_of(struct run *run)
{
	struct options *o = &run->opts;

	if (!o->trace.heaps && !o->report.list_blocks && !o->heaps.n && !run->keeps_blocks)
		return heap_sink(run->heap);
	if (!run->heaps) {
		run->blocks = blocks_new(heap_sink(run->heap));
		run->heaps = heaps_new(blocks_sink(run->blocks), run->blocks);
		heaps_give(run->heaps, o->heaps.v, o->heaps.n);
		run->maps = heaps_report(run->heaps);
		o->report.heaps = o->trace.heaps ? &run->maps : NULL;
		run->listed = (struct blocks_source){ run->heap, run->blocks };
		o->report.blocks = blocks_for_report;
		o->report.blocks_arg = &run->listed;
		o->report.refusal = heaps_refusal;
		o->report.refusal_arg = run->heaps;
	}
	return heaps_sink(run->heaps);
}

/* With --calls the output is open from the start, and the report follows. */
int begin_calls(struct run *run)
{
	struct report_opts *ro = &run->opts.report;
	const char *output = calls_output(ro);
	bool later = output && strchr(output, '%');
	int fd = STDERR_FILENO;

	if (output && !strcmp(output, "-"))
		fd = STDOUT_FILENO;
	else if (output && !later && (fd = open_output(run, 0)) < 0)
		return -1;
	run->calls = calls_sink_new(books_of(run), run->heap, ro, fd, &run->calls_error);
	if (later)
		calls_sink_open_later(run->calls, open_output, run);
	return 0;
}

/* The pid in a file's name is not known yet; whether its folder is there is,
 * unless the pid is in the folder's name. */
static int check_folder(const char *name)
{
	const char *slash = strrchr(name, '/');
	char *folder = slash ? xstrndup(name, (size_t)(slash - name) + 1) : xstrdup(".");
	int err = 0;

	if (!strchr(folder, '%') && access(folder, W_OK | X_OK))
		err = msg_error("cannot write %s: %s", name, strerror(errno));
	free(folder);
	return err;
}

/* An output that cannot be written is told before the program has run. */
static int check_writable(const char *name)
{
	char *path;
	int fd;

	if (!name || !strcmp(name, "-"))
		return 0;
	if (strchr(name, '%'))
		return check_folder(name);
	path = name_with_pid(name, getpid());
	fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
	if (fd < 0)
		msg_error("cannot write %s: %s", path, strerror(errno));
	free(path);
	if (fd < 0)
		return -1;
	close(fd);
	return 0;
}

/* Asking a server takes its time; after a second the user is told of what. */
static int on_download(const char *name, long have, long total)
{
	static char *told;
	static uint64_t began_ns; /* 0: told */

	if (!told || strcmp(told, name)) {
		free(told);
		told = xstrdup(name);
		began_ns = clock_ns();
	} else if (began_ns && clock_ns() - began_ns > NS_PER_S) {
		began_ns = 0;
		if (total > 0)
			msg_info("debuginfod: %s, %ld of %ld kB; Ctrl-C goes on without", name,
				 have / 1024, total / 1024);
		else
			msg_info("debuginfod: asking for %s; Ctrl-C goes on without", name);
	}
	return 0;
}

bool has_console(const struct options *o)
{
	return o->interactive || o->script;
}

/* `debuginfod`: servers are asked, which may take its time. */
void set_debug_files(const struct options *o, bool debuginfod)
{
	struct debug_opts debug = { .debuginfod = debuginfod,
				    .interrupted = has_console(o) ? &console_interrupted :
								    &trace_interrupted,
				    .progress = on_download };

	elf_set_debug_opts(&debug);
	elf_set_debug_roots(o->report.binpath);
}

/* With a log the report can wait, unless something is asked of it; of a server
 * the client makes it. */
static bool reports(const struct options *o)
{
	if (o->remote)
		return false;
	return !o->logfile || o->diff || o->report.output || o->report.json || o->report.xml ||
	       o->report.list_blocks || o->trace.calls || o->audit || o->report.error_exitcode ||
	       o->report.fail_if || o->thresholds.v.n;
}

static void no_report(void *arg)
{
	const struct run *run = arg;

	if (run->opts.logfile)
		msg_info("a report needs the log: %s -l %s", msg_program(), run->opts.logfile);
	else
		msg_info("reports are made by clients");
	_exit(0);
}

static struct event_sink *begin_log(struct run *run, struct event_sink *next)
{
	const struct recording_opts ro = options_recording(&run->opts);

	return run->log = recording_begin(&ro, next);
}

static struct event_sink *begin_server(struct run *run, struct event_sink *next)
{
	const struct serving_opts so = options_serving(&run->opts);

	return serving_begin(&run->serving, &so, next) ? NULL : run->serving.sink;
}

/* 0, or -1 when something could not be written. */
static int end_log(struct run *run)
{
	const struct recording_opts ro = options_recording(&run->opts);

	return run->log ? recording_end(&ro, run->log) : 0;
}

/* Beside the report, or an export, that stdout may be for. */
static int audit_fd(const struct options *o)
{
	const struct report_opts *ro = &o->report;
	const char *const used[] = { ro->output, ro->trace_output, ro->json, ro->xml, o->logfile };

	for (size_t i = 0; i < ARRAY_SIZE(used); i++)
		if (used[i] && !strcmp(used[i], "-"))
			return STDERR_FILENO;
	return STDOUT_FILENO;
}

/* Unasked where somebody sits before a serial line. */
static bool wants_audit(const struct options *o)
{
	struct stat st;

	if (o->audit || o->no_audit || !o->import.path || o->top || has_console(o) || o->quiet)
		return o->audit && !o->no_audit;
	return !stat(o->import.path, &st) && S_ISCHR(st.st_mode) && isatty(audit_fd(o));
}

static void begin_audit(struct run *run)
{
	const struct options *o = &run->opts;

	run->audit = audit_sink_new(run->calls ? run->calls : books_of(run),
				    &(struct audit_opts){ .heap = run->heap, .report = &o->report,
							  .thresholds = &o->thresholds,
							  .fd = audit_fd(o), .patient = o->import.path });
}

/* `next` feeds the heap; from now on thresholds are watched, too. */
struct event_sink *begin_limits(struct run *run, enum limits_from from, struct event_sink *next)
{
	run->limits = (struct limits){ .thresholds = &run->opts.thresholds, .heap = run->heap,
				       .report = &run->opts.report, .from = from };
	return limits_begin(&run->limits, next);
}

/* The chain that events go through: server, log, limits, maps, errors, audit, calls, heap;
 * NULL after a message. */
static struct event_sink *begin_sinks(struct run *run)
{
	struct options *o = &run->opts;
	struct event_sink *sink = NULL;

	if (reports(o)) {
		if (o->trace.calls && begin_calls(run))
			return NULL;
		if (wants_audit(o))
			begin_audit(run);
		sink = run->audit ? run->audit : run->calls ? run->calls : books_of(run);
		sink = run->errors = errors_sink_new(sink, run->heap, &o->report);
		if (run->heaps && o->import.path && !o->quiet)
			sink = run->oom = oom_sink_new(sink, run->heaps, &o->report);
		sink = begin_limits(run, o->import.path ? LIMITS_LOG : LIMITS_TRACER, sink);
	}
	if (o->logfile)
		sink = begin_log(run, sink);
	if (o->remote && (sink || !o->logfile))
		sink = begin_server(run, sink);
	return sink;
}

/* Into a sink in front of `heap`; stacks that broke off on the target are unwound here. */
static void read_whole(struct run *run, struct log *log, struct event_sink *sink,
		       const struct heap *heap)
{
	struct event_sink *rest = rest_sink_new(sink, heap, &run->opts.report);

	log_read(log, rest);
	rest->free(rest);
}

static void forget(void *heap)
{
	heap_reset(heap);
}

struct books { struct heap *heap; struct blocks *blocks; struct heaps *heaps; };

static void forget_all(void *arg)
{
	const struct books *b = arg;

	heap_reset(b->heap);
	if (b->blocks)
		blocks_forget(b->blocks);
	if (b->heaps)
		heaps_forget(b->heaps);
}

/* The older one may be a heap log, too. */
static int import_old(struct run *run)
{
	struct import_opts io = run->opts.import;
	int err;

	io.path = run->opts.diff;
	io.follow = io.other_text = false;
	err = import_run(&io, heap_sink(run->old));
	trace_interrupted = 0;
	return err;
}

static int load_old(struct run *run)
{
	struct wire_hello hello;
	struct log *log;

	if (run->opts.import.path && strcmp(run->opts.diff, "-") && !log_recognised(run->opts.diff))
		return import_old(run);
	log = log_open(run->opts.diff, &hello);
	if (!log)
		return -1;
	log_on_restart(log, forget, run->old);
	read_whole(run, log, heap_sink(run->old), run->old);
	log_close(log);
	return 0;
}

/* What there is to compare with, whole or not. */
static int begin_diff(struct run *run)
{
	struct options *o = &run->opts;

	if (!o->diff)
		return 0;
	run->old = heap_new();
	if (load_old(run))
		return -1;
	o->report.diff = run->old;
	o->report.diff_name = strcmp(o->diff, "-") ? last_part(o->diff) : "the older run";
	return 0;
}

/* What a report will be written to, and compared with. */
int begin_report(struct run *run)
{
	const struct report_opts *ro = &run->opts.report;

	if (check_writable(ro->output) || check_writable(ro->trace_output) || check_writable(ro->json) || check_writable(ro->xml))
		return -1;
	return begin_diff(run);
}

/* -- heap logs of other systems ------------------------------------------------------ */

static void flush_audit(void *arg)
{
	struct run *run = arg;

	if (run->audit)
		run->audit->flush(run->audit);
}

/* As trace_run(). */
static int import(struct run *run, struct event_sink *sink, struct trace_result *result)
{
	struct import_opts io = run->opts.import;

	io.serves = run->serving.sink != NULL;
	io.mark = &run->limits.mark;
	io.live = run->opts.top;
	io.releases |= run->audit != NULL;
	io.fd = audit_fd(&run->opts);
	io.idle = flush_audit;
	io.arg = run;
	result->exit_code = EXIT_OURS;
	if (import_run(&io, sink))
		return -1;
	result->exit_code = 0;
	return 0;
}

int run_session(struct run *run)
{
	struct options *o = &run->opts;
	const struct serving_opts so = options_serving(o);
	struct trace_result result = { 0 };
	struct event_sink *sink;
	int err, status, sig;

	if (begin_report(run))
		return EXIT_OURS;
	run->keeps_blocks |= o->import.path != NULL;
	sink = begin_sinks(run);
	if (!sink)
		return EXIT_OURS;
	o->trace.report_now = reports(o) ? report_now : no_report;
	o->trace.arg = run;
	if (o->remote && (sig = serving_await(&run->serving, &so, &o->trace))) {
		serving_release(&run->serving);
		return sig < 0 ? 0 : end_like(&(struct trace_result){ .exit_signal = sig });
	}
	err = o->import.path ? import(run, sink, &result) : trace_run(&o->trace, sink, &result);
	if (run->serving.sink)
		server_end(run->serving.sink, !err && !result.never_began && !o->private);
	serving_release(&run->serving); /* we may end of a signal: its socket is removed */
	if (end_log(run))
		run->failed = true;
	if (err)
		return end_like(&result);
	flush_audit(run);
	err = reports(o) ? report_write(run->heap, &o->report) : 0;
	if (err || run->calls_error || run->failed)
		return EXIT_OURS;
	/* To die as the program did, or of what ended tracing, tells more. */
	status = result.exit_signal ? 0 : report_exit_status(run->heap, &o->report);
	return status ? status : end_like(&result);
}

/* The command line of who traces goes into exports. */
void run_adopt(struct report_opts *ro, const struct wire_hello *hello)
{
	ro->words = (char *const *)hello->words;
	ro->command = hello->command < hello->nwords ? ro->words + hello->command : NULL;
}

/* Commands instead of a report. */
int run_console(struct run *run, const struct console_opts *about)
{
	struct console_opts console = *about;

	console.heap = run->heap;
	console.blocks = run->blocks;
	console.heaps = run->heaps;
	console.report = &run->opts.report;
	console.script = run->opts.script;
	console.interactive = run->opts.interactive;
	return console_run(&console);
}

static void read_books(struct run *run, struct log *log, struct event_sink *sink)
{
	struct books books = { run->heap, run->blocks, run->heaps };

	log_on_restart(log, forget_all, &books);
	read_whole(run, log, sink, run->heap);
}

static int log_console(struct run *run, struct log *log, const struct wire_hello *hello)
{
	run->keeps_blocks = true;
	read_books(run, log, begin_limits(run, LIMITS_LOG, books_of(run)));
	return run_console(run, &(struct console_opts){ .hello = hello, .log = run->opts.logfile });
}

/* Commands on a heap log that has an end. */
static int run_import_console(struct run *run)
{
	struct import_opts io = run->opts.import;

	io.fd = STDOUT_FILENO;
	io.mark = &run->limits.mark;
	run->keeps_blocks = true;
	if (begin_report(run) || import_run(&io, begin_limits(run, LIMITS_LOG, books_of(run))))
		return EXIT_OURS;
	return run_console(run, &(struct console_opts){ .log = io.path });
}

/* A report from a log: what its writer was told is known, but for how to report. */
static int run_log(struct run *run)
{
	struct report_opts *ro = &run->opts.report;
	struct wire_hello hello;
	struct log *log;
	int err;

	if (begin_report(run))
		return EXIT_OURS;
	log = log_open(run->opts.logfile, &hello);
	if (!log)
		return EXIT_OURS;
	trace_interrupts_reports();
	run_adopt(ro, &hello);
	if (has_console(&run->opts)) {
		err = log_console(run, log, &hello);
		log_close(log);
		return err;
	}
	err = run->opts.trace.calls && begin_calls(run) ? EXIT_OURS : 0;
	if (!err) {
		read_books(run, log, begin_limits(run, LIMITS_LOG, run->calls ? run->calls : books_of(run)));
		err = report_write(run->heap, ro) || run->calls_error ? EXIT_OURS :
									report_exit_status(run->heap, ro);
	}
	log_close(log);
	return err;
}

int main(int argc, char **argv)
{
	struct run run = { .output = -1 };
	enum options_result what;
	int code;

	(void)argc;
	msg_set_program(PROGRAM_NAME);
	what = options_parse(&run.opts, argv);
	switch (what) {
	case OPTIONS_DONE:
		options_release(&run.opts);
		return 0;
	case OPTIONS_WRONG:
		options_release(&run.opts);
		return EXIT_OURS;
	case OPTIONS_CLIENT:
	case OPTIONS_TRACE:
	case OPTIONS_LOG:
	case OPTIONS_IMPORT:
		break;
	}
	set_debug_files(&run.opts, true);
	msg_set_color(report_use_color(&run.opts.report, msg_fd()));
	if (run.opts.sweep) {
		code = sweep(&run.opts);
		options_release(&run.opts);
		return code;
	}
	run.opts.report.interrupted = &trace_interrupted;
	run.heap = heap_new();
	code = what == OPTIONS_LOG    ? run_log(&run) :
	       what == OPTIONS_CLIENT ? run_client(&run) :
	       what == OPTIONS_IMPORT && has_console(&run.opts) && !import_is_live(&run.opts.import) ?
					run_import_console(&run) :
	       has_console(&run.opts) || run.opts.top ? run_interactive(&run) :
					run_session(&run);
	serving_release(&run.serving);
	if (run.log)
		run.log->free(run.log);
	limits_release(&run.limits);
	if (run.errors)
		run.errors->free(run.errors);
	if (run.oom)
		run.oom->free(run.oom);
	if (run.audit)
		run.audit->free(run.audit);
	if (run.calls && run.calls->free)
		run.calls->free(run.calls);
	if (run.output >= 0)
		close(run.output);
	heaps_free(run.heaps);
	blocks_free(run.blocks);
	heap_free(run.heap);
	heap_free(run.old);
	options_release(&run.opts);
	return code;
}
