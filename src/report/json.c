/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The export that doc/JSON.md describes. */
#include "base/msg.h"
#include "base/strbuf.h"
#include "json.h"
#include "symbolize.h"

#define FORMAT 1

static json_t *mappings_json(const struct heap_mappings *m)
{
	json_t *o = json_object();

	json_put_number(o, "maps", m->maps);
	json_put_number(o, "unmaps", m->unmaps);
	json_put_number(o, "remaps", m->remaps);
	json_put_number(o, "failed", m->failed);
	json_put_number(o, "bytes_mapped", m->bytes_mapped);
	json_put_number(o, "open_regions", m->open_regions);
	json_put_number(o, "open_bytes", m->open_bytes);
	json_put_number(o, "peak_bytes", m->peak_bytes);
	json_put_number(o, "brk_calls", m->brk_calls);
	json_put_number(o, "brk_grown", m->brk_grown);
	json_put(o, "brk_current", json_integer(m->brk_current));
	return o;
}

/* How frames were found; null: an older log does not say. */
static json_t *origins_json(const struct view *v)
{
	json_t *o;

	if (!v->frames)
		return json_null();
	o = json_object();
	json_put_number(o, "registers", v->origin[FROM_REGS]);
	json_put_number(o, "table", v->origin[FROM_ROW] + v->origin[FROM_CFI]);
	json_put_number(o, "signal", v->origin[FROM_SIGNAL]);
	json_put_number(o, "exidx", v->origin[FROM_EXIDX]);
	json_put_number(o, "prologue", v->origin[FROM_PROLOGUE]);
	json_put_number(o, "link_register", v->origin[FROM_LINK]);
	json_put_number(o, "frame_pointer", v->origin[FROM_FP]);
	json_put_number(o, "search", v->origin[FROM_SCAN]);
	return o;
}

static json_t *unwind_json(const struct view *v)
{
	json_t *o = json_object(), *list = json_array();

	json_put_number(o, "stacks", v->unwound);
	json_put_number(o, "cut", v->cut);
	json_put_number(o, "broken", v->broken);
	for (size_t i = 0; i < v->broke_in.n; i++) {
		json_t *in = json_object();

		json_put(in, "module", json_text(v->broke_in.v[i].path));
		json_put_number(in, "stacks", v->broke_in.v[i].n);
		json_array_append_new(list, in);
	}
	json_put(o, "broken_in", list);
	json_put(o, "origins", origins_json(v));
	return o;
}

static void put_totals(json_t *o, const struct heap_proc *p)
{
	const struct heap_totals *h = &p->total;

	json_put_number(o, "allocs", h->allocs);
	json_put_number(o, "frees", h->frees);
	json_put_number(o, "bytes_allocated", h->bytes_allocated);
	json_put_number(o, "open_blocks", h->open_blocks);
	json_put_number(o, "open_bytes", h->open_bytes);
	json_put_number(o, "peak_blocks", h->peak_blocks);
	json_put_number(o, "peak_bytes", h->peak_bytes);
	json_put_time(o, "peak_ns", p, p->start_ns, h->peak_ns);
	json_put_number(o, "failed", h->failed);
	json_put_number(o, "unknown_releases", h->unknown_releases);
	json_put_number(o, "shutdown_releases", h->shutdown_releases);
	json_put_number(o, "unseen_releases", h->unseen_releases);
	json_put_number(o, "null_releases", h->null_releases);
	json_put(o, "mappings", mappings_json(&p->maps));
}

static json_t *image_json(const struct heap_proc *p)
{
	json_t *o = json_object();

	json_put(o, "exe", json_text(p->exe));
	json_put(o, "name", json_text(p->name));
	json_put(o, "abi", json_text(p->abi));
	put_totals(o, p);
	return o;
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

	json_put_number(o, "blocks", v->inherited_blocks);
	json_put_number(o, "bytes", v->inherited_bytes);
	return o;
}

