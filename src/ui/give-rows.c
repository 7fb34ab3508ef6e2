/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <string.h>

#include "base/msg.h"
#include "base/vec.h"
#include "base/xalloc.h"
#include "trace/unwind.h"
#include "ui/give-rows.h"

struct giver {
	const struct report_opts *files;
	VEC(struct heap_module *) wanted;
	struct heap_module *module; /* whose parts these are; NULL */
	VEC(struct strbuf) parts;   /* data of its requests … */
	size_t bytes;               /* … and what they take there */
	size_t sent;
	bool under_way;
};

struct giver *giver_new(const struct report_opts *files)
{
	struct giver *g = xcalloc(1, sizeof *g);

	g->files = files;
	return g;
}

static void free_module(struct heap_module *m)
{
	if (m)
		free(m->path);
	free(m);
}

static void end_module(struct giver *g)
{
	for (size_t i = 0; i < g->parts.n; i++)
		strbuf_release(&g->parts.v[i]);
	g->parts.n = 0;
	g->bytes = g->sent = 0;
	free_module(g->module);
	g->module = NULL;
}

void giver_forget(struct giver *g)
{
	while (g->wanted.n)
		free_module(g->wanted.v[--g->wanted.n]);
}

void giver_free(struct giver *g)
{
	if (!g)
		return;
	giver_forget(g);
	end_module(g);
	vec_release(&g->wanted);
	vec_release(&g->parts);
	free(g);
}

void giver_take(struct giver *g, const struct event *wanted)
{
	struct heap_module *m;

	if (wanted->u.rows.build_id_len > HEAP_BUILD_ID_MAX)
		return;
	m = xcalloc(1, sizeof *m);
	m->path = xstrdup(wanted->u.rows.path);
	m->build_id_len = wanted->u.rows.build_id_len;
	memcpy(m->build_id, wanted->u.rows.build_id, m->build_id_len);
	vec_push(&g->wanted, m);
}

/* -- the parts of a module ------------------------------------------------------------ */

static void add_part(struct giver *g, const void *block, size_t n)
{
	struct strbuf sb = STRBUF_INIT;

	rows_part_write(&sb, &(struct rows_part){ g->module->build_id, g->module->build_id_len, block, n });
	vec_push(&g->parts, sb);
}

/* What the other end has no room for is left out. */
static bool add_block(void *arg, const void *block, size_t n)
{
	struct giver *g = arg;

	if (n + ROWS_EACH > ROWS_TOTAL - g->bytes)
		return false;
	g->bytes += n + ROWS_EACH;
	add_part(g, block, n);
	return true;
}

/* The file itself, whose debug file is found then, or that alone. */
static struct elf_file *open_module(const struct giver *g)
{
	const struct heap_module *m = g->module;
	struct elf_file *f = report_open_module(g->files, m);

	return f ? f : elf_file_open_debug(m->path, m->build_id, m->build_id_len);
}

static void make_parts(struct giver *g)
{
	struct elf_file *f = open_module(g);

	if (f) {
		unwind_tell_rows(f, add_block, g);
		elf_file_unref(f);
	}
	if (g->parts.n)
		msg_verbose("%s: its rows, %zu bytes, go to the target, which has no tables of it",
			    g->module->path, g->bytes);
	else
		msg_verbose("%s: the target has no tables of it, and there are none here", g->module->path);
}

bool giver_next(struct giver *g, struct request *q)
{
	if (g->under_way || (!g->module && !g->wanted.n))
		return false;
	if (!g->module) {
		g->module = g->wanted.v[0];
		vec_remove(&g->wanted, 0);
		make_parts(g);
	}
	*q = (struct request){ .kind = REQUEST_ROWS };
	q->a = g->sent ? 0 : REQUEST_ROWS_FIRST;
	q->a |= g->sent + 1 == g->parts.n ? REQUEST_ROWS_LAST : 0;
	if (!g->parts.n) {
		add_part(g, "", 0);
		q->a = REQUEST_ROWS_NONE;
	}
	q->data = (const uint8_t *)g->parts.v[g->sent].s;
	q->ndata = (uint32_t)g->parts.v[g->sent].n;
	g->sent++;
	g->under_way = true;
	return true;
}

void giver_answered(struct giver *g, const struct answer *a)
{
	g->under_way = false;
	if (a->error == EPERM) { /* of what is wanted later it may be ours */
		msg_verbose("%s: %s", g->module->path, a->text ? a->text : strerror(EPERM));
		giver_forget(g);
	} else if (a->error && a->error != EALREADY && a->error != ESRCH)
		msg_warn("the rows of %s are refused: %s", g->module->path,
			 a->text ? a->text : strerror(a->error));
	if (a->error || g->sent == g->parts.n)
		end_module(g);
}
