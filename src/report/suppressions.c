/* SPDX-License-Identifier: GPL-2.0-or-later */
/* --gen-suppressions: in Valgrind's form, so that both read them. */
#include <string.h>

#include "text.h"

/* More frames than Valgrind reads make no suppression more exact. */
#define MAX_FRAMES 24

static void add_frame(struct strbuf *sb, const struct frame *f)
{
	if (f->symbol)
		strbuf_addf(sb, "   fun:%s\n", f->symbol);
	else
		strbuf_addf(sb, "   obj:%s\n", f->module && f->module->path[0] ? f->module->path : "*");
}

/* new[] may have jumped to new: either is meant. */
static void add_operation(struct strbuf *sb, const char *symbol)
{
	if (!strncmp(symbol, "_Znw", 4) || !strncmp(symbol, "_Zna", 4))
		strbuf_addf(sb, "_Zn?%s\n", symbol + 4);
	else
		strbuf_addf(sb, "%s\n", symbol);
}

static void add_frames(struct text *t, const struct heap_stack *s)
{
	struct frames frames;

	frames_of(&frames, t->sym, t->heap, s, false);
	for (size_t i = 0; i < frames.v.n && i + 1 < MAX_FRAMES; i++)
		add_frame(t->out, &frames.v.v[i]);
	vec_release(&frames.v);
}

static void print_leak(struct text *t, const struct view_leak *l)
{
	static const char *const kinds[] = {
		[LEAK_DEFINITE] = "definite", [LEAK_INDIRECT] = "indirect",
		[LEAK_POSSIBLE] = "possible", [LEAK_REACHABLE] = "reachable",
	};

	text_section(t);
	strbuf_addf(t->out, "{\n   <insert_a_suppression_name_here>\n   Memcheck:Leak\n"
			    "   match-leak-kinds: %s\n   fun:", kinds[l->kind]);
	add_operation(t->out, l->row->probe ? l->row->probe->symbol : "*");
	add_frames(t, l->row->stack);
	strbuf_adds(t->out, "}\n");
}

static void print_error(struct text *t, const struct heap_error *e)
{
	const struct heap_stack *s = heap_stack(t->heap, e->at);
	const struct heap_probe *probe = s ? heap_probe(t->heap, s->probe) : NULL;

	text_section(t);
	strbuf_adds(t->out, "{\n   <insert_a_suppression_name_here>\n   Memcheck:Free\n");
	strbuf_addf(t->out, "   fun:%s\n", probe ? probe->symbol : "*");
	add_frames(t, s);
	strbuf_adds(t->out, "}\n");
}

/* Errors with blocks of several places are one for a suppression, which knows only
 * the call. */
static void print_errors(struct text *t, const struct view_proc *p)
{
	struct u64map done = U64MAP_INIT;

	for (size_t i = 0; i < p->errors.n; i++) {
		const struct heap_error *e = p->errors.v[i].e;

		if (!error_is_of_free(e->kind) || u64map_get(&done, e->at))
			continue;
		u64map_set(&done, e->at, 1);
		print_error(t, e);
	}
	u64map_release(&done);
}

void text_suppressions(struct text *t, const struct view_procs *vp)
{
	for (size_t i = 0; i < vp->v.n; i++) {
		const struct view_proc *p = &vp->v.v[i];

		print_errors(t, p);
		for (size_t k = 0; k < p->now.leaks.n; k++)
			if (text_wants_leak(t, &p->now.leaks.v[k]))
				print_leak(t, &p->now.leaks.v[k]);
	}
}
