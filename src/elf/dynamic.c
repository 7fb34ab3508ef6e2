/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The dynamic section: where the tables are that ld.so uses.  They are found
 * through program headers alone, so that an object read from a tracee's
 * memory, which has no section headers, serves as well as a file. */
#include "base/strbuf.h"
#include "file.h"

/* The table that a pointer in .dynamic names; 0: not in the image.  `relocated`: ld.so
 * has added the load bias. */
static uint64_t table_at(const struct elf_file *f, bool relocated, taddr_t ptr, uint64_t *len)
{
	uint64_t off;

	if (file_offset(f, ptr - (relocated ? f->bias : 0), &off, len))
		return off;
	*len = 0;
	return 0;
}

/* DT_… values we use, by tag; others are skipped. */
struct tags {
	uint64_t v[DT_FLAGS + 1];
	uint64_t gnu_hash, versym, verdef;
};

static void read_tags(const struct image *im, const struct dynamic *d, struct tags *t)
{
	for (uint64_t i = 0; i < d->n; i++) {
		const uint8_t *p = im->p + d->table + i * ELF_SIZEOF(im, Dyn);
		uint64_t tag = ELF_GET(im, p, Dyn, d_tag);
		uint64_t val = ELF_GET(im, p, Dyn, d_un);

		if (tag == DT_NULL)
			break;
		if (tag < ARRAY_SIZE(t->v))
			t->v[tag] = val;
		else if (tag == DT_GNU_HASH)
			t->gnu_hash = val;
		else if (tag == DT_VERSYM)
			t->versym = val;
		else if (tag == DT_VERDEF)
			t->verdef = val;
	}
}

/* In memory glibc adds the bias to these pointers (elf/get-dynamic-info.h: not to
 * DT_VERDEF; not at all on some machines), musl and the kernel's vdso leave them.  A
 * pointer alone does not tell: where libraries lie low, as without PIE on PowerPC, one
 * with the bias is a valid address without it, too.  But the lowest of the tables lies
 * near the start of the object, so the base that it is just above is the one in use. */
static bool relocated(const struct elf_file *f, const struct tags *t)
{
	const taddr_t all[] = { t->v[DT_HASH], t->v[DT_STRTAB], t->v[DT_SYMTAB], t->v[DT_RELA],
				t->v[DT_REL], t->v[DT_JMPREL], t->versym, t->gnu_hash };
	taddr_t lowest = UINT64_MAX, plain, loaded;

	if (!f->from_memory || !f->segs.n)
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(all); i++)
		if (all[i])
			lowest = MIN(lowest, all[i]);
	plain = f->segs.v[0].vaddr;
	loaded = plain + f->bias;
	if (lowest < plain || lowest < loaded)
		return lowest >= loaded;
	return loaded > plain;
}

/* How many symbols there are is written nowhere but in DT_HASH: DT_GNU_HASH's
 * chains must be followed to the end of the last one. */
static uint64_t gnu_hash_count(const struct image *im, uint64_t off)
{
	uint32_t nbuckets = image_u32(im, off), first = image_u32(im, off + 4);
	uint64_t bloom = (uint64_t)image_u32(im, off + 8) * (im->is64 ? 8 : 4);
	uint64_t buckets = off + 16 + bloom, chains = buckets + 4 * (uint64_t)nbuckets;
	uint64_t last = 0;

	if (!image_has(im, buckets, 4 * (uint64_t)nbuckets))
		return 0;
	for (uint32_t i = 0; i < nbuckets; i++)
		last = MAX(last, image_u32(im, buckets + 4 * (uint64_t)i));
	if (last < first)
		return first;
	while (image_has(im, chains + (last - first) * 4, 4) &&
	       !(image_u32(im, chains + (last - first) * 4) & 1))
		last++;
	return last + 1;
}

static void count_symbols(struct elf_file *f)
{
	struct dynamic *d = &f->dyn;
	struct section s;
	uint64_t n = 0;

	if (d->counted)
		return;
	d->counted = true;
	if (image_section_typed(&f->im, SHT_DYNSYM, &s) && s.offset == d->syms.offset)
		n = s.size / ELF_SIZEOF(&f->im, Sym);
	else if (d->hash)
		n = image_u32(&f->im, d->hash + 4);
	else if (d->gnu_hash)
		n = gnu_hash_count(&f->im, d->gnu_hash);
	d->syms.n = MIN(d->syms.n, n);
}

