/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Releases of unknown blocks and addresses handed out twice: who was involved, and
 * which way into the allocator may be the one that nobody saw. */
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "text.h"

static int by_count(const void *pa, const void *pb)
{
	const struct heap_suspect *a = pa, *b = pb;

	if (a->count != b->count)
		return a->count < b->count ? 1 : -1;
	return a->stack < b->stack ? -1 : a->stack > b->stack;
}

size_t view_suspects(const struct heap_suspects *s, struct heap_suspect **list)
{
	size_t n = 0;

	*list = xcalloc(s->v.n + 1, sizeof **list);
	for (size_t i = 0; i < s->v.n; i++)
		if (s->v.v[i].count) /* some were taken back */
			(*list)[n++] = s->v.v[i];
	qsort(*list, n, sizeof **list, by_count);
	return n;
}

/* What a compiler inlines comes from the same module. */
enum suspect_kind view_suspect_kind(const struct heap *heap, const struct heap_proc *p,
				    const struct heap_suspect *s)
{
	const struct heap_stack *stack = heap_stack(heap, s->stack);

	/* Blocks older than that are no sign of anything. */
	if (p->how == PROC_ATTACHED || p->how == PROC_FORKED)
		return SUSPECT_UNKNOWN;
	if (!heap_module(heap, s->allocator) || !stack || !stack->n || !stack->module[0])
		return SUSPECT_UNKNOWN;
	return stack->module[0] == s->allocator ? SUSPECT_INLINED : SUSPECT_ENTRY;
}

void text_suspect(struct text *t, struct strbuf *sb, const char *word,
		  const struct heap_suspects *s)
{
	struct strbuf caller = STRBUF_INIT;
	struct heap_suspect *list;

	if (view_suspects(s, &list))
		text_caller(t, &caller, heap_stack(t->heap, list[0].stack));
	if (caller.n)
		strbuf_addf(sb, ", most %s %s", word, caller.s);
	strbuf_release(&caller);
	free(list);
}

void text_suspect_line(struct text *t, struct strbuf *sb, const char *word,
		       const struct heap_proc *p, const struct heap_suspect *s)
{
	const struct heap_module *m = heap_module(t->heap, s->allocator);
	struct strbuf caller = STRBUF_INIT;

	text_caller(t, &caller, heap_stack(t->heap, s->stack));
	strbuf_addf(sb, " %s %s", word, caller.n ? caller.s : "code without a name");
	strbuf_release(&caller);
	switch (view_suspect_kind(t->heap, p, s)) {
	case SUSPECT_INLINED:
		strbuf_addf(sb, ": part of the allocator may be inlined in %s", last_part(m->path));
		break;
	case SUSPECT_ENTRY:
		strbuf_addf(sb, ": some function of %s may not be observed", last_part(m->path));
		break;
	case SUSPECT_UNKNOWN:
		break;
	}
}
