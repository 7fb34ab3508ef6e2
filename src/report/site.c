/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One caller, apart from any report. */
#include "base/msg.h"
#include "base/xalloc.h"
#include "paragraph.h"

static void print(struct text *t, const struct report_site *site)
{
	const struct heap_stack *stack = heap_stack(t->heap, site->stack);
	struct view_stack row = { .stack = stack };
	struct heap_product product = { 0 };
	struct paragraph p = { .label = site->label, .label_style = RED, .number = site->number,
			       .amount = xstrdup(site->amount) };

	heap_product_widen(&product, &site->product);
	row.probe = stack ? heap_probe(t->heap, stack->probe) : NULL;
	paragraph_operation(&p, &row, site->size, site->size, &product, xstrdup(""));
	if (stack)
		paragraph_frames(t, &p, &row);
	paragraph_print(t, &p);
	paragraph_release(&p);
}

void report_site(const struct heap *heap, const struct report_opts *opts,
		 const struct report_site *site, struct strbuf *out)
{
	struct strbuf sb = STRBUF_INIT;
	int fd = msg_fd();
	struct text t = { .out = &sb, .heap = heap, .opts = opts, .whole = opts->long_form, .begun = true,
			  .color = report_use_color(opts, fd), .width = report_width(opts, fd) };

	t.sym = symbolizer_new(heap, opts);
	print(&t, site);
	text_finish(&t, out);
	strbuf_release(&sb);
	vec_release(&t.nameless);
	symbolizer_free(t.sym);
}
