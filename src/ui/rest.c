/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>

#include "base/hash.h"
#include "base/xalloc.h"
#include "elf/modules.h"
#include "trace/unwind.h"
#include "ui/rest.h"

/* The modules of one process, and its unwinder, made when it is needed. */
struct space {
	bool ended;
	VEC(uint32_t) ids;
	struct modules modules;
	struct unwinder *unwinder;
};

struct rest_sink {
	struct event_sink sink;
	struct event_sink *next;
	const struct heap *heap;
	const struct report_opts *opts;
	struct u64map spaces;     /* pid → struct space * */
	uint32_t stack;           /* the id that `rest` is of, 0: none */
	uint32_t depth;
	struct unwind_rest rest;
	struct backtrace found;
	VEC(taddr_t) pc;
	VEC(uint32_t) module;
	VEC(uint8_t) exact, origin;
};

static struct rest_sink *of(struct event_sink *sink)
{
	return (struct rest_sink *)sink;
}

/* -- processes -------------------------------------------------------------------- */

static void forget_unwinder(struct space *sp)
{
	unwinder_free(sp->unwinder);
	sp->unwinder = NULL;
	modules_release(&sp->modules);
}

static void free_space(struct space *sp)
{
	if (!sp)
		return;
	forget_unwinder(sp);
	vec_release(&sp->ids);
	free(sp);
}

static struct space *space_of(struct rest_sink *s, pid_t pid)
{
	return u64map_getp(&s->spaces, (uint32_t)pid);
}

/* In a state (model/state.h) modules come before their process. */
static void begin_process(struct rest_sink *s, const struct event *ev)
{
	struct space *parent = ev->u.proc.how == PROC_FORKED ? space_of(s, ev->u.proc.ppid) : NULL;
	struct space *sp = space_of(s, ev->pid);

	if (sp && !sp->ended)
		return;
	sp = xcalloc(1, sizeof *sp);
	for (size_t i = 0; parent && i < parent->ids.n; i++)
		vec_push(&sp->ids, parent->ids.v[i]);
	free_space(space_of(s, ev->pid));
	u64map_set(&s->spaces, (uint32_t)ev->pid, (uintptr_t)sp);
}

static void change_modules(struct rest_sink *s, const struct event *ev)
{
	struct space *sp = space_of(s, ev->pid);

	if (!sp) {
		sp = xcalloc(1, sizeof *sp);
		u64map_set(&s->spaces, (uint32_t)ev->pid, (uintptr_t)sp);
	}
	forget_unwinder(sp);
	for (size_t i = sp->ids.n; i--;)
		if (sp->ids.v[i] == ev->u.module.id)
			vec_remove(&sp->ids, i);
	if (ev->type == EV_MODULE)
		vec_push(&sp->ids, ev->u.module.id);
}

/* -- unwinding -------------------------------------------------------------------- */

static void find_text(struct module *m)
{
	const struct elf_segment *seg;
	size_t n = m->file ? elf_file_segments(m->file, &seg) : 0;

	m->text_start = m->text_end = 0;
	for (size_t i = 0; i < n; i++) {
		taddr_t start = m->bias + seg[i].vaddr, end = start + seg[i].memsz;

		if (!(seg[i].flags & 1)) /* PF_X */
			continue;
		m->text_start = m->text_end ? MIN(m->text_start, start) : start;
		m->text_end = MAX(m->text_end, end);
	}
}

static struct module *make_module(const struct rest_sink *s, uint32_t id)
{
	const struct heap_module *known = heap_module(s->heap, id);
	struct module *m;

	if (!known || known->end <= known->start)
		return NULL;
	m = xcalloc(1, sizeof *m);
	m->id = id;
	m->start = known->start;
	m->end = known->end;
	m->bias = known->bias;
	m->path = xstrdup(known->path);
	m->file = report_open_module(s->opts, known);
	find_text(m);
	return m;
}

static int compare_modules(const void *a, const void *b)
{
	const struct module *x = *(struct module *const *)a, *y = *(struct module *const *)b;

	return x->start < y->start ? -1 : x->start > y->start;
}

/* All that can be read is the piece of the stack that came. */
static ssize_t read_nothing(void *arg, taddr_t addr, void *buf, size_t len)
{
	(void)arg;
	(void)addr;
	(void)buf;
	(void)len;
	return -EFAULT;
}

static struct unwinder *unwinder_of(struct rest_sink *s, struct space *sp)
{
	static const struct mem_reader nothing = { read_nothing, NULL };

	if (sp->unwinder)
		return sp->unwinder;
	modules_init(&sp->modules, 0, &nothing);
	for (size_t i = 0; i < sp->ids.n; i++) {
		struct module *m = make_module(s, sp->ids.v[i]);

		if (m)
			vec_push(&sp->modules.v, m);
	}
	if (sp->modules.v.n)
		qsort(sp->modules.v.v, sp->modules.v.n, sizeof *sp->modules.v.v, compare_modules);
	sp->unwinder = unwinder_new(s->rest.abi, &sp->modules, &nothing, NULL, NULL);
	return sp->unwinder;
}