static bool find_dynamic(struct elf_file *f)
{
	Elf64_Phdr ph;

	for (uint32_t i = 0; image_phdr(&f->im, i, &ph); i++)
		if (ph.p_type == PT_DYNAMIC && image_has(&f->im, ph.p_offset, ph.p_filesz)) {
			f->dyn.table = ph.p_offset;
			f->dyn.n = ph.p_filesz / ELF_SIZEOF(&f->im, Dyn);
			return true;
		}
	return false;
}

const struct dynamic *file_dynamic(struct elf_file *f)
{
	struct dynamic *d = &f->dyn;
	struct tags t = {0};
	uint64_t len, off;
	bool biased;

	if (f->dyn_read)
		return d;
	f->dyn_read = true;
	if (!find_dynamic(f))
		return d;
	read_tags(&f->im, d, &t);
	biased = relocated(f, &t);
	d->hash = table_at(f, biased, t.v[DT_HASH], &len);
	d->gnu_hash = table_at(f, biased, t.gnu_hash, &len);
	d->versym = table_at(f, biased, t.versym, &len);
	d->verdef = table_at(f, false, t.verdef, &len);
	d->jmprel_is_rela = t.v[DT_PLTREL] == DT_RELA;
	d->rel[0] = table_at(f, biased, t.v[DT_RELA], &len);
	d->relsz[0] = MIN(len, t.v[DT_RELASZ]);
	d->rel[1] = table_at(f, biased, t.v[DT_REL], &len);
	d->relsz[1] = MIN(len, t.v[DT_RELSZ]);
	d->rel[2] = table_at(f, biased, t.v[DT_JMPREL], &len);
	d->relsz[2] = MIN(len, t.v[DT_PLTRELSZ]);

	off = table_at(f, biased, t.v[DT_STRTAB], &len);
	if (off)
		d->syms.str = image_strtab(&f->im, off, MIN(len, t.v[DT_STRSZ]));
	off = table_at(f, biased, t.v[DT_SYMTAB], &len);
	if (off) {
		d->syms.im = &f->im;
		d->syms.offset = off;
		d->syms.n = len / ELF_SIZEOF(&f->im, Sym);
	}
	return d;
}

bool elf_file_needs(const struct elf_file *cf, const char *prefix)
{
	/* What is computed here is a cache; the file stays as it is. */
	struct elf_file *f = (struct elf_file *)(uintptr_t)cf;
	const struct dynamic *d = file_dynamic(f);
	size_t n = strlen(prefix);

	if (strncmp(last_part(f->name), prefix, n) == 0)
		return true;
	for (uint64_t i = 0; i < d->n; i++) {
		const uint8_t *p = f->im.p + d->table + i * ELF_SIZEOF(&f->im, Dyn);
		uint64_t tag = ELF_GET(&f->im, p, Dyn, d_tag);
		const char *s;

		if (tag == DT_NULL)
			break;
		if (tag != DT_NEEDED)
			continue;
		s = strtab_at(&d->syms.str, ELF_GET(&f->im, p, Dyn, d_un));
		if (s && strncmp(s, prefix, n) == 0)
			return true;
	}
	return false;
}

static bool find_table(struct elf_file *f, unsigned t, struct symtab *out)
{
	const struct elf_file *other = t == TABLE_MINI ? f->mini : f->debug;

	switch (t) {
	case TABLE_DYNSYM:
		file_dynamic(f);
		count_symbols(f);
		*out = f->dyn.syms;
		return true;
	case TABLE_SYMTAB:
		return image_symtab(&f->im, SHT_SYMTAB, out);
	default:
		return other && image_symtab(&other->im, SHT_SYMTAB, out);
	}
}

bool file_table(struct elf_file *f, unsigned t, struct symtab *out)
{
	/* The last two are there only when they have been looked for. */
	bool known = f->tables_known >> t & 1;

	if (!known && find_table(f, t, &f->tables[t])) {
		f->tables_known |= 1u << t;
		known = true;
	}
	if (known)
		*out = f->tables[t];
	return known && out->n > 0;
}
