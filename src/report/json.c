/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The export that doc/JSON.md describes. */
#include <string.h>

#include "base/msg.h"
#include "base/strbuf.h"
#include "frames.h"
#include "json.h"

#define FORMAT 1

/* JSON's integers are signed here; what is larger is said to be the largest. */
static json_t *number(uint64_t v)
{
	return json_integer((json_int_t)MIN(v, (uint64_t)INT64_MAX));
}

/* Paths and names may hold any bytes.  What is no UTF-8 becomes '?'. */
static json_t *string(const char *s)
{
	json_t *j = s ? json_string(s) : json_null();
	char *copy;

	if (j)
		return j;
	copy = xstrdup(s);
	for (char *c = copy; *c; c++)
		if (*c & 0x80)
			*c = '?';
	j = json_string(copy);
	free(copy);
	return j;
}

static json_t *address(uint64_t v)
{
	return json_sprintf("0x%llx", (unsigned long long)v);
}

static void put(json_t *o, const char *key, json_t *value)
{
	if (json_object_set_new(o, key, value))
		die("out of memory");
}

static void put_number(json_t *o, const char *key, uint64_t v)
{
	put(o, key, number(v));
}

/* A time of a process since its beginning; null: its log knows no times. */
static void put_time(json_t *o, const char *key, const struct heap_proc *p, uint64_t from, uint64_t ns)
{
	put(o, key, p->log == PROC_LOG ? json_null() : number(ns - MIN(from, ns)));
}

static json_t *frame_json(const struct frame *f)
{
	json_t *o = json_object();

	put(o, "addr", address(f->pc));
	put(o, "module", string(f->module && f->module->path[0] ? f->module->path : NULL));
	put(o, "offset", address(f->module ? f->pc - f->module->bias : f->pc));
	put(o, "function", string(f->function));
	put(o, "file", string(f->file));
	put(o, "line", f->line ? number(f->line) : json_null());
	put(o, "inlined", json_boolean(f->inlined));
	return o;
}

static json_t *frames_json(struct json *j, const struct heap_stack *s)
{
	json_t *list = json_array();
	struct frames frames;

	frames_of(&frames, j->sym, j->heap, s, true);
	for (size_t i = 0; i < frames.v.n; i++)
		json_array_append_new(list, frame_json(&frames.v.v[i]));
	vec_release(&frames.v);
	return list;
}

/* The same for json-diff.c and json-blocks.c. */
json_t *json_address(uint64_t v)
{
	return address(v);
}

void json_put(json_t *o, const char *key, json_t *value)
{
	put(o, key, value);
}

json_t *json_number(uint64_t v)
{
	return number(v);
}

json_t *json_text(const char *s)
{
	return string(s);
}

json_t *json_frames(struct json *j, const struct heap_stack *s)
{
	return frames_json(j, s);
}

static const char *end_name(const struct heap_stack *s)
{
	static const char *const names[] = { [STACK_COMPLETE] = "complete", [STACK_CUT] = "cut",
					     [STACK_BROKEN] = "broken" };

	return s ? names[s->end] : "none";
}

/* What the first word of blocks older than the attach points to. */
static const char *points_to(struct json *j, const struct view_stack *s)
{
	return s->older ? symbolize_pointer(j->sym, s->stack->word, s->stack->word_module) : NULL;
}

/* Of what is open, by the mark after which it was allocated. */
static json_t *by_mark_json(const struct view *v, size_t row)
{
	json_t *list = json_array();

	for (size_t i = view_first_aged(v, row); i < v->aged.n && v->aged.v[i].row == row; i++) {
		json_t *o = json_object();

		put_number(o, "mark", v->aged.v[i].mark);
		put_number(o, "blocks", v->aged.v[i].blocks);
		put_number(o, "bytes", v->aged.v[i].bytes);
		json_array_append_new(list, o);
	}
	return list;
}

