/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Joins the sides: the tracer tells events to the heap, the report reads the
 * heap. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/msg.h"
#include "base/xalloc.h"
#include "elf/elf_file.h"
#include "heap/heap.h"
#include "report/report.h"
#include "trace/trace.h"
#include "ui/log.h"
#include "ui/options.h"
#include "ui/server.h"
#include "ui/sweep.h"
#include "ui/token.h"

struct run {
	struct options opts;
	struct heap *heap;
	struct event_sink *server; /* -r: in front of all others */
	struct event_sink *log;    /* -l: behind it */
	struct address address;    /* of the server */
	char *token;
	struct event_sink *errors; /* heap errors are told when they happen */
	struct event_sink *calls; /* --calls: between the tracer and the heap */
	int calls_error;
	bool failed; /* the log could not be written */
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
	char *path = name_with_pid(ro->output, pid);
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

static void set_debug_files(void)
{
	struct debug_opts debug = { .debuginfod = true,
				    .interrupted = &trace_interrupted,
				    .progress = on_download };

	elf_set_debug_opts(&debug);
}

/* With a log the report can wait, unless something is asked of it; of a server
 * the client makes it. */
static bool reports(const struct options *o)
{
	if (o->remote)
		return false;
	return !o->logfile || o->report.output || o->report.json || o->report.xml ||
	       o->trace.calls || o->report.error_exitcode || o->report.fail_if;
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

/* What a reader elsewhere cannot know otherwise. */
struct introduction {
	struct wire_hello hello;
	char host[256], *cwd;
};

static void introduce(const struct options *o, struct introduction *in)
{
	char *const *words = o->report.words, *const *command = o->report.command;

	*in = (struct introduction){ .cwd = getcwd(NULL, 0) };
	in->hello = (struct wire_hello){
		.tool = PACKAGE_NAME " " PACKAGE_VERSION,
		.host = gethostname(in->host, sizeof in->host - 1) ? NULL : in->host,
		.cwd = in->cwd,
		.words = (const char *const *)words,
	};
	while (words[in->hello.nwords])
		in->hello.nwords++;
	in->hello.command = command ? (uint32_t)(command - words) : in->hello.nwords;
}

static int begin_log(struct run *run, struct event_sink *next)
{
	const struct options *o = &run->opts;
	struct introduction in;
	struct log_opts opts = { .path = o->logfile, .plain = o->no_compress, .hello = &in.hello };

	introduce(o, &in);
	run->log = log_check_writable(o->logfile) ? NULL : log_sink_new(&opts, next);
	free(in.cwd);
	return run->log ? 0 : -1;
}

/* Who reaches the server may read the program's memory and end it. */
static int check_secret(const struct run *run)
{
	const struct options *o = &run->opts;

	if (run->token || o->insecure || address_is_local(&run->address))
		return 0;
	return msg_error("others can reach %s: share a secret with the client by --token-file FILE, or "
			 "say --insecure", o->remote);
}

static int begin_server(struct run *run, struct event_sink *next)
{
	const struct options *o = &run->opts;
	struct server_opts opts = { .address = &run->address,
				    .on_disconnect = (enum on_disconnect)o->on_disconnect,
				    .when_full = (enum when_full)o->when_full };
	char port[12];
	struct introduction in;

	snprintf(port, sizeof port, "%u", o->port);
	if (address_parse(o->remote, o->port ? port : NULL, &run->address))
		return -1;
	if (o->token_file && !(run->token = token_read(o->token_file)))
		return -1;
	if (check_secret(run))
		return -1;
	introduce(o, &in);
	opts.hello = &in.hello;
	opts.token = run->token;
	run->server = server_new(&opts, next);
	free(in.cwd);
	return run->server ? 0 : -1;
}

/* 0, or -1 when something could not be written. */
static int end_log(struct run *run)
{
	const char *path = run->opts.logfile;
	struct log_totals totals;

	if (!run->log)
		return 0;
	log_sink_end(run->log, &totals);
	if (totals.error)
		return -1;
	if (totals.bytes && strcmp(path, "-"))
		msg_info("%llu events in %llu bytes; %s -l %s reports", (unsigned long long)totals.events,
			 (unsigned long long)totals.bytes, msg_program(), path);
	return 0;
}

/* The chain that events go through: server, log, errors, calls, heap; NULL after a
 * message. */
static struct event_sink *begin_sinks(struct run *run)
{
	struct options *o = &run->opts;
	struct event_sink *sink = NULL;

	if (reports(o)) {
		if (o->trace.calls && begin_calls(run))
			return NULL;
		sink = run->calls ? run->calls : heap_sink(run->heap);
		sink = run->errors = errors_sink_new(sink, run->heap, &o->report);
	}
	if (o->logfile)
		sink = begin_log(run, sink) ? NULL : run->log;
	if (o->remote && (sink || !o->logfile))
		sink = begin_server(run, sink) ? NULL : run->server;
	return sink;
}

/* Before we end, maybe of a signal: its socket is removed. */
static void close_server(struct run *run)
{
	if (run->server)
		run->server->free(run->server);
	run->server = NULL;
}

static int run_session(struct run *run)
{
	struct options *o = &run->opts;
	struct trace_result result = { 0 };
	struct event_sink *sink;
	int err, status, sig;

	if (check_writable(o->report.output) || check_writable(o->report.json) ||
	    check_writable(o->report.xml))
		return EXIT_OURS;
	sink = begin_sinks(run);
	if (!sink)
		return EXIT_OURS;
	o->trace.report_now = reports(o) ? report_now : no_report;
	o->trace.arg = run;
	o->report.interrupted = &trace_interrupted;
	o->report.cwd = o->cwd;
	if (o->wait && (sig = server_await(run->server))) {
		close_server(run);
		return end_like(&(struct trace_result){ .exit_signal = sig });
	}
	err = trace_run(&o->trace, sink, &result);
	if (run->server)
		server_end(run->server, !err);
	close_server(run);
	if (end_log(run))
		run->failed = true;
	if (err)
		return end_like(&result);
	err = reports(o) ? report_write(run->heap, &o->report) : 0;
	if (err || run->calls_error || run->failed)
		return EXIT_OURS;
	/* To die as the program did, or of what ended tracing, tells more. */
	status = result.exit_signal ? 0 : report_exit_status(run->heap, &o->report);
	return status ? status : end_like(&result);
}

/* A report from a log: what its writer was told is known, but for how to report. */
static int run_log(struct run *run)
{
	struct report_opts *ro = &run->opts.report;
	struct wire_hello hello;
	struct log *log;
	int err;

	if (check_writable(ro->output) || check_writable(ro->json) || check_writable(ro->xml))
		return EXIT_OURS;
	log = log_open(run->opts.logfile, &hello);
	if (!log)
		return EXIT_OURS;
	trace_interrupts_reports();
	ro->words = (char *const *)hello.words;
	ro->command = hello.command < hello.nwords ? ro->words + hello.command : NULL;
	ro->interrupted = &trace_interrupted;
	ro->cwd = run->opts.cwd;
	err = run->opts.trace.calls && begin_calls(run) ? EXIT_OURS : 0;
	if (!err) {
		log_read(log, run->calls ? run->calls : heap_sink(run->heap));
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
		options_release(&run.opts);
		return msg_error("this build has no client") ? EXIT_OURS : 0;
	case OPTIONS_TRACE:
	case OPTIONS_LOG:
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
	code = what == OPTIONS_LOG ? run_log(&run) : run_session(&run);
	close_server(&run);
	address_release(&run.address);
	free(run.token);
	if (run.log)
		run.log->free(run.log);
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
