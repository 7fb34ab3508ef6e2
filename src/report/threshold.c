/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A threshold is passed:
 *
 *	mtrace: 1,052,672 bytes in use, 4,096 above the threshold of 1,048,576: 8,192 bytes by malloc, grow cache.c:22
 *	    1,048,576 bytes in 128 blocks  99 %  malloc, grow cache.c:22
 *	        4,096 bytes in 1 block    0.4 %  malloc, main cache.c:40
 */
#include <stdlib.h>

#include "base/file.h"
#include "base/msg.h"
#include "base/xalloc.h"
#include "report/threshold.h"
#include "owners.h"

/* Of a program that goes up and down all the time; what is done is done all the same. */
#define MAX_TOLD 100

struct threshold_sink {
	struct event_sink sink;
	struct event_sink *next;
	struct threshold_sink_opts o;
	struct symbolizer *sym;
	struct u64map watches; /* pid → struct threshold_watch * */
	struct threshold_watch *last; /* … the one used last, of … */
	pid_t last_pid;
	unsigned told;
};

/* -- words ---------------------------------------------------------------------------- */

static void add_bytes(struct strbuf *sb, uint64_t n)
{
	strbuf_add_grouped(sb, n);
	strbuf_adds(sb, n == 1 ? " byte" : " bytes");
}

static void add_line(struct text *t, const struct heap_proc *p, uint64_t threshold,
		     const struct event *ev)
{
	bool re = ev->type == EV_REALLOC;

	strbuf_addf(t->out, "%s: ", msg_program());
	style_on(t, YELLOW);
	add_bytes(t->out, p->total.open_bytes);
	strbuf_adds(t->out, " in use, ");
	strbuf_add_grouped(t->out, p->total.open_bytes - threshold);
	strbuf_adds(t->out, " above the threshold of ");
	strbuf_add_grouped(t->out, threshold);
	style_off(t, YELLOW);
	if (heap_nprocs(t->heap) > 1)
		strbuf_addf(t->out, ", in %s (%d)", p->name, (int)p->pid);
	strbuf_adds(t->out, ": ");
	add_bytes(t->out, re ? ev->u.realloc.size : ev->u.alloc.size);
	strbuf_adds(t->out, " by ");
	text_owner_name(t, heap_stack(t->heap, re ? ev->u.realloc.stack : ev->u.alloc.stack));
	strbuf_addc(t->out, '\n');
}

static void print(struct text *t, const struct heap_proc *p, const struct threshold_watch *w,
		  const struct thresholds *th, size_t n, const struct event *ev)
{
	struct view_proc vp;

	for (size_t i = w->passed - n; i < w->passed; i++)
		add_line(t, p, th->v.v[i], ev);
	view_image_build(&vp, t->heap, p);
	view_ignore(&vp.now, t->sym, t->opts);
	text_top_owners(t, &vp.now);
	view_proc_release(&vp);
}

/* -- when it happens --------------------------------------------------------------------- */

static void tell(struct threshold_sink *s, const struct heap_proc *p,
		 const struct threshold_watch *w, size_t n, const struct event *ev)
{
	struct strbuf sb = STRBUF_INIT, out = STRBUF_INIT;
	int fd = msg_fd();
	struct text t = { .out = &sb, .heap = s->o.heap, .opts = s->o.report, .sym = s->sym,
			  .color = report_use_color(s->o.report, fd) };

	if (s->told > MAX_TOLD)
		return;
	if (s->told++ == MAX_TOLD) {
		msg_warn("thresholds were passed %d times; further times are not told", MAX_TOLD);
		return;
	}
	print(&t, p, w, s->o.thresholds, n, ev);
	s->next->flush(s->next); /* in the order in which it happened */
	text_finish(&t, &out);
	write_patiently(fd, out.s, out.n); /* nobody may read it */
	vec_release(&t.nameless);
	strbuf_release(&sb);
	strbuf_release(&out);
}

static struct threshold_watch *watch_of(struct threshold_sink *s, pid_t pid)
{
	struct threshold_watch *w;

	if (s->last && s->last_pid == pid)
		return s->last;
	w = u64map_getp(&s->watches, (uint32_t)pid);
	if (!w) {
		w = xcalloc(1, sizeof *w);
		threshold_watch_begin(w, s->o.thresholds, 0);
		u64map_set(&s->watches, (uint32_t)pid, (uintptr_t)w);
	}
	s->last = w;
	s->last_pid = pid;
	return w;
}

/* A forked child begins with what its parent had. */
static void begin(struct threshold_sink *s, const struct event *ev)
{
	const struct heap_proc *p = heap_proc_find(s->o.heap, ev->pid);

	threshold_watch_begin(watch_of(s, ev->pid), s->o.thresholds, p ? p->total.open_bytes : 0);
}

static void look(struct threshold_sink *s, const struct event *ev)
{
	const struct heap_proc *p = heap_proc_find(s->o.heap, ev->pid);
	struct threshold_watch *w = watch_of(s, ev->pid);
	size_t n;

	if (!p || !threshold_watch_moves(w, p->total.open_bytes))
		return;
	n = threshold_watch_step(w, s->o.thresholds, p->total.open_bytes);
	if (!n || ev->type == EV_RELEASE)
		return;
	tell(s, p, w, n, ev);
	if (s->o.act)
		s->o.act(s->o.arg, &(struct threshold_passed){
			.pid = p->pid, .name = p->name, .bytes = p->total.open_bytes,
			.threshold = s->o.thresholds->v.v[w->passed - 1] });
}

static int emit(struct event_sink *sink, const struct event *ev)
{
	struct threshold_sink *s = container_of(sink, struct threshold_sink, sink);
	int r = s->next->emit(s->next, ev);

	if (ev->type == EV_ALLOC || ev->type == EV_RELEASE || ev->type == EV_REALLOC)
		look(s, ev);
	else if (ev->type == EV_PROC)
		begin(s, ev);
	return r;
}

static int flush(struct event_sink *sink)
{
	struct threshold_sink *s = container_of(sink, struct threshold_sink, sink);

	return s->next->flush(s->next);
}

static void release(struct event_sink *sink)
{
	struct threshold_sink *s = container_of(sink, struct threshold_sink, sink);

	u64map_for_each(&s->watches, e)
		free((void *)(uintptr_t)e->value);
	u64map_release(&s->watches);
	symbolizer_free(s->sym);
	free(s);
}

struct event_sink *threshold_sink_new(struct event_sink *next, const struct threshold_sink_opts *o)
{
	struct threshold_sink *s = xcalloc(1, sizeof *s);

	s->sink = (struct event_sink){ emit, flush, release };
	s->next = next;
	s->o = *o;
	s->sym = symbolizer_new(o->heap, o->report);
	return &s->sink;
}
