/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>
#include "base/msg.h"

#include "console.h"
#include "report/live.h"

/* What a log or a server says of itself is harmless to a terminal. */
static void add_row(struct strbuf *out, const char *label, const char *text)
{
	size_t at;

	strbuf_addf(out, "%-10s ", label);
	at = out->n;
	strbuf_adds(out, text);
	defuse_controls(out->s + at, out->n - at);
	strbuf_addc(out, '\n');
}

static void add_origin(struct strbuf *out, const struct wire_hello *h)
{
	struct strbuf sb = STRBUF_INIT;

	strbuf_addf(&sb, "%s%s%s", h->tool ? h->tool : "?", h->host ? " on " : "",
		    h->host ? h->host : "");
	add_row(out, "traced by", sb.s);
	strbuf_reset(&sb);
	for (uint32_t i = h->command; i < h->nwords; i++)
		strbuf_addf(&sb, "%s%s", sb.n ? " " : "", h->words[i]);
	if (sb.n)
		add_row(out, "command", sb.s);
	strbuf_release(&sb);
}

static int show_info(struct console *c)
{
	if (c->client && console_tell(c, REQUEST_INFO, 0, 0))
		return -1;
	if (!c->o->client)
		add_row(&c->out, "log", c->o->log ? c->o->log : "?");
	if (c->o->hello)
		add_origin(&c->out, c->o->hello);
	strbuf_addf(&c->out, "programs   %zu\nstacks     %zu\nmarks      %u\n",
		    heap_nprocs(c->o->heap), heap_nstacks(c->o->heap), heap_nmarks(c->o->heap));
	return 0;
}

static int show_marks(struct console *c)
{
	const struct heap_proc *p = heap_nprocs(c->o->heap) ? heap_proc_at(c->o->heap, 0) : NULL;

	for (uint32_t i = 1; p && i <= heap_nmarks(c->o->heap); i++) {
		strbuf_addf(&c->out, "mark %u after ", i);
		report_elapsed(p, heap_mark_ns(c->o->heap, i), &c->out);
		strbuf_addc(&c->out, '\n');
	}
	if (!c->out.n)
		strbuf_adds(&c->out, "no marks were set\n");
	return 0;
}

static int show_searchpath(struct console *c)
{
	const char *const *path = c->report.binpath;

	for (size_t i = 0; path && path[i]; i++)
		strbuf_addf(&c->out, "%s%s", i ? ":" : "", path[i]);
	strbuf_addc(&c->out, '\n');
	return 0;
}

static const char *const what[] = { "info", "searchpath", "marks", NULL };

static int run(struct console *c, int argc, char **argv)
{
	if (argc != 2)
		return console_usage(c, &command_show);
	switch (command_choose(c, "thing to show", what, argv[1])) {
	case 0:
		return show_info(c);
	case 1:
		return show_searchpath(c);
	case 2:
		return show_marks(c);
	default:
		return -1;
	}
}

const struct command command_show = {
	.name = "show",
	.args = "info|searchpath|marks",
	.choices = what,
	.help = "what is traced, where binaries are looked for, or the marks",
	.more = "",
	.run = run,
};
