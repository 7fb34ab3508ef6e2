/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/strbuf.h"
#include "view.h"

static const char *module_path(const struct heap *h, uint32_t id)
{
	const struct heap_module *m = heap_module(h, id);

	return m ? m->path : "";
}

static taddr_t frame_offset(const struct heap *h, const struct heap_stack *s, uint32_t i)
{
	const struct heap_module *m = heap_module(h, s->module[i]);

	return m ? s->pc[i] - m->bias : s->pc[i];
}

/* -- merging --------------------------------------------------------------- */

static uint64_t caller_hash(const struct heap *h, const struct heap_stack *s)
{
	uint64_t hash = s->probe;

	for (uint32_t i = 0; i < s->n; i++) {
		const char *path = module_path(h, s->module[i]);

		hash = hash_bytes(path, strlen(path), hash ^ frame_offset(h, s, i));
	}
	return hash;
}

uint64_t report_caller_hash(const struct heap *h, uint32_t stack)
{
	const struct heap_stack *s = heap_stack(h, stack);

	return s ? caller_hash(h, s) : 0;
}

static bool same_caller(const struct heap *h, const struct heap_stack *a,
			const struct heap_stack *b)
{
	if (a->n != b->n || a->probe != b->probe || a->older || b->older)
		return false;
	for (uint32_t i = 0; i < a->n; i++)
		if (frame_offset(h, a, i) != frame_offset(h, b, i) ||
		    (a->module[i] != b->module[i] &&
		     strcmp(module_path(h, a->module[i]), module_path(h, b->module[i]))))
			return false;
	return true;
}

size_t view_row(struct view *v, struct u64map *rows, const struct heap_stack *s)
{
	struct view_stack row = { .stack = s, .min_size = UINT64_MAX };
	uint64_t hash = s ? caller_hash(v->heap, s) : 0, *at;

	if (s && s->older) /* each stands for other blocks */
		hash = hash_u64(hash ^ s->id);
	at = u64map_get(rows, hash);
	if (at) {
		const struct heap_stack *there = v->stacks.v[*at].stack;

		if (s == there || (s && there && same_caller(v->heap, s, there)))
			return *at;
	}
	row.order = (uint32_t)v->stacks.n;
	row.probe = s ? heap_probe(v->heap, s->probe) : NULL;
	row.mapping = row.probe && row.probe->op >= OP_MAP;
	row.older = s && s->older;
	row.release = row.probe && row.probe->op == OP_RELEASE;
	u64map_set(rows, hash, v->stacks.n);
	vec_push(&v->stacks, row);
	return v->stacks.n - 1;
}

static void add_count(struct view_stack *row, const struct heap_count *c)
{
	uint64_t open = (uint64_t)MAX(c->open_blocks, 0);

	row->open_blocks += open;
	row->open_bytes += (uint64_t)MAX(c->open_bytes, 0);
	row->total_blocks += c->total_blocks;
	row->total_bytes += c->total_bytes;
	row->released += c->total_blocks - MIN(open, c->total_blocks);
	row->min_size = MIN(row->min_size, c->min_size);
	row->max_size = MAX(row->max_size, c->max_size);
	heap_product_add(&row->product, &c->product);
	heap_product_add(&row->failed_product, &c->failed_product);
	row->last_ns = MAX(row->last_ns, c->last_ns);
	if (!c->failed)
		return;
	row->failed_min = row->failed ? MIN(row->failed_min, c->failed_min) : c->failed_min;
	row->failed_max = MAX(row->failed_max, c->failed_max);
	row->failed += c->failed;
}

static void note_origins(struct view *v, const struct heap_stack *s)
{
	for (uint32_t i = 0; s->origin && i < s->n; i++) {
		v->frames++;
		if (s->origin[i] < FRAME_ORIGINS)
			v->origin[s->origin[i]]++;
	}
}

static void note_end(struct view *v, const struct heap_stack *s)
{
	const char *path;

	if (!s || s->older)
		return;
	v->unwound++;
	v->cut += s->end == STACK_CUT;
	note_origins(v, s);
	if (s->end != STACK_BROKEN)
		return;
	v->broken++;
	path = s->n ? module_path(v->heap, s->module[s->n - 1]) : "";
	for (size_t i = 0; i < v->broke_in.n; i++)
		if (!strcmp(v->broke_in.v[i].path, path)) {
			v->broke_in.v[i].n++;
			return;
		}
	vec_push(&v->broke_in, (struct view_broken){ path, 1 });
}

static size_t add_error(struct view *v, struct u64map *rows, const struct heap_error *e)
{
	struct view_stack *row;
	size_t at;

	if (e->kind == ERROR_FISHY_SIZE || !u64map_get(&v->proc->by_stack, e->stack))
		return NO_ROW;
	at = view_row(v, rows, heap_stack(v->heap, e->stack));
	row = &v->stacks.v[at];
	row->errors += e->count;
	row->mismatched += e->kind == ERROR_MISMATCHED_FREE ? e->count : 0;
	row->badfree += e->kind == ERROR_DOUBLE_FREE || e->kind == ERROR_INVALID_FREE ? e->count : 0;
	return at;
}

