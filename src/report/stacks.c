/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The paragraphs: one for each caller, a heading, the operation, the frames. */
#include <regex.h>
#include <stdlib.h>
#include <string.h>

#include "base/msg.h"
#include "base/xalloc.h"
#include "paragraph.h"

#define INDENT 4
#define COLUMN 19      /* of the amount, and of file:line when names are short */
#define MAX_COLUMN 44  /* … when they are long */
#define HINT_COLUMN 51
#define NUMBER_COLUMN 67
#define MIN_NAME 16    /* shorter than this no name becomes */
#define HINT_PERCENT 10

void paragraph_release(struct paragraph *p)
{
	for (size_t i = 0; i < p->lines.n; i++) {
		free(p->lines.v[i].left);
		free(p->lines.v[i].right);
	}
	vec_release(&p->lines);
	free(p->amount);
	free(p->hint);
}

/* -- layout ---------------------------------------------------------------- */

static void print_heading(struct text *t, const struct paragraph *p)
{
	size_t col = COLUMN + text_columns(p->amount);

	style_on(t, p->label_style);
	strbuf_adds(t->out, p->label);
	style_off(t, p->label_style);
	text_pad(t->out, text_columns(p->label), COLUMN);
	strbuf_adds(t->out, p->amount);
	style_on(t, p->hint || p->number ? DIM : PLAIN);
	if (p->hint) {
		text_pad(t->out, col, MAX(col + 2, (size_t)HINT_COLUMN));
		strbuf_adds(t->out, p->hint);
		col = MAX(col + 2, (size_t)HINT_COLUMN) + text_columns(p->hint);
	}
	if (p->number) {
		text_pad(t->out, col, MAX(col + 2, (size_t)NUMBER_COLUMN));
		strbuf_addf(t->out, "[%zu]", p->number);
	}
	style_off(t, p->hint || p->number ? DIM : PLAIN);
	strbuf_addc(t->out, '\n');
}

size_t paragraph_hint_room(const struct text *t, const struct paragraph *p)
{
	size_t col = MAX(COLUMN + text_columns(p->amount) + 2, (size_t)HINT_COLUMN);

	return !t->width ? SIZE_MAX : t->width > col ? t->width - col : 0;
}

/* Names that do not fit beside what stands to their right are shortened. */
static void fit_names(struct text *t, struct paragraph *p)
{
	if (!t->width || t->whole)
		return;
	for (size_t i = 0; i < p->lines.n; i++) {
		struct line *l = &p->lines.v[i];
		size_t right = text_columns(l->right), room = t->width;
		char *fitting;

		room -= MIN(room, INDENT + right + (right ? 2 : 0));
		fitting = text_shorten(l->left, MAX(room, (size_t)MIN_NAME));
		free(l->left);
		l->left = fitting;
	}
}

/* Where the right parts begin: two columns after the longest name that leaves
 * them in a sensible place. */
static size_t right_column(struct text *t, const struct paragraph *p)
{
	size_t column = COLUMN, widest = 0;

	for (size_t i = 0; i < p->lines.n; i++) {
		size_t end = INDENT + text_columns(p->lines.v[i].left) + 2;

		if (!p->lines.v[i].right[0])
			continue;
		widest = MAX(widest, text_columns(p->lines.v[i].right));
		if (end <= MAX_COLUMN)
			column = MAX(column, end);
	}
	if (t->width && column + widest > t->width)
		column = COLUMN;
	return column;
}

static void print_line(struct text *t, const struct line *l, size_t column)
{
	size_t end = INDENT + text_columns(l->left);

	text_pad(t->out, 0, INDENT);
	style_on(t, l->left_style);
	strbuf_adds(t->out, l->left);
	if (l->left_style != l->right_style)
		style_off(t, l->left_style);
	if (l->right[0]) {
		text_pad(t->out, end, MAX(end + 2, column));
		if (l->left_style != l->right_style)
			style_on(t, l->right_style);
		strbuf_adds(t->out, l->right);
		style_off(t, l->right_style);
	} else if (l->left_style == l->right_style) {
		style_off(t, l->left_style);
	}
	strbuf_addc(t->out, '\n');
}

