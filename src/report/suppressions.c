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

static void print_one(struct text *t, const struct view_leak *l)
{
	static const char *const kinds[] = {
		[LEAK_DEFINITE] = "definite", [LEAK_INDIRECT] = "indirect",
		[LEAK_POSSIBLE] = "possible", [LEAK_REACHABLE] = "reachable",
	};
	struct frames frames;

	strbuf_addf(t->out, "{\n   <insert_a_suppression_name_here>\n   Memcheck:Leak\n"
			    "   match-leak-kinds: %s\n   fun:", kinds[l->kind]);
	add_operation(t->out, l->row->probe ? l->row->probe->symbol : "*");
	frames_of(&frames, t->sym, t->heap, l->row->stack, false);
	for (size_t i = 0; i < frames.v.n && i + 1 < MAX_FRAMES; i++)
		add_frame(t->out, &frames.v.v[i]);
	vec_release(&frames.v);
	strbuf_adds(t->out, "}\n");
}

void text_suppressions(struct text *t, const struct view_procs *vp)
{
	for (size_t i = 0; i < vp->v.n; i++) {
		const struct view *v = &vp->v.v[i].now;

		for (size_t k = 0; k < v->leaks.n; k++) {
			if (!text_wants_leak(t, &v->leaks.v[k]))
				continue;
			text_section(t);
			print_one(t, &v->leaks.v[k]);
		}
	}
}