static void add_errors(struct view_proc *vp, struct u64map *rows)
{
	struct view *v = &vp->now;

	for (size_t k = 0; k < vp->images.n; k++) {
		const struct heap_proc *image = vp->images.v[k];

		v->errors += image->nerrors;
		for (size_t i = 0; i < image->errors.n; i++) {
			const struct heap_error *e = &image->errors.v[i];
			size_t row = image == v->proc ? add_error(v, rows, e) : NO_ROW;

			vec_push(&vp->errors, ((struct view_error){ image, e, row }));
		}
	}
}

static void view_build(struct view_proc *vp, const struct heap *heap)
{
	const struct heap_proc *p = vp->images.v[vp->images.n - 1];
	struct u64map rows = U64MAP_INIT;
	struct view *v = &vp->now;

	*v = (struct view){ .heap = heap, .proc = p };
	for (size_t i = 0; i < p->counts.n; i++) {
		const struct heap_count *c = &p->counts.v[i];
		const struct heap_stack *s = heap_stack(heap, c->stack);
		size_t row;

		note_end(v, s);
		row = view_row(v, &rows, s);
		add_count(&v->stacks.v[row], c);
	}
	view_marks_build(v, &rows);
	add_errors(vp, &rows);
	if (p->scan.done)
		view_leaks_build(v, &rows);
	u64map_release(&rows);
	heap_inherited_open(heap, p, &v->inherited_blocks, &v->inherited_bytes);
	v->own_blocks = p->total.open_blocks - v->inherited_blocks;
	v->own_bytes = p->total.open_bytes - v->inherited_bytes;
}

/* -- processes ------------------------------------------------------------- */

void view_procs_build(struct view_procs *vp, const struct heap *heap)
{
	struct u64map by_pid = U64MAP_INIT;

	*vp = (struct view_procs){ 0 };
	for (size_t i = 0; i < heap_nprocs(heap); i++) {
		const struct heap_proc *p = heap_proc_at(heap, i);
		uint64_t *at = u64map_get(&by_pid, (uint32_t)p->pid);
		struct view_proc *proc = at ? &vp->v.v[*at] : NULL;

		if (!proc || p->how != PROC_EXECED ||
		    proc->images.v[proc->images.n - 1]->end_how != END_EXECED) {
			u64map_set(&by_pid, (uint32_t)p->pid, vp->v.n);
			vec_push(&vp->v, (struct view_proc){ 0 });
			proc = &vp->v.v[vp->v.n - 1];
		}
		vec_push(&proc->images, p);
	}
	u64map_release(&by_pid);
	for (size_t i = 0; i < vp->v.n; i++)
		view_build(&vp->v.v[i], heap);
}

void view_image_build(struct view_proc *vp, const struct heap *heap, const struct heap_proc *p)
{
	*vp = (struct view_proc){ 0 };
	vec_push(&vp->images, p);
	view_build(vp, heap);
}

void view_proc_release(struct view_proc *p)
{
	vec_release(&p->images);
	vec_release(&p->errors);
	vec_release(&p->now.stacks);
	view_leaks_release(&p->now);
	vec_release(&p->now.aged);
	vec_release(&p->now.broke_in);
}

void view_procs_release(struct view_procs *vp)
{
	for (size_t i = 0; i < vp->v.n; i++)
		view_proc_release(&vp->v.v[i]);
	vec_release(&vp->v);
	diff_free(vp->diff);
}

void view_procs_keep(struct view_procs *vp, pid_t pid)
{
	size_t n = 0;

	for (size_t i = 0; i < vp->v.n; i++) {
		if (vp->v.v[i].now.proc->pid == pid)
			vp->v.v[n++] = vp->v.v[i];
		else
			view_proc_release(&vp->v.v[i]);
	}
	vp->v.n = n;
}

/* -- selection ------------------------------------------------------------- */

static uint64_t by_failed(const struct view_stack *s) { return s->failed; }
static uint64_t by_total_bytes(const struct view_stack *s) { return s->total_bytes; }
static uint64_t by_open_bytes(const struct view_stack *s) { return s->open_bytes; }

static int descending(uint64_t a, uint64_t b)
{
	return a < b ? 1 : a > b ? -1 : 0;
}

/* Every tie is broken, so that a report of the same events is the same. */
static int compare(const void *pa, const void *pb, void *arg)
{
	const struct view_stack *a = *(const struct view_stack *const *)pa;
	const struct view_stack *b = *(const struct view_stack *const *)pb;
	uint64_t (*value)(const struct view_stack *) = ((const struct report_sort *)arg)->value;
	int c = descending(value(a), value(b));

	if (!c)
		c = descending(a->open_bytes, b->open_bytes);
	if (!c)
		c = descending(a->open_blocks, b->open_blocks);
	if (!c)
		c = descending(a->total_bytes, b->total_bytes);
	return c ? c : a->order < b->order ? -1 : 1;
}

