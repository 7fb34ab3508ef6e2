/* SPDX-License-Identifier: GPL-2.0-or-later */
/* In place of main.c where the target side is built alone (--without-client): what
 * the tracer tells leaves for another mtrace that knows what to make of it. */
#include <string.h>
#include <unistd.h>

#include "base/msg.h"
#include "serve/recording.h"
#include "serve/serving.h"
#include "ui/options.h"

static void no_report(void *arg)
{
	const struct options *o = arg;

	msg_info("a report needs the client: %s %s %s there", msg_program(), o->remote ? "-r" : "-l",
		 o->remote ? o->remote : o->logfile);
	_exit(0);
}

struct run {
	struct recording_opts recording;
	struct event_sink *log;  /* -l; NULL */
	struct serving serving;  /* -r: in front of it */
};

static int begin(struct run *run, const struct options *o)
{
	const struct serving_opts so = options_serving(o);

	run->recording = options_recording(o);
	if (o->logfile && !(run->log = recording_begin(&run->recording, NULL)))
		return -1;
	return o->remote ? serving_begin(&run->serving, &so, run->log) : 0;
}

static int trace(struct run *run, struct options *o)
{
	const struct serving_opts so = options_serving(o);
	struct trace_result result = { 0 };
	bool lost;
	int err;

	o->trace.report_now = no_report;
	o->trace.arg = o;
	if (o->remote && (err = serving_await(&run->serving, &so, &o->trace))) {
		serving_release(&run->serving);
		return end_like(&(struct trace_result){ .exit_signal = err });
	}
	err = trace_run(&o->trace, o->remote ? run->serving.sink : run->log, &result);
	if (o->remote)
		server_end(run->serving.sink, !err && !result.never_began);
	serving_release(&run->serving); /* we may end of a signal: its socket is removed */
	lost = run->log && recording_end(&run->recording, run->log);
	return lost && !err ? EXIT_OURS : end_like(&result);
}

static int run_all(struct options *o)
{
	struct run run = { 0 };
	int code = begin(&run, o) ? EXIT_OURS : trace(&run, o);

	serving_release(&run.serving);
	if (run.log)
		run.log->free(run.log);
	return code;
}

int main(int argc, char **argv)
{
	struct options o;
	int code = EXIT_OURS;

	(void)argc;
	msg_set_program(PROGRAM_NAME);
	switch (options_parse(&o, argv)) {
	case OPTIONS_DONE:
		code = 0;
		break;
	case OPTIONS_TRACE:
		code = run_all(&o);
		break;
	case OPTIONS_LOG: /* refused already */
	case OPTIONS_CLIENT:
	case OPTIONS_IMPORT:
	case OPTIONS_WRONG:
		break;
	}
	options_release(&o);
	return code;
}