void paragraph_print(struct text *t, struct paragraph *p)
{
	size_t column;

	text_section(t);
	fit_names(t, p);
	column = right_column(t, p);
	print_heading(t, p);
	for (size_t i = 0; i < p->lines.n; i++)
		print_line(t, &p->lines.v[i], column);
}

/* -- content --------------------------------------------------------------- */

void paragraph_line(struct paragraph *p, char *left, char *right, enum style left_style,
		    enum style right_style)
{
	vec_push(&p->lines, (struct line){ left, right, left_style, right_style });
}

static void add_range(struct strbuf *sb, uint64_t min, uint64_t max)
{
	strbuf_addf(sb, "%llu", (unsigned long long)min);
	if (min != max)
		strbuf_addf(sb, "…%llu", (unsigned long long)max);
}

/* Both factors as they were passed. */
static void add_product(struct strbuf *sb, const struct heap_product *p, bool size_first)
{
	if (size_first) {
		add_range(sb, p->min_each, p->max_each);
		strbuf_adds(sb, ", ");
	}
	add_range(sb, p->min_count, p->max_count);
	if (!size_first) {
		strbuf_adds(sb, ", ");
		add_range(sb, p->min_each, p->max_each);
	}
}

void paragraph_operation(struct paragraph *p, const struct view_stack *s, uint64_t min,
			 uint64_t max, const struct heap_product *product, char *right)
{
	struct strbuf sb = STRBUF_INIT;

	view_op_name(&sb, s->probe);
	if (min <= max) {
		strbuf_addc(&sb, '(');
		if (product && product->any)
			add_product(&sb, product, s->probe && s->probe->size_first);
		else
			add_range(&sb, min, max);
		strbuf_addc(&sb, ')');
	}
	paragraph_line(p, strbuf_detach(&sb), right, PLAIN, DIM);
}

char *paragraph_fate(const struct view_stack *s)
{
	struct strbuf sb = STRBUF_INIT;

	/* Of a lone block that is there the heading says all. */
	if (s->total_blocks < 2 && (s->open_blocks || !s->total_blocks))
		return xstrdup("");
	strbuf_add_grouped(&sb, s->total_blocks);
	strbuf_adds(&sb, s->mapping ? " mapped, " : s->older ? " found, " : " allocated, ");
	if (s->released)
		strbuf_add_grouped(&sb, s->released);
	else
		strbuf_adds(&sb, "none");
	strbuf_adds(&sb, s->mapping ? " unmapped" : " freed");
	return strbuf_detach(&sb);
}

static void remember_nameless(struct text *t, const struct frame *f)
{
	if (f->function || !f->module || !f->module->path[0])
		return;
	for (size_t i = 0; i < t->nameless.n; i++)
		if (!strcmp(t->nameless.v[i], f->module->path))
			return;
	vec_push(&t->nameless, f->module->path);
}

/* file:line, or the module when there is none; with -L everything. */
static char *where(struct text *t, const struct frame *f)
{
	struct strbuf sb = STRBUF_INIT;

	if (f->file) {
		strbuf_adds(&sb, t->opts->long_form ? f->file : last_part(f->file));
		if (f->line)
			strbuf_addf(&sb, ":%u", f->line);
	} else if (f->function && f->module && !t->opts->long_form) {
		strbuf_adds(&sb, last_part(f->module->path));
	}
	if (t->opts->long_form) {
		strbuf_adds(&sb, sb.n ? "  [" : "[");
		if (f->module)
			strbuf_addf(&sb, "%s+0x%llx", f->module->path,
				    (unsigned long long)(f->pc - f->module->bias));
		else
			strbuf_addf(&sb, "0x%llx", (unsigned long long)f->pc);
		strbuf_adds(&sb, f->inlined ? ", inlined]" : "]");
	}
	return strbuf_detach(&sb);
}

