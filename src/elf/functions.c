/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Functions and variables by address: for each an index of its symbols, sorted
 * by address, made when the first is asked for. */
#include "file.h"

/* How far back from the nearest symbol one that covers the address is looked
 * for: labels inside hand-written functions come in dozens. */
#define MAX_LABELS 256

static uint64_t thumbless(const struct elf_file *f, const struct sym *s)
{
	return f->ident.machine == EM_ARM && s->type == STT_FUNC ? s->value & ~(taddr_t)1
								 : s->value;
}

typedef bool wanted_fn(const struct elf_file *f, const struct symtab *t, const struct sym *s);

static void add_table(struct elf_file *f, struct symbol_index *x, unsigned table,
		      wanted_fn *wanted)
{
	struct symtab t;
	struct sym s;

	if (!file_table(f, table, &t))
		return;
	for (uint64_t i = 1; i < t.n && i < 1u << REF_BITS; i++)
		if (symtab_get(&t, i, &s) && wanted(f, &t, &s))
			vec_push(&x->v, (struct indexed){
				.value = thumbless(f, &s),
				.size = (uint32_t)MIN(s.size, UINT32_MAX),
				.ref = table << REF_BITS | (uint32_t)i });
}

static int compare_indexed(const void *a, const void *b)
{
	const struct indexed *x = a, *y = b;

	if (x->value != y->value)
		return x->value < y->value ? -1 : 1;
	return x->ref < y->ref ? -1 : x->ref > y->ref;
}

static bool symbol_of(struct elf_file *f, const struct indexed *fn, struct elf_symbol *out)
{
	return file_symbol(f, fn->ref >> REF_BITS, fn->ref & ((1u << REF_BITS) - 1), out);
}

static size_t underscores(const char *s)
{
	return strspn(s, "_");
}

/* Which of two names for one address is shown: one with a size, a global one,
 * the plainer one (malloc, not __libc_malloc). */
static bool better(struct elf_file *f, const struct indexed *a, const struct indexed *b)
{
	struct elf_symbol x, y;

	if (!a->size != !b->size)
		return a->size != 0;
	if (!symbol_of(f, a, &x))
		return false;
	if (!symbol_of(f, b, &y))
		return true;
	if (x.global != y.global)
		return x.global;
	if (underscores(x.name) != underscores(y.name))
		return underscores(x.name) < underscores(y.name);
	return strcmp(x.name, y.name) < 0;
}

static void merge_aliases(struct elf_file *f, struct symbol_index *x)
{
	struct indexed *v = x->v.v;
	size_t n = 0;

	for (size_t i = 0; i < x->v.n; i++) {
		if (n && v[n - 1].value == v[i].value) {
			uint32_t size = MAX(v[n - 1].size, v[i].size);

			if (better(f, &v[i], &v[n - 1]))
				v[n - 1] = v[i];
			v[n - 1].size = size;
		} else {
			v[n++] = v[i];
		}
	}
	x->v.n = n;
}

static void build(struct elf_file *f, struct symbol_index *x, wanted_fn *wanted)
{
	bool with_debug = file_debug(f, false) != NULL;

	if (x->built && x->with_debug == with_debug)
		return;
	x->built = true;
	x->with_debug = with_debug;
	x->v.n = 0;
	file_mini(f);
	for (unsigned t = 0; t < N_TABLES; t++)
		add_table(f, x, t, wanted);
	if (x->v.n)
		qsort(x->v.v, x->v.n, sizeof *x->v.v, compare_indexed);
	merge_aliases(f, x);
}

/* Index of the last symbol that starts at or before vaddr; −1: none. */
static ssize_t nearest(const struct symbol_index *x, taddr_t vaddr)
{
	size_t lo = 0, hi = x->v.n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (x->v.v[mid].value <= vaddr)
			lo = mid + 1;
		else
			hi = mid;
	}
	return (ssize_t)lo - 1;
}

/* The symbol at or before place `at` that covers vaddr. */
static bool covering(struct elf_file *f, const struct symbol_index *x, ssize_t at, taddr_t vaddr,
		     struct elf_symbol *out)
{
	for (ssize_t i = at; i >= 0 && at - i < MAX_LABELS; i--)
		if (vaddr - x->v.v[i].value < x->v.v[i].size && symbol_of(f, &x->v.v[i], out))
			return true;
	return false;
}

/* The section that holds a at run time; a template of thread-local storage
 * holds nothing. */
static bool section_at(const struct elf_file *f, taddr_t a, struct section *out)
{
	for (uint32_t i = 1; i < f->im.shnum; i++)
		if (image_section(&f->im, i, out) && out->flags & SHF_ALLOC &&
		    !(out->flags & SHF_TLS) && a >= out->addr && a - out->addr < out->size)
			return true;
	return false;
}

/* Are both in one section?  True when the sections do not say. */
static bool same_section(const struct elf_file *f, taddr_t a, taddr_t b)
{
	struct section s;

	return !section_at(f, a, &s) || (b >= s.addr && b - s.addr < s.size);
}

const char *elf_file_section_at(const struct elf_file *f, taddr_t vaddr)
{
	struct section s;

	return section_at(f, vaddr, &s) && s.name[0] ? s.name : NULL;
}

bool elf_file_function_at(struct elf_file *f, taddr_t vaddr, struct elf_symbol *out)
{
	const struct symbol_index *x = &f->funcs;
	ssize_t at;

	build(f, &f->funcs, file_is_function);
	at = nearest(x, vaddr);
	if (covering(f, x, at, vaddr, out) || file_plt_symbol(f, vaddr, out))
		return true;
	return at >= 0 && x->v.v[at].size == 0 && file_in_segment(f, vaddr, PF_X) &&
	       same_section(f, vaddr, x->v.v[at].value) && symbol_of(f, &x->v.v[at], out);
}

bool elf_file_function_before(struct elf_file *f, taddr_t vaddr, struct elf_symbol *out)
{
	ssize_t at;

	build(f, &f->funcs, file_is_function);
	at = nearest(&f->funcs, vaddr);
	return at >= 0 && symbol_of(f, &f->funcs.v.v[at], out);
}

bool elf_file_object_at(struct elf_file *f, taddr_t vaddr, struct elf_symbol *out)
{
	build(f, &f->objects, file_is_object);
	return covering(f, &f->objects, nearest(&f->objects, vaddr), vaddr, out);
}
