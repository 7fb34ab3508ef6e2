/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Separate debug files: by build id, by debug link, by path, by debuginfod; and
 * what dwz moved out of them.  The rules are gdb's ("Debugging Information in
 * Separate Files"). */
#include <stdio.h>
#include <sys/mman.h>
#include <elfutils/libdwelf.h>
#include "file.h"

struct debug_opts elf_debug_opts;
static const char *const *debug_roots; /* NULL: none */

static const char *const default_dirs[] = { "/usr/lib/debug", NULL };

void elf_set_debug_opts(const struct debug_opts *opts)
{
	elf_debug_opts = *opts;
}

void elf_set_debug_roots(const char *const *roots)
{
	debug_roots = roots;
}

static const char *const *debug_dirs(void)
{
	return elf_debug_opts.dirs ? elf_debug_opts.dirs : default_dirs;
}

static bool has_section(const struct elf_file *f, const char *prefix, const char *name)
{
	char full[40];
	struct section s;

	snprintf(full, sizeof full, "%s%s", prefix, name);
	return image_section_named(&f->im, full, &s) && s.type != SHT_NOBITS;
}

bool file_has_dwarf(struct elf_file *f, unsigned which)
{
	static const char *const names[] = { "info", "line", "frame" };

	/* Remembered, because libelf changes the headers of sections that it
	 * uncompresses. */
	if (!f->dwarf_sections_known) {
		f->dwarf_sections_known = true;
		for (unsigned i = 0; i < ARRAY_SIZE(names); i++)
			if (has_section(f, ".debug_", names[i]) ||
			    has_section(f, ".zdebug_", names[i]))
				f->dwarf_sections |= 1u << i;
	}
	return f->dwarf_sections & which;
}

static bool same_build_id(const struct elf_file *f, const uint8_t *id, size_t len)
{
	return f->build_id_len == len && memcmp(f->build_id, id, len) == 0;
}

/* The checksum of .gnu_debuglink: zlib's CRC-32. */
static uint32_t crc32(const uint8_t *p, size_t n)
{
	uint32_t table[256], c;

	for (uint32_t i = 0; i < 256; i++) {
		c = i;
		for (unsigned bit = 0; bit < 8; bit++)
			c = c >> 1 ^ (c & 1 ? 0xedb88320 : 0);
		table[i] = c;
	}
	c = UINT32_MAX;
	while (n--)
		c = c >> 8 ^ table[(c ^ *p++) & 255];
	return ~c;
}

/* Opens a candidate; takes it when it has that build id or that CRC. */
static struct elf_file *candidate(const char *path, const uint8_t *id, size_t len,
				  const uint32_t *crc)
{
	struct elf_file *d = elf_file_open(path, path);

	if (!d)
		return NULL;
	if (len && d->build_id_len ? same_build_id(d, id, len)
				   : crc && crc32(d->im.p, d->im.size) == *crc)
		return d;
	elf_file_unref(d);
	return NULL;
}

static struct elf_file *candidate_below(const char *root, const char *path, const uint8_t *id,
					size_t len, const uint32_t *crc)
{
	char *inside = xasprintf("%s%s", root, path);
	struct elf_file *d = candidate(inside, id, len, crc);

	free(inside);
	return d;
}

/* A path as the copies of the target's file system have it, as the tracee's mount
 * namespace has it, then as ours.  `f` may be NULL. */
static struct elf_file *candidate_in(const struct elf_file *f, const char *path,
				     const uint8_t *id, size_t len, const uint32_t *crc)
{
	const char *const *root = debug_roots;
	struct elf_file *d = NULL;

	for (; root && *root && !d; root++)
		d = candidate_below(*root, path, id, len, crc);
	if (!d && f && *f->root)
		d = candidate_below(f->root, path, id, len, crc);
	return d ? d : candidate(path, id, len, crc);
}

struct elf_file *file_by_build_id(const struct elf_file *f, const uint8_t *id, size_t len,
				  const char *suffix)
{
	struct elf_file *d = NULL;
	char hex[2 * 64 + 1];

	if (len < 2 || len > 64)
		return NULL;
	for (size_t i = 0; i < len; i++)
		sprintf(hex + 2 * i, "%02x", id[i]);
	for (const char *const *dir = debug_dirs(); *dir && !d; dir++) {
		char *path = xasprintf("%s/.build-id/%.2s/%s%s", *dir, hex, hex + 2, suffix);

		d = candidate_in(f, path, id, len, NULL);
		free(path);
	}
	return d;
}

/* .gnu_debuglink: a file name, padding to four bytes, a CRC. */
static const char *debug_link(const struct elf_file *f, uint32_t *crc)
{
	struct section s;
	const char *name;
	size_t n;

	if (!image_section_named(&f->im, ".gnu_debuglink", &s) || s.type != SHT_PROGBITS)
		return NULL;
	name = (const char *)f->im.p + s.offset;
	n = strnlen(name, s.size);
	if (n == 0 || (n + 4) / 4 * 4 + 4 > s.size || memchr(name, '/', n))
		return NULL;
	*crc = image_u32(&f->im, s.offset + (n + 4) / 4 * 4);
	return name;
}

static struct elf_file *try_link(const struct elf_file *f, const char *before, const char *dir,
				 const char *sub, const char *link, uint32_t crc)
{
	char *path = xasprintf("%s%s%s/%s", before, dir, sub, link);
	struct elf_file *d = candidate_in(f, path, f->build_id, f->build_id_len, &crc);

	free(path);
	if (d && d->ino == f->ino && d->dev == f->dev) {
		elf_file_unref(d);
		d = NULL;
	}
	return d;
}

