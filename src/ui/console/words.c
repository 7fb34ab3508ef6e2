/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the words behind a command mean. */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/msg.h"
#include "console.h"

int console_error(const struct console *c, const char *fmt, ...)
{
	struct strbuf sb = STRBUF_INIT;
	va_list ap;

	va_start(ap, fmt);
	strbuf_vaddf(&sb, fmt, ap);
	va_end(ap);
	if (c->input.name)
		msg_error("%s:%u: %s", c->input.name, c->input.line, sb.s);
	else
		msg_error("%s", sb.s);
	strbuf_release(&sb);
	return -1;
}

int console_usage(const struct console *c, const struct command *cmd)
{
	return console_error(c, "usage: %s%s%s", cmd->name, *cmd->args ? " " : "", cmd->args);
}

static bool digits(const char *s, const char *of)
{
	return *s && !s[strspn(s, of)];
}

int console_number(const struct console *c, const char *what, const char *arg, unsigned long max,
		   unsigned long *out)
{
	unsigned long n;

	errno = 0;
	n = strtoul(arg, NULL, 10);
	if (!digits(arg, "0123456789") || errno || n > max)
		return console_error(c, "'%s' is no %s", arg, what);
	*out = n;
	return 0;
}

int console_address(const struct console *c, const char *arg, taddr_t *out)
{
	unsigned long long addr;

	errno = 0;
	addr = strtoull(arg, NULL, 16);
	if ((strncmp(arg, "0x", 2) && strncmp(arg, "0X", 2)) ||
	    !digits(arg + 2, "0123456789abcdefABCDEF") || errno)
		return console_error(c, "'%s' is no address: 0x and hexadecimal digits", arg);
	*out = addr;
	return 0;
}

int console_pid(const struct console *c, const char *arg, pid_t *out)
{
	unsigned long n;

	if (console_number(c, "process id", arg, INT_MAX, &n))
		return -1;
	if (!n || !heap_proc_find(c->o->heap, (pid_t)n))
		return console_error(c, "there is no process %s here: proclist lists them", arg);
	*out = (pid_t)n;
	return 0;
}

int console_pid_only(const struct console *c, const struct command *cmd, int argc, char **argv,
		     pid_t *out)
{
	*out = 0;
	if (argc > 2)
		return console_usage(c, cmd);
	return argc == 2 ? console_pid(c, argv[1], out) : 0;
}

int console_numbered(const struct console *c, const char *arg, struct report_numbered *out)
{
	struct report_opts opts = c->report;
	unsigned long n;

	if (console_number(c, "number of a stack", arg, LONG_MAX, &n))
		return -1;
	opts.sort = c->listing_sort;
	opts.pid = c->listing_pid;
	if (!report_numbered(c->o->heap, &opts, c->listing, n, out))
		return console_error(c, "no stack has the number %s: %s lists them", arg,
				     c->listing == REPORT_LEAKS ? "leaks" : "top");
	return 0;
}

int console_live(const struct console *c, pid_t pid, pid_t *out)
{
	pid_t only = 0;

	for (size_t i = 0; i < heap_nprocs(c->o->heap); i++) {
		const struct heap_proc *p = heap_proc_at(c->o->heap, i);

		if (p->ended || (pid && p->pid != pid))
			continue;
		if (only && only != p->pid)
			return console_error(c, "several processes are traced: which one?");
		only = p->pid;
	}
	if (!only)
		return pid ? console_error(c, "process %d has ended", (int)pid) :
			     console_error(c, "no process runs any more");
	*out = only;
	return 0;
}

int console_piece(struct console *c, const struct report_opts *opts, enum report_piece piece,
		  const char *none)
{
	struct report_page page = console_page(c);

	report_piece(c->o->heap, opts, &page, piece, &c->out);
	if (!c->out.n)
		strbuf_addf(&c->out, "%s\n", none);
	return 0;
}

struct report_block console_block(const struct console *c, pid_t pid, const struct known_block *b)
{
	return blocks_report(c->o->heap, pid, b);
}
