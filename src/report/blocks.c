/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Single blocks: a line of a list, or a paragraph with their bytes.
 *
 *	0x000055d0c2a0           80    1.20 s  malloc        read_line leaky.c:12
 */
#include <ctype.h>

#include "base/clock.h"
#include "base/xalloc.h"
#include "paragraph.h"

enum { BYTES_IN_LINE = 16 };

/* "0.02 s", "5 min", "2 h", "3 d"; what came over a wire later than we looked is
 * of no age. */
static void add_age(struct strbuf *sb, const struct heap *heap, const struct report_block *b)
{
	uint64_t ns = b->now_ns - MIN(b->born_ns, b->now_ns), s = ns / NS_PER_S;
	const struct heap_proc *p = heap_proc_find(heap, b->pid);

	if (!b->born_ns && b->mark)
		strbuf_addf(sb, "mark %u", b->mark);
	else if (!b->born_ns)
		strbuf_addc(sb, '?');
	else if (p && p->log == PROC_LOG) /* it knows no times: so many records ago */
		strbuf_addf(sb, "%llu rec", (unsigned long long)ns / 1000);
	else if (s < 600)
		strbuf_addf(sb, "%.2f s", (double)ns / (double)NS_PER_S);
	else if (s < 2 * 3600)
		strbuf_addf(sb, "%llu min", (unsigned long long)s / 60);
	else if (s < 2 * 86400)
		strbuf_addf(sb, "%llu h", (unsigned long long)s / 3600);
	else
		strbuf_addf(sb, "%llu d", (unsigned long long)s / 86400);
}

/* -- the list ------------------------------------------------------------------- */

/* Many blocks have one stack: its text is made once. */
struct callers {
	VEC(char *) v;
	struct u64map by_stack;
};

static const char *caller_of(struct text *t, struct callers *c, uint32_t stack)
{
	const struct heap_stack *s = heap_stack(t->heap, stack);
	uint64_t *at = u64map_get(&c->by_stack, stack);
	struct strbuf sb = STRBUF_INIT;
	size_t op;

	if (at)
		return c->v.v[*at];
	view_op_name(&sb, s ? heap_probe(t->heap, s->probe) : NULL);
	op = text_columns(sb.s);
	text_pad(&sb, op, MAX(op + 2, (size_t)14));
	if (s && s->n)
		text_caller(t, &sb, s);
	else
		strbuf_addc(&sb, '?');
	u64map_set(&c->by_stack, stack, c->v.n);
	vec_push(&c->v, strbuf_detach(&sb));
	return c->v.v[c->v.n - 1];
}

static void add_line(struct text *t, struct callers *c, const struct report_block *b)
{
	struct strbuf size = STRBUF_INIT, age = STRBUF_INIT;

	strbuf_add_grouped(&size, b->size);
	add_age(&age, t->heap, b);
	strbuf_addf(t->out, "0x%012llx %12s %9s  %s", (unsigned long long)b->addr, size.s, age.s,
		    caller_of(t, c, b->stack));
	if (b->kind >= 0)
		strbuf_addf(t->out, ", %s", view_leak_name((enum leak_kind)b->kind));
	strbuf_addc(t->out, '\n');
	strbuf_release(&size);
	strbuf_release(&age);
}

void report_block_list(const struct heap *heap, const struct report_opts *opts,
		       const struct report_page *page, const struct report_block *blocks, size_t n,
		       struct strbuf *out)
{
	struct callers callers = { 0 };
	struct view_procs vp;
	struct text t;

	text_open(&t, &vp, heap, opts, page);
	for (size_t i = 0; i < n; i++) {
		if (opts->interrupted && *opts->interrupted)
			break;
		add_line(&t, &callers, &blocks[i]);
	}
	text_close(&t, &vp, out);
	for (size_t i = 0; i < callers.v.n; i++)
		free(callers.v.v[i]);
	vec_release(&callers.v);
	u64map_release(&callers.by_stack);
}

/* -- one ------------------------------------------------------------------------- */

/* "+0  61 62 63 …   abc" */
static void add_bytes(struct paragraph *p, const uint8_t *data, size_t n, uint64_t offset)
{
	for (size_t i = 0; i < n; i += BYTES_IN_LINE) {
		struct strbuf hex = STRBUF_INIT, chars = STRBUF_INIT;

		strbuf_addf(&hex, "+%-5llu", (unsigned long long)(offset + i));
		for (size_t k = i; k < i + BYTES_IN_LINE && k < n; k++) {
			strbuf_addf(&hex, " %02x", data[k]);
			strbuf_addc(&chars,
				    data[k] < 127 && isprint(data[k]) ? (char)data[k] : '.');
		}
		paragraph_line(p, strbuf_detach(&hex), strbuf_detach(&chars), PLAIN, PLAIN);
	}
}

void report_block(const struct heap *heap, const struct report_opts *opts,
		  const struct report_page *page, const struct report_block *b,
		  const uint8_t *data, size_t ndata, uint64_t offset, struct strbuf *out)
{
	const struct heap_stack *s = heap_stack(heap, b->stack);
	struct view_stack row = { .stack = s, .probe = s ? heap_probe(heap, s->probe) : NULL };
	struct paragraph p = { .label = b->kind < 0 ? "in use" :
						      view_leak_name((enum leak_kind)b->kind) };
	struct strbuf sb = STRBUF_INIT;
	struct view_procs vp;
	struct text t;

	text_open(&t, &vp, heap, opts, page);
	text_count(&sb, b->size, "byte");
	strbuf_addf(&sb, " at 0x%llx", (unsigned long long)b->addr);
	p.amount = strbuf_detach(&sb);
	add_age(&sb, heap, b);
	strbuf_adds(&sb, b->born_ns ? " old" : b->mark ? "" : ": age unknown");
	p.hint = strbuf_detach(&sb);
	paragraph_operation(&p, &row, b->size, b->size, NULL, xstrdup(""));
	paragraph_frames(&t, &p, &row);
	if (ndata)
		add_bytes(&p, data, ndata, offset);
	paragraph_print(&t, &p);
	paragraph_release(&p);
	text_close(&t, &vp, out);
}