static json_t *marks_json(const struct view *v)
{
	struct amount { uint64_t blocks, bytes; } *sum;
	uint32_t n = heap_nmarks(v->heap);
	json_t *list = json_array();

	sum = xcalloc((size_t)n + 1, sizeof *sum);
	for (size_t i = 0; i < v->aged.n; i++) {
		struct amount *a = &sum[MIN(v->aged.v[i].mark, n)];

		a->blocks += v->aged.v[i].blocks;
		a->bytes += v->aged.v[i].bytes;
	}
	for (uint32_t nr = 1; nr <= n; nr++) {
		uint64_t ns = heap_mark_ns(v->heap, nr);
		json_t *o = json_object();

		put_number(o, "nr", nr);
		put_time(o, "at_ns", v->proc, v->proc->start_ns, ns);
		put_number(o, "blocks", sum[nr].blocks);
		put_number(o, "bytes", sum[nr].bytes);
		json_array_append_new(list, o);
	}
	free(sum);
	return list;
}

static json_t *product_json(const struct heap_product *p)
{
	json_t *o;

	if (!p->any)
		return json_null();
	o = json_object();
	put_number(o, "min_count", p->min_count);
	put_number(o, "max_count", p->max_count);
	put_number(o, "min_each", p->min_each);
	put_number(o, "max_each", p->max_each);
	return o;
}

static json_t *stack_json(struct json *j, const struct view *v, const struct view_stack *s)
{
	json_t *o = json_object();

	put(o, "op", string(s->probe ? s->probe->name : NULL));
	put(o, "kind", string(s->mapping ? "mapping" : s->release ? "release" : "heap"));
	put_number(o, "open_blocks", s->open_blocks);
	put_number(o, "open_bytes", s->open_bytes);
	put_number(o, "total_blocks", s->total_blocks);
	put_number(o, "total_bytes", s->total_bytes);
	put_number(o, "released", s->released);
	put(o, "min_size", s->min_size <= s->max_size ? number(s->min_size) : json_null());
	put(o, "max_size", s->min_size <= s->max_size ? number(s->max_size) : json_null());
	put_number(o, "failed", s->failed);
	put(o, "failed_min_size", s->failed ? number(s->failed_min) : json_null());
	put(o, "failed_max_size", s->failed ? number(s->failed_max) : json_null());
	put(o, "product", product_json(&s->product));
	put(o, "failed_product", product_json(&s->failed_product));
	put(o, "ignored", json_boolean(s->ignored));
	put(o, "by_mark", by_mark_json(v, (size_t)(s - v->stacks.v)));
	put(o, "end", string(s->older ? "none" : end_name(s->stack)));
	put(o, "frames", frames_json(j, s->stack));
	put(o, "before_attach", json_boolean(s->older));
	put(o, "points_to", string(points_to(j, s)));
	return o;
}

/* Everything that a report could list, in its order: most in use first. */
static json_t *stacks_json(struct json *j, const struct view *v)
{
	static const enum view_kind kinds[] = { VIEW_HEAP, VIEW_MAPPED };
	json_t *list = json_array();

	for (size_t k = 0; k < ARRAY_SIZE(kinds); k++) {
		const struct view_stack **stacks;
		size_t n = view_select(v, kinds[k], report_sort_lookup("usage"), &stacks);

		for (size_t i = 0; i < n; i++)
			json_array_append_new(list, stack_json(j, v, stacks[i]));
		free(stacks);
	}
	for (size_t i = 0; i < v->stacks.n; i++)
		if ((!v->stacks.v[i].open_blocks || v->stacks.v[i].ignored) &&
		    view_counts(&v->stacks.v[i]))
			json_array_append_new(list, stack_json(j, v, &v->stacks.v[i]));
	return list;
}

/* -- the last leak scan ----------------------------------------------------- */

static const char *const leak_names[] = {
	[LEAK_DEFINITE] = "definite", [LEAK_INDIRECT] = "indirect",
	[LEAK_POSSIBLE] = "possible", [LEAK_REACHABLE] = "reachable",
};

json_t *json_leak_kind(enum leak_kind kind)
{
	return string(leak_names[kind]);
}

static json_t *scan_json(const struct heap_scan *s)
{
	json_t *o;

	if (!s->done)
		return json_null();
	o = json_object();
	put(o, "question", string(s->references ? "references" : "reachability"));
	put_number(o, "nth", s->nth);
	put(o, "final", json_boolean(s->final));
	put_number(o, "blocks", s->blocks);
	put_number(o, "bytes_read", s->bytes);
	put_number(o, "bytes_unread", s->unread);
	put_number(o, "pause_ns", s->pause_ns);
	return o;
}

