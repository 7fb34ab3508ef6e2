/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdlib.h>
#include <string.h>

#include "owners.h"

#define INDENT 4

void text_owner_name(struct text *t, const struct heap_stack *s)
{
	const struct heap_probe *probe = s ? heap_probe(t->heap, s->probe) : NULL;
	struct strbuf sb = STRBUF_INIT;

	if (!s) {
		strbuf_adds(t->out, "an unknown caller");
		return;
	}
	if (s->older) {
		strbuf_adds(t->out, "whoever came before the attach");
		return;
	}
	view_op_name(t->out, probe);
	text_caller(t, &sb, s);
	if (sb.n)
		strbuf_addf(t->out, ", %s", sb.s);
	strbuf_release(&sb);
}

/* The columns of the owners' figures. */
struct columns { size_t bytes, blocks, percent; };

struct figures { struct strbuf bytes, blocks, percent; };

static void make_figures(struct figures *f, const struct heap_owner *o, uint64_t all)
{
	strbuf_add_grouped(&f->bytes, o->bytes);
	strbuf_addf(&f->blocks, " byte%s in ", o->bytes == 1 ? "" : "s");
	text_count(&f->blocks, o->blocks, "block");
	text_percent(&f->percent, o->bytes, all);
}

static void print(struct text *t, struct figures *f, const struct columns *c,
		  const struct heap_owner *o)
{
	text_pad(t->out, f->bytes.n, c->bytes + INDENT);
	strbuf_addf(t->out, "%s%s", f->bytes.s, f->blocks.s);
	text_pad(t->out, f->blocks.n + f->percent.n, c->blocks + c->percent + 2);
	strbuf_addf(t->out, "%s  ", f->percent.s);
	text_owner_name(t, heap_stack(t->heap, o->stack));
	strbuf_addc(t->out, '\n');
	strbuf_release(&f->bytes);
	strbuf_release(&f->blocks);
	strbuf_release(&f->percent);
}

void text_owners(struct text *t, const struct heap_owner *owners, size_t n, uint64_t all)
{
	struct figures figures[HEAP_OWNERS];
	struct columns c = { 0 };

	n = MIN(n, (size_t)HEAP_OWNERS);
	memset(figures, 0, sizeof figures);
	for (size_t i = 0; i < n; i++) {
		make_figures(&figures[i], &owners[i], all);
		c.bytes = MAX(c.bytes, figures[i].bytes.n);
		c.blocks = MAX(c.blocks, figures[i].blocks.n);
		c.percent = MAX(c.percent, figures[i].percent.n);
	}
	for (size_t i = 0; i < n; i++)
		print(t, &figures[i], &c, &owners[i]);
}

void text_top_owners(struct text *t, const struct view *v)
{
	struct heap_owner owners[HEAP_OWNERS];
	const struct view_stack **list;
	size_t n = view_select(v, VIEW_HEAP, NULL, &list);

	n = MIN(n, (size_t)HEAP_OWNERS);
	for (size_t i = 0; i < n; i++)
		owners[i] = (struct heap_owner){ list[i]->stack ? list[i]->stack->id : 0,
						 list[i]->open_blocks, list[i]->open_bytes };
	free(list);
	text_owners(t, owners, n, v->proc->total.open_bytes);
	if (!v->inherited_blocks)
		return;
	text_pad(t->out, 0, INDENT);
	text_amount(t->out, v->inherited_bytes, v->inherited_blocks, "block");
	strbuf_addf(t->out, " inherited from %d\n", (int)v->proc->ppid);
}
