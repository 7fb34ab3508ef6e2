/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Functions by address: an index of all function symbols, sorted by address,
 * made when the first is asked for. */
#include "file.h"

/* How far back from the nearest symbol one that covers the address is looked
 * for: labels inside hand-written functions come in dozens. */
#define MAX_LABELS 256

static uint64_t thumbless(const struct elf_file *f, const struct sym *s)
{
	return f->ident.machine == EM_ARM && s->type == STT_FUNC ? s->value & ~(taddr_t)1
								 : s->value;
}

static void add_table(struct elf_file *f, unsigned table)
{
	struct symtab t;
	struct sym s;

	if (!file_table(f, table, &t))
		return;
	for (uint64_t i = 1; i < t.n && i < 1u << REF_BITS; i++)
		if (symtab_get(&t, i, &s) && file_is_function(f, &t, &s))
			vec_push(&f->funcs, (struct func){
				.value = thumbless(f, &s),
				.size = (uint32_t)MIN(s.size, UINT32_MAX),
				.ref = table << REF_BITS | (uint32_t)i });
}

static int compare_funcs(const void *a, const void *b)
{
	const struct func *x = a, *y = b;

	if (x->value != y->value)
		return x->value < y->value ? -1 : 1;
	return x->ref < y->ref ? -1 : x->ref > y->ref;
}

static bool symbol_of(struct elf_file *f, const struct func *fn, struct elf_symbol *out)
{
	return file_symbol(f, fn->ref >> REF_BITS, fn->ref & ((1u << REF_BITS) - 1), out);
}

static size_t underscores(const char *s)
{
	return strspn(s, "_");
}

/* Which of two names for one address is shown: one with a size, a global one,
 * the plainer one (malloc, not __libc_malloc). */
static bool better(struct elf_file *f, const struct func *a, const struct func *b)
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

static void merge_aliases(struct elf_file *f)
{
	struct func *v = f->funcs.v;
	size_t n = 0;

	for (size_t i = 0; i < f->funcs.n; i++) {
		if (n && v[n - 1].value == v[i].value) {
			uint32_t size = MAX(v[n - 1].size, v[i].size);

			if (better(f, &v[i], &v[n - 1]))
				v[n - 1] = v[i];
			v[n - 1].size = size;
		} else {
			v[n++] = v[i];
		}
	}
	f->funcs.n = n;
}

static void build(struct elf_file *f)
{
	bool with_debug = file_debug(f, false) != NULL;

	if (f->funcs_built && f->funcs_with_debug == with_debug)
		return;
	f->funcs_built = true;
	f->funcs_with_debug = with_debug;
	f->funcs.n = 0;
	file_mini(f);
	for (unsigned t = 0; t < N_TABLES; t++)
		add_table(f, t);
	if (f->funcs.n)
		qsort(f->funcs.v, f->funcs.n, sizeof *f->funcs.v, compare_funcs);
	merge_aliases(f);
}

/* Index of the last function that starts at or before vaddr; −1: none. */
static ssize_t nearest(const struct elf_file *f, taddr_t vaddr)
{
	size_t lo = 0, hi = f->funcs.n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (f->funcs.v[mid].value <= vaddr)
			lo = mid + 1;
		else
			hi = mid;
	}
	return (ssize_t)lo - 1;
}

/* Are both in one section?  True when the sections do not say. */
static bool same_section(const struct elf_file *f, taddr_t a, taddr_t b)
{
	struct section s;

	for (uint32_t i = 1; i < f->im.shnum; i++)
		if (image_section(&f->im, i, &s) && s.flags & SHF_ALLOC && a >= s.addr &&
		    a - s.addr < s.size)
			return b >= s.addr && b - s.addr < s.size;
	return true;
}

bool elf_file_function_at(struct elf_file *f, taddr_t vaddr, struct elf_symbol *out)
{
	ssize_t at;

	build(f);
	at = nearest(f, vaddr);
	for (ssize_t i = at; i >= 0 && at - i < MAX_LABELS; i--) {
		const struct func *fn = &f->funcs.v[i];

		if (vaddr - fn->value < fn->size && symbol_of(f, fn, out))
			return true;
	}
	if (file_plt_symbol(f, vaddr, out))
		return true;
	return at >= 0 && f->funcs.v[at].size == 0 && file_in_segment(f, vaddr, PF_X) &&
	       same_section(f, vaddr, f->funcs.v[at].value) &&
	       symbol_of(f, &f->funcs.v[at], out);
}
