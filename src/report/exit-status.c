/* SPDX-License-Identifier: GPL-2.0-or-later */
/* --error-exitcode and --fail-if: figures of processes, and what they make of
 * the exit status. */
#include <string.h>

#include "base/msg.h"
#include "text.h"

/* -- figures -------------------------------------------------------------------- */

#define TOTAL(name) \
	static uint64_t name(const struct view *v) { return v->proc->total.name; }
#define MAPPINGS(name) \
	static uint64_t mappings_##name(const struct view *v) { return v->proc->maps.name; }
#define CLASS(name, kind)                                                            \
	static uint64_t name##_blocks(const struct view *v) { return v->kind_blocks[kind]; } \
	static uint64_t name##_bytes(const struct view *v) { return v->kind_bytes[kind]; }

TOTAL(allocs)
TOTAL(frees)
TOTAL(bytes_allocated)
TOTAL(open_blocks)
TOTAL(open_bytes)
TOTAL(peak_blocks)
TOTAL(peak_bytes)
TOTAL(failed)
TOTAL(unknown_releases)
MAPPINGS(maps)
MAPPINGS(unmaps)
MAPPINGS(failed)
MAPPINGS(bytes_mapped)
MAPPINGS(open_regions)
MAPPINGS(open_bytes)
MAPPINGS(peak_bytes)
MAPPINGS(brk_grown)
CLASS(definite, LEAK_DEFINITE)
CLASS(indirect, LEAK_INDIRECT)
CLASS(possible, LEAK_POSSIBLE)
CLASS(reachable, LEAK_REACHABLE)

static uint64_t suppressed_blocks(const struct view *v) { return v->suppressed_blocks; }
static uint64_t suppressed_bytes(const struct view *v) { return v->suppressed_bytes; }
static uint64_t suppressed_errors(const struct view *v) { return v->suppressed_errors; }
static uint64_t errors(const struct view *v) { return v->errors; }
static uint64_t inherited_blocks(const struct view *v) { return v->inherited_blocks; }
static uint64_t inherited_bytes(const struct view *v) { return v->inherited_bytes; }

/* What has become less counts as 0. */
static uint64_t more(uint64_t is, uint64_t was)
{
	return is > was ? is - was : 0;
}

#define DIFF(name, list)                                                                     \
	static uint64_t name##_blocks(const struct view *v)                                  \
	{                                                                                    \
		return v->diff ? more(v->diff->list.blocks, v->diff->list.old_blocks) : 0;   \
	}                                                                                    \
	static uint64_t name##_bytes(const struct view *v)                                   \
	{                                                                                    \
		return v->diff ? more(v->diff->list.bytes, v->diff->list.old_bytes) : 0;     \
	}
#define CHANGED(name, list, change) \
	static uint64_t name(const struct view *v) { return v->diff ? v->diff->list.n[change] : 0; }

DIFF(diff, use)
DIFF(diff_leaked, leaks)
CHANGED(diff_new, use, DIFF_NEW)
CHANGED(diff_grown, use, DIFF_GROWN)
CHANGED(diff_leaked_new, leaks, DIFF_NEW)
CHANGED(diff_leaked_grown, leaks, DIFF_GROWN)

/* Members of members have the name of both, but for `leaks`. */
static const struct figure {
	const char *name;
	uint64_t (*value)(const struct view *);
	bool scan; /* needs a leak scan */
	bool diff; /* needs --diff */
} figures[] = {
#define FIGURE(name) { #name, name, false, false }
#define SCANNED(name) { #name, name, true, false }
#define DIFFERS(name) { #name, name, false, true }
#define LEAKED(name) { #name, name, true, true }
	SCANNED(definite_blocks), SCANNED(definite_bytes), SCANNED(indirect_blocks),
	SCANNED(indirect_bytes), SCANNED(possible_blocks), SCANNED(possible_bytes),
	SCANNED(reachable_blocks), SCANNED(reachable_bytes),
	SCANNED(suppressed_blocks), SCANNED(suppressed_bytes),
	FIGURE(open_blocks), FIGURE(open_bytes), FIGURE(peak_blocks), FIGURE(peak_bytes),
	FIGURE(allocs), FIGURE(frees), FIGURE(bytes_allocated), FIGURE(failed),
	FIGURE(errors), FIGURE(suppressed_errors), { "error_count", errors, false, false },
	FIGURE(unknown_releases), FIGURE(inherited_blocks), FIGURE(inherited_bytes),
	FIGURE(mappings_open_regions), FIGURE(mappings_open_bytes), FIGURE(mappings_peak_bytes),
	FIGURE(mappings_maps), FIGURE(mappings_unmaps), FIGURE(mappings_bytes_mapped),
	FIGURE(mappings_failed), FIGURE(mappings_brk_grown),
	DIFFERS(diff_blocks), DIFFERS(diff_bytes), DIFFERS(diff_new), DIFFERS(diff_grown),
	LEAKED(diff_leaked_blocks), LEAKED(diff_leaked_bytes), LEAKED(diff_leaked_new),
	LEAKED(diff_leaked_grown),
};

