/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The member "heap" of a process (--heapmap). */
#include "json.h"
#include "report/heapinfo.h"

static void put_figures(json_t *o, const struct heapmap_figures *f)
{
	json_put(o, "bytes", json_number(f->size));
	json_put(o, "free", json_number(f->free));
	json_put(o, "free_pieces", json_number(f->pieces));
	json_put(o, "largest_free", json_number(f->largest));
	json_put(o, "largest_request", json_number(f->request));
	json_put(o, "blocks", json_number(f->blocks));
	json_put(o, "resident", f->resident_known ? json_number(f->resident) : json_null());
	json_put(o, "fragmentation", json_real(heapmap_fragmentation(f)));
}

static json_t *region_json(const struct heapmap *m, size_t i, const struct heapinfo *info)
{
	const struct heapmap_region *r = heapmap_region(m, i);
	json_t *o = json_object();
	uint64_t low;
	bool exact, known = info && heapinfo_low(info, r, &low, &exact);

	json_put(o, "name", json_text(r->name));
	json_put(o, "addr", json_sprintf("0x%llx", (unsigned long long)r->start));
	json_put(o, "fixed", json_boolean(r->fixed));
	put_figures(o, heapmap_figures(m, i));
	json_put(o, "low_water", known ? json_number(low) : json_null());
	json_put(o, "low_water_exact", known ? json_boolean(exact) : json_null());
	return o;
}

json_t *json_heap(struct json *j, const struct heap_proc *p)
{
	const struct report_heaps *heaps = j->opts->heaps;
	struct heapmap *m = heaps && heap_proc_find(j->heap, p->pid) == p ?
			    heaps->map(heaps->arg, p->pid) : NULL;
	json_t *o, *list;

	if (!m)
		return json_null();
	o = json_object();
	list = json_array();
	for (size_t i = 0; i < heapmap_nregions(m); i++)
		json_array_append_new(list, region_json(m, i, heaps->info(heaps->arg, p->pid)));
	put_figures(o, heapmap_total(m));
	json_put(o, "outside", json_number(heapmap_outside(m)));
	json_put(o, "overlapping", json_number(heapmap_overlapping(m)));
	json_put(o, "regions", list);
	heapmap_free(m);
	return o;
}