static void add_frame(struct text *t, struct paragraph *p, const struct frame *f, bool *marked)
{
	enum style style = frame_is_libc(f) ? DIM : PLAIN, right = style;
	struct strbuf sb = STRBUF_INIT;

	if (f->function)
		strbuf_adds(&sb, f->function);
	else
		frame_place(&sb, f);
	if (!*marked && f->file && !frame_is_library(f)) {
		right = BOLD; /* the line to open */
		*marked = true;
	}
	remember_nameless(t, f);
	paragraph_line(p, strbuf_detach(&sb), where(t, f), style, right);
}

void paragraph_frames(struct text *t, struct paragraph *p, const struct view_stack *s)
{
	struct frames frames;
	bool marked = false;

	if (!s->stack) {
		paragraph_line(p, xstrdup("?"), xstrdup("no backtrace was taken"), DIM, DIM);
		return;
	}
	frames_of(&frames, t->sym, t->heap, s->stack, t->opts->long_form);
	for (size_t i = 0; i < frames.v.n; i++)
		add_frame(t, p, &frames.v.v[i], &marked);
	if (!frames.below_main && s->stack->end == STACK_CUT)
		paragraph_line(p, xstrdup("…"), xstrdup(""), DIM, DIM);
	else if (!frames.below_main && s->stack->end == STACK_BROKEN)
		paragraph_line(p, xstrdup("?"), xstrdup("the stack could not be followed from here"),
			 DIM, DIM);
	vec_release(&frames.v);
}

char *paragraph_share(uint64_t bytes, uint64_t use)
{
	struct strbuf sb = STRBUF_INIT;

	if (!use || !bytes || bytes < use / HINT_PERCENT)
		return NULL;
	text_percent(&sb, bytes, use);
	strbuf_adds(&sb, " of use");
	return strbuf_detach(&sb);
}

void text_caller(struct text *t, struct strbuf *sb, const struct heap_stack *s)
{
	const struct frame *inner = NULL, *f = NULL;
	struct frames frames;

	frames_of(&frames, t->sym, t->heap, s, false);
	for (size_t i = 0; i < frames.v.n && !f; i++) {
		if (!frame_is_library(&frames.v.v[i]))
			f = &frames.v.v[i];
		else if (!inner)
			inner = &frames.v.v[i];
	}
	if (inner && inner->function)
		strbuf_addf(sb, "%s%s", inner->function, f ? ", " : "");
	else if (!f)
		f = inner;
	if (f && f->function)
		strbuf_adds(sb, f->function);
	else if (f)
		frame_place(sb, f);
	if (f && f->file)
		strbuf_addf(sb, " %s:%u", last_part(f->file), f->line);
	vec_release(&frames.v);
}

void paragraph_older(struct text *t, struct paragraph *p, const struct view_stack *s)
{
	const char *to = symbolize_pointer(t->sym, s->stack->word, s->stack->word_module);
	struct strbuf sb = STRBUF_INIT;

	strbuf_add_grouped(&sb, s->min_size);
	if (s->min_size != s->max_size) {
		strbuf_adds(&sb, "…");
		strbuf_add_grouped(&sb, s->max_size);
	}
	strbuf_adds(&sb, s->max_size == 1 ? " byte" : " bytes");
	paragraph_line(p, strbuf_detach(&sb), paragraph_fate(s), PLAIN, DIM);
	if (!to)
		return;
	strbuf_addf(&sb, "begins with a pointer to %s", to);
	paragraph_line(p, strbuf_detach(&sb), xstrdup(""), PLAIN, PLAIN);
}

void text_backtrace(struct text *t, const struct heap_stack *stack, char *operation, char *hint)
{
	const struct view_stack s = { .stack = stack };
	struct paragraph p = { 0 };
	size_t column;

	paragraph_line(&p, operation, hint, PLAIN, DIM);
	paragraph_frames(t, &p, &s);
	fit_names(t, &p);
	column = right_column(t, &p);
	for (size_t i = 0; i < p.lines.n; i++)
		print_line(t, &p.lines.v[i], column);
	paragraph_release(&p);
}