int report_figure_find(const char *name, size_t n)
{
	for (size_t i = 0; i < ARRAY_SIZE(figures); i++)
		if (!strncmp(figures[i].name, name, n) && !figures[i].name[n])
			return (int)i;
	return -1;
}

const char *report_figure_name(size_t i)
{
	return i < ARRAY_SIZE(figures) ? figures[i].name : NULL;
}

bool report_figure_needs_scan(unsigned figure)
{
	return figure < ARRAY_SIZE(figures) && figures[figure].scan;
}

bool report_figure_needs_diff(unsigned figure)
{
	return figure < ARRAY_SIZE(figures) && figures[figure].diff;
}

static uint64_t value_of(void *arg, unsigned figure)
{
	return figures[figure].value(arg);
}

/* -- conditions ------------------------------------------------------------------- */

static bool holds(const struct condition *c, const struct view_proc *p)
{
	return condition_holds(c, value_of, (void *)(uintptr_t)&p->now);
}

/* Of how many processes is it true, and which is the first? */
static size_t count_true(const struct condition *c, const struct view_procs *vp,
			 const struct view_proc **first)
{
	size_t n = 0;

	for (size_t i = 0; i < vp->v.n; i++)
		if (holds(c, &vp->v.v[i]) && !n++)
			*first = &vp->v.v[i];
	return n;
}

bool view_fails(const struct view_procs *vp, const struct report_opts *opts)
{
	const struct view_proc *first = NULL;

	for (size_t i = 0; opts->fail_if && opts->fail_if[i]; i++)
		if (count_true(opts->fail_if[i], vp, &first))
			return true;
	return false;
}

static bool leaks_or_errors(const struct view_procs *vp)
{
	for (size_t i = 0; i < vp->v.n; i++)
		if (vp->v.v[i].now.errors || vp->v.v[i].now.kind_blocks[LEAK_DEFINITE])
			return true;
	return false;
}

void text_failures(struct text *t, const struct view_procs *vp)
{
	struct condition *const *c = t->opts->fail_if;

	for (; c && *c; c++) {
		const struct view_proc *first = NULL;
		size_t n = count_true(*c, vp, &first);

		if (!n)
			continue;
		strbuf_addf(t->out, "%s: failed: %s: true of %s (pid %d)", msg_program(),
			    condition_text(*c), first->now.proc->name, (int)first->now.proc->pid);
		if (n > 1)
			strbuf_addf(t->out, " and %zu more", n - 1);
		strbuf_addc(t->out, '\n');
	}
}

int report_exit_status(const struct heap *heap, const struct report_opts *opts)
{
	struct symbolizer *sym;
	struct view_procs vp;
	int status = 0;

	if (!opts->error_exitcode && !opts->fail_if)
		return 0;
	view_procs_build(&vp, heap);
	sym = symbolizer_new(heap, opts);
	view_suppress(&vp, opts, sym);
	if (opts->diff && opts->fail_if) {
		for (size_t i = 0; i < vp.v.n; i++)
			view_ignore(&vp.v.v[i].now, sym, opts);
		view_diff_build(&vp, opts, sym);
	}
	symbolizer_free(sym);
	if (opts->error_exitcode && leaks_or_errors(&vp))
		status = opts->error_exitcode;
	else if (view_fails(&vp, opts))
		status = opts->error_exitcode ? opts->error_exitcode : 1;
	view_procs_release(&vp);
	return status;
}
