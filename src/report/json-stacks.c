/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Who allocated what, and when. */
#include "json.h"
#include "symbolize.h"

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

		json_put_number(o, "mark", v->aged.v[i].mark);
		json_put_number(o, "blocks", v->aged.v[i].blocks);
		json_put_number(o, "bytes", v->aged.v[i].bytes);
		json_array_append_new(list, o);
	}
	return list;
}

json_t *json_marks(const struct view *v)
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

		json_put_number(o, "nr", nr);
		json_put_time(o, "at_ns", v->proc, v->proc->start_ns, ns);
		json_put_number(o, "blocks", sum[nr].blocks);
		json_put_number(o, "bytes", sum[nr].bytes);
		json_array_append_new(list, o);
	}
	free(sum);
	return list;
}

static json_t *stack_json(struct json *j, const struct view *v, const struct view_stack *s)
{
	json_t *o = json_object();

	json_put(o, "op", json_text(s->probe ? s->probe->name : NULL));
	json_put(o, "kind", json_text(s->mapping ? "mapping" : s->release ? "release" : "heap"));
	json_put_number(o, "open_blocks", s->open_blocks);
	json_put_number(o, "open_bytes", s->open_bytes);
	json_put_number(o, "total_blocks", s->total_blocks);
	json_put_number(o, "total_bytes", s->total_bytes);
	json_put_number(o, "released", s->released);
	json_put(o, "min_size", s->min_size <= s->max_size ? json_number(s->min_size) : json_null());
	json_put(o, "max_size", s->min_size <= s->max_size ? json_number(s->max_size) : json_null());
	json_put_number(o, "failed", s->failed);
	json_put(o, "failed_min_size", s->failed ? json_number(s->failed_min) : json_null());
	json_put(o, "failed_max_size", s->failed ? json_number(s->failed_max) : json_null());
	json_put(o, "product", json_product(&s->product));
	json_put(o, "failed_product", json_product(&s->failed_product));
	json_put(o, "ignored", json_boolean(s->ignored));
	json_put(o, "by_mark", by_mark_json(v, (size_t)(s - v->stacks.v)));
	json_put(o, "end", json_text(s->older ? "none" : json_end_name(s->stack)));
	json_put(o, "frames", json_frames(j, s->stack));
	json_put(o, "before_attach", json_boolean(s->older));
	json_put(o, "points_to", json_text(points_to(j, s)));
	return o;
}

/* Everything that a report could list, in its order: most in use first. */
json_t *json_stacks(struct json *j, const struct view *v)
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