static json_t *lost_mappings_json(const struct heap_scan *s)
{
	json_t *o = json_object();

	put_number(o, "blocks", s->map_blocks[LEAK_DEFINITE] + s->map_blocks[LEAK_INDIRECT]);
	put_number(o, "bytes", s->map_bytes[LEAK_DEFINITE] + s->map_bytes[LEAK_INDIRECT]);
	return o;
}

static json_t *kinds_json(const struct view *v)
{
	json_t *o;

	if (!v->proc->scan.done)
		return json_null();
	o = json_object();
	for (unsigned k = 0; k < LEAK_KINDS; k++) {
		json_t *kind = json_object();

		put_number(kind, "blocks", v->kind_blocks[k]);
		put_number(kind, "bytes", v->kind_bytes[k]);
		put(o, leak_names[k], kind);
	}
	put(o, "mappings_lost",
	    v->proc->scan.mappings ? lost_mappings_json(&v->proc->scan) : json_null());
	return o;
}

static void put_root(struct json *j, json_t *o, const struct heap_link *l)
{
	const struct heap_module *m = heap_module(j->heap, l->module);
	struct symbol_data d = symbolize_data(j->sym, l->at, l->module);

	put(o, "symbol", string(d.name));
	put(o, "section", string(d.section));
	put(o, "module", string(m ? m->path : NULL));
	put(o, "tid", l->tid ? json_integer(l->tid) : json_null());
	put(o, "addr", l->from == FROM_REGISTER ? json_null() : address(l->at));
	put_number(o, "at", l->from == FROM_REGISTER ? 0 : d.offset);
}

static json_t *link_json(struct json *j, const struct heap_link *l)
{
	static const char *const from[] = { [FROM_MEMORY] = "memory", [FROM_STACK] = "stack",
					    [FROM_REGISTER] = "register", [FROM_BLOCK] = "block" };
	json_t *o = json_object(), *frames = json_array();
	struct frames list;

	put_number(o, "step", l->step);
	put(o, "from", string(from[l->from]));
	if (l->from == FROM_BLOCK)
		put_number(o, "at", l->at);
	else
		put_root(j, o, l);
	put(o, "block", address(l->block));
	put_number(o, "size", l->size);
	put_number(o, "offset", l->offset);
	frames_of(&list, j->sym, j->heap, heap_stack(j->heap, l->block_stack), false);
	for (size_t i = 0; i < list.v.n; i++)
		json_array_append_new(frames, frame_json(&list.v.v[i]));
	vec_release(&list.v);
	put(o, "frames", frames);
	return o;
}

static json_t *data_json(const uint8_t *data, unsigned n)
{
	struct strbuf sb = STRBUF_INIT;
	json_t *o;

	if (!n)
		return json_null();
	for (unsigned i = 0; i < n; i++)
		strbuf_addf(&sb, "%02x", data[i]);
	o = string(sb.s);
	strbuf_release(&sb);
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

	put(o, "number", nr ? number(nr) : json_null());
	put(o, "kind", string(leak_names[l->kind]));
	put(o, "op", string(l->row->probe ? l->row->probe->name : NULL));
	put_number(o, "blocks", l->blocks);
	put_number(o, "bytes", l->bytes);
	put_number(o, "held_blocks", l->held_blocks);
	put_number(o, "held_bytes", l->held_bytes);
	put(o, "largest", address(l->sample->largest));
	put_number(o, "largest_size", l->sample->largest_size);
	put(o, "data", data_json(l->sample->data, l->sample->ndata));
	put(o, "why", way_json(j, &l->sample->why));
	for (size_t i = 0; i < l->held.n; i++) {
		json_t *h = json_object();

		put(h, "op", string(l->held.v[i].row->probe ? l->held.v[i].row->probe->name : NULL));
		put_number(h, "blocks", l->held.v[i].blocks);
		put_number(h, "bytes", l->held.v[i].bytes);
		put(h, "frames", frames_json(j, l->held.v[i].row->stack));
		json_array_append_new(held, h);
	}
	put(o, "held", held);
	put(o, "frames", frames_json(j, l->row->stack));
	return o;
}

