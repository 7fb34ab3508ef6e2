/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A single block: a paragraph with its bytes. */
#include <ctype.h>

#include "base/clock.h"
#include "base/xalloc.h"
#include "block-list.h"
#include "block-site.h"
#include "paragraph.h"

enum { BYTES_IN_LINE = 16 };

void block_age(struct strbuf *sb, const struct heap *heap, const struct report_block *b)
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

/* "assigned to buffer", or nothing. */
static char *variable(struct text *t, uint32_t stack)
{
	struct block_sites *sites = block_sites_new(t->heap, t->sym, t->opts);
	const struct block_site *site = block_site(sites, stack);
	char *text = site->variable ? xasprintf("assigned to %s", site->variable) : xstrdup("");

	block_sites_free(sites);
	return text;
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
	block_age(&sb, heap, b);
	strbuf_adds(&sb, b->born_ns ? " old" : b->mark ? "" : ": age unknown");
	p.hint = strbuf_detach(&sb);
	paragraph_operation(&p, &row, b->size, b->size, NULL, variable(&t, b->stack));
	paragraph_frames(&t, &p, &row);
	if (ndata)
		add_bytes(&p, data, ndata, offset);
	paragraph_print(&t, &p);
	paragraph_release(&p);
	text_close(&t, &vp, out);
}
