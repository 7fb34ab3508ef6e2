/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Every place is looked up once.  Modules of several processes that are one
 * file share what was found. */
#include <errno.h>

#include "base/hash.h"
#include "base/msg.h"
#include "base/strbuf.h"
#include "base/xalloc.h"
#include "symbolize.h"

struct file {
	const struct heap_module *module;
	struct elf_file *elf; /* NULL: cannot be opened */
	struct u64map places; /* address in the file → struct symbol_place * */
};

struct symbolizer {
	const struct heap *heap;
	const struct report_opts *opts;
	struct u64map by_module; /* module id → index into files */
	VEC(struct file) files;
	struct u64map strings;   /* hash → char *, shared by frames */
};

static const struct symbol_place nothing;

struct symbolizer *symbolizer_new(const struct heap *heap, const struct report_opts *opts)
{
	struct symbolizer *s = xcalloc(1, sizeof *s);

	s->heap = heap;
	s->opts = opts;
	return s;
}

void symbolizer_free(struct symbolizer *s)
{
	for (size_t i = 0; i < s->files.n; i++) {
		u64map_for_each(&s->files.v[i].places, p)
			free((void *)(uintptr_t)p->value);
		u64map_release(&s->files.v[i].places);
		if (s->files.v[i].elf)
			elf_file_unref(s->files.v[i].elf);
	}
	vec_release(&s->files);
	u64map_for_each(&s->strings, p)
		free((void *)(uintptr_t)p->value);
	u64map_release(&s->strings);
	u64map_release(&s->by_module);
	free(s);
}

/* -- files ----------------------------------------------------------------- */

static bool same_file(const struct heap_module *a, const struct heap_module *b)
{
	if (strcmp(a->path, b->path) || a->build_id_len != b->build_id_len)
		return false;
	if (a->build_id_len)
		return !memcmp(a->build_id, b->build_id, a->build_id_len);
	return a->dev == b->dev && a->ino == b->ino;
}

/* Names from another build would be wrong; said once, however many reports look. */
static void tell_other_build(const struct heap_module *m, const char *path)
{
	static struct u64map told;
	uint64_t key = hash_bytes(path, strlen(path), 0);

	if (u64map_get(&told, key))
		return;
	u64map_set(&told, key, 1);
	msg_info("%s is another build of %s than the traced one (their build ids differ): it is not used",
		 path, last_part(m->path));
}

/* Takes what is at a path when it is the module's file: the build ids agree,
 * or there are none. */
static struct elf_file *open_same(const struct heap_module *m, const char *path)
{
	struct elf_file *elf = elf_file_open(path, m->path);
	const uint8_t *id;
	size_t len;

	if (!elf)
		return NULL;
	id = elf_file_build_id(elf, &len);
	if (len == m->build_id_len && (!len || !memcmp(id, m->build_id, len)))
		return elf;
	if (len && m->build_id_len)
		tell_other_build(m, path);
	elf_file_unref(elf);
	return NULL;
}

/* -b: below a folder, under the whole name, then under what is left of it
 * without the first folder, the second, … */
static struct elf_file *open_below(const struct heap_module *m, const char *folder)
{
	struct elf_file *elf = NULL;

	for (const char *rest = m->path; rest && !elf; rest = strchr(rest, '/')) {
		char *path;

		rest += strspn(rest, "/");
		path = xasprintf("%s/%s", folder, rest);
		elf = open_same(m, path);
		free(path);
	}
	return elf;
}

/* The file the tracer has open is the right one even when the path leads to
 * another by now, or in another mount namespace.  What is opened by path must
 * be the same file. */
struct elf_file *report_open_module(const struct report_opts *opts, const struct heap_module *m)
{
	const char *const *folder = opts->binpath;
	struct elf_file *elf = NULL;

	if (m->path[0] == '[' || !m->path[0])
		return elf_file_find(m->build_id, m->build_id_len, m->dev, m->ino);
	for (; folder && *folder && !elf; folder++)
		elf = open_below(m, *folder);
	if (!elf)
		elf = elf_file_find(m->build_id, m->build_id_len, m->dev, m->ino);
	if (!elf && m->path[0] == '/')
		elf = open_same(m, m->path);
	else if (!elf && opts->cwd)
		elf = open_below(m, opts->cwd);
	return elf;
}

static struct file *file_of(struct symbolizer *s, const struct heap_module *m)
{
	uint64_t *at = u64map_get(&s->by_module, m->id);
	size_t i;

	if (at)
		return &s->files.v[*at];
	for (i = 0; i < s->files.n; i++)
		if (same_file(s->files.v[i].module, m))
			break;
	u64map_set(&s->by_module, m->id, i);
	if (i == s->files.n)
		vec_push(&s->files,
			 (struct file){ m, s->opts->symbols ? NULL : report_open_module(s->opts, m), U64MAP_INIT });
	return &s->files.v[i];
}

/* -- places ---------------------------------------------------------------- */

/* Function and file names repeat often. */
static const char *keep(struct symbolizer *s, const char *text)
{
	uint64_t hash = hash_bytes(text, strlen(text), 0);
	char *there;

	while ((there = u64map_getp(&s->strings, hash))) {
		if (!strcmp(there, text))
			return there;
		hash = hash_u64(hash + 1);
	}
	there = xstrdup(text);
	u64map_set(&s->strings, hash, (uintptr_t)there);
	return there;
}

static const char *readable(struct symbolizer *s, const char *name)
{
	char *demangled = s->opts->no_demangle ? NULL : elf_demangle(name);
	const char *kept = keep(s, demangled ? demangled : name);

	free(demangled);
	return kept;
}

struct gather {
	struct symbolizer *s;
	VEC(struct symbol_frame) v;
};

