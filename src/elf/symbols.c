/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Symbols by name.  .dynsym is asked through its hash table, for
 * that is what 300 libraries times 80 names can afford; .symtab, which has
 * none, is walked once for all names together. */
#include "file.h"

#define MAX_VERSIONS 65536u

/* -- versions --------------------------------------------------------------- */

/* Name of version `ndx` in .gnu.version_d; NULL: none. */
static const char *version_name(const struct image *im, const struct dynamic *d, unsigned ndx)
{
	uint64_t off = d->verdef;

	for (unsigned i = 0; off && i < MAX_VERSIONS; i++) {
		const uint8_t *p = im->p + off;
		uint64_t aux, next;

		/* The same layout in both classes. */
		if (!image_has(im, off, sizeof(Elf64_Verdef)))
			break;
		next = ELF_GET(im, p, Verdef, vd_next);
		if (ELF_GET(im, p, Verdef, vd_ndx) == ndx) {
			aux = off + ELF_GET(im, p, Verdef, vd_aux);
			return image_has(im, aux, sizeof(Elf64_Verdaux))
				? strtab_at(&d->syms.str, image_u32(im, aux)) : NULL;
		}
		if (!next)
			break;
		off += next;
	}
	return NULL;
}

static void add_version(struct elf_file *f, uint64_t i, struct elf_symbol *out)
{
	const struct dynamic *d = &f->dyn;
	unsigned v;

	if (!d->versym || !image_has(&f->im, d->versym + 2 * i, 2))
		return;
	v = (unsigned)image_get(&f->im, f->im.p + d->versym + 2 * i, 2);
	out->is_default = !(v & 0x8000); /* VERSYM_HIDDEN */
	v &= 0x7fff;
	if (v > VER_NDX_GLOBAL)
		out->version = version_name(&f->im, d, v);
}

/* -- one symbol --------------------------------------------------------------- */

/* Length of the name without "@VERSION", which .symtab appends. */
static size_t plain_length(const char *name)
{
	const char *at = strchr(name, '@');

	return at && at > name ? (size_t)(at - name) : strlen(name);
}

bool file_symbol(struct elf_file *f, unsigned table, uint64_t i, struct elf_symbol *out)
{
	struct symtab t;
	struct sym s;
	const char *name;
	size_t n;

	if (!file_table(f, table, &t) || !symtab_get(&t, i, &s))
		return false;
	name = strtab_at(&t.str, s.name);
	if (!name)
		return false;
	*out = (struct elf_symbol){ .name = name, .value = s.value, .code = s.value, .size = s.size,
		.ifunc = s.type == STT_GNU_IFUNC, .global = s.bind != STB_LOCAL,
		.is_default = true };
	if (f->ident.machine == EM_ARM && (s.type == STT_FUNC || s.type == STT_GNU_IFUNC))
		out->value &= ~(taddr_t)1;
	if (table == TABLE_DYNSYM) {
		add_version(f, i, out);
		return true;
	}
	n = plain_length(name);
	if (name[n]) {
		out->name = file_keep_name(f, (uintptr_t)name, name, n);
		out->is_default = name[n + 1] == '@';
		out->version = name + n + 1 + out->is_default;
	}
	return true;
}

bool file_is_function(const struct elf_file *f, const struct symtab *t, const struct sym *s)
{
	const char *name;

	if (s->shndx == SHN_UNDEF || !s->value || (s->bind > STB_WEAK && s->bind != STB_GNU_UNIQUE))
		return false;
	if (s->type == STT_FUNC || s->type == STT_GNU_IFUNC)
		return true;
	if (s->type != STT_NOTYPE || !file_in_segment(f, s->value, PF_X))
		return false;
	/* Hand-written code; not ARM's mapping symbols, not local labels. */
	name = strtab_at(&t->str, s->name);
	if (!name || !*name || *name == '$' || strncmp(name, ".L", 2) == 0)
		return false;
	return !t->im->shnum || image_section_flags(t->im, s->shndx) & SHF_EXECINSTR;
}

/* Values of TLS symbols are offsets, and absolute ones (version names) lie
 * nowhere. */