static void print_released(struct text *t, const struct view_stack *s)
{
	struct paragraph p = { .label = "released" };
	struct strbuf sb = STRBUF_INIT;

	text_amount(&sb, s->total_bytes, s->total_blocks, "block");
	p.amount = strbuf_detach(&sb);
	view_op_name(&sb, s->probe);
	paragraph_line(&p, strbuf_detach(&sb), xstrdup(""), PLAIN, DIM);
	paragraph_frames(t, &p, s);
	paragraph_print(t, &p);
	paragraph_release(&p);
}

static void print_open(struct text *t, const struct view *v, const struct view_stack *s,
		       size_t number)
{
	uint64_t use = s->mapping ? v->proc->maps.open_bytes : v->own_bytes;
	struct paragraph p = { .label = s->mapping ? "mapped" : s->older ? "before attach" : "in use",
			       .number = number };
	struct strbuf sb = STRBUF_INIT;

	text_amount(&sb, s->open_bytes, s->open_blocks, s->mapping ? "region" : "block");
	p.amount = strbuf_detach(&sb);
	if (!s->mapping)
		p.hint = paragraph_share(s->open_bytes, use);
	if (s->older) {
		paragraph_older(t, &p, s);
	} else {
		paragraph_operation(&p, s, s->min_size, s->max_size, &s->product,
				    paragraph_fate(s));
		paragraph_frames(t, &p, s);
	}
	paragraph_print(t, &p);
	paragraph_release(&p);
}

static void print_failed(struct text *t, const struct view_stack *s)
{
	struct paragraph p = { .label = "failed" };
	struct strbuf sb = STRBUF_INIT;

	text_count(&sb, s->failed, "request");
	strbuf_adds(&sb, " of ");
	strbuf_add_grouped(&sb, s->failed_min);
	if (s->failed_min != s->failed_max) {
		strbuf_adds(&sb, " to ");
		strbuf_add_grouped(&sb, s->failed_max);
	}
	strbuf_adds(&sb, s->failed_max == 1 ? " byte" : " bytes");
	p.amount = strbuf_detach(&sb);
	paragraph_operation(&p, s, s->failed_min, s->failed_max, &s->failed_product, xstrdup(""));
	paragraph_frames(t, &p, s);
	paragraph_print(t, &p);
	paragraph_release(&p);
}

/* -- lists ----------------------------------------------------------------- */

size_t paragraph_limit(const struct text *t)
{
	if (t->opts->max_stacks == 0)
		return SIZE_MAX;
	if (t->opts->max_stacks > 0)
		return (size_t)t->opts->max_stacks;
	return t->to_file ? SIZE_MAX : REPORT_DEFAULT_STACKS;
}

void paragraph_rest(struct text *t, size_t n, const char *verb, uint64_t bytes, uint64_t use)
{
	text_section(t);
	style_on(t, DIM);
	strbuf_adds(t->out, "… ");
	strbuf_add_grouped(t->out, n);
	strbuf_addf(t->out, " more stack%s %s ", n == 1 ? "" : "s", verb);
	text_count(t->out, bytes, "byte");
	if (use) {
		strbuf_adds(t->out, " (");
		text_percent(t->out, bytes, use);
		strbuf_addc(t->out, ')');
	}
	strbuf_addf(t->out, ": %s", t->opts->more ? t->opts->more : "-m 0");
	style_off(t, DIM);
	strbuf_addc(t->out, '\n');
}

static void print_rest(struct text *t, const struct view_stack **list, size_t n, uint64_t use)
{
	uint64_t bytes = 0;

	for (size_t i = 0; i < n; i++)
		bytes += list[i]->open_bytes;
	paragraph_rest(t, n, n == 1 ? "holds" : "hold", bytes, use);
}

static void print_list(struct text *t, const struct view *v, enum view_kind kind)
{
	uint64_t use = kind == VIEW_MAPPED ? v->proc->maps.open_bytes : v->own_bytes;
	const struct view_stack **list;
	size_t n = view_select(v, kind, t->opts->sort, &list), shown = MIN(n, paragraph_limit(t));

	if (shown < n && !t->to_file)
		print_rest(t, list + shown, n - shown, use);
	for (size_t k = 0; k < shown; k++) {
		size_t i = t->to_file ? k : shown - 1 - k;

		print_open(t, v, list[i], kind == VIEW_HEAP ? i + 1 : 0);
	}
	if (shown < n && t->to_file)
		print_rest(t, list + shown, n - shown, use);
	free(list);
}

