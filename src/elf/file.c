/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Opening, the session's list, identity, segments and the image. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include "file.h"

#define MAX_SEGMENTS 512 /* the kernel loads at most 64 KiB of headers */

/* Every open file; processes share them.  A session has hundreds. */
static struct elf_file *files;
/* The one whose headers are just being read. */
static struct image being_mapped;

static int compare_segments(const void *a, const void *b)
{
	const struct elf_segment *x = a, *y = b;

	return x->vaddr < y->vaddr ? -1 : x->vaddr > y->vaddr;
}

static void read_segments(struct elf_file *f)
{
	Elf64_Phdr ph;

	for (uint32_t i = 0; f->segs.n < MAX_SEGMENTS && image_phdr(&f->im, i, &ph); i++) {
		f->ident.has_interp |= ph.p_type == PT_INTERP;
		f->ident.has_dynamic |= ph.p_type == PT_DYNAMIC;
		if (ph.p_type != PT_LOAD || ph.p_vaddr + ph.p_memsz < ph.p_vaddr)
			continue;
		vec_push(&f->segs, (struct elf_segment){
			.vaddr = ph.p_vaddr, .memsz = ph.p_memsz, .offset = ph.p_offset,
			.filesz = MIN(ph.p_filesz, ph.p_memsz), .flags = ph.p_flags });
	}
	if (f->segs.n)
		qsort(f->segs.v, f->segs.n, sizeof *f->segs.v, compare_segments);
}

static void release_image(const void *p, uint64_t size, enum backing backing)
{
	if (backing == BACKED_BY_MAP)
		munmap((void *)(uintptr_t)p, size);
	else
		free((void *)(uintptr_t)p);
}

struct elf_file *file_new(const void *p, uint64_t size, enum backing backing, const char *name)
{
	struct image im = { .p = p, .size = size };
	struct elf_ident ident;
	struct elf_file *f;
	int err = image_init(&im, &ident);

	if (err) {
		release_image(p, size, backing);
		errno = -err;
		return NULL;
	}
	f = xcalloc(1, sizeof *f);
	f->refs = 1;
	f->im = im;
	f->ident = ident;
	f->backing = backing;
	f->name = xstrdup(name ? name : "");
	f->root = xstrdup("");
	read_segments(f);
	f->build_id = image_build_id(&f->im, &f->build_id_len);
	return f;
}

void file_enlist(struct elf_file *f)
{
	f->next = files;
	files = f;
}

static struct elf_file *find_same(const struct stat *st)
{
	for (struct elf_file *f = files; f; f = f->next)
		if (!f->from_memory && f->ino == st->st_ino && f->dev == st->st_dev &&
		    f->im.size == (uint64_t)st->st_size &&
		    f->mtime.tv_sec == st->st_mtim.tv_sec &&
		    f->mtime.tv_nsec == st->st_mtim.tv_nsec)
			return elf_file_ref(f);
	return NULL;
}

/* "/proc/PID/root" when the path is below that, so that debug files of the
 * tracee's mount namespace are found too. */
static char *root_of(const char *path)
{
	int pid, n = 0;

	if (sscanf(path, "/proc/%d/root%n", &pid, &n) == 1 && n > 0 && path[n] == '/')
		return xstrndup(path, (size_t)n);
	return xstrdup("");
}

bool file_maps_address(const void *p)
{
	uintptr_t at = (uintptr_t)p;

	if (being_mapped.p && at - (uintptr_t)being_mapped.p < being_mapped.size)
		return true;
	for (const struct elf_file *f = files; f; f = f->next)
		if (at - (uintptr_t)f->im.p < f->im.size)
			return true;
	return false;
}

