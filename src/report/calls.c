/* SPDX-License-Identifier: GPL-2.0-or-later */
/* --calls: mtrace[123]: malloc(50) = 0x5581c0de  main.c:12 main */
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/msg.h"
#include "base/xalloc.h"
#include "calls.h"
#include "frames.h"
#include "view.h"

static void add_argument(struct strbuf *sb, enum alloc_op op, bool pointer, uint64_t v)
{
	if (pointer)
		strbuf_addf(sb, v ? "0x%llx" : "NULL", (unsigned long long)v);
	else if (op == OP_BRK) /* sbrk's may be below zero */
		strbuf_addf(sb, "%lld", (long long)v);
	else
		strbuf_addf(sb, "%llu", (unsigned long long)v);
}

/* As the function's type has it: brk returns an int, and of what maps memory
 * the pointer -1 is the failure. */
static void add_result(struct strbuf *sb, enum alloc_op op, bool brk, uint64_t v)
{
	bool minus_one = v == UINT64_MAX || v == UINT32_MAX;

	strbuf_adds(sb, " = ");
	if (op >= OP_MAP && minus_one)
		strbuf_adds(sb, op == OP_BRK ? "-1" : "MAP_FAILED");
	else if (brk)
		strbuf_addf(sb, "%d", (int)v);
	else
		strbuf_addf(sb, v ? "0x%llx" : "NULL", (unsigned long long)v);
}

static void add_caller(struct calls *c, const struct event *ev)
{
	const struct symbol_place *place =
		symbolize_pc(c->sym, ev->u.call.caller, ev->u.call.module, false);
	struct frame f = { .pc = ev->u.call.caller,
			   .module = heap_module(c->heap, ev->u.call.module) };

	strbuf_adds(&c->line, "  ");
	if (!place->n || !place->frame[0].function) {
		frame_place(&c->line, &f);
		return;
	}
	if (place->frame[0].file)
		strbuf_addf(&c->line, "%s:%u ", last_part(place->frame[0].file),
			    place->frame[0].line);
	strbuf_adds(&c->line, place->frame[0].function);
}

/* Said once; the program is traced on without. */
static void lose_output(struct calls *c, int err)
{
	msg_error("cannot write calls to %s: %s", c->name, strerror(-err));
	c->lost = true;
	if (c->error)
		*c->error = err;
}

void calls_write(struct calls *c)
{
	int err = c->lost ? 0 : write_patiently(c->fd, c->line.s, c->line.n);

	if (err)
		lose_output(c, err);
}

static void print_call(struct calls *c, const struct event *ev)
{
	const struct heap_probe *probe = heap_probe(c->heap, ev->u.call.probe);
	enum alloc_op op = probe ? probe->op : OP_ALLOC;
	unsigned n = MIN(ev->u.call.nargs, (unsigned)ARRAY_SIZE(ev->u.call.arg));

	strbuf_reset(&c->line);
	strbuf_addf(&c->line, "%s[%d]: ", msg_program(), (int)ev->tid);
	view_op_name(&c->line, probe);
	strbuf_addc(&c->line, '(');
	for (unsigned i = 0; i < n; i++) {
		if (i)
			strbuf_adds(&c->line, ", ");
		add_argument(&c->line, op, ev->u.call.pointers >> i & 1, ev->u.call.arg[i]);
	}
	strbuf_addc(&c->line, ')');
	if (ev->u.call.has_result)
		add_result(&c->line, op, op == OP_BRK && ev->u.call.pointers, ev->u.call.result);
	add_caller(c, ev);
	defuse_controls(c->line.s, c->line.n);
	strbuf_addc(&c->line, '\n');
	calls_write(c);
}

static void open_output(struct calls *c, pid_t pid)
{
	c->fd = c->open(c->open_arg, pid);
	c->open = NULL;
	if (c->fd < 0) {
		c->lost = true;
		if (c->error)
			*c->error = c->fd;
	}
}

static int calls_emit(struct event_sink *sink, const struct event *ev)
{
	struct calls *c = container_of(sink, struct calls, sink);

	if (c->open)
		open_output(c, ev->pid);
	if (c->trace)
		call_trace_event(c, ev);
	else if (ev->type == EV_CALL && !c->lost)
		print_call(c, ev);
	return c->next->emit(c->next, ev);
}

static int calls_flush(struct event_sink *sink)
{
	struct calls *c = container_of(sink, struct calls, sink);

	return c->next->flush(c->next);
}

static void calls_free(struct event_sink *sink)
{
	struct calls *c = container_of(sink, struct calls, sink);

	symbolizer_free(c->sym);
	call_trace_free(c->trace);
	strbuf_release(&c->line);
	free(c);
}

struct event_sink *calls_sink_new(struct event_sink *next, const struct heap *heap,
				  const struct report_opts *opts, int fd, int *error)
{
	struct calls *c = xcalloc(1, sizeof *c);
	const char *output = opts->trace ? opts->trace_output : opts->output;

	c->sink = (struct event_sink){ calls_emit, calls_flush, calls_free };
	c->next = next;
	c->heap = heap;
	c->sym = symbolizer_new(heap, opts);
	c->fd = fd;
	c->name = fd == STDERR_FILENO   ? "standard error"
		  : fd == STDOUT_FILENO ? "standard output"
		  : output		? output
					: "a file";
	if (opts->trace)
		c->trace = call_trace_new(opts->trace);
	c->error = error;
	if (error)
		*error = 0;
	return &c->sink;
}

void calls_sink_open_later(struct event_sink *calls, int (*open)(void *arg, pid_t pid), void *arg)
{
	struct calls *c = container_of(calls, struct calls, sink);

	c->open = open;
	c->open_arg = arg;
}
