/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Valgrind's XML output, protocol 4, as memcheck writes it ("xml-output.txt" and
 * "xml-output-protocol4.txt" among Valgrind's documents): one document for each
 * process.  Heap errors come before the status FINISHED, leaks after it. */
#include <string.h>

#include "base/msg.h"
#include "base/strbuf.h"
#include "base/xalloc.h"
#include "frames.h"
#include "view.h"

struct xml {
	struct strbuf *out;
	const struct heap *heap;
	const struct report_opts *opts;
	struct symbolizer *sym;
	unsigned depth;
	uint64_t next_error, next_count;
};

/* -- elements ------------------------------------------------------------------- */

/* How many bytes of s are one character that XML allows; 0: it is none. */
static size_t character(const char *s)
{
	const unsigned char *u = (const unsigned char *)s;
	size_t n = *u < 0x80 ? 1 : *u >> 5 == 6 ? 2 : *u >> 4 == 14 ? 3 : *u >> 3 == 30 ? 4 : 0;
	uint32_t c = n == 1 ? *u : *u & (0x7fu >> n);

	if (n == 1)
		return c >= ' ' || c == '\t' || c == '\n';
	for (size_t i = 1; i < n; i++) {
		if (u[i] >> 6 != 2)
			return 0;
		c = c << 6 | (u[i] & 0x3f);
	}
	if (!n || c < (n == 2 ? 0x80u : n == 3 ? 0x800u : 0x10000u) || c > 0x10ffff)
		return 0;
	return (c >= 0xd800 && c < 0xe000) || c == 0xfffe || c == 0xffff ? 0 : n;
}

static void add_escaped(struct strbuf *sb, const char *s)
{
	while (*s) {
		size_t n = character(s);

		if (!n)
			strbuf_addc(sb, '?');
		else if (*s == '<' || *s == '>' || *s == '&')
			strbuf_adds(sb, *s == '<' ? "&lt;" : *s == '>' ? "&gt;" : "&amp;");
		else
			strbuf_add(sb, s, n);
		s += n ? n : 1;
	}
}

static void indent(struct xml *x)
{
	strbuf_addf(x->out, "%*s", (int)(2 * x->depth), "");
}

static void open_element(struct xml *x, const char *name)
{
	indent(x);
	strbuf_addf(x->out, "<%s>\n", name);
	x->depth++;
}

static void close_element(struct xml *x, const char *name)
{
	x->depth--;
	indent(x);
	strbuf_addf(x->out, "</%s>\n", name);
}

static void add_text(struct xml *x, const char *name, const char *text)
{
	indent(x);
	strbuf_addf(x->out, "<%s>", name);
	add_escaped(x->out, text);
	strbuf_addf(x->out, "</%s>\n", name);
}

static PRINTF_LIKE(3, 4) void add_value(struct xml *x, const char *name, const char *fmt, ...)
{
	struct strbuf sb = STRBUF_INIT;
	va_list ap;

	va_start(ap, fmt);
	strbuf_vaddf(&sb, fmt, ap);
	va_end(ap);
	add_text(x, name, sb.s);
	strbuf_release(&sb);
}

/* -- backtraces -------------------------------------------------------------------- */

static void add_source(struct xml *x, const struct frame *f)
{
	const char *base = last_part(f->file);
	size_t n = (size_t)(base - f->file);

	if (n) {
		char *dir = xstrndup(f->file, n > 1 ? n - 1 : 1);

		add_text(x, "dir", dir);
		free(dir);
	}
	add_text(x, "file", base);
	if (f->line)
		add_value(x, "line", "%u", f->line);
}

static void add_frame(struct xml *x, const struct frame *f, bool exact)
{
	open_element(x, "frame");
	add_value(x, "ip", "0x%llX", (unsigned long long)(f->pc - !exact));
	if (f->module && f->module->path[0])
		add_text(x, "obj", f->module->path);
	if (f->function)
		add_text(x, "fn", f->function);
	if (f->file)
		add_source(x, f);
	close_element(x, "frame");
}

/* The operation is the innermost frame, as with memcheck, where it is one of
 * memcheck's own; its address is not known. */
static void add_stack(struct xml *x, const struct heap_stack *s, const struct heap_probe *probe)
{
	struct frames frames;
	uint32_t i = 0;

	open_element(x, "stack");
	open_element(x, "frame");
	add_text(x, "ip", "0x0");
	if (probe)
		add_text(x, "fn", probe->name);
	close_element(x, "frame");
	frames_of(&frames, x->sym, x->heap, s, x->opts->long_form);
	for (size_t k = 0; k < frames.v.n; k++) {
		add_frame(x, &frames.v.v[k], s->exact && s->exact[i]);
		i += !frames.v.v[k].inlined;
	}
	vec_release(&frames.v);
	close_element(x, "stack");
}