static json_t *leak_stacks_json(struct json *j, const struct view *v)
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

/* null: not known, or none. */
static json_t *backtrace_json(struct json *j, uint32_t id)
{
	const struct heap_stack *s = heap_stack(j->heap, id);
	const struct heap_probe *probe = s ? heap_probe(j->heap, s->probe) : NULL;
	json_t *o;

	if (!s)
		return json_null();
	o = json_object();
	put(o, "op", string(probe ? probe->name : NULL));
	put(o, "end", string(end_name(s)));
	put(o, "frames", frames_json(j, s));
	return o;
}

/* --why=ADDR */
static json_t *asked_json(struct json *j, const struct heap_scan *s)
{
	json_t *list = json_array();

	for (size_t i = 0; i < s->asked.n; i++) {
		const struct heap_asked *a = &s->asked.v[i];
		json_t *o = json_object();

		put(o, "addr", address(a->addr));
		put(o, "kind", a->found ? string(leak_names[a->kind]) : json_null());
		put(o, "block", a->found ? address(a->block) : json_null());
		put(o, "size", a->found ? number(a->size) : json_null());
		put(o, "holder", a->holder ? address(a->holder) : json_null());
		put(o, "why", way_json(j, &a->why));
		put(o, "allocated", backtrace_json(j, a->stack));
		json_array_append_new(list, o);
	}
	return list;
}