static struct elf_file *by_debug_link(const struct elf_file *f)
{
	struct elf_file *d;
	uint32_t crc;
	const char *link = debug_link(f, &crc), *slash = strrchr(f->name, '/');
	char *dir;

	if (!link || !slash)
		return NULL;
	dir = xstrndup(f->name, (size_t)(slash - f->name));
	d = try_link(f, "", dir, "", link, crc);
	if (!d)
		d = try_link(f, "", dir, "/.debug", link, crc);
	for (const char *const *p = debug_dirs(); !d && *p; p++)
		d = try_link(f, *p, dir, "", link, crc);
	free(dir);
	return d;
}

/* Under the module's own path, with or without a suffix: what says so need not be
 * left in a stripped file, and its build id tells all the same. */
static struct elf_file *by_path(const struct elf_file *f, const char *name, const uint8_t *id,
				size_t len)
{
	static const char *const suffixes[] = { ".debug", "" };
	struct elf_file *d = NULL;

	if (!len || *name != '/')
		return NULL;
	for (const char *const *dir = debug_dirs(); *dir && !d; dir++)
		for (size_t i = 0; i < ARRAY_SIZE(suffixes) && !d; i++) {
			char *path = xasprintf("%s%s%s", *dir, name, suffixes[i]);

			d = candidate_in(f, path, id, len, NULL);
			free(path);
		}
	return d;
}

struct elf_file *elf_file_open_debug(const char *name, const uint8_t *id, size_t len)
{
	struct elf_file *d = file_by_build_id(NULL, id, len, ".debug");

	return d ? d : by_path(NULL, name, id, len);
}

static struct elf_file *from_debuginfod(const struct elf_file *f)
{
	struct elf_file *d = NULL;
	char *path;

	if (!elf_debug_opts.debuginfod || !f->build_id_len)
		return NULL;
	path = debuginfod_path(f->build_id, f->build_id_len, f->name);
	if (path)
		d = candidate(path, f->build_id, f->build_id_len, NULL);
	free(path);
	return d;
}

static void adopt(struct elf_file *f, struct elf_file *d)
{
	if (d && (d->ident.machine != f->ident.machine || d->ident.class != f->ident.class ||
		  d->ident.data != f->ident.data || d == f)) {
		elf_file_unref(d);
		d = NULL;
	}
	f->debug = d;
	if (!d)
		return;
	d->is_debug = true;
	f->debug_state = DEBUG_FOUND;
}

static void look_here(struct elf_file *f)
{
	f->debug_state = DEBUG_NOT_HERE;
	adopt(f, file_by_build_id(f, f->build_id, f->build_id_len, ".debug"));
	if (!f->debug)
		adopt(f, by_debug_link(f));
	if (!f->debug)
		adopt(f, by_path(f, f->name, f->build_id, f->build_id_len));
}

struct elf_file *file_debug(struct elf_file *f, bool ask_network)
{
	if (f->debug_state == DEBUG_UNKNOWN) {
		if (f->is_debug || file_has_dwarf(f, DWARF_INFO))
			f->debug_state = DEBUG_NOWHERE;
		else
			look_here(f);
	}
	if (f->debug_state == DEBUG_NOT_HERE && ask_network && elf_debug_opts.debuginfod) {
		f->debug_state = DEBUG_NOWHERE;
		adopt(f, from_debuginfod(f));
	}
	return f->debug;
}

/* dwz keeps what several debug files have in common in one more file, named
 * by path (absolute or from the debug file's folder) and build id. */
static struct elf_file *find_alt(struct elf_file *f)
{
	const char *name, *slash = strrchr(f->name, '/');
	const void *id;
	ssize_t n = dwelf_dwarf_gnu_debugaltlink(f->dw, &name, &id);
	struct elf_file *alt;
	char *path;

	if (n <= 0 || n > 64)
		return NULL;
	alt = file_by_build_id(f, id, (size_t)n, ".debug");
	if (alt)
		return alt;
	path = *name == '/' || !slash ? xstrdup(name)
		: xasprintf("%.*s/%s", (int)(slash - f->name), f->name, name);
	alt = candidate_in(f, path, id, (size_t)n, NULL);
	free(path);
	return alt;
}

static void open_dwarf(struct elf_file *f)
{
	f->dw_tried = true;
	file_has_dwarf(f, DWARF_INFO);
	/* libelf notes in the section headers, in place, that it uncompressed a
	 * section; the mapping is private. */
	if (f->backing == BACKED_BY_MAP &&
	    mprotect((void *)(uintptr_t)f->im.p, f->im.size, PROT_READ | PROT_WRITE) < 0)
		return;
	if (file_elf(f))
		f->dw = dwarf_begin_elf(f->elf, DWARF_C_READ, NULL);
}

Dwarf *file_dwarf(struct elf_file *f)
{
	struct elf_file *alt;

	if (f->dw_tried)
		return f->dw;
	open_dwarf(f);
	alt = f->dw ? find_alt(f) : NULL;
	if (alt == f) {
		elf_file_unref(alt);
		alt = NULL;
	}
	f->alt = alt;
	if (alt) {
		alt->is_debug = true;
		if (!alt->dw_tried)
			open_dwarf(alt);
		if (alt->dw)
			dwarf_setalt(f->dw, alt->dw);
	}
	return f->dw;
}

Dwarf *file_any_dwarf(struct elf_file *f, bool ask_network, struct elf_file **owner)
{
	struct elf_file *d;

	*owner = f;
	if (file_has_dwarf(f, DWARF_INFO))
		return file_dwarf(f);
	d = file_debug(f, ask_network);
	if (!d || !file_has_dwarf(d, DWARF_INFO))
		return NULL;
	*owner = d;
	return file_dwarf(d);
}
