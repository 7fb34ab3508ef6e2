/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The last leak scan. */
#include "json.h"
#include "symbolize.h"

static const char *const leak_names[] = {
	[LEAK_DEFINITE] = "definite", [LEAK_INDIRECT] = "indirect",
	[LEAK_POSSIBLE] = "possible", [LEAK_REACHABLE] = "reachable",
};

json_t *json_leak_kind(enum leak_kind kind)
{
	return json_text(leak_names[kind]);
}

json_t *json_scan(const struct heap_scan *s)
{
	json_t *o;

	if (!s->done)
		return json_null();
	o = json_object();
	json_put(o, "question", json_text(s->references ? "references" : "reachability"));
	json_put_number(o, "nth", s->nth);
	json_put(o, "final", json_boolean(s->final));
	json_put_number(o, "blocks", s->blocks);
	json_put_number(o, "bytes_read", s->bytes);
	json_put_number(o, "bytes_unread", s->unread);
	json_put_number(o, "pause_ns", s->pause_ns);
	return o;
}

static json_t *lost_mappings_json(const struct heap_scan *s)
{
	json_t *o = json_object();

	json_put_number(o, "blocks", s->map_blocks[LEAK_DEFINITE] + s->map_blocks[LEAK_INDIRECT]);
	json_put_number(o, "bytes", s->map_bytes[LEAK_DEFINITE] + s->map_bytes[LEAK_INDIRECT]);
	return o;
}

json_t *json_leak_kinds(const struct view *v)
{
	json_t *o;

	if (!v->proc->scan.done)
		return json_null();
	o = json_object();
	for (unsigned k = 0; k < LEAK_KINDS; k++) {
		json_t *kind = json_object();

		json_put_number(kind, "blocks", v->kind_blocks[k]);
		json_put_number(kind, "bytes", v->kind_bytes[k]);
		json_put(o, leak_names[k], kind);
	}
	json_put(o, "mappings_lost",
		 v->proc->scan.mappings ? lost_mappings_json(&v->proc->scan) : json_null());
	return o;
}

static void put_root(struct json *j, json_t *o, const struct heap_link *l)
{
	const struct heap_module *m = heap_module(j->heap, l->module);
	struct symbol_data d = symbolize_data(j->sym, l->at, l->module);

	json_put(o, "symbol", json_text(d.name));
	json_put(o, "section", json_text(d.section));
	json_put(o, "module", json_text(m ? m->path : NULL));
	json_put(o, "tid", l->tid ? json_integer(l->tid) : json_null());
	json_put(o, "addr", l->from == FROM_REGISTER ? json_null() : json_address(l->at));
	json_put_number(o, "at", l->from == FROM_REGISTER ? 0 : d.offset);
}

static json_t *link_json(struct json *j, const struct heap_link *l)
{
	static const char *const from[] = { [FROM_MEMORY] = "memory", [FROM_STACK] = "stack",
					    [FROM_REGISTER] = "register", [FROM_BLOCK] = "block" };
	json_t *o = json_object();

	json_put_number(o, "step", l->step);
	json_put(o, "from", json_text(from[l->from]));
	if (l->from == FROM_BLOCK)
		json_put_number(o, "at", l->at);
	else
		put_root(j, o, l);
	json_put(o, "block", json_address(l->block));
	json_put_number(o, "size", l->size);
	json_put_number(o, "offset", l->offset);
	json_put(o, "frames", json_frames_to_main(j, heap_stack(j->heap, l->block_stack)));
	return o;
}

static json_t *way_json(struct json *j, const struct heap_way *way)
{
	json_t *list = json_array();

	for (size_t i = 0; i < way->n; i++)
		json_array_append_new(list, link_json(j, &way->v[i]));
	return list;
}