void text_failed(struct text *t, const struct view *v)
{
	const struct view_stack **list;
	size_t n = view_select(v, VIEW_FAILED, NULL, &list), shown = MIN(n, paragraph_limit(t));

	for (size_t k = 0; k < shown; k++)
		print_failed(t, list[t->to_file ? k : shown - 1 - k]);
	if (shown < n)
		strbuf_addf(t->out, "\n… requests from %zu more stacks failed: -m 0\n", n - shown);
	free(list);
}

/* -S */
static void print_releasers(struct text *t, const struct view *v)
{
	const struct view_stack **list;
	size_t n = t->opts->sanity ? view_select(v, VIEW_RELEASED, NULL, &list) : 0;
	size_t shown = MIN(n, paragraph_limit(t));

	for (size_t k = 0; k < shown; k++)
		print_released(t, list[t->to_file ? k : shown - 1 - k]);
	if (shown < n)
		strbuf_addf(t->out, "\n… %zu more stacks released blocks: -m 0\n", n - shown);
	if (t->opts->sanity)
		free(list);
}

void text_in_use(struct text *t, const struct view *v)
{
	print_list(t, v, VIEW_HEAP);
}

void text_row(struct text *t, const struct view *v, const struct view_stack *s)
{
	print_open(t, v, s, 0);
	if (s->failed)
		print_failed(t, s);
}

static void print_in_use(struct text *t, const struct view *v)
{
	if (t->to_file) {
		print_list(t, v, VIEW_HEAP);
		print_list(t, v, VIEW_MAPPED);
	} else {
		print_list(t, v, VIEW_MAPPED);
		print_list(t, v, VIEW_HEAP);
	}
}

void text_stacks(struct text *t, const struct view *v, const struct diff *d)
{
	if (t->to_file && !v->diff)
		text_grown(t, v);
	else if (!t->to_file)
		print_releasers(t, v);
	if (v->diff)
		text_diff(t, d, v->diff);
	else if (t->opts->list_leaks && v->proc->scan.done)
		text_leaks(t, v);
	else
		print_in_use(t, v);
	if (t->to_file)
		print_releasers(t, v);
	else if (!v->diff)
		text_grown(t, v);
	text_failed(t, v);
}

/* -- what the user does not want to see ------------------------------------ */

static bool matches(const regex_t *re, size_t n, const struct frame *f)
{
	for (size_t i = 0; i < n; i++)
		if ((f->function && !regexec(&re[i], f->function, 0, NULL, 0)) ||
		    (f->file && !regexec(&re[i], f->file, 0, NULL, 0)) ||
		    (f->module && !regexec(&re[i], f->module->path, 0, NULL, 0)))
			return true;
	return false;
}

static bool any_matches(struct symbolizer *sym, const struct heap *heap, const struct view_stack *s,
			const regex_t *re, size_t n)
{
	struct frames frames;
	bool found = false;

	frames_of(&frames, sym, heap, s->stack, true);
	for (size_t i = 0; i < frames.v.n && !found; i++)
		found = matches(re, n, &frames.v.v[i]);
	vec_release(&frames.v);
	return found;
}

void view_ignore(struct view *v, struct symbolizer *sym, const struct report_opts *opts)
{
	const char *const *ignore = opts->ignore;
	size_t n = 0, all = 0;
	regex_t *re;

	while (ignore && ignore[all])
		all++;
	if (!all)
		return;
	re = xcalloc(all, sizeof *re);
	for (size_t i = 0; i < all; i++) /* options.c has complained of bad ones */
		n += !regcomp(&re[n], ignore[i], REG_EXTENDED | REG_NOSUB);
	for (size_t i = 0; i < v->stacks.n; i++)
		v->stacks.v[i].ignored = any_matches(sym, v->heap, &v->stacks.v[i], re, n);
	while (n)
		regfree(&re[--n]);
	free(re);
}
