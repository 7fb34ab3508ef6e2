/* SPDX-License-Identifier: GPL-2.0-or-later */
/* In place of options-host.c where the target side is built alone: its reports are
 * made by another mtrace. */
#include "base/msg.h"
#include "base/strbuf.h"
#include "options-internal.h"

const struct option_row *host_option_row(size_t i)
{
	(void)i;
	return NULL;
}

const char *host_option_word(enum option_word word, size_t i)
{
	(void)word;
	(void)i;
	return NULL;
}

void host_options_init(struct options *o)
{
	(void)o;
}

void host_options_words(struct options *o)
{
	(void)o;
}

bool host_imports(const struct options *o)
{
	(void)o;
	return false;
}

int host_options_finish(struct options *o)
{
	if (!o->trace.argv && !o->trace.pids.n)
		return options_wrong("this %s was built without the client: it traces, and another is told",
				     msg_program());
	if (o->sweep)
		return options_wrong("this %s was built without the client, which --inject sweep needs",
				     msg_program());
	if (!o->logfile && !o->remote)
		return options_wrong("this %s was built without the client, and makes no report: write a log "
				     "for another with -l FILE, or serve it with -r ADDR", msg_program());
	return 0;
}

void host_options_release(struct options *o)
{
	strings_release(&o->ignore); /* of a file that both sides read */
}

const char host_unknown_hint[] = " (this is the target side alone: options of the report are for the "
				 "client)";

void host_help_usage(struct strbuf *sb)
{
	strbuf_adds(sb, "Traces the allocations of native programs; another build of it, with the client,\n"
		    "reports what they hold.\n");
}

void host_help_end(struct strbuf *sb)
{
	strbuf_addf(sb, "\nOptions of the report (--output, --sort-by, --export ...) are for the client:\n"
		    "%s -l FILE there.\n", msg_program());
}

void host_list_commands(struct strbuf *sb)
{
	(void)sb;
}
