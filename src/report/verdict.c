/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The end of the text: what to install, notes, and the verdict. */
#include <string.h>

#include "base/msg.h"
#include "text.h"

static void add_install(struct strbuf *sb)
{
	const char *urls = getenv("DEBUGINFOD_URLS");

	strbuf_adds(sb, "install -dbgsym packages");
	if (!urls || !*urls)
		strbuf_adds(sb, " or set DEBUGINFOD_URLS");
}

static void hint_broken(struct text *t, const struct view_procs *vp)
{
	uint64_t broken = 0, unwound = 0;
	struct strbuf in = STRBUF_INIT;
	struct u64map seen = U64MAP_INIT;
	bool any_file = false;

	for (size_t i = 0; i < vp->v.n; i++) {
		const struct view *v = &vp->v.v[i].now;

		broken += v->broken;
		unwound += v->unwound;
		for (size_t k = 0; k < v->broke_in.n; k++) {
			const char *path = v->broke_in.v[k].path;

			if (u64map_get(&seen, hash_bytes(path, strlen(path), 0)))
				continue;
			u64map_set(&seen, hash_bytes(path, strlen(path), 0), 1);
			any_file |= *path != '\0';
			strbuf_addf(&in, "%s%s", in.n ? ", " : "",
				    *path ? last_part(path) : "code outside any file");
		}
	}
	u64map_release(&seen);
	if (broken) {
		style_on(t, DIM);
		strbuf_addf(t->out, "%s: ", msg_program());
		strbuf_add_grouped(t->out, broken);
		strbuf_adds(t->out, " of ");
		text_count(t->out, unwound, "stack");
		strbuf_addf(t->out, " broke off, in %s", in.s);
		if (any_file) { /* code made at run time has no package */
			strbuf_adds(t->out, ": ");
			add_install(t->out);
		}
		style_off(t, DIM);
		strbuf_addc(t->out, '\n');
	}
	strbuf_release(&in);
}

static bool is_log(const struct view_procs *vp)
{
	return vp->v.n && vp->v.v[0].now.proc->log;
}

/* Of callers that a heap log tells as mere addresses. */
static void hint_elf(struct text *t, const struct view_procs *vp)
{
	const struct view *v = &vp->v.v[0].now;
	bool any = false;

	for (size_t i = 0; i < v->stacks.n && !any; i++) {
		const struct heap_stack *s = v->stacks.v[i].stack;

		any = s && s->n && !s->module[0] && v->stacks.v[i].open_blocks;
	}
	if (!any)
		return;
	style_on(t, DIM);
	strbuf_addf(t->out, "%s: callers are addresses: --elf names the program, for functions and lines",
		    msg_program());
	style_off(t, DIM);
	strbuf_addc(t->out, '\n');
}

static void hint_nameless(struct text *t)
{
	if (!t->nameless.n || (t->opts->interrupted && *t->opts->interrupted))
		return;
	style_on(t, DIM);
	strbuf_addf(t->out, "%s: no names in ", msg_program());
	for (size_t i = 0; i < t->nameless.n; i++)
		strbuf_addf(t->out, "%s%s", i ? ", " : "", last_part(t->nameless.v[i]));
	strbuf_adds(t->out, ": ");
	add_install(t->out);
	style_off(t, DIM);
	strbuf_addc(t->out, '\n');
}

/* An attached process is not stopped unasked. */
static void hint_scan(struct text *t, const struct view_procs *vp)
{
	for (size_t i = 0; i < vp->v.n; i++) {
		const struct view *v = &vp->v.v[i].now;

		if (v->proc->how != PROC_ATTACHED || v->proc->scan.done || !v->own_blocks ||
		    view_exited(v->proc))
			continue;
		style_on(t, DIM);
		strbuf_addf(t->out, "%s: add -a to see which of these are leaks", msg_program());
		style_off(t, DIM);
		strbuf_addc(t->out, '\n');
		return;
	}
}

void text_hints(struct text *t, const struct view_procs *vp)
{
	if (is_log(vp)) { /* there is no package to install */
		hint_elf(t, vp);
		return;
	}
	hint_scan(t, vp);
	hint_broken(t, vp);
	hint_nameless(t);
}

void text_notes(struct text *t, bool only_bad)
{
	for (size_t i = 0; i < heap_nnotes(t->heap); i++) {
		const struct heap_note *note = heap_note_at(t->heap, i);

		if (note->bad || !only_bad)
			strbuf_addf(t->out, "%s: %s\n", msg_program(), note->text);
	}
}

static size_t open_stacks(const struct view *v)
{
	size_t n = 0;

	for (size_t i = 0; i < v->stacks.n; i++)
		n += v->stacks.v[i].open_blocks && !v->stacks.v[i].mapping;
	return n;
}

/* With a leak scan: what is lost. */
static void verdict_of_scan(struct text *t, const struct view_procs *vp)
{
	uint64_t bytes = 0, blocks = 0;
	bool references = false;
	size_t stacks = 0;

	for (size_t i = 0; i < vp->v.n; i++) {
		const struct view *v = &vp->v.v[i].now;

		bytes += v->kind_bytes[LEAK_DEFINITE];
		blocks += v->kind_blocks[LEAK_DEFINITE];
		references |= v->proc->scan.references;
		for (size_t k = 0; k < v->leaks.n; k++)
			stacks += v->leaks.v[k].kind == LEAK_DEFINITE &&
				  !v->leaks.v[k].row->mapping && !v->leaks.v[k].suppressed;
	}
	if (!blocks) {
		strbuf_adds(t->out, "no leaks");
		return;
	}
	style_on(t, RED);
	text_count(t->out, bytes, "byte");
	strbuf_adds(t->out, references ? " unreferenced" : " definitely lost");
	style_off(t, RED);
	strbuf_adds(t->out, " in ");
	text_count(t->out, blocks, "block");
	strbuf_adds(t->out, " from ");
	text_count(t->out, stacks, "stack");
}

static void verdict_of_use(struct text *t, uint64_t bytes, uint64_t blocks, size_t stacks,
			   bool ended)
{
	if (!blocks) {
		strbuf_adds(t->out, ended ? "nothing in use at exit" : "nothing in use");
		return;
	}
	text_amount(t->out, bytes, blocks, "block");
	strbuf_adds(t->out, ended ? " in use at exit from " : " in use from ");
	text_count(t->out, stacks, "stack");
}

/* Always of the same form, so that it can be searched for. */
void text_verdict(struct text *t, const struct view_procs *vp)
{
	bool scanned = false;
	uint64_t bytes = 0, blocks = 0, errors = 0;
	bool ended = true;
	size_t stacks = 0;

	for (size_t i = 0; i < vp->v.n; i++) {
		const struct view *v = &vp->v.v[i].now;

		bytes += v->own_bytes;
		blocks += v->own_blocks;
		errors += v->errors;
		stacks += open_stacks(v);
		ended &= view_exited(v->proc);
		scanned |= v->proc->scan.done;
	}
	strbuf_addf(t->out, "%s: ", msg_program());
	if (vp->diff)
		text_diff_verdict(t, vp->diff);
	else if (scanned)
		verdict_of_scan(t, vp);
	else
		verdict_of_use(t, bytes, blocks, stacks, ended);
	strbuf_adds(t->out, ", ");
	style_on(t, errors ? RED : PLAIN);
	text_count(t->out, errors, "error");
	style_off(t, errors ? RED : PLAIN);
	strbuf_addc(t->out, '\n');
}
