/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <ctype.h>
#include <string.h>

#include "base/strbuf.h"
#include "diff-key.h"
#include "frames.h"

/* The executable may have another name in another build, and a library another
 * version. */
static void add_module(struct strbuf *sb, const struct frame *f, const char *exe)
{
	const char *name = f->module ? last_part(f->module->path) : "?", *so;

	if (f->module && !strcmp(f->module->path, exe))
		return;
	so = strstr(name, ".so");
	strbuf_add(sb, name, so ? (size_t)(so - name) : strlen(name));
}

/* rustc ends names with a hash that another build has otherwise: "::h" and 16 hex
 * digits. */
static size_t without_hash(const char *name, size_t n)
{
	const size_t hash = strlen("::h") + 16;

	if (n <= hash || strncmp(name + n - hash, "::h", 3))
		return n;
	for (size_t i = n - 16; i < n; i++)
		if (!isxdigit((unsigned char)name[i]))
			return n;
	return n - hash;
}

/* Nor is it of interest which copies of a function the compiler has made. */
static size_t function_length(const char *name)
{
	static const char *const clones[] = { " [clone ", ".isra.", ".part.", ".constprop.",
					      ".cold", ".lto_priv." };
	size_t n = strlen(name);

	for (size_t i = 0; i < ARRAY_SIZE(clones); i++) {
		const char *at = strstr(name, clones[i]);

		if (at && at > name)
			n = MIN(n, (size_t)(at - name));
	}
	return without_hash(name, n);
}

static void add_frame(struct strbuf *sb, const struct frame *f, const char *exe)
{
	strbuf_reset(sb);
	add_module(sb, f, exe);
	strbuf_addc(sb, '!');
	if (f->function)
		strbuf_add(sb, f->function, function_length(f->function));
	else if (f->file) /* told in words, and no address */
		strbuf_addf(sb, "%s:%u", f->file, f->line);
	else
		strbuf_addf(sb, "+0x%llx",
			    (unsigned long long)(f->module ? f->pc - f->module->bias : f->pc));
}

/* How deep a function was in itself is no other caller. */
static uint64_t frames_key(const struct frames *frames, const char *exe, uint64_t key)
{
	struct strbuf sb = STRBUF_INIT, last = STRBUF_INIT;

	for (size_t i = 0; i < frames->v.n; i++) {
		add_frame(&sb, &frames->v.v[i], exe);
		if (last.n == sb.n && last.n && !memcmp(last.s, sb.s, sb.n))
			continue;
		key = hash_bytes(sb.s, sb.n, hash_u64(key));
		strbuf_reset(&last);
		strbuf_add(&last, sb.s, sb.n);
	}
	strbuf_release(&sb);
	strbuf_release(&last);
	return key;
}

static uint64_t key_of(const char *text, uint64_t seed)
{
	return hash_bytes(text, strlen(text), hash_u64(seed));
}

uint64_t diff_key(struct symbolizer *sym, const struct view *v, const struct view_stack *row,
		  const char **nameless)
{
	uint64_t key = key_of(row->probe ? row->probe->name : "?", 0);
	const char *exe = v->proc->exe, *to;
	struct frames frames;

	if (row->older) { /* no frames: told apart by what they are */
		to = symbolize_pointer(sym, row->stack->word, row->stack->word_module);
		return key_of(to ? to : "older", key);
	}
	frames_of(&frames, sym, v->heap, row->stack, false);
	for (size_t i = 0; nameless && i < frames.v.n; i++) {
		const struct frame *f = &frames.v.v[i];

		if (!f->function && f->module && !strcmp(f->module->path, exe))
			*nameless = f->module->path;
	}
	key = frames_key(&frames, exe, key);
	vec_release(&frames.v);
	return key;
}
