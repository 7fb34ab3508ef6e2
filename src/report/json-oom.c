/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Memory that ran out: of the machine, and requests that were refused. */
#include "json.h"

static json_t *killed_json(const struct heap_oom *oom)
{
	json_t *o;

	if (!oom->cause)
		return json_null();
	o = json_object();
	json_put(o, "by", json_text(oom->cause == OOM_SYSTEM ? "system" : "cgroup"));
	json_put(o, "limit", oom->limit ? json_number(oom->limit) : json_null());
	json_put_number(o, "kills", oom->used);
	return o;
}

static json_t *limit_json(const struct heap_oom *oom)
{
	json_t *o;

	if (!oom->cause)
		return json_null();
	o = json_object();
	json_put(o, "what", json_text(oom->cause == OOM_DATA ? "RLIMIT_DATA" : "RLIMIT_AS"));
	json_put_number(o, "bytes", oom->limit);
	json_put_number(o, "used", oom->used);
	return o;
}

static json_t *owners_json(struct json *j, const struct heap_refused *r)
{
	json_t *list = json_array();

	for (uint32_t i = 0; i < r->owners; i++) {
		json_t *o = json_object();

		json_put_number(o, "blocks", r->owner[i].blocks);
		json_put_number(o, "bytes", r->owner[i].bytes);
		json_put(o, "call", json_backtrace(j, r->owner[i].stack));
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
	json_put_time(o, "at_ns", p, p->start_ns, r->ns);
	json_put_number(o, "size", r->size);
	json_put(o, "product", json_product(&product));
	json_put_number(o, "open_blocks", r->open_blocks);
	json_put_number(o, "open_bytes", r->open_bytes);
	json_put(o, "limit", limit_json(&r->oom));
	json_put(o, "why", why ? json_text(why->why) : json_null());
	json_put(o, "call", json_backtrace(j, r->stack));
	json_put(o, "owners", owners_json(j, r));
	return o;
}

json_t *json_out_of_memory(struct json *j, const struct heap_proc *p)
{
	json_t *o = json_object();

	json_put(o, "killed", killed_json(&p->killed));
	json_put(o, "refused", refused_json(j, p));
	return o;
}
