/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the parts of the JSON export are made of. */
#include "base/msg.h"
#include "base/strbuf.h"
#include "frames.h"
#include "json.h"

/* JSON's integers are signed here; what is larger is said to be the largest. */
json_t *json_number(uint64_t v)
{
	return json_integer((json_int_t)MIN(v, (uint64_t)INT64_MAX));
}

/* Paths and names may hold any bytes.  What is no UTF-8 becomes '?'. */
json_t *json_text(const char *s)
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

json_t *json_address(uint64_t v)
{
	return json_sprintf("0x%llx", (unsigned long long)v);
}

void json_put(json_t *o, const char *key, json_t *value)
{
	if (json_object_set_new(o, key, value))
		die("out of memory");
}

void json_put_number(json_t *o, const char *key, uint64_t v)
{
	json_put(o, key, json_number(v));
}

/* A time of a process since its beginning; null: its log knows no times. */
void json_put_time(json_t *o, const char *key, const struct heap_proc *p, uint64_t from,
		   uint64_t ns)
{
	json_put(o, key, p->log == PROC_LOG ? json_null() : json_number(ns - MIN(from, ns)));
}

static json_t *frame_json(const struct frame *f)
{
	json_t *o = json_object();

	json_put(o, "addr", json_address(f->pc));
	json_put(o, "module", json_text(f->module && f->module->path[0] ? f->module->path : NULL));
	json_put(o, "offset", json_address(f->module ? f->pc - f->module->bias : f->pc));
	json_put(o, "function", json_text(f->function));
	json_put(o, "file", json_text(f->file));
	json_put(o, "line", f->line ? json_number(f->line) : json_null());
	json_put(o, "inlined", json_boolean(f->inlined));
	return o;
}

static json_t *list_frames(struct json *j, const struct heap_stack *s, bool below_main)
{
	json_t *list = json_array();
	struct frames frames;

	frames_of(&frames, j->sym, j->heap, s, below_main);
	for (size_t i = 0; i < frames.v.n; i++)
		json_array_append_new(list, frame_json(&frames.v.v[i]));
	vec_release(&frames.v);
	return list;
}

json_t *json_frames(struct json *j, const struct heap_stack *s)
{
	return list_frames(j, s, true);
}

json_t *json_frames_to_main(struct json *j, const struct heap_stack *s)
{
	return list_frames(j, s, false);
}

const char *json_end_name(const struct heap_stack *s)
{
	static const char *const names[] = { [STACK_COMPLETE] = "complete", [STACK_CUT] = "cut",
					     [STACK_BROKEN] = "broken" };

	return s ? names[s->end] : "none";
}

/* null: not known, or none. */
json_t *json_backtrace(struct json *j, uint32_t id)
{
	const struct heap_stack *s = heap_stack(j->heap, id);
	const struct heap_probe *probe = s ? heap_probe(j->heap, s->probe) : NULL;
	json_t *o;

	if (!s)
		return json_null();
	o = json_object();
	json_put(o, "op", json_text(probe ? probe->name : NULL));
	json_put(o, "end", json_text(json_end_name(s)));
	json_put(o, "frames", json_frames(j, s));
	return o;
}

json_t *json_product(const struct heap_product *p)
{
	json_t *o;

	if (!p->any)
		return json_null();
	o = json_object();
	json_put_number(o, "min_count", p->min_count);
	json_put_number(o, "max_count", p->max_count);
	json_put_number(o, "min_each", p->min_each);
	json_put_number(o, "max_each", p->max_each);
	return o;
}

json_t *json_data(const uint8_t *data, unsigned n)
{
	struct strbuf sb = STRBUF_INIT;
	json_t *o;

	if (!n)
		return json_null();
	for (unsigned i = 0; i < n; i++)
		strbuf_addf(&sb, "%02x", data[i]);
	o = json_text(sb.s);
	strbuf_release(&sb);
	return o;
}