/* -- errors ---------------------------------------------------------------------------- */

static void begin_error(struct xml *x, const char *kind)
{
	open_element(x, "error");
	add_value(x, "unique", "0x%llx", (unsigned long long)x->next_error++);
	add_text(x, "tid", "1");
	add_text(x, "kind", kind);
}

/* As memcheck has it, the bytes that hang on a lost block are in its own. */
static void add_leak(struct xml *x, const struct view_leak *l, size_t nth, size_t n)
{
	static const char *const kinds[] = {
		[LEAK_DEFINITE] = "Leak_DefinitelyLost", [LEAK_INDIRECT] = "Leak_IndirectlyLost",
		[LEAK_POSSIBLE] = "Leak_PossiblyLost", [LEAK_REACHABLE] = "Leak_StillReachable",
	};
	unsigned long long all = l->bytes + l->held_bytes, blocks = l->blocks;
	struct strbuf sb = STRBUF_INIT;

	begin_error(x, kinds[l->kind]);
	open_element(x, "xwhat");
	strbuf_addf(&sb, "%llu ", all);
	if (l->held_bytes)
		strbuf_addf(&sb, "(%llu direct, %llu indirect) ", (unsigned long long)l->bytes,
			    (unsigned long long)l->held_bytes);
	strbuf_addf(&sb, "bytes in %llu blocks are %s in loss record %zu of %zu", blocks,
		    view_leak_name(l->kind), nth, n);
	add_text(x, "text", sb.s);
	strbuf_release(&sb);
	add_value(x, "leakedbytes", "%llu", all);
	add_value(x, "leakedblocks", "%llu", blocks);
	close_element(x, "xwhat");
	add_stack(x, l->row->stack, l->row->probe);
	close_element(x, "error");
}

/* What memcheck calls these errors; NULL: it has no such kind. */
static const char *error_name(enum error_kind kind)
{
	switch (kind) {
	case ERROR_MISMATCHED_FREE:
	case ERROR_SIZE_MISMATCH:
		return "MismatchedFree";
	case ERROR_DOUBLE_FREE:
	case ERROR_INVALID_FREE:
		return "InvalidFree";
	case ERROR_OVERRUN:
		return "InvalidWrite";
	default:
		return NULL;
	}
}

static void add_error_stack(struct xml *x, uint32_t id)
{
	const struct heap_stack *s = heap_stack(x->heap, id);

	if (s)
		add_stack(x, s, heap_probe(x->heap, s->probe));
}

static void add_error(struct xml *x, const struct heap_error *e)
{
	struct strbuf sb = STRBUF_INIT;

	begin_error(x, error_name(e->kind));
	error_what(&sb, x->sym, x->heap, e);
	add_text(x, "what", sb.s ? sb.s : "");
	strbuf_reset(&sb);
	add_error_stack(x, e->at);
	error_place(&sb, x->sym, x->heap, e);
	if (e->freed) {
		add_value(x, "auxwhat", "Address 0x%llx was released before",
			  (unsigned long long)e->addr);
		add_error_stack(x, e->freed);
	}
	if (e->stack) {
		add_value(x, "auxwhat", "Address 0x%llx is %s%sa block of size %llu alloc'd",
			  (unsigned long long)e->addr, sb.n ? sb.s : "", sb.n ? "; it is of " : "",
			  (unsigned long long)e->size);
		add_error_stack(x, e->stack);
	} else if (sb.n) {
		add_value(x, "auxwhat", "Address 0x%llx is %s", (unsigned long long)e->addr, sb.s);
	}
	strbuf_release(&sb);
	close_element(x, "error");
}

/* Of all images, as in the other reports. */
static void each_error(struct xml *x, const struct view_proc *vp,
		       void (*fn)(struct xml *, const struct heap_error *))
{
	for (size_t i = 0; i < vp->errors.n; i++)
		if (error_name(vp->errors.v[i].e->kind))
			fn(x, vp->errors.v[i].e);
}

/* They come first, and so have the first numbers. */
static void add_count(struct xml *x, const struct heap_error *e)
{
	open_element(x, "pair");
	add_value(x, "count", "%llu", (unsigned long long)e->count);
	add_value(x, "unique", "0x%llx", (unsigned long long)x->next_count++);
	close_element(x, "pair");
}

static bool wanted(const struct xml *x, const struct view_leak *l)
{
	return view_lists_leak(x->opts, l);
}