static json_t *suppressed_json(struct json *j, const struct view *v)
{
	json_t *o = json_object(), *list = json_array();

	put_number(o, "blocks", v->suppressed_blocks);
	put_number(o, "bytes", v->suppressed_bytes);
	put_number(o, "errors", v->suppressed_errors);
	for (size_t i = 0; i < v->suppressed.n; i++) {
		const struct view_suppressed *s = &v->suppressed.v[i];
		json_t *by = json_object();

		put(by, "name", string(suppression_name(j->opts->suppressions, s->rule)));
		put_number(by, "blocks", s->blocks);
		put_number(by, "bytes", s->bytes);
		put_number(by, "errors", s->errors);
		json_array_append_new(list, by);
	}
	put(o, "by", list);
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

static json_t *leak_blocks_json(const struct view *v)
{
	const struct heap_scan *s = &v->proc->scan;
	json_int_t *place = places_of_leaks(v);
	json_t *list = json_array();

	for (size_t i = 0; i < s->each.n; i++) {
		uint64_t key = (uint64_t)s->each.v[i].stack << 2 | s->each.v[i].kind;
		const uint64_t *at = u64map_get(&v->leak_ids, key);
		json_t *o = json_object();

		put(o, "addr", address(s->each.v[i].addr));
		put_number(o, "size", s->each.v[i].size);
		put(o, "kind", string(leak_names[s->each.v[i].kind]));
		put(o, "leak", at && place[*at] >= 0 ? json_integer(place[*at]) : json_null());
		json_array_append_new(list, o);
	}
	free(place);
	return list;
}

static json_t *mappings_json(const struct heap_mappings *m)
{
	json_t *o = json_object();

	put_number(o, "maps", m->maps);
	put_number(o, "unmaps", m->unmaps);
	put_number(o, "remaps", m->remaps);
	put_number(o, "failed", m->failed);
	put_number(o, "bytes_mapped", m->bytes_mapped);
	put_number(o, "open_regions", m->open_regions);
	put_number(o, "open_bytes", m->open_bytes);
	put_number(o, "peak_bytes", m->peak_bytes);
	put_number(o, "brk_calls", m->brk_calls);
	put_number(o, "brk_grown", m->brk_grown);
	put(o, "brk_current", json_integer(m->brk_current));
	return o;
}

/* How frames were found; null: an older log does not say. */
static json_t *origins_json(const struct view *v)
{
	json_t *o;

	if (!v->frames)
		return json_null();
	o = json_object();
	put_number(o, "registers", v->origin[FROM_REGS]);
	put_number(o, "table", v->origin[FROM_ROW] + v->origin[FROM_CFI]);
	put_number(o, "signal", v->origin[FROM_SIGNAL]);
	put_number(o, "exidx", v->origin[FROM_EXIDX]);
	put_number(o, "prologue", v->origin[FROM_PROLOGUE]);
	put_number(o, "link_register", v->origin[FROM_LINK]);
	put_number(o, "frame_pointer", v->origin[FROM_FP]);
	put_number(o, "search", v->origin[FROM_SCAN]);
	return o;
}

static json_t *unwind_json(const struct view *v)
{
	json_t *o = json_object(), *list = json_array();

	put_number(o, "stacks", v->unwound);
	put_number(o, "cut", v->cut);
	put_number(o, "broken", v->broken);
	for (size_t i = 0; i < v->broke_in.n; i++) {
		json_t *in = json_object();

		put(in, "module", string(v->broke_in.v[i].path));
		put_number(in, "stacks", v->broke_in.v[i].n);
		json_array_append_new(list, in);
	}
	put(o, "broken_in", list);
	put(o, "origins", origins_json(v));
	return o;
}

static void put_totals(json_t *o, const struct heap_proc *p)
{
	const struct heap_totals *h = &p->total;

	put_number(o, "allocs", h->allocs);
	put_number(o, "frees", h->frees);
	put_number(o, "bytes_allocated", h->bytes_allocated);
	put_number(o, "open_blocks", h->open_blocks);
	put_number(o, "open_bytes", h->open_bytes);
	put_number(o, "peak_blocks", h->peak_blocks);
	put_number(o, "peak_bytes", h->peak_bytes);
	put_time(o, "peak_ns", p, p->start_ns, h->peak_ns);
	put_number(o, "failed", h->failed);
	put_number(o, "unknown_releases", h->unknown_releases);
	put_number(o, "shutdown_releases", h->shutdown_releases);
	put_number(o, "unseen_releases", h->unseen_releases);
	put_number(o, "null_releases", h->null_releases);
	put(o, "mappings", mappings_json(&p->maps));
}

static json_t *image_json(const struct heap_proc *p)
{
	json_t *o = json_object();

	put(o, "exe", string(p->exe));
	put(o, "name", string(p->name));
	put(o, "abi", string(p->abi));
	put_totals(o, p);
	return o;
}

static json_t *place_json(struct json *j, const struct heap_error *e)
{
	struct strbuf sb = STRBUF_INIT;
	json_t *v;

	error_place(&sb, j->sym, j->heap, e);
	v = string(sb.s);
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

	put(o, "kind", string(kinds[e->kind]));
	put_number(o, "count", e->count);
	put(o, "address", e->addr ? address(e->addr) : json_null());
	put(o, "size", e->stack || !e->addr ? number(e->size) : json_null());
	put(o, "given", given ? number(e->given) : json_null());
	put(o, "offset", offset ? number(e->offset) : json_null());
	put(o, "data", data_json(e->data, e->ndata));
	put(o, "where", place_json(j, e));
	put_time(o, "first_ns", p, p->start_ns, e->first_ns);
	put(o, "call", backtrace_json(j, e->at));
	put(o, "allocated", backtrace_json(j, e->stack));
	put(o, "released", backtrace_json(j, e->freed));
	return o;
}

static json_t *errors_json(struct json *j, const struct view_proc *vp)
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

		put(o, "what", string(what));
		put_number(o, "count", list[i].count);
		put(o, "kind", string(kinds[view_suspect_kind(j->heap, p, &list[i])]));
		put(o, "allocator", string(m ? m->path : NULL));
		put(o, "call", backtrace_json(j, list[i].stack));
		json_array_append_new(to, o);
	}
	free(list);
}

static json_t *suspects_json(struct json *j, const struct heap_proc *p)
{
	json_t *list = json_array();

	add_suspects(j, list, "unknown_release", p, &p->unknown);
	add_suspects(j, list, "unseen_release", p, &p->unseen);
	return list;
}

static const char *how_name(enum proc_how how)
{
	static const char *const names[] = { "launched", "attached", "forked", "execed" };

	return (size_t)how < ARRAY_SIZE(names) ? names[how] : "launched";
}