static struct elf_file *map_file(int fd, const struct stat *st, const char *path,
				 const char *name)
{
	struct elf_file *f;
	void *p;

	if (st->st_size < (off_t)sizeof(Elf32_Ehdr)) {
		errno = ENOEXEC;
		return NULL;
	}
	/* The descriptor is not kept: hundreds of files times many processes
	 * would meet RLIMIT_NOFILE. */
	p = mmap(NULL, (size_t)st->st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (p == MAP_FAILED)
		return NULL;
	file_guard_sigbus();
	being_mapped.p = p;
	being_mapped.size = (uint64_t)st->st_size;
	f = file_new(p, (uint64_t)st->st_size, BACKED_BY_MAP, name ? name : path);
	being_mapped.p = NULL;
	if (!f)
		return NULL;
	f->dev = st->st_dev;
	f->ino = st->st_ino;
	f->mtime = st->st_mtim;
	free(f->root);
	f->root = root_of(path);
	file_enlist(f);
	return f;
}

struct elf_file *elf_file_open(const char *path, const char *name)
{
	struct elf_file *f = NULL;
	struct stat st;
	/* Nonblocking: a fifo or a device must not hold us up. */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	int err = 0;

	if (fd < 0)
		return NULL;
	if (fstat(fd, &st) < 0)
		err = errno;
	else if (!S_ISREG(st.st_mode))
		err = S_ISDIR(st.st_mode) ? EISDIR : ENOEXEC;
	else if (!(f = find_same(&st)) && !(f = map_file(fd, &st, path, name)))
		err = errno;
	close(fd);
	errno = err;
	return f;
}

struct elf_file *elf_file_find(const uint8_t *build_id, size_t len, uint64_t dev, uint64_t ino)
{
	for (struct elf_file *f = files; f; f = f->next) {
		if (f->is_debug)
			continue;
		if (len > 0) {
			if (f->build_id_len == len && memcmp(f->build_id, build_id, len) == 0)
				return elf_file_ref(f);
		} else if (!f->from_memory && f->dev == dev && f->ino == ino) {
			return elf_file_ref(f);
		}
	}
	return NULL;
}

struct elf_file *elf_file_ref(struct elf_file *f)
{
	f->refs++;
	return f;
}

static void unlist(struct elf_file *f)
{
	for (struct elf_file **p = &files; *p; p = &(*p)->next)
		if (*p == f) {
			*p = f->next;
			return;
		}
}

void elf_file_unref(struct elf_file *f)
{
	if (!f || --f->refs)
		return;
	unlist(f);
	lines_release(f->lines);
	if (f->cfi)
		dwarf_cfi_end(f->cfi);
	if (f->dw)
		dwarf_end(f->dw);
	if (f->elf)
		elf_end(f->elf);
	elf_file_unref(f->alt);
	elf_file_unref(f->debug);
	elf_file_unref(f->mini);
	u64map_for_each(&f->names, s)
		free((void *)(uintptr_t)s->value);
	u64map_release(&f->names);
	vec_release(&f->funcs.v);
	vec_release(&f->objects.v);
	vec_release(&f->segs);
	release_image(f->im.p, f->im.size, f->backing);
	free(f->root);
	free(f->name);
	free(f);
}

const struct elf_ident *elf_file_ident(const struct elf_file *f)
{
	return &f->ident;
}

const char *elf_file_name(const struct elf_file *f)
{
	return f->name;
}

const uint8_t *elf_file_build_id(const struct elf_file *f, size_t *len)
{
	*len = f->build_id_len;
	return f->build_id;
}

size_t elf_file_segments(const struct elf_file *f, const struct elf_segment **out)
{
	*out = f->segs.v;
	return f->segs.n;
}

bool file_offset(const struct elf_file *f, taddr_t vaddr, uint64_t *off, uint64_t *len)
{
	for (size_t i = 0; i < f->segs.n; i++) {
		const struct elf_segment *s = &f->segs.v[i];
		uint64_t into = vaddr - s->vaddr;

		if (vaddr < s->vaddr || into >= s->filesz || s->offset > f->im.size ||
		    into >= f->im.size - s->offset)
			continue;
		*off = s->offset + into;
		*len = MIN(s->filesz - into, f->im.size - *off);
		return true;
	}
	return false;
}

bool file_in_segment(const struct elf_file *f, taddr_t vaddr, uint32_t flags)
{
	for (size_t i = 0; i < f->segs.n; i++) {
		const struct elf_segment *s = &f->segs.v[i];

		if ((s->flags & flags) == flags && vaddr >= s->vaddr && vaddr - s->vaddr < s->memsz)
			return true;
	}
	return false;
}

size_t elf_file_image(const struct elf_file *f, taddr_t vaddr, void *buf, size_t len)
{
	uint64_t off, have;

	if (file_in_segment(f, vaddr, PF_W) || !file_offset(f, vaddr, &off, &have))
		return 0;
	len = MIN(len, have);
	memcpy(buf, f->im.p + off, len);
	return len;
}

const uint8_t *elf_file_code(const struct elf_file *f, taddr_t vaddr, uint64_t *len)
{
	uint64_t off;

	if (!file_in_segment(f, vaddr, PF_X) || file_in_segment(f, vaddr, PF_W) ||
	    !file_offset(f, vaddr, &off, len))
		return NULL;
	return f->im.p + off;
}

const char *file_keep_name(struct elf_file *f, uint64_t key, const char *name, size_t len)
{
	char *s = u64map_getp(&f->names, key);

	if (!s) {
		s = xstrndup(name, len);
		u64map_set(&f->names, key, (uintptr_t)s);
	}
	return s;
}

Elf *file_elf(struct elf_file *f)
{
	if (!f->elf_tried) {
		f->elf_tried = true;
		if (elf_version(EV_CURRENT) != EV_NONE)
			f->elf = elf_memory((char *)(uintptr_t)f->im.p, f->im.size);
	}
	return f->elf;
}
