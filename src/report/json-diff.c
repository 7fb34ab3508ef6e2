/* SPDX-License-Identifier: GPL-2.0-or-later */
/* --diff in the export. */
#include "json.h"

static const char *const changes[] = {
	[DIFF_NEW] = "new", [DIFF_GROWN] = "grown", [DIFF_SHRUNK] = "shrunk", [DIFF_GONE] = "gone",
	[DIFF_SAME] = "same",
};

/* Below zero: there is less than there was. */
static json_t *difference(uint64_t is, uint64_t was)
{
	uint64_t apart = MIN(is > was ? is - was : was - is, (uint64_t)INT64_MAX);

	return json_integer(is > was ? (json_int_t)apart : -(json_int_t)apart);
}

static void put_amounts(json_t *o, uint64_t blocks, uint64_t bytes, uint64_t old_blocks,
			uint64_t old_bytes)
{
	json_put(o, "blocks", difference(blocks, old_blocks));
	json_put(o, "bytes", difference(bytes, old_bytes));
	json_put(o, "old_blocks", json_number(old_blocks));
	json_put(o, "old_bytes", json_number(old_bytes));
	json_put(o, "new_blocks", json_number(blocks));
	json_put(o, "new_bytes", json_number(bytes));
}

static json_t *row_json(struct json *j, const struct diff *d, const struct diff_row *r, bool leak)
{
	struct json old = { j->opts->diff, diff_symbolizer(d), j->opts };
	const struct view_stack *s = r->blocks ? &r->is : &r->was;
	json_t *o = json_object();

	json_put(o, "change", json_text(changes[diff_change(r)]));
	json_put(o, "kind", leak ? json_leak_kind(r->kind) : json_null());
	json_put(o, "op", json_text(s->probe ? s->probe->name : NULL));
	put_amounts(o, r->blocks, r->bytes, r->old_blocks, r->old_bytes);
	json_put(o, "frames", json_frames(r->blocks ? j : &old, s->stack));
	return o;
}

static json_t *list_json(struct json *j, const struct diff *d, const struct diff_list *l, bool leak)
{
	json_t *o = json_object(), *stacks = json_array();

	put_amounts(o, l->blocks, l->bytes, l->old_blocks, l->old_bytes);
	for (int c = 0; c < DIFF_CHANGES; c++)
		json_put(o, changes[c], json_number(l->n[c]));
	for (size_t i = 0; i < l->v.n; i++)
		if (l->v.v[i].blocks || l->v.v[i].old_blocks)
			json_array_append_new(stacks, row_json(j, d, &l->v.v[i], leak));
	json_put(o, "stacks", stacks);
	return o;
}

json_t *json_diff(struct json *j, const struct diff *d, const struct view_diff *vd)
{
	const struct heap_proc *old = vd && vd->was ? vd->was->now.proc : NULL;
	json_t *o;

	if (!vd)
		return json_null();
	o = list_json(j, d, &vd->use, false);
	json_put(o, "old_pid", old ? json_integer(old->pid) : json_null());
	json_put(o, "old_exe", json_text(old ? old->exe : NULL));
	json_put(o, "leaked", vd->scanned ? list_json(j, d, &vd->leaks, true) : json_null());
	return o;
}

json_t *json_diff_with(struct json *j, const struct diff *d)
{
	json_t *o, *gone = json_array();

	if (!d) {
		json_decref(gone);
		return json_null();
	}
	o = json_object();
	json_put(o, "name", json_text(j->opts->diff_name));
	for (size_t i = 0; i < diff_count(d); i++)
		if (!diff_at(d, i)->is)
			json_array_append_new(gone, json_diff(j, d, diff_at(d, i)));
	json_put(o, "gone", gone);
	return o;
}