static const char *state_name(enum proc_end_how how)
{
	static const char *const names[] = { "exited", "signaled", "detached", "execed",
					     "running" };

	return (size_t)how < ARRAY_SIZE(names) ? names[how] : "running";
}

static json_t *inherited_json(const struct view *v)
{
	json_t *o = json_object();

	put_number(o, "blocks", v->inherited_blocks);
	put_number(o, "bytes", v->inherited_bytes);
	return o;
}

static json_t *before_attach_json(const struct heap_proc *p)
{
	json_t *o;

	if (!p->before_attach.known)
		return json_null();
	o = json_object();
	put_number(o, "blocks", p->before_attach.blocks);
	put_number(o, "bytes", p->before_attach.bytes);
	put_number(o, "released", p->before_attach.released);
	put_number(o, "released_bytes", p->before_attach.released_bytes);
	return o;
}

/* What is known of a target from its heap log alone; null: it was traced. */
static json_t *log_json(const struct view_proc *vp)
{
	const struct heap_proc *p = vp->now.proc;
	const struct heap_target *h = &p->target;
	uint64_t begin = vp->images.v[0]->start_ns;
	json_t *o;

	if (!p->log)
		return json_null();
	o = json_object();
	put(o, "format", string(p->abi));
	put(o, "live", json_boolean(p->log == PROC_LOG_LIVE));
	put(o, "records", p->log == PROC_LOG ? number((p->end_ns - MIN(begin, p->end_ns)) / 1000) : json_null());
	put(o, "heap_start", h->said & TARGET_BOUNDS ? address(h->start) : json_null());
	put(o, "heap_size", h->said & TARGET_BOUNDS ? number(h->size) : json_null());
	put(o, "header", number(h->header));
	put(o, "free", h->said & TARGET_FREE ? number(h->free) : json_null());
	put(o, "used", h->said & TARGET_USED ? number(h->used) : json_null());
	put(o, "threshold", h->said & TARGET_THRESHOLD ? number(h->threshold) : json_null());
	return o;
}

/* -- memory that ran out -------------------------------------------------------- */

static json_t *killed_json(const struct heap_oom *oom)
{
	json_t *o;

	if (!oom->cause)
		return json_null();
	o = json_object();
	put(o, "by", string(oom->cause == OOM_SYSTEM ? "system" : "cgroup"));
	put(o, "limit", oom->limit ? number(oom->limit) : json_null());
	put_number(o, "kills", oom->used);
	return o;
}

static json_t *limit_json(const struct heap_oom *oom)
{
	json_t *o;

	if (!oom->cause)
		return json_null();
	o = json_object();
	put(o, "what", string(oom->cause == OOM_DATA ? "RLIMIT_DATA" : "RLIMIT_AS"));
	put_number(o, "bytes", oom->limit);
	put_number(o, "used", oom->used);
	return o;
}

static json_t *owners_json(struct json *j, const struct heap_refused *r)
{
	json_t *list = json_array();

	for (uint32_t i = 0; i < r->owners; i++) {
		json_t *o = json_object();

		put_number(o, "blocks", r->owner[i].blocks);
		put_number(o, "bytes", r->owner[i].bytes);
		put(o, "call", backtrace_json(j, r->owner[i].stack));
		json_array_append_new(list, o);
	}
	return list;
}

static json_t *refused_json(struct json *j, const struct heap_proc *p)
{
	const struct report_refusal *why = report_refusal_of(j->opts, p->pid);
	const struct heap_refused *r = &p->refused;
	struct heap_product product = { 0 };
	json_t *o;

	if (!r->any)
		return json_null();
	o = json_object();
	heap_product_widen(&product, &r->product);
	put_time(o, "at_ns", p, p->start_ns, r->ns);
	put_number(o, "size", r->size);
	put(o, "product", product_json(&product));
	put_number(o, "open_blocks", r->open_blocks);
	put_number(o, "open_bytes", r->open_bytes);
	put(o, "limit", limit_json(&r->oom));
	put(o, "why", why ? string(why->why) : json_null());
	put(o, "call", backtrace_json(j, r->stack));
	put(o, "owners", owners_json(j, r));
	return o;
}

static json_t *out_of_memory_json(struct json *j, const struct heap_proc *p)
{
	json_t *o = json_object();

	put(o, "killed", killed_json(&p->killed));
	put(o, "refused", refused_json(j, p));
	return o;
}