static bool wanted(const struct view_stack *s, enum view_kind kind, const struct report_sort *sort)
{
	if (s->ignored)
		return false;
	if (kind == VIEW_FAILED)
		return s->failed;
	if (s->release || kind == VIEW_RELEASED)
		return s->release && kind == VIEW_RELEASED && s->total_blocks;
	if (s->mapping != (kind == VIEW_MAPPED))
		return false;
	return s->open_blocks || (sort && sort->all && s->total_blocks) ||
	       (sort && sort->some && sort->value(s));
}

size_t view_select(const struct view *v, enum view_kind kind, const struct report_sort *sort,
		   const struct view_stack ***out)
{
	static const struct report_sort failed = { .value = by_failed };
	static const struct report_sort released = { .value = by_total_bytes };
	static const struct report_sort usage = { .value = by_open_bytes };
	VEC(const struct view_stack *) list = { 0 };

	if (kind == VIEW_FAILED)
		sort = &failed;
	else if (kind == VIEW_RELEASED)
		sort = &released;
	else if (!sort)
		sort = &usage;
	for (size_t i = 0; i < v->stacks.n; i++)
		if (wanted(&v->stacks.v[i], kind, sort))
			vec_push(&list, &v->stacks.v[i]);
	if (list.n)
		qsort_r(list.v, list.n, sizeof *list.v, compare, (void *)(uintptr_t)sort);
	*out = list.v;
	return list.n;
}

/* -- words ----------------------------------------------------------------- */

bool view_exited(const struct heap_proc *p)
{
	return p->end_how == END_EXITED || p->end_how == END_SIGNALED;
}

/* sigabbrev_np(3) is too young. */
const char *report_signal_name(int sig)
{
#define SIGNAL(name) { SIG##name, #name }
	static const struct {
		int sig;
		const char *name;
	} names[] = {
		SIGNAL(HUP),  SIGNAL(INT),  SIGNAL(QUIT), SIGNAL(ILL),  SIGNAL(TRAP),
		SIGNAL(ABRT), SIGNAL(BUS),  SIGNAL(FPE),  SIGNAL(KILL), SIGNAL(USR1),
		SIGNAL(SEGV), SIGNAL(USR2), SIGNAL(PIPE), SIGNAL(ALRM), SIGNAL(TERM),
		SIGNAL(XCPU), SIGNAL(XFSZ), SIGNAL(VTALRM), SIGNAL(PROF), SIGNAL(IO),
		SIGNAL(PWR),  SIGNAL(SYS),
	};
#undef SIGNAL

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (names[i].sig == sig)
			return names[i].name;
	return NULL;
}

void view_status(struct strbuf *sb, const struct heap_proc *p)
{
	const char *name;

	switch (p->end_how) {
	case END_EXITED:
		strbuf_addf(sb, "exited with status %d", p->status);
		break;
	case END_SIGNALED:
		name = report_signal_name(p->status);
		if (name)
			strbuf_addf(sb, "was killed by SIG%s", name);
		else
			strbuf_addf(sb, "was killed by signal %d", p->status);
		if (p->killed.cause)
			strbuf_adds(sb, p->killed.cause == OOM_SYSTEM ? " (out of memory, probably)" :
									 " (out of memory)");
		break;
	case END_DETACHED:
		strbuf_adds(sb, p->log == PROC_LOG ? "ends" : p->log ? "was read" : "was let go");
		break;
	case END_EXECED:
		strbuf_adds(sb, p->log ? "was reset" : "became another program");
		break;
	case END_RUNNING:
		strbuf_adds(sb, p->log ? "is still being read" : "is still running");
		break;
	}
}

void view_who(struct strbuf *sb, const struct heap_proc *p)
{
	if (p->log)
		strbuf_addf(sb, "%s (%s heap log)", p->name, p->abi);
	else
		strbuf_addf(sb, "%s (pid %d)", p->name, (int)p->pid);
}

void view_elapsed_number(struct strbuf *sb, const struct heap_proc *p, uint64_t from, uint64_t to)
{
	uint64_t ns = to - MIN(from, to);

	if (p->log == PROC_LOG)
		strbuf_add_grouped(sb, ns / 1000);
	else
		strbuf_addf(sb, "%.2f", (double)ns / (double)NS_PER_S);
}

void view_elapsed(struct strbuf *sb, const struct heap_proc *p, uint64_t from, uint64_t to)
{
	view_elapsed_number(sb, p, from, to);
	if (p->log == PROC_LOG)
		strbuf_adds(sb, to - MIN(from, to) == 1000 ? " record" : " records");
	else
		strbuf_adds(sb, " s");
}

void view_op_name(struct strbuf *sb, const struct heap_probe *probe)
{
	const char *name = probe ? probe->name : "?";
	const char *paren = strchr(name, '(');

	strbuf_add(sb, name, paren && paren > name ? (size_t)(paren - name) : strlen(name));
}
