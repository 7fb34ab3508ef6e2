/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Who asks a server: one that runs elsewhere, or one of our own behind a console. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/msg.h"
#include "base/xalloc.h"
#include "trace/trace.h"
#include "ui/follow.h"
#include "ui/top.h"
#include "run.h"

/* Who makes requests, and may ask for single blocks. */
static void want_control(struct run *run, struct follow_opts *fo)
{
	fo->control = true;
	fo->sink = begin_limits(run, LIMITS_CLIENT, books_of(run));
	fo->self = &run->limits.client;
	fo->blocks = run->blocks;
	fo->heaps = run->heaps;
}

/* The exit status, or -1: the program that was to be launched could not be. */
static int client_console(struct run *run, const struct follow_opts *to, bool launched)
{
	struct follow_opts fo = *to;
	struct client *client;
	int status = EXIT_OURS;

	run->keeps_blocks = true;
	want_control(run, &fo);
	client = follow_connect(&fo);
	if (client) {
		limits_connected(&run->limits);
		run_adopt(&run->opts.report, client_hello(client));
		status = run_console(run, &(struct console_opts){ .client = client,
								  .hello = client_hello(client),
								  .launched = launched });
		client_close(client);
	}
	return status;
}

/* What was told is reported; `how` as follow() returns. */
static int report_followed(struct run *run, struct client *client, int how)
{
	struct options *o = &run->opts;
	struct report_opts *ro = &o->report;

	if (!how && ro->list_leaks && !client_refused_control(client))
		follow_scan(client);
	if (!how && o->trace.heaps && !client_refused_control(client))
		follow_heaps(client, run->blocks);
	else if (!how && ro->list_blocks && !client_refused_control(client))
		follow_blocks(client, run->blocks);
	trace_interrupts_reports();
	run_adopt(ro, client_hello(client));
	return report_write(run->heap, ro) || run->calls_error || how < 0 ?
		       EXIT_OURS : report_exit_status(run->heap, ro);
}

/* The full-screen view, then the report. */
static int client_top(struct run *run, const struct follow_opts *to)
{
	struct follow_opts fo = *to;
	struct client *client;
	int how, sig, status;

	want_control(run, &fo);
	client = follow_connect(&fo);
	if (!client)
		return EXIT_OURS;
	limits_connected(&run->limits);
	set_debug_files(&run->opts, false);
	how = top_run(&(struct top_opts){ run->heap, client, &run->opts.report }, &sig);
	set_debug_files(&run->opts, true);
	top_messages_tell(false);
	status = sig ? 128 + sig : report_followed(run, client, how);
	client_close(client);
	return status;
}

static int run_remote_top(struct run *run, const struct follow_opts *to)
{
	int status;

	if (top_check() || top_messages_begin())
		return EXIT_OURS;
	status = client_top(run, to);
	top_messages_tell(true);
	return status;
}

/* A report of what a server tells: when its program has ended, or at Ctrl-C. */
int run_client(struct run *run)
{
	struct options *o = &run->opts;
	struct report_opts *ro = &o->report;
	struct follow_opts fo = { .remote = o->remote, .token_file = o->token_file,
				  .control = ro->list_leaks || ro->list_blocks || o->trace.heaps ||
					     limits_control(&o->thresholds),
				  .files = ro,
				  .heap = run->heap,
				  .self = &run->limits.client };
	struct client *client;
	char port[12];
	int err;

	if (begin_report(run))
		return EXIT_OURS;
	if (o->trace.calls && begin_calls(run))
		return EXIT_OURS;
	snprintf(port, sizeof port, "%u", o->port);
	fo.port = o->port ? port : NULL;
	if (has_console(o))
		return client_console(run, &fo, false);
	fo.sink = run->calls ? run->calls : books_of(run);
	fo.blocks = run->blocks;
	fo.heaps = run->heaps;
	if (o->top)
		return run_remote_top(run, &fo);
	fo.sink = begin_limits(run, LIMITS_CLIENT, fo.sink);
	client = follow_connect(&fo);
	if (!client)
		return EXIT_OURS;
	limits_connected(&run->limits);
	msg_begin("connected to %s; Ctrl-C reports and leaves", o->remote);
	err = report_followed(run, client, follow(client));
	client_close(client);
	return err;
}

/* What the program writes, or asks for, would spoil the screen.  What is a file stays,
 * and the tracer's own messages wait. */
static void keep_off_terminal(void)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	for (int fd = STDIN_FILENO; null >= 0 && fd <= STDERR_FILENO; fd++)
		if (isatty(fd))
			dup2(null, fd);
	if (null > STDERR_FILENO)
		close(null);
}

/* The tracer of a console: a process of its own, out of the terminal's reach. */
static int serve_console(struct run *run)
{
	struct options *o = &run->opts;

	setpgid(0, 0);
	o->private = true;
	o->on_disconnect = DISCONNECT_DETACH;
	/* Asked for when it has ended, perhaps; of an attached one all blocks would be told. */
	o->trace.heaps |= o->trace.argv && !o->trace.pids.n && !o->trace.change.redzone;
	if (o->top)
		keep_off_terminal();
	else
		o->trace.hold = "`start` lets it begin";
	return run_session(run);
}

/* Its socket, when it has one; it may have ended before that. */
static bool await_socket(const char *path, pid_t tracer)
{
	struct timespec pause = { 0, 10000000 };
	siginfo_t info = { 0 };

	while (access(path, F_OK)) {
		if (waitid(P_PID, (id_t)tracer, &info, WEXITED | WNOHANG | WNOWAIT) || info.si_pid)
			return false;
		nanosleep(&pause, NULL);
	}
	return true;
}

/* How the tracer has ended. */
static int await_tracer(pid_t tracer)
{
	int status = 0;

	waitpid(tracer, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : EXIT_OURS;
}

/* A console, or a full-screen view, of a program that is traced here is a client like any
 * other. */
int run_interactive(struct run *run)
{
	char folder[] = "/tmp/" PROGRAM_NAME "-XXXXXX", *path;
	struct follow_opts fo = { .heap = run->heap, .files = &run->opts.report };
	int code = EXIT_OURS, how;
	pid_t tracer;

	if (run->opts.top && top_check())
		return EXIT_OURS;
	if (!mkdtemp(folder))
		return msg_error("cannot make a socket in /tmp: %s", strerror(errno)) ? EXIT_OURS : 0;
	if (run->opts.top && top_messages_begin()) {
		rmdir(folder);
		return EXIT_OURS;
	}
	run->opts.remote = path = xasprintf("%s/socket", folder);
	tracer = fork();
	if (!tracer) {
		code = serve_console(run);
		free(path);
		return code;
	}
	fo.remote = path;
	if (tracer > 0 && await_socket(path, tracer))
		code = run->opts.top ? client_top(run, &fo) :
				       client_console(run, &fo, run->opts.trace.argv);
	if (tracer > 0) {
		how = await_tracer(tracer);
		code = code < 0 ? how : code;
	}
	top_messages_tell(true);
	unlink(path);
	rmdir(folder);
	free(path);
	return code;
}
