/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/msg.h"
#include "base/oom.h"
#include "serve/log.h"
#include "serve/recording.h"

/* What the reader of a log cannot know otherwise. */
struct event_sink *recording_begin(const struct recording_opts *o, struct event_sink *next)
{
	char host[256] = "", *cwd = getcwd(NULL, 0);
	struct wire_hello hello = { .tool = PACKAGE_NAME " " PACKAGE_VERSION,
				    .host = gethostname(host, sizeof host - 1) ? NULL : host,
				    .cwd = cwd,
				    .words = (const char *const *)o->words };
	struct log_opts opts = { .path = o->path, .plain = o->plain, .hello = &hello };
	struct event_sink *log;

	oom_protect();
	while (o->words[hello.nwords])
		hello.nwords++;
	hello.command = o->command ? (uint32_t)(o->command - o->words) : hello.nwords;
	log = log_check_writable(o->path) ? NULL : log_sink_new(&opts, next);
	free(cwd);
	return log;
}

int recording_end(const struct recording_opts *o, struct event_sink *log)
{
	struct log_totals totals;

	log_sink_end(log, &totals);
	if (totals.error)
		return -1;
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