bool file_is_object(const struct elf_file *f, const struct symtab *t, const struct sym *s)
{
	(void)t;
	return s->type == STT_OBJECT && s->size && s->shndx != SHN_UNDEF && s->shndx != SHN_ABS &&
	       (s->bind <= STB_WEAK || s->bind == STB_GNU_UNIQUE) &&
	       file_in_segment(f, s->value, PF_R);
}

/* -- by name, in .dynsym ---------------------------------------------------- */

struct find {
	struct elf_file *f;
	const char *const *names;
	size_t n;
	bool *found;
	int calls;
	void (*fn)(void *arg, size_t index, const struct elf_symbol *);
	void *arg;
};

/* Hands symbol i of the table on when it is a function. */
static void hit(struct find *q, unsigned table, const struct symtab *t, uint64_t i, size_t index)
{
	struct elf_symbol out;
	struct sym s;

	if (!symtab_get(t, i, &s) || !file_is_function(q->f, t, &s) ||
	    !file_symbol(q->f, table, i, &out))
		return;
	q->found[index] = true;
	q->calls++;
	q->fn(q->arg, index, &out);
}

static bool named(const struct symtab *t, uint64_t i, const char *name)
{
	struct sym s;
	const char *have;

	if (!symtab_get(t, i, &s))
		return false;
	have = strtab_at(&t->str, s.name);
	return have && strcmp(have, name) == 0;
}

static uint32_t gnu_hash(const char *name)
{
	uint32_t h = 5381;

	for (; *name; name++)
		h = h * 33 + (uint8_t)*name;
	return h;
}

static uint32_t sysv_hash(const char *name)
{
	uint32_t h = 0;

	for (; *name; name++) {
		h = (h << 4) + (uint8_t)*name;
		h = (h ^ (h >> 24 & 0xf0)) & 0x0fffffff;
	}
	return h;
}

/* DT_GNU_HASH: { nbuckets, first symbol, bloom words, bloom shift }, the bloom
 * filter, the buckets (index of a chain's first symbol), and a hash for every
 * symbol from the first on, whose lowest bit ends a chain. */
static void find_gnu(struct find *q, const struct dynamic *d, size_t index)
{
	const struct image *im = &q->f->im;
	unsigned bits = im->is64 ? 64 : 32;
	uint32_t h = gnu_hash(q->names[index]), c;
	uint32_t nbuckets = image_u32(im, d->gnu_hash), first = image_u32(im, d->gnu_hash + 4);
	uint32_t nbloom = image_u32(im, d->gnu_hash + 8), shift = image_u32(im, d->gnu_hash + 12);
	uint64_t bloom = d->gnu_hash + 16, buckets = bloom + (uint64_t)nbloom * (bits / 8);
	uint64_t chains = buckets + (uint64_t)nbuckets * 4, i, word;

	if (!nbuckets || !nbloom || shift > 31)
		return;
	word = image_word(im, bloom + h / bits % nbloom * (bits / 8));
	if (!(word >> h % bits & 1) || !(word >> (h >> shift) % bits & 1))
		return;
	i = image_u32(im, buckets + (uint64_t)(h % nbuckets) * 4);
	for (; i >= first && i && image_has(im, chains + (i - first) * 4, 4); i++) {
		c = image_u32(im, chains + (i - first) * 4);
		if ((c | 1) == (h | 1) && named(&d->syms, i, q->names[index]))
			hit(q, TABLE_DYNSYM, &d->syms, i, index);
		if (c & 1)
			break;
	}
}

/* DT_HASH: { buckets, chains }, the buckets, the chains. */
static void find_sysv(struct find *q, const struct dynamic *d, size_t index)
{
	const struct image *im = &q->f->im;
	uint32_t nbucket = image_u32(im, d->hash), nchain = image_u32(im, d->hash + 4);
	uint64_t buckets = d->hash + 8, chains = buckets + (uint64_t)nbucket * 4;
	uint32_t i, steps = 0;

	if (!nbucket)
		return;
	i = image_u32(im, buckets + (uint64_t)(sysv_hash(q->names[index]) % nbucket) * 4);
	for (; i && i < nchain && steps < nchain; steps++) {
		if (named(&d->syms, i, q->names[index]))
			hit(q, TABLE_DYNSYM, &d->syms, i, index);
		i = image_u32(im, chains + (uint64_t)i * 4);
	}
}

