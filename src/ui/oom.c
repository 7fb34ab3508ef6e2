/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/file.h"
#include "base/hash.h"
#include "base/msg.h"
#include "base/strbuf.h"
#include "base/xalloc.h"
#include "ui/oom.h"

/* More different ones than anybody looks at. */
#define MAX_MAPS 20

struct oom {
	struct event_sink sink;
	struct event_sink *next;
	struct heaps *heaps;
	const struct report_opts *opts;
	struct u64map told;    /* stacks */
};

static void print_map(struct oom *o, pid_t pid)
{
	int fd = msg_fd();
	const struct report_page page = { .color = report_use_color(o->opts, fd),
					  .utf8 = report_use_utf8(fd),
					  .width = report_width(o->opts, fd) };
	struct strbuf sb = STRBUF_INIT;

	strbuf_addc(&sb, '\n');
	if (heaps_failure(o->heaps, pid, o->opts, &page, &sb)) {
		strbuf_addc(&sb, '\n');
		write_patiently(fd, sb.s, sb.n); /* nobody may read it: the report counts */
	}
	strbuf_release(&sb);
}

static int oom_emit(struct event_sink *sink, const struct event *ev)
{
	struct oom *o = container_of(sink, struct oom, sink);
	int r = o->next->emit(o->next, ev);

	if (ev->type == EV_FAILED && o->told.n < MAX_MAPS && !u64map_get(&o->told, ev->u.alloc.stack)) {
		u64map_set(&o->told, ev->u.alloc.stack, 1);
		o->next->flush(o->next); /* in the order in which it happened */
		print_map(o, ev->pid);
	}
	return r;
}

static int oom_flush(struct event_sink *sink)
{
	struct oom *o = container_of(sink, struct oom, sink);

	return o->next->flush(o->next);
}

static void oom_free(struct event_sink *sink)
{
	struct oom *o = container_of(sink, struct oom, sink);

	u64map_release(&o->told);
	free(o);
}

struct event_sink *oom_sink_new(struct event_sink *next, struct heaps *heaps,
				const struct report_opts *opts)
{
	struct oom *o = xcalloc(1, sizeof *o);

	o->sink = (struct event_sink){ oom_emit, oom_flush, oom_free };
	o->next = next;
	o->heaps = heaps;
	o->opts = opts;
	return &o->sink;
}
