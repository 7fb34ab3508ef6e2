/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the report leads with when memory ran out:
 *
 *	out of memory      leaky (pid 4711) was killed by the kernel
 *	    its control group may have 33,554,432 bytes, and counts 1 process killed for want of memory
 *	    30,000,000 bytes in 300 blocks were in use, most of it by
 *	    29,000,000 bytes in 290 blocks  97 %  malloc, grow cache.c:22
 *
 *	out of memory      the last of 3 requests that were refused, after 0.25 s
 *	    malloc(1048576)
 *	    grow           cache.c:22
 *	    main           cache.c:40
 *	    RLIMIT_AS allows 67,108,864 bytes of address space, of which 66,900,000 were in use
 *	    30,000,000 bytes …
 */
#include <string.h>

#include "base/xalloc.h"
#include "owners.h"
#include "paragraph.h"

#define INDENT 4
#define COLUMN 19 /* as of other paragraphs */

static void add_label(struct text *t, const char *label)
{
	text_section(t);
	style_on(t, RED);
	strbuf_adds(t->out, label);
	style_off(t, RED);
	text_pad(t->out, strlen(label), COLUMN);
}

static void begin_line(struct text *t)
{
	text_pad(t->out, 0, INDENT);
}

/* "30,000,000 bytes in 300 blocks were in use[ then][, most of it by]" */
static void add_state(struct text *t, uint64_t bytes, uint64_t blocks, const char *then)
{
	begin_line(t);
	text_amount(t->out, bytes, blocks, "block");
	strbuf_addf(t->out, " %s in use%s%s\n", bytes == 1 ? "was" : "were", then,
		    bytes ? ", most of it by" : "");
}

/* -- killed -------------------------------------------------------------------------- */

static void add_evidence(struct text *t, const struct heap_oom *oom)
{
	begin_line(t);
	if (oom->cause == OOM_SYSTEM) {
		strbuf_adds(t->out, "its control group is not known; ");
		strbuf_add_grouped(t->out, oom->used);
		strbuf_addf(t->out, " process%s of the system %s killed for want of memory meanwhile\n",
			    oom->used == 1 ? "" : "es", oom->used == 1 ? "was" : "were");
		return;
	}
	strbuf_adds(t->out, "its control group ");
	if (oom->limit) {
		strbuf_adds(t->out, "may have ");
		strbuf_add_grouped(t->out, oom->limit);
		strbuf_adds(t->out, " bytes, and ");
	}
	strbuf_adds(t->out, "counts ");
	strbuf_add_grouped(t->out, oom->used);
	strbuf_addf(t->out, " process%s killed for want of memory\n", oom->used == 1 ? "" : "es");
}

static void print_killed(struct text *t, const struct view *v)
{
	const struct heap_proc *p = v->proc;

	add_label(t, "out of memory");
	strbuf_addf(t->out, "%s (pid %d) was killed%s by the kernel\n", p->name, (int)p->pid,
		    p->killed.cause == OOM_SYSTEM ? ", probably" : "");
	add_evidence(t, &p->killed);
	add_state(t, p->total.open_bytes, p->total.open_blocks, "");
	text_top_owners(t, v);
}

/* -- a request was refused ------------------------------------------------------------- */

static void add_limit(struct text *t, const struct heap_oom *oom)
{
	bool space = oom->cause == OOM_ADDRESS_SPACE;

	if (!space && oom->cause != OOM_DATA)
		return;
	begin_line(t);
	strbuf_addf(t->out, "%s allows ", space ? "RLIMIT_AS" : "RLIMIT_DATA");
	strbuf_add_grouped(t->out, oom->limit);
	strbuf_addf(t->out, " bytes of %s, of which ", space ? "address space" : "data");
	strbuf_add_grouped(t->out, oom->used);
	strbuf_adds(t->out, " were in use\n");
}

static void add_why(struct text *t, const struct report_refusal *r)
{
	begin_line(t);
	strbuf_addf(t->out, "%s\n", r->why);
}

/* The operation with its sizes, as a paragraph has it. */
static void add_request(struct text *t, const struct heap_refused *r)
{
	const struct heap_stack *stack = heap_stack(t->heap, r->stack);
	struct view_stack row = { .stack = stack };
	struct heap_product product = { 0 };
	struct paragraph p = { 0 };

	if (!stack) {
		begin_line(t);
		strbuf_adds(t->out, "an unknown caller asked for ");
		strbuf_add_grouped(t->out, r->size);
		strbuf_adds(t->out, r->size == 1 ? " byte\n" : " bytes\n");
		return;
	}
	heap_product_widen(&product, &r->product);
	row.probe = heap_probe(t->heap, stack->probe);
	paragraph_operation(&p, &row, r->size, r->size, &product, xstrdup(""));
	text_backtrace(t, stack, xstrdup(p.lines.v[0].left), xstrdup(""));
	paragraph_release(&p);
}

static void print_refused(struct text *t, const struct view *v, bool named)
{
	const struct heap_proc *p = v->proc;
	const struct heap_refused *r = &p->refused;
	const struct report_refusal *why = report_refusal_of(t->opts, p->pid);

	add_label(t, r->oom.cause || (why && why->no_room) ? "out of memory" : "not granted");
	if (p->total.failed > 1) {
		strbuf_adds(t->out, "the last of ");
		strbuf_add_grouped(t->out, p->total.failed);
		strbuf_adds(t->out, " requests that were refused");
	} else {
		strbuf_adds(t->out, "a request was refused");
	}
	if (named)
		strbuf_addf(t->out, " to %s (pid %d)", p->name, (int)p->pid);
	strbuf_adds(t->out, ", after ");
	view_elapsed(t->out, p, p->start_ns, r->ns);
	strbuf_addc(t->out, '\n');
	add_request(t, r);
	add_limit(t, &r->oom);
	if (why && (!why->told || t->opts->output))
		add_why(t, why);
	add_state(t, r->open_bytes, r->open_blocks, " then");
	text_owners(t, r->owner, r->owners, r->open_bytes);
}

void text_out_of_memory(struct text *t, const struct view_procs *vp)
{
	for (size_t i = 0; i < vp->v.n; i++) {
		const struct view *v = &vp->v.v[i].now;

		if (v->proc->killed.cause)
			print_killed(t, v);
		if (v->proc->refused.any)
			print_refused(t, v, vp->v.n > 1);
	}
}