static json_t *before_attach_json(const struct heap_proc *p)
{
	json_t *o;

	if (!p->before_attach.known)
		return json_null();
	o = json_object();
	json_put_number(o, "blocks", p->before_attach.blocks);
	json_put_number(o, "bytes", p->before_attach.bytes);
	json_put_number(o, "released", p->before_attach.released);
	json_put_number(o, "released_bytes", p->before_attach.released_bytes);
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
	json_put(o, "format", json_text(p->abi));
	json_put(o, "live", json_boolean(p->log == PROC_LOG_LIVE));
	json_put(o, "records", p->log == PROC_LOG ?
		 json_number((p->end_ns - MIN(begin, p->end_ns)) / 1000) : json_null());
	json_put(o, "heap_start", h->said & TARGET_BOUNDS ? json_address(h->start) : json_null());
	json_put(o, "heap_size", h->said & TARGET_BOUNDS ? json_number(h->size) : json_null());
	json_put(o, "header", json_number(h->header));
	json_put(o, "free", h->said & TARGET_FREE ? json_number(h->free) : json_null());
	json_put(o, "used", h->said & TARGET_USED ? json_number(h->used) : json_null());
	json_put(o, "threshold", h->said & TARGET_THRESHOLD ? json_number(h->threshold) : json_null());
	return o;
}

static json_t *proc_json(struct json *j, const struct view_proc *vp, const struct diff *d)
{
	const struct heap_proc *p = vp->now.proc;
	json_t *o = json_object(), *images = json_array();

	json_put(o, "pid", json_integer(p->pid));
	json_put(o, "ppid", json_integer(p->ppid));
	json_put(o, "exe", json_text(p->exe));
	json_put(o, "name", json_text(p->name));
	json_put(o, "abi", json_text(p->abi));
	/* An exec is told by `images`; here is how the process came to us. */
	json_put(o, "how", json_text(how_name(vp->images.v[0]->how)));
	json_put(o, "state", json_text(state_name(p->end_how)));
	json_put(o, "exit_code", p->end_how == END_EXITED ? json_integer(p->status) : json_null());
	json_put(o, "exit_signal", p->end_how == END_SIGNALED ? json_integer(p->status) : json_null());
	json_put_time(o, "run_ns", p, vp->images.v[0]->start_ns, p->end_ns);
	json_put(o, "log", log_json(vp));
	json_put_number(o, "threads", p->tasks);
	json_put_number(o, "modules", p->modules);
	json_put_number(o, "error_count", vp->now.errors);
	json_put(o, "errors", json_errors(j, vp));
	put_totals(o, p);
	json_put(o, "out_of_memory", json_out_of_memory(j, p));
	json_put(o, "suspects", json_suspects(j, p));
	json_put(o, "inherited", inherited_json(&vp->now));
	json_put(o, "before_attach", before_attach_json(p));
	json_put(o, "marks", json_marks(&vp->now));
	json_put(o, "scan", json_scan(&p->scan));
	json_put(o, "leaks", json_leak_kinds(&vp->now));
	json_put(o, "suppressed", json_suppressed(j, &vp->now));
	json_put(o, "leak_stacks", json_leak_stacks(j, &vp->now));
	json_put(o, "leak_blocks", json_leak_blocks(&vp->now));
	json_put(o, "blocks", json_blocks(j, p));
	json_put(o, "asked", json_asked(j, &p->scan));
	json_put(o, "unwind", unwind_json(&vp->now));
	for (size_t i = 0; i + 1 < vp->images.n; i++)
		json_array_append_new(images, image_json(vp->images.v[i]));
	json_put(o, "images", images);
	json_put(o, "stacks", json_stacks(j, &vp->now));
	json_put(o, "diff", json_diff(j, d, vp->now.diff));
	if (j->opts->heaps)
		json_put(o, "heap", json_heap(j, p));
	return o;
}

static json_t *notes_json(const struct heap *heap)
{
	json_t *list = json_array();

	for (size_t i = 0; i < heap_nnotes(heap); i++) {
		const struct heap_note *note = heap_note_at(heap, i);
		json_t *o = json_object();

		json_put(o, "pid", json_integer(note->pid));
		json_put(o, "bad", json_boolean(note->bad));
		json_put(o, "text", json_text(note->text));
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
	json_put(root, "format", json_integer(FORMAT));
	json_put(root, "program", json_text(msg_program()));
	json_put(root, "processes", procs);
	json_put(root, "notes", notes_json(heap));
	json_put(root, "diff", json_diff_with(&j, vp.diff));
	if (json_dump_callback(root, append, out, JSON_INDENT(1)))
		die("out of memory");
	strbuf_addc(out, '\n');
	json_decref(root);
	view_procs_release(&vp);
	symbolizer_free(j.sym);
}