static json_t *proc_json(struct json *j, const struct view_proc *vp, const struct diff *d)
{
	const struct heap_proc *p = vp->now.proc;
	json_t *o = json_object(), *images = json_array();

	put(o, "pid", json_integer(p->pid));
	put(o, "ppid", json_integer(p->ppid));
	put(o, "exe", string(p->exe));
	put(o, "name", string(p->name));
	put(o, "abi", string(p->abi));
	/* An exec is told by `images`; here is how the process came to us. */
	put(o, "how", string(how_name(vp->images.v[0]->how)));
	put(o, "state", string(state_name(p->end_how)));
	put(o, "exit_code", p->end_how == END_EXITED ? json_integer(p->status) : json_null());
	put(o, "exit_signal", p->end_how == END_SIGNALED ? json_integer(p->status) : json_null());
	put_time(o, "run_ns", p, vp->images.v[0]->start_ns, p->end_ns);
	put(o, "log", log_json(vp));
	put_number(o, "threads", p->tasks);
	put_number(o, "modules", p->modules);
	put_number(o, "error_count", vp->now.errors);
	put(o, "errors", errors_json(j, vp));
	put_totals(o, p);
	put(o, "out_of_memory", out_of_memory_json(j, p));
	put(o, "suspects", suspects_json(j, p));
	put(o, "inherited", inherited_json(&vp->now));
	put(o, "before_attach", before_attach_json(p));
	put(o, "marks", marks_json(&vp->now));
	put(o, "scan", scan_json(&p->scan));
	put(o, "leaks", kinds_json(&vp->now));
	put(o, "suppressed", suppressed_json(j, &vp->now));
	put(o, "leak_stacks", leak_stacks_json(j, &vp->now));
	put(o, "leak_blocks", leak_blocks_json(&vp->now));
	put(o, "blocks", json_blocks(j, p));
	put(o, "asked", asked_json(j, &p->scan));
	put(o, "unwind", unwind_json(&vp->now));
	for (size_t i = 0; i + 1 < vp->images.n; i++)
		json_array_append_new(images, image_json(vp->images.v[i]));
	put(o, "images", images);
	put(o, "stacks", stacks_json(j, &vp->now));
	put(o, "diff", json_diff(j, d, vp->now.diff));
	if (j->opts->heaps)
		put(o, "heap", json_heap(j, p));
	return o;
}

static json_t *notes_json(const struct heap *heap)
{
	json_t *list = json_array();

	for (size_t i = 0; i < heap_nnotes(heap); i++) {
		const struct heap_note *note = heap_note_at(heap, i);
		json_t *o = json_object();

		put(o, "pid", json_integer(note->pid));
		put(o, "bad", json_boolean(note->bad));
		put(o, "text", string(note->text));
		json_array_append_new(list, o);
	}
	return list;
}

static int append(const char *text, size_t n, void *arg)
{
	strbuf_add(arg, text, n);
	return 0;
}

void report_json(const struct heap *heap, const struct report_opts *opts, struct strbuf *out)
{
	json_t *root = json_object(), *procs = json_array();
	struct json j = { heap, symbolizer_new(heap, opts), opts };
	struct view_procs vp;

	view_procs_build(&vp, heap);
	view_suppress(&vp, opts, j.sym);
	for (size_t i = 0; i < vp.v.n; i++)
		view_ignore(&vp.v.v[i].now, j.sym, opts);
	view_diff_build(&vp, opts, j.sym);
	for (size_t i = 0; i < vp.v.n; i++)
		json_array_append_new(procs, proc_json(&j, &vp.v.v[i], vp.diff));
	put(root, "format", json_integer(FORMAT));
	put(root, "program", string(msg_program()));
	put(root, "processes", procs);
	put(root, "notes", notes_json(heap));
	put(root, "diff", json_diff_with(&j, vp.diff));
	if (json_dump_callback(root, append, out, JSON_INDENT(1)))
		die("out of memory");
	strbuf_addc(out, '\n');
	json_decref(root);
	view_procs_release(&vp);
	symbolizer_free(j.sym);
}
