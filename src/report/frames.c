/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdio.h>
#include <string.h>

#include "base/strbuf.h"
#include "frames.h"
#include "view.h"

static bool begins(const char *s, const char *prefix)
{
	return !strncmp(s, prefix, strlen(prefix));
}

static bool begins_with_any(const char *s, const char *const *prefix, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (begins(s, prefix[i]))
			return true;
	return false;
}

bool frame_is_libc(const struct frame *f)
{
	static const char *const names[] = { "libc.so", "libc-", "ld-linux", "ld-musl", "ld-2.",
					     "ld.so", "ld64.so", "libpthread", "[vdso]" };

	return f->module &&
	       begins_with_any(last_part(f->module->path), names, ARRAY_SIZE(names));
}

bool frame_is_library(const struct frame *f)
{
	static const char *const modules[] = { "libstdc++", "libc++", "libgcc_s", "libm.so" };
	static const char *const functions[] = { "std::", "__gnu_cxx::", "operator new",
						 "void std::", "core::", "alloc::" };

	if (frame_is_libc(f))
		return true;
	if (f->module &&
	    begins_with_any(last_part(f->module->path), modules, ARRAY_SIZE(modules)))
		return true;
	if (f->file && begins(f->file, "/usr/include/"))
		return true;
	return f->function && begins_with_any(f->function, functions, ARRAY_SIZE(functions));
}

size_t frames_site(const struct frames *f)
{
	for (size_t i = 0; i < f->v.n; i++)
		if (!frame_is_library(&f->v.v[i]))
			return i;
	return 0;
}

void frame_place(struct strbuf *sb, const struct frame *f)
{
	if (f->module)
		strbuf_addf(sb, "%s+0x%llx", last_part(f->module->path),
			    (unsigned long long)(f->pc - f->module->bias));
	else
		strbuf_addf(sb, "0x%llx", (unsigned long long)f->pc);
}

/* What starts main or a thread: it and everything outside it are of no
 * interest. */
static bool is_start(const char *function)
{
	static const char *const names[] = { "_start", "__libc_start_call_main", "start_thread",
					     "clone", "__clone", "clone3", "__clone3",
					     "thread_start", "_dl_start_user" };

	if (begins(function, "__libc_start_main"))
		return true;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (!strcmp(function, names[i]))
			return true;
	return false;
}

/* How many frames to show, main being the last of them. */
static size_t down_to_main(const struct frames *f)
{
	size_t i;

	for (i = 0; i < f->v.n; i++) {
		const char *function = f->v.v[i].function;

		if (!function)
			continue;
		if (!strcmp(function, "main"))
			return i + 1;
		if (is_start(function))
			break;
	}
	/* A stripped C library has a nameless frame between __libc_start_main
	 * and the program's main. */
	if (i && i < f->v.n && !f->v.v[i - 1].function && f->v.v[i - 1].module == f->v.v[i].module)
		i--;
	return i ? i : f->v.n;
}

static void add_place(struct frames *f, const struct symbol_place *place, const struct frame *base)
{
	struct frame frame = *base;

	if (!place->n)
		vec_push(&f->v, frame);
	for (size_t i = 0; i < place->n; i++) {
		frame.function = place->frame[i].function;
		frame.symbol = place->frame[i].symbol;
		frame.alias = place->frame[i].alias;
		frame.file = place->frame[i].file;
		frame.dir = place->frame[i].dir;
		frame.line = place->frame[i].line;
		frame.inlined = place->frame[i].inlined;
		vec_push(&f->v, frame);
	}
}

void frames_of(struct frames *f, struct symbolizer *sym, const struct heap *heap,
	       const struct heap_stack *s, bool below_main)
{
	size_t n;

	*f = (struct frames){ 0 };
	for (uint32_t i = 0; s && i < s->n; i++) {
		struct frame base = { .pc = s->pc[i], .module = heap_module(heap, s->module[i]) };

		add_place(f, symbolize(sym, s, i), &base);
	}
	n = below_main ? f->v.n : down_to_main(f);
	f->below_main = n < f->v.n;
	f->v.n = n;
}