static void add_leaks(struct xml *x, const struct view *v)
{
	size_t n = 0, nth = 0;

	for (size_t i = 0; i < v->leaks.n; i++)
		n += wanted(x, &v->leaks.v[i]);
	for (size_t i = 0; i < v->leaks.n; i++)
		if (wanted(x, &v->leaks.v[i]))
			add_leak(x, &v->leaks.v[i], ++nth, n);
}

static void add_suppressed(struct xml *x, const struct view *v)
{
	open_element(x, "suppcounts");
	for (size_t i = 0; i < v->suppressed.n; i++) {
		open_element(x, "pair");
		add_value(x, "count", "%llu", (unsigned long long)(v->suppressed.v[i].leaks +
								   v->suppressed.v[i].errors));
		add_text(x, "name", suppression_name(x->opts->suppressions, v->suppressed.v[i].rule));
		close_element(x, "pair");
	}
	close_element(x, "suppcounts");
}

/* -- the document ------------------------------------------------------------------------ */

/* Words of a command line up to `end` (NULL: all of them). */
static void add_words(struct xml *x, const char *name, char *const *words, char *const *end)
{
	open_element(x, name);
	add_text(x, "exe", *words++);
	while (*words && words != end)
		add_text(x, "arg", *words++);
	close_element(x, name);
}

static void add_arguments(struct xml *x, const struct heap_proc *p)
{
	char *const itself[] = { (char *)(uintptr_t)msg_program(), NULL };
	char *const exe[] = { p->exe, NULL };
	char *const *words = x->opts->words ? x->opts->words : itself;

	open_element(x, "args");
	add_words(x, "vargv", words, x->opts->command);
	add_words(x, "argv", p->how == PROC_LAUNCHED && x->opts->command ? x->opts->command : exe,
		  NULL);
	close_element(x, "args");
}

static void add_preamble(struct xml *x, const struct heap_proc *p)
{
	open_element(x, "preamble");
	add_value(x, "line", "%s %s, which reports as memcheck does", msg_program(), PACKAGE_VERSION);
	add_value(x, "line", "Command: %s", p->exe);
	close_element(x, "preamble");
}

/* days:hours:minutes:seconds.milliseconds */
static void add_status(struct xml *x, const char *state, uint64_t ns)
{
	unsigned long long ms = ns / 1000000, s = ms / 1000;

	open_element(x, "status");
	add_text(x, "state", state);
	add_value(x, "time", "%02llu:%02llu:%02llu:%02llu.%03llu", s / 86400, s / 3600 % 24,
		  s / 60 % 60, s % 60, ms % 1000);
	close_element(x, "status");
}

static void add_process(struct xml *x, const struct view_proc *vp)
{
	const struct heap_proc *p = vp->now.proc;

	strbuf_adds(x->out, "<?xml version=\"1.0\"?>\n");
	open_element(x, "valgrindoutput");
	add_text(x, "protocolversion", "4");
	add_text(x, "protocoltool", "memcheck");
	add_preamble(x, p);
	add_value(x, "pid", "%d", (int)p->pid);
	add_value(x, "ppid", "%d", (int)p->ppid);
	add_text(x, "tool", "memcheck");
	add_arguments(x, p);
	add_status(x, "RUNNING", 0);
	each_error(x, vp, add_error);
	if (p->end_how != END_RUNNING)
		add_status(x, "FINISHED", p->log == PROC_LOG ? 0 : p->end_ns - MIN(vp->images.v[0]->start_ns, p->end_ns));
	add_leaks(x, &vp->now);
	open_element(x, "errorcounts");
	each_error(x, vp, add_count);
	close_element(x, "errorcounts");
	add_suppressed(x, &vp->now);
	close_element(x, "valgrindoutput");
}

int report_xml(const struct heap *heap, const struct report_opts *opts,
	       int (*write)(void *arg, size_t nth, pid_t pid, const struct strbuf *sb), void *arg)
{
	struct symbolizer *sym = symbolizer_new(heap, opts);
	struct view_procs vp;
	int err = 0;

	view_procs_build(&vp, heap);
	view_suppress(&vp, opts, sym);
	for (size_t i = 0; i < vp.v.n && !err; i++) {
		struct strbuf sb = STRBUF_INIT;
		struct xml x = { .out = &sb, .heap = heap, .opts = opts, .sym = sym };

		view_ignore(&vp.v.v[i].now, sym, opts);
		add_process(&x, &vp.v.v[i]);
		err = write(arg, i, vp.v.v[i].now.proc->pid, &sb);
		strbuf_release(&sb);
	}
	view_procs_release(&vp);
	symbolizer_free(sym);
	return err;
}