/* nr: of the paragraph in the text; 0: there is none. */
static json_t *leak_json(struct json *j, const struct view_leak *l, size_t nr)
{
	json_t *o = json_object(), *held = json_array();

	json_put(o, "number", nr ? json_number(nr) : json_null());
	json_put(o, "kind", json_text(leak_names[l->kind]));
	json_put(o, "op", json_text(l->row->probe ? l->row->probe->name : NULL));
	json_put_number(o, "blocks", l->blocks);
	json_put_number(o, "bytes", l->bytes);
	json_put_number(o, "held_blocks", l->held_blocks);
	json_put_number(o, "held_bytes", l->held_bytes);
	json_put(o, "largest", json_address(l->sample->largest));
	json_put_number(o, "largest_size", l->sample->largest_size);
	json_put(o, "data", json_data(l->sample->data, l->sample->ndata));
	json_put(o, "why", way_json(j, &l->sample->why));
	for (size_t i = 0; i < l->held.n; i++) {
		json_t *h = json_object();

		json_put(h, "op", json_text(l->held.v[i].row->probe ? l->held.v[i].row->probe->name : NULL));
		json_put_number(h, "blocks", l->held.v[i].blocks);
		json_put_number(h, "bytes", l->held.v[i].bytes);
		json_put(h, "frames", json_frames(j, l->held.v[i].row->stack));
		json_array_append_new(held, h);
	}
	json_put(o, "held", held);
	json_put(o, "frames", json_frames(j, l->row->stack));
	return o;
}

json_t *json_leak_stacks(struct json *j, const struct view *v)
{
	json_t *list = json_array();
	size_t n = 0;

	for (size_t i = 0; i < v->leaks.n; i++) {
		const struct view_leak *l = &v->leaks.v[i];

		if (!l->suppressed)
			json_array_append_new(list, leak_json(j, l, view_lists_leak(j->opts, l) ? ++n : 0));
	}
	return list;
}

/* --why=ADDR */
json_t *json_asked(struct json *j, const struct heap_scan *s)
{
	json_t *list = json_array();

	for (size_t i = 0; i < s->asked.n; i++) {
		const struct heap_asked *a = &s->asked.v[i];
		json_t *o = json_object();

		json_put(o, "addr", json_address(a->addr));
		json_put(o, "kind", a->found ? json_text(leak_names[a->kind]) : json_null());
		json_put(o, "block", a->found ? json_address(a->block) : json_null());
		json_put(o, "size", a->found ? json_number(a->size) : json_null());
		json_put(o, "holder", a->holder ? json_address(a->holder) : json_null());
		json_put(o, "why", way_json(j, &a->why));
		json_put(o, "allocated", json_backtrace(j, a->stack));
		json_array_append_new(list, o);
	}
	return list;
}

json_t *json_suppressed(struct json *j, const struct view *v)
{
	json_t *o = json_object(), *list = json_array();

	json_put_number(o, "blocks", v->suppressed_blocks);
	json_put_number(o, "bytes", v->suppressed_bytes);
	json_put_number(o, "errors", v->suppressed_errors);
	for (size_t i = 0; i < v->suppressed.n; i++) {
		const struct view_suppressed *s = &v->suppressed.v[i];
		json_t *by = json_object();

		json_put(by, "name", json_text(suppression_name(j->opts->suppressions, s->rule)));
		json_put_number(by, "blocks", s->blocks);
		json_put_number(by, "bytes", s->bytes);
		json_put_number(by, "errors", s->errors);
		json_array_append_new(list, by);
	}
	json_put(o, "by", list);
	return o;
}

/* Each leak's place in leak_stacks, by its id; −1: it is suppressed. */
static json_int_t *places_of_leaks(const struct view *v)
{
	json_int_t *place = xcalloc(v->leaks.n + 1, sizeof *place), n = 0;

	for (size_t i = 0; i < v->leaks.n; i++)
		place[v->leaks.v[i].id] = v->leaks.v[i].suppressed ? -1 : n++;
	return place;
}

json_t *json_leak_blocks(const struct view *v)
{
	const struct heap_scan *s = &v->proc->scan;
	json_int_t *place = places_of_leaks(v);
	json_t *list = json_array();

	for (size_t i = 0; i < s->each.n; i++) {
		uint64_t key = (uint64_t)s->each.v[i].stack << 2 | s->each.v[i].kind;
		const uint64_t *at = u64map_get(&v->leak_ids, key);
		json_t *o = json_object();

		json_put(o, "addr", json_address(s->each.v[i].addr));
		json_put_number(o, "size", s->each.v[i].size);
		json_put(o, "kind", json_text(leak_names[s->each.v[i].kind]));
		json_put(o, "leak", at && place[*at] >= 0 ? json_integer(place[*at]) : json_null());
		json_array_append_new(list, o);
	}
	free(place);
	return list;
}