static void keep_rest(struct rest_sink *s, const struct event *ev)
{
	struct unwind_rest *r = &s->rest;

	s->stack = 0;
	r->abi = abi_lookup(ev->u.rest.machine, ev->u.rest.class, ev->u.rest.data);
	if (!r->abi || !ev->u.rest.depth || !ev->u.rest.nbytes)
		return;
	s->stack = ev->u.rest.stack;
	s->depth = MIN(ev->u.rest.depth, (uint32_t)UNWIND_MAX_DEPTH - 1);
	r->there = true;
	r->exact = ev->u.rest.exact;
	r->code = ev->u.rest.code;
	r->sp = ev->u.rest.sp;
	r->known = ev->u.rest.known;
	memcpy(r->reg, ev->u.rest.reg, sizeof r->reg);
	r->len = ev->u.rest.nbytes;
	memcpy(r->bytes, ev->u.rest.bytes, r->len);
}

/* The frames that were known, but for the last, which is the first of those found. */
static void join(struct rest_sink *s, struct event *ev)
{
	const struct backtrace *b = &s->found;
	uint32_t old = ev->u.stack.n;
	bool origins = ev->u.stack.origin != NULL;

	s->pc.n = s->module.n = s->exact.n = s->origin.n = 0;
	for (uint32_t i = 0; i < old + b->n - 1; i++) {
		bool new = i >= old;
		uint32_t at = i - old + 1;

		vec_push(&s->pc, new ? b->pc[at] : ev->u.stack.pc[i]);
		vec_push(&s->module, new ? b->module[at] : ev->u.stack.module[i]);
		vec_push(&s->exact, new ? b->exact[at] :
				    ev->u.stack.exact ? ev->u.stack.exact[i] : (uint8_t)0);
		vec_push(&s->origin, new ? b->origin[at] :
				     origins ? ev->u.stack.origin[i] : (uint8_t)0);
	}
	ev->u.stack.n = (uint32_t)s->pc.n;
	ev->u.stack.pc = s->pc.v;
	ev->u.stack.module = s->module.v;
	ev->u.stack.exact = s->exact.v;
	ev->u.stack.origin = origins ? s->origin.v : NULL;
	ev->u.stack.end = b->end;
}

/* The state tells stacks before the processes that were forked, and modules once: then it
 * is where the module is that the stack broke in. */
static struct space *find_space(struct rest_sink *s, const struct event *ev)
{
	uint32_t module = ev->u.stack.module[ev->u.stack.n - 1];
	struct space *sp = space_of(s, ev->pid);

	if (sp && sp->ids.n)
		return sp;
	u64map_for_each(&s->spaces, p) {
		struct space *other = (struct space *)(uintptr_t)p->value;

		for (size_t i = 0; i < other->ids.n; i++)
			if (other->ids.v[i] == module)
				return other;
	}
	return NULL;
}

static void go_on(struct rest_sink *s, struct event *ev)
{
	struct space *sp;

	if (ev->u.stack.id != s->stack || !ev->u.stack.n || !ev->u.stack.module ||
	    ev->u.stack.n > UNWIND_MAX_DEPTH)
		return;
	sp = find_space(s, ev);
	if (!sp)
		return;
	unwind_rest(unwinder_of(s, sp), &s->rest, s->depth + 1, &s->found);
	if (s->found.n > 1)
		join(s, ev);
}

/* -- the sink --------------------------------------------------------------------- */

static int take(struct event_sink *sink, const struct event *ev)
{
	struct rest_sink *s = of(sink);
	struct event copy;

	switch (ev->type) {
	case EV_PROC:
		begin_process(s, ev);
		break;
	case EV_PROC_END:
		if (space_of(s, ev->pid))
			space_of(s, ev->pid)->ended = ev->u.end.how != END_RUNNING;
		break;
	case EV_MODULE:
	case EV_MODULE_GONE:
		change_modules(s, ev);
		break;
	case EV_STACK_REST:
		keep_rest(s, ev);
		return EMIT_GO;
	case EV_STACK:
		copy = *ev;
		if (s->stack)
			go_on(s, &copy);
		s->stack = 0;
		return s->next->emit(s->next, &copy);
	default:
		break;
	}
	return s->next->emit(s->next, ev);
}

static int flush(struct event_sink *sink)
{
	return of(sink)->next->flush(of(sink)->next);
}

void rest_sink_forget(struct event_sink *sink)
{
	struct rest_sink *s = of(sink);

	u64map_for_each(&s->spaces, p)
		free_space((struct space *)(uintptr_t)p->value);
	u64map_release(&s->spaces);
	s->stack = 0;
}

static void release(struct event_sink *sink)
{
	struct rest_sink *s = of(sink);

	rest_sink_forget(sink);
	vec_release(&s->pc);
	vec_release(&s->module);
	vec_release(&s->exact);
	vec_release(&s->origin);
	free(s);
}

struct event_sink *rest_sink_new(struct event_sink *next, const struct heap *heap,
				 const struct report_opts *opts)
{
	struct rest_sink *s = xcalloc(1, sizeof *s);

	s->sink = (struct event_sink){ take, flush, release };
	s->next = next;
	s->heap = heap;
	s->opts = opts;
	return &s->sink;
}
