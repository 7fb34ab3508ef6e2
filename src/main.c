/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Joins the sides: the tracer tells events to the heap, the report reads the
 * heap. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "base/msg.h"
#include "base/xalloc.h"
#include "elf/elf_file.h"
#include "heap/heap.h"
#include "report/report.h"
#include "trace/trace.h"
#include "ui/options.h"
#include "ui/sweep.h"

struct run {
	struct options opts;
	struct heap *heap;
	struct event_sink *errors; /* heap errors are told when they happen */
	struct event_sink *calls; /* --calls: between the tracer and the heap */
	int calls_error;
	int output; /* descriptor of -o while --calls writes to it; −1 */
};

/* Ends as the program did, so that a script sees no difference. */
static int end_like(const struct trace_result *r)
{
	struct rlimit none = { 0, 0 };
	sigset_t set;

	if (!r->exit_signal)
		return r->exit_code;
	setrlimit(RLIMIT_CORE, &none); /* its core file is not to be ours */
	signal(r->exit_signal, SIG_DFL);
	sigemptyset(&set);
	sigaddset(&set, r->exit_signal);
	sigprocmask(SIG_UNBLOCK, &set, NULL);
	raise(r->exit_signal);
	return 128 + r->exit_signal; /* SIGKILL's like are caught above */
}

static void report_now(void *arg)
{
	struct run *run = arg;
	int err = report_write(run->heap, &run->opts.report);

	_exit(err ? EXIT_OURS : 0);
}

static int open_output(void *arg, pid_t pid)
{
	struct run *run = arg;
	struct report_opts *ro = &run->opts.report;
	char *path = report_path(ro->output, pid);
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);

	if (fd < 0) {
		fd = -errno;
		msg_error("cannot write %s: %s", path, strerror(errno));
	} else {
		run->output = fd;
		ro->output_fd = fd;
	}
	free(path);
	return fd;
}

/* With --calls the output is open from the start, and the report follows. */
static int begin_calls(struct run *run)
{
	struct report_opts *ro = &run->opts.report;
	bool later = ro->output && strchr(ro->output, '%');
	int fd = STDERR_FILENO;

	if (ro->output && !strcmp(ro->output, "-"))
		fd = STDOUT_FILENO;
	else if (ro->output && !later && (fd = open_output(run, 0)) < 0)
		return -1;
	run->calls = calls_sink_new(heap_sink(run->heap), run->heap, ro, fd, &run->calls_error);
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
	path = report_path(name, getpid());
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
	static struct timespec began;
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	if (!told || strcmp(told, name)) {
		free(told);
		told = xstrdup(name);
		began = now;
	} else if (began.tv_sec && now.tv_sec > began.tv_sec + 1) {
		began.tv_sec = 0;
		if (total > 0)
			msg_info("debuginfod: %s, %ld of %ld kB; Ctrl-C goes on without", name,
				 have / 1024, total / 1024);
		else
			msg_info("debuginfod: asking for %s; Ctrl-C goes on without", name);
	}
	return 0;
}

static void set_debug_files(void)
{
	struct debug_opts debug = { .debuginfod = true,
				    .interrupted = &trace_interrupted,
				    .progress = on_download };

	elf_set_debug_opts(&debug);
}

static int run_session(struct run *run)
{
	struct options *o = &run->opts;
	struct trace_result result = { 0 };
	struct event_sink *sink;
	int err, status;

	if (check_writable(o->report.output) || check_writable(o->report.json) ||
	    check_writable(o->report.xml))
		return EXIT_OURS;
	if (o->trace.calls && begin_calls(run))
		return EXIT_OURS;
	run->errors = errors_sink_new(run->calls ? run->calls : heap_sink(run->heap), run->heap,
				      &o->report);
	sink = run->errors;
	o->trace.report_now = report_now;
	o->trace.arg = run;
	o->report.interrupted = &trace_interrupted;
	o->report.cwd = o->cwd;
	if (trace_run(&o->trace, sink, &result))
		return end_like(&result);
	err = report_write(run->heap, &o->report);
	if (err || run->calls_error)
		return EXIT_OURS;
	/* To die as the program did, or of what ended tracing, tells more. */
	status = result.exit_signal ? 0 : report_exit_status(run->heap, &o->report);
	return status ? status : end_like(&result);
}

int main(int argc, char **argv)
{
	struct run run = { .output = -1 };
	int code;

	(void)argc;
	msg_set_program(PROGRAM_NAME);
	switch (options_parse(&run.opts, argv)) {
	case OPTIONS_DONE:
		options_release(&run.opts);
		return 0;
	case OPTIONS_WRONG:
		options_release(&run.opts);
		return EXIT_OURS;
	case OPTIONS_TRACE:
		break;
	}
	set_debug_files();
	msg_set_color(report_use_color(&run.opts.report, msg_fd()));
	if (run.opts.sweep) {
		code = sweep(&run.opts);
		options_release(&run.opts);
		return code;
	}
	run.heap = heap_new();
	code = run_session(&run);
	if (run.errors)
		run.errors->free(run.errors);
	if (run.calls && run.calls->free)
		run.calls->free(run.calls);
	if (run.output >= 0)
		close(run.output);
	heap_free(run.heap);
	options_release(&run.opts);
	return code;
}