static void find_in_dynsym(struct find *q)
{
	const struct dynamic *d = file_dynamic(q->f);

	if (!d->syms.n)
		return;
	for (size_t i = 0; i < q->n; i++) {
		if (d->gnu_hash)
			find_gnu(q, d, i);
		else if (d->hash)
			find_sysv(q, d, i);
	}
}

/* -- by name, by walking ---------------------------------------------------- */

/* Names in buckets by their first four bytes, which rejects nearly all of a
 * million symbols with one look. */
struct wanted {
	int head[256];
	int *next;
};

static unsigned prefix_key(const char *s)
{
	uint32_t w = 0;

	for (unsigned i = 0; i < 4 && s[i] && s[i] != '@'; i++)
		w |= (uint32_t)(uint8_t)s[i] << 8 * i;
	return w * 0x9e3779b1u >> 24;
}

static int add_wanted(struct wanted *w, const struct find *q)
{
	int n = 0;

	memset(w->head, -1, sizeof w->head);
	w->next = xcalloc(q->n, sizeof *w->next);
	for (size_t i = 0; i < q->n; i++) {
		unsigned k = prefix_key(q->names[i]);

		if (q->found[i])
			continue;
		w->next[i] = w->head[k];
		w->head[k] = (int)i;
		n++;
	}
	return n;
}

/* Rust's own functions: since 1.87 __rust_alloc is mangled as one of a crate
 * __rustc, with the compiler's hash, _RNvCsHASH_7___rustc12___rust_alloc. */
static const char *without_rust_crate(const char *name)
{
	static const char start[] = "_RNvCs", crate[] = "_7___rustc";
	const char *p = name;

	if (strncmp(p, start, sizeof start - 1))
		return name;
	p += sizeof start - 1;
	while ((*p >= '0' && *p <= '9') || (*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z'))
		p++;
	if (strncmp(p, crate, sizeof crate - 1))
		return name;
	p += sizeof crate - 1;
	p += strspn(p, "0123456789"); /* its length */
	return *p == '_' ? p + 1 : name;
}

static void walk_symbol(struct find *q, const struct wanted *w, unsigned table,
			const struct symtab *t, uint64_t i)
{
	struct sym s;
	const char *name;
	size_t n;

	if (!symtab_get(t, i, &s) || s.shndx == SHN_UNDEF ||
	    (s.type != STT_FUNC && s.type != STT_GNU_IFUNC && s.type != STT_NOTYPE))
		return;
	name = strtab_at(&t->str, s.name);
	if (!name)
		return;
	name = without_rust_crate(name);
	for (int k = w->head[prefix_key(name)]; k >= 0; k = w->next[k]) {
		n = strlen(q->names[k]);
		if (strncmp(name, q->names[k], n) == 0 && (!name[n] || name[n] == '@'))
			hit(q, table, t, i, (size_t)k);
	}
}

static void find_by_walk(struct find *q, unsigned table)
{
	struct wanted w;
	struct symtab t;

	if (!file_table(q->f, table, &t))
		return;
	if (add_wanted(&w, q))
		for (uint64_t i = 1; i < t.n; i++)
			walk_symbol(q, &w, table, &t, i);
	free(w.next);
}

int elf_file_find_functions(struct elf_file *f, const char *const *names, size_t n,
			    unsigned where,
			    void (*fn)(void *arg, size_t index, const struct elf_symbol *),
			    void *arg)
{
	struct find q = { .f = f, .names = names, .n = n, .fn = fn, .arg = arg };

	if (!n)
		return 0;
	q.found = xcalloc(n, sizeof *q.found);
	if (where & SYMS_OWN) {
		find_in_dynsym(&q);
		find_by_walk(&q, TABLE_SYMTAB);
		if (file_mini(f))
			find_by_walk(&q, TABLE_MINI);
	}
	if (where & SYMS_DEBUG && file_debug(f, false))
		find_by_walk(&q, TABLE_DEBUG);
	free(q.found);
	return q.calls;
}
