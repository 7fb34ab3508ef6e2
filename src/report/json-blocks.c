/* SPDX-License-Identifier: GPL-2.0-or-later */
/* --list: each open block. */
#include <stdlib.h>

#include "block-list.h"
#include "block-site.h"
#include "json.h"

static json_t *age_json(const struct heap_proc *p, const struct report_block *b)
{
	if (!b->born_ns || p->log == PROC_LOG)
		return json_null();
	return json_number(b->now_ns - MIN(b->born_ns, b->now_ns));
}

static json_t *block_json(const struct heap_proc *p, const struct block_site *site,
			  const struct report_block *b)
{
	const struct frame *f = &site->frame;
	json_t *o = json_object();

	json_put(o, "addr", json_address(b->addr));
	json_put(o, "size", json_number(b->size));
	json_put(o, "op", json_text(site->op));
	json_put(o, "file", json_text(f->file));
	json_put(o, "line", f->line ? json_number(f->line) : json_null());
	json_put(o, "function", json_text(f->function));
	json_put(o, "called", json_text(site->inner));
	json_put(o, "variable", json_text(site->variable));
	json_put(o, "source", json_text(site->source));
	json_put(o, "age_ns", age_json(p, b));
	json_put(o, "mark", json_number(b->mark));
	return o;
}

json_t *json_blocks(struct json *j, const struct heap_proc *p)
{
	struct report_opts opts = *j->opts;
	struct report_block *blocks;
	struct block_sites *sites;
	json_t *list;
	size_t n;

	if (!opts.list_blocks)
		return json_null();
	opts.pid = p->pid;
	n = block_list_all(j->heap, &opts, &blocks);
	sites = block_sites_new(j->heap, j->sym, j->opts);
	list = json_array();
	for (size_t i = 0; i < n; i++)
		json_array_append_new(list, block_json(p, block_site(sites, blocks[i].stack), &blocks[i]));
	block_sites_free(sites);
	free(blocks);
	return list;
}
