/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Heap errors, and what points to an allocator that is not observed. */
#include "base/strbuf.h"
#include "json.h"

static json_t *place_json(struct json *j, const struct heap_error *e)
{
	struct strbuf sb = STRBUF_INIT;
	json_t *v;

	error_place(&sb, j->sym, j->heap, e);
	v = json_text(sb.s);
	strbuf_release(&sb);
	return v;
}

static json_t *error_json(struct json *j, const struct heap_proc *p, const struct heap_error *e)
{
	static const char *const kinds[] = {
		[ERROR_MISMATCHED_FREE] = "mismatched_free", [ERROR_DOUBLE_FREE] = "double_free",
		[ERROR_INVALID_FREE] = "invalid_free",       [ERROR_SIZE_MISMATCH] = "size_mismatch",
		[ERROR_MISALIGNED] = "misaligned",           [ERROR_OVERRUN] = "overrun",
	};
	bool given = e->kind == ERROR_SIZE_MISMATCH || e->kind == ERROR_MISALIGNED ||
		     e->kind == ERROR_OVERRUN;
	bool offset = e->place == PLACE_BLOCK || e->place == PLACE_FREED || e->kind == ERROR_OVERRUN;
	json_t *o = json_object();

	json_put(o, "kind", json_text(kinds[e->kind]));
	json_put_number(o, "count", e->count);
	json_put(o, "address", e->addr ? json_address(e->addr) : json_null());
	json_put(o, "size", e->stack || !e->addr ? json_number(e->size) : json_null());
	json_put(o, "given", given ? json_number(e->given) : json_null());
	json_put(o, "offset", offset ? json_number(e->offset) : json_null());
	json_put(o, "data", json_data(e->data, e->ndata));
	json_put(o, "where", place_json(j, e));
	json_put_time(o, "first_ns", p, p->start_ns, e->first_ns);
	json_put(o, "call", json_backtrace(j, e->at));
	json_put(o, "allocated", json_backtrace(j, e->stack));
	json_put(o, "released", json_backtrace(j, e->freed));
	return o;
}

json_t *json_errors(struct json *j, const struct view_proc *vp)
{
	json_t *list = json_array();

	for (size_t i = 0; i < vp->errors.n; i++) {
		const struct view_error *ve = &vp->errors.v[i];

		if ((size_t)ve->e->kind < ERROR_FISHY_SIZE)
			json_array_append_new(list, error_json(j, ve->image, ve->e));
	}
	return list;
}

static void add_suspects(struct json *j, json_t *to, const char *what, const struct heap_proc *p,
			 const struct heap_suspects *s)
{
	static const char *const kinds[] = { [SUSPECT_INLINED] = "inlined", [SUSPECT_ENTRY] = "entry" };
	struct heap_suspect *list;
	size_t n = view_suspects(s, &list);

	for (size_t i = 0; i < n; i++) {
		const struct heap_module *m = heap_module(j->heap, list[i].allocator);
		json_t *o = json_object();

		json_put(o, "what", json_text(what));
		json_put_number(o, "count", list[i].count);
		json_put(o, "kind", json_text(kinds[view_suspect_kind(j->heap, p, &list[i])]));
		json_put(o, "allocator", json_text(m ? m->path : NULL));
		json_put(o, "call", json_backtrace(j, list[i].stack));
		json_array_append_new(to, o);
	}
	free(list);
}

json_t *json_suspects(struct json *j, const struct heap_proc *p)
{
	json_t *list = json_array();

	add_suspects(j, list, "unknown_release", p, &p->unknown);
	add_suspects(j, list, "unseen_release", p, &p->unseen);
	return list;
}
