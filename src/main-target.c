/* SPDX-License-Identifier: GPL-2.0-or-later */
/* In place of main.c where the target side is built alone (--without-client): what
 * the tracer tells leaves for another mtrace that knows what to make of it. */
#include <string.h>
#include <unistd.h>

#include "base/msg.h"
#include "serve/recording.h"
#include "ui/options.h"

static void no_report(void *arg)
{
	const struct options *o = arg;

	msg_info("a report needs the client: %s -l %s there", msg_program(), o->logfile);
	_exit(0);
}

static int run(struct options *o)
{
	const struct recording_opts ro = { .path = o->logfile,
					   .plain = o->no_compress,
					   .words = o->words,
					   .command = o->trace.argv };
	struct event_sink *log = recording_begin(&ro, NULL);
	struct trace_result result = { 0 };
	bool lost;
	int err;

	if (!log)
		return EXIT_OURS;
	o->trace.report_now = no_report;
	o->trace.arg = o;
	err = trace_run(&o->trace, log, &result);
	lost = recording_end(&ro, log);
	log->free(log);
	return lost && !err ? EXIT_OURS : end_like(&result);
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
		code = run(&o);
		break;
	case OPTIONS_LOG: /* refused already */
	case OPTIONS_WRONG:
		break;
	}
	options_release(&o);
	return code;
}