static void gather(void *arg, const struct source_frame *f)
{
	struct gather *g = arg;
	struct symbol_frame frame = { .line = f->line, .inlined = f->inlined };

	if (f->function && f->function[0]) {
		frame.function = readable(g->s, f->function);
		frame.symbol = keep(g->s, f->function);
	}
	if (f->file && f->file[0])
		frame.file = keep(g->s, f->file);
	if (f->dir && f->dir[0])
		frame.dir = keep(g->s, f->dir);
	vec_push(&g->v, frame);
}

/* Of a function that is local to its file, debug information has the plain
 * name only; Valgrind takes that of the symbol table. */
static void add_symbol(struct symbolizer *s, struct file *file, taddr_t vaddr,
		       struct symbol_frame *f)
{
	struct elf_symbol sym;

	if (f->inlined || !elf_file_function_at(file->elf, vaddr, &sym) ||
	    (f->symbol && !strcmp(f->symbol, sym.name)))
		return;
	f->alias = f->symbol;
	f->symbol = keep(s, sym.name);
}

static struct symbol_place *look_up(struct symbolizer *s, struct file *file, taddr_t vaddr)
{
	const struct report_symbols *symbols = s->opts->symbols;
	struct gather g = { .s = s };
	const struct heap_place *told = heap_place(s->heap, file->module->id, vaddr);
	struct symbol_place *place;

	if (told)
		gather(&g, &(struct source_frame){ told->function, told->file, told->line, false, NULL });
	else if (symbols)
		symbols->lines(symbols->arg, file->module, vaddr, gather, &g);
	else if (file->elf)
		elf_file_lines(file->elf, vaddr, gather, &g);
	if (g.v.n && file->elf && (s->opts->suppressions || s->opts->gen_suppressions))
		add_symbol(s, file, vaddr, &g.v.v[g.v.n - 1]);
	place = xmalloc(sizeof *place + g.v.n * sizeof *g.v.v);
	place->n = g.v.n;
	if (g.v.n)
		memcpy(place->frame, g.v.v, g.v.n * sizeof *g.v.v);
	vec_release(&g.v);
	return place;
}

const struct symbol_place *symbolize_pc(struct symbolizer *s, taddr_t pc, uint32_t module,
					bool exact)
{
	const struct heap_module *m = heap_module(s->heap, module);
	struct symbol_place *place;
	struct file *file;
	taddr_t vaddr;

	if (!m || (s->opts->interrupted && *s->opts->interrupted))
		return &nothing;
	file = file_of(s, m);
	/* A return address may lie behind the call's line, and behind a
	 * noreturn call even behind the function. */
	vaddr = pc - m->bias - !exact;
	place = u64map_getp(&file->places, vaddr);
	if (!place) {
		place = look_up(s, file, vaddr);
		u64map_set(&file->places, vaddr, (uintptr_t)place);
	}
	return place;
}

const struct symbol_place *symbolize(struct symbolizer *s, const struct heap_stack *st, uint32_t i)
{
	return symbolize_pc(s, st->pc[i], st->module[i], st->exact && st->exact[i]);
}

struct symbol_data symbolize_data(struct symbolizer *s, taddr_t addr, uint32_t module)
{
	const struct heap_module *m = heap_module(s->heap, module);
	struct symbol_data d = { NULL, NULL, 0 };
	struct elf_symbol sym;
	struct file *file;

	if (!m || (s->opts->interrupted && *s->opts->interrupted))
		return d;
	file = file_of(s, m);
	if (!file->elf)
		return d;
	d.section = elf_file_section_at(file->elf, addr - m->bias);
	if (elf_file_object_at(file->elf, addr - m->bias, &sym)) {
		d.name = readable(s, sym.name);
		d.offset = addr - m->bias - sym.value;
	}
	return d;
}

/* A vtable's pointers lead behind its head, which is no news. */
static const char *with_offset(struct symbolizer *s, const struct elf_symbol *sym, taddr_t vaddr)
{
	const char *name = readable(s, sym->name), *kept;
	char *text;

	if (vaddr == sym->value || !strncmp(sym->name, "_ZTV", 4))
		return name;
	text = xasprintf("%s+0x%llx", name, (unsigned long long)(vaddr - sym->value));
	kept = keep(s, text);
	free(text);
	return kept;
}

const char *symbolize_pointer(struct symbolizer *s, taddr_t addr, uint32_t module)
{
	const struct heap_module *m = heap_module(s->heap, module);
	struct elf_symbol sym;
	const char *kept;
	struct file *file;
	char *text;

	if (!m)
		return NULL;
	file = s->opts->interrupted && *s->opts->interrupted ? NULL : file_of(s, m);
	if (file && file->elf && (elf_file_object_at(file->elf, addr - m->bias, &sym) ||
				  elf_file_function_at(file->elf, addr - m->bias, &sym)))
		return with_offset(s, &sym, addr - m->bias);
	text = xasprintf("%s+0x%llx", last_part(m->path), (unsigned long long)(addr - m->bias));
	kept = keep(s, text);
	free(text);
	return kept;
}

const char *symbolize_caller(struct symbolizer *s, taddr_t pc, uint32_t module)
{
	const struct heap_module *m = heap_module(s->heap, module);
	struct elf_symbol sym;
	const char *kept;
	struct file *file;
	char *text;

	if (!m || (s->opts->interrupted && *s->opts->interrupted))
		return NULL;
	file = file_of(s, m);
	if (!file->elf || !elf_file_function_at(file->elf, pc - m->bias - 1, &sym))
		return NULL;
	text = xasprintf("%s+0x%llx", sym.name, (unsigned long long)(pc - m->bias - sym.value));
	kept = keep(s, text);
	free(text);
	return kept;
}
