/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A client that comes late, and what its reports say, for the tests of the state. */
#ifndef MTRACE_TESTS_LATE_H
#define MTRACE_TESTS_LATE_H

#include "heap/heap.h"
#include "model/state.h"
#include "model/wire.h"
#include "report/report.h"

static inline int late_take(void *arg, const struct event *ev)
{
	struct event_sink *sink = heap_sink(arg);

	return sink->emit(sink, ev) < 0 ? -1 : 0;
}

/* A heap that is told the state as it came over the wire.  NULL: it does not take it. */
static inline struct heap *late_client(const struct state *state)
{
	struct heap *heap = heap_new();
	struct strbuf sb = STRBUF_INIT;
	struct wire_decoder d = { 0 };
	struct wire_record r;
	size_t at = 0;

	state_tell(state, &sb);
	while (at < sb.n && wire_next(sb.s + at, sb.n - at, &r) > 0 &&
	       !wire_decode(&d, &r, late_take, heap))
		at += WIRE_HEADER + r.len;
	wire_decoder_release(&d);
	if (at < sb.n) {
		heap_free(heap);
		heap = NULL;
	}
	strbuf_release(&sb);
	return heap;
}

static inline int late_no_lines(void *arg, const struct heap_module *m, taddr_t vaddr,
				void (*fn)(void *fn_arg, const struct source_frame *), void *fn_arg)
{
	(void)arg;
	(void)m;
	(void)vaddr;
	(void)fn;
	(void)fn_arg;
	return 0;
}

/* Everything that there is to see. */
static inline void late_reports(const struct heap *heap, struct strbuf *sb)
{
	static const struct report_symbols symbols = { late_no_lines, NULL };
	struct report_opts opts = REPORT_OPTS_INIT;

	opts.symbols = &symbols;
	opts.verbose = 1;
	opts.sanity = true;
	opts.long_form = true;
	opts.max_stacks = 0;
	opts.leak_kinds = (1u << LEAK_KINDS) - 1;
	for (int list = 0; list < 2; list++) {
		opts.list_leaks = list;
		report_text(heap, &opts, true, false, 0, sb);
	}
	report_json(heap, &opts, sb);
}

#endif
