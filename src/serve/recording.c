/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "base/msg.h"
#include "base/oom.h"
#include "introduction.h"
#include "serve/log.h"
#include "serve/recording.h"

struct event_sink *recording_begin(const struct recording_opts *o, struct event_sink *next)
{
	struct introduction in;
	struct log_opts opts = { .path = o->path, .plain = o->plain, .drop = o->drop,
				 .hello = &in.hello };
	struct event_sink *log;

	oom_protect();
	introduce(&in, o->words, o->command);
	log = log_check_writable(o->path) ? NULL : log_sink_new(&opts, next);
	free(in.cwd);
	return log;
}

int recording_end(const struct recording_opts *o, struct event_sink *log)
{
	struct log_totals totals;

	log_sink_end(log, &totals);
	if (totals.error)
		return -1;
	if (totals.left_out)
		msg_warn("whoever takes the log was too slow: %llu events were left out, and the figures "
			 "told instead", (unsigned long long)totals.left_out);
	if (totals.bytes && strcmp(o->path, "-"))
		msg_info("%llu events in %llu bytes; %s -l %s reports", (unsigned long long)totals.events,
			 (unsigned long long)totals.bytes, msg_program(), o->path);
	return 0;
}

int end_like(const struct trace_result *r)
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
