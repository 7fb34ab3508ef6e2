/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/xalloc.h"
#include "report/live.h"
#include "text.h"

size_t report_rows(const struct heap *heap, const struct heap_proc *p, struct report_row **out)
{
	VEC(struct report_row) rows = { 0 };
	struct view_proc vp;

	view_image_build(&vp, heap, p);
	for (size_t i = 0; i < vp.now.stacks.n; i++) {
		const struct view_stack *s = &vp.now.stacks.v[i];

		if (s->mapping || s->release)
			continue;
		vec_push(&rows, (struct report_row){
			.stack = s->stack ? s->stack->id : 0,
			.open_blocks = s->open_blocks, .open_bytes = s->open_bytes,
			.total_blocks = s->total_blocks, .total_bytes = s->total_bytes,
			.failed = s->failed,
			.lost_blocks = s->lost_blocks, .lost_bytes = s->lost_bytes });
	}
	view_proc_release(&vp);
	*out = rows.v;
	return rows.n;
}

void report_status(const struct heap_proc *p, struct strbuf *out)
{
	view_status(out, p);
}

/* -- names ------------------------------------------------------------------------ */

struct report_names {
	struct text text;
	struct u64map callers; /* stack → char * */
};

struct report_names *report_names_new(const struct heap *heap, const struct report_opts *opts)
{
	struct report_names *n = xcalloc(1, sizeof *n);

	n->text = (struct text){ .heap = heap, .opts = opts, .sym = symbolizer_new(heap, opts) };
	return n;
}

void report_names_free(struct report_names *n)
{
	if (!n)
		return;
	u64map_for_each(&n->callers, s)
		free((void *)(uintptr_t)s->value);
	u64map_release(&n->callers);
	symbolizer_free(n->text.sym);
	free(n);
}

const char *report_names_known(const struct report_names *n, uint32_t stack)
{
	return u64map_getp(&n->callers, stack);
}

static void add_name(struct report_names *n, const struct heap_stack *s, struct strbuf *sb)
{
	if (!s) {
		strbuf_adds(sb, "no backtrace was taken");
		return;
	}
	if (s->older) {
		strbuf_adds(sb, "allocated before the attach");
		return;
	}
	text_caller(&n->text, sb, s);
	strbuf_adds(sb, sb->n ? ", " : "");
	view_op_name(sb, heap_probe(n->text.heap, s->probe));
}

const char *report_names_find(struct report_names *n, uint32_t stack)
{
	const char *known = report_names_known(n, stack);
	struct strbuf sb = STRBUF_INIT;
	char *name;

	if (known)
		return known;
	add_name(n, heap_stack(n->text.heap, stack), &sb);
	name = strbuf_detach(&sb);
	u64map_set(&n->callers, stack, (uintptr_t)name);
	return name;
}

void report_who(const struct heap_proc *p, struct strbuf *out)
{
	view_who(out, p);
}

void report_elapsed(const struct heap_proc *p, uint64_t ns, struct strbuf *out)
{
	view_elapsed(out, p, p->start_ns, ns);
}
