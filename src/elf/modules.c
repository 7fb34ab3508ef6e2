/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which ELF objects are mapped, and where.
 *
 * One object is several lines of the maps: one or more for each PT_LOAD
 * (mprotect splits them).  A line belongs to the module whose load bias its
 * address and file offset fit; the same file mapped twice (dlmopen) gives two
 * biases.  The offset alone would not do: linkers that do not pad segments map
 * the file's first page more than once. */
#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/hash.h"
#include "elf/modules.h"

static uint32_t next_id = 1;

void modules_init(struct modules *ms, pid_t pid, const struct mem_reader *mem)
{
	memset(ms, 0, sizeof *ms);
	ms->pid = pid;
	if (mem)
		ms->mem = *mem;
}

static void module_free(struct module *m)
{
	elf_file_unref(m->file);
	free(m->path);
	free(m);
}

/* -- opening ---------------------------------------------------------------- */

/* Does the file have the build id that the tracee's memory shows?  For file
 * systems (overlayfs, btrfs) whose stat tells another device than maps. */
static bool same_as_memory(const struct modules *ms, const struct map_line *l,
			   const struct elf_file *f)
{
	uint8_t mapped[64];
	const uint8_t *id;
	size_t n, len;

	if (!ms->mem.read || l->offset != 0)
		return false;
	id = elf_file_build_id(f, &n);
	len = elf_memory_build_id(&ms->mem, l->start, mapped, sizeof mapped);
	return n && n == len && memcmp(id, mapped, n) == 0;
}

static struct elf_file *open_in_root(const struct modules *ms, const struct map_line *l)
{
	char *path;
	struct elf_file *f;
	struct stat st;
	int err;

	if (l->deleted || l->path[0] != '/') {
		errno = ENOENT;
		return NULL;
	}
	path = xasprintf("/proc/%d/root%s", (int)ms->pid, l->path);
	f = stat(path, &st) < 0 ? NULL : elf_file_open(path, l->path);
	err = errno;
	free(path);
	if (f && (st.st_dev != l->dev || st.st_ino != l->ino) && !same_as_memory(ms, l, f)) {
		elf_file_unref(f);
		f = NULL;
		err = ESTALE;
	}
	errno = err;
	return f;
}

static struct elf_file *open_file(const struct modules *ms, const struct map_line *l,
				  uint64_t extent)
{
	char path[96];
	struct elf_file *f;
	int err;

	/* This one needs privilege, but is exactly the file that is mapped. */
	snprintf(path, sizeof path, "/proc/%d/map_files/%llx-%llx", (int)ms->pid,
		 (unsigned long long)l->start, (unsigned long long)l->end);
	f = elf_file_open(path, l->path);
	if (f || errno == ENOEXEC)
		return f;
	f = open_in_root(ms, l);
	if (f || errno == ENOEXEC)
		return f;
	err = errno;
	if (ms->mem.read && l->offset == 0)
		f = elf_file_from_memory(&ms->mem, l->start, extent, l->path);
	if (!f)
		errno = err;
	return f;
}

/* -- fitting lines to modules ------------------------------------------------ */

static uint64_t page_size(void)
{
	static uint64_t size;

	if (!size)
		size = (uint64_t)sysconf(_SC_PAGESIZE);
	return size;
}

/* The bias that makes segment s the one that line l maps. */
static bool bias_for(const struct elf_segment *s, const struct map_line *l, taddr_t *bias)
{
	uint64_t first = s->offset & ~(page_size() - 1);

	if (!s->filesz || l->offset < first || l->offset - first >= s->filesz + (s->offset - first))
		return false;
	*bias = l->start - (s->vaddr + (l->offset - s->offset));
	return *bias % page_size() == 0;
}

/* So many modules may begin between the segments of another one. */
enum { NESTED = 4 };

static bool fits(const struct module *m, const struct map_line *l)
{
	const struct elf_segment *s;
	size_t n;
	taddr_t bias;

	if (m->dev != l->dev || m->ino != l->ino || m->is_vdso)
		return false;
	if (!m->file)
		return l->offset > m->offset && l->start - m->start == l->offset - m->offset;
	n = elf_file_segments(m->file, &s);
	for (size_t i = 0; i < n; i++)
		if (bias_for(&s[i], l, &bias) && bias == m->bias)
			return true;
	/* ld.so maps the whole extent first, and leaves the gaps between segments so: their
	 * offsets go on from the first line's.  (Others have another copy there, or only
	 * look at the file.) */
	return n && l->offset > m->offset && l->start - m->start == l->offset - m->offset &&
	       l->start < m->bias + s[n - 1].vaddr + s[n - 1].memsz;
}

static void extend(struct module *m, const struct map_line *l)
{
	m->start = MIN(m->start, l->start);
	m->end = MAX(m->end, l->end);
	m->executable |= l->x;
	if (l->x && !l->w) {
		m->text_start = m->text_end ? MIN(m->text_start, l->start) : l->start;
		m->text_end = MAX(m->text_end, l->end);
	}
}

/* Takes the zero-filled tail (.bss), which is anonymous, in. */
static void extend_to_bss(struct module *m, taddr_t limit)
{
	const struct elf_segment *s;
	size_t n = m->file ? elf_file_segments(m->file, &s) : 0;
	taddr_t end;

	if (!n)
		return;
	end = m->bias + s[n - 1].vaddr + s[n - 1].memsz + page_size() - 1;
	end &= ~(page_size() - 1);
	end = MIN(end, limit);
	if (end > m->end)
		m->end = end;
}

/* How far lines of the same object can reach from line i on. */
static uint64_t extent_from(const struct maps *maps, size_t i)
{
	const struct map_line *first = &maps->lines.v[i];
	taddr_t end = first->end;

	for (i++; i < maps->lines.n; i++) {
		const struct map_line *l = &maps->lines.v[i];

		if (l->dev == first->dev && l->ino == first->ino && l->offset > first->offset)
			end = l->end;
		else if (l->ino != 0 || l->path[0] != '\0')
			break;
	}
	return end - first->start;
}

/* -- bringing the list in step ------------------------------------------------ */

struct update {
	struct modules *ms;
	const struct maps *maps;
	VEC(struct module *) now;   /* in the order of the maps */
	VEC(struct module *) fresh; /* those of `now` that are new */
	struct u64map kept;         /* modules that are still there, by address of theirs */
	struct u64map exec;         /* inodes of which something is executable */
};

static uint64_t file_key(const struct map_line *l)
{
	return hash_u64(l->dev) ^ l->ino;
}

/* The module that began at this line when the maps were read last. */
static struct module *known(const struct modules *ms, const struct map_line *l)
{
	size_t lo = 0, hi = ms->v.n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (ms->v.v[mid]->start < l->start)
			lo = mid + 1;
		else
			hi = mid;
	}
	if (lo < ms->v.n) {
		struct module *m = ms->v.v[lo];

		if (m->start == l->start && m->dev == l->dev && m->ino == l->ino &&
		    m->offset == l->offset && strcmp(m->path, l->path) == 0)
			return m;
	}
	return NULL;
}

static void set_bias(struct module *m, const struct map_line *l)
{
	const struct elf_segment *s;
	size_t n = elf_file_segments(m->file, &s);

	for (size_t i = 0; i < n; i++)
		if (bias_for(&s[i], l, &m->bias))
			return;
	m->bias = l->start - l->offset;
}

static struct module *module_new(struct update *u, size_t i)
{
	const struct map_line *l = &u->maps->lines.v[i];
	struct module *m = xcalloc(1, sizeof *m);

	m->start = l->start;
	m->end = l->end;
	m->path = xstrdup(l->path);
	m->dev = l->dev;
	m->ino = l->ino;
	m->offset = l->offset;
	m->deleted = l->deleted;
	m->is_vdso = strcmp(l->path, "[vdso]") == 0;
	m->bias = l->start - l->offset;
	if (!m->is_vdso)
		m->file = open_file(u->ms, l, extent_from(u->maps, i));
	else if (u->ms->mem.read)
		m->file = elf_file_from_memory(&u->ms->mem, l->start, l->end - l->start, l->path);
	else
		errno = EACCES;
	if (m->file)
		set_bias(m, l);
	else
		m->open_error = errno;
	m->id = next_id++;
	vec_push(&u->fresh, m);
	return m;
}

static void begin_module(struct update *u, size_t i)
{
	const struct map_line *l = &u->maps->lines.v[i];
	struct module *m = known(u->ms, l);

	if (m) {
		u64map_set(&u->kept, (uintptr_t)m, 1);
		m->text_start = m->text_end = 0;
		m->executable = false;
		m->end = l->end;
	} else {
		m = module_new(u, i);
	}
	extend(m, l);
	vec_push(&u->now, m);
}

static void take_line(struct update *u, size_t i)
{
	const struct map_line *l = &u->maps->lines.v[i];

	if (strcmp(l->path, "[vdso]") == 0) {
		begin_module(u, i);
		return;
	}
	if (!l->ino || !u64map_get(&u->exec, file_key(l)))
		return;
	/* Nearly always the last one; dlmopen copies can interleave. */
	for (size_t k = u->now.n; k > 0 && u->now.n - k < NESTED; k--)
		if (fits(u->now.v[k - 1], l)) {
			extend(u->now.v[k - 1], l);
			return;
		}
	if (l->r || l->w || l->x)
		begin_module(u, i);
}

/* Data files are mapped by the thousand; what has no executable line is not
 * worth opening to see whether it is ELF. */
static void note_executable(struct update *u)
{
	for (size_t i = 0; i < u->maps->lines.n; i++) {
		const struct map_line *l = &u->maps->lines.v[i];

		if (l->x && l->ino)
			u64map_set(&u->exec, file_key(l), 1);
	}
}

/* Programs look at ELF files, their own included, by mapping them whole:
 * debuggers, profilers, language runtimes. */
static void drop_data(struct update *u)
{
	size_t n = 0, fresh = 0;

	for (size_t i = 0; i < u->now.n; i++) {
		struct module *m = u->now.v[i];

		if (m->executable)
			u->now.v[n++] = m;
		else
			u64map_del(&u->kept, (uintptr_t)m);
	}
	u->now.n = n;
	for (size_t i = 0; i < u->fresh.n; i++) {
		struct module *m = u->fresh.v[i];

		if (m->executable)
			u->fresh.v[fresh++] = m;
		else
			module_free(m);
	}
	u->fresh.n = fresh;
}

static void drop_gone(struct update *u, void (*gone)(void *, struct module *), void *arg)
{
	struct modules *ms = u->ms;

	for (size_t i = 0; i < ms->v.n; i++) {
		struct module *m = ms->v.v[i];

		if (u64map_get(&u->kept, (uintptr_t)m))
			continue;
		if (gone)
			gone(arg, m);
		module_free(m);
		ms->generation++;
	}
	ms->last = NULL;
}

void modules_update(struct modules *ms, const struct maps *maps,
		    void (*added)(void *, struct module *), void (*gone)(void *, struct module *),
		    void *arg)
{
	struct update u = { .ms = ms, .maps = maps };

	note_executable(&u);
	for (size_t i = 0; i < maps->lines.n; i++)
		take_line(&u, i);
	drop_data(&u);
	for (size_t i = 0; i < u.now.n; i++)
		extend_to_bss(u.now.v[i], i + 1 < u.now.n ? u.now.v[i + 1]->start : UINT64_MAX);

	drop_gone(&u, gone, arg);
	free(ms->v.v);
	ms->v.v = u.now.v;
	ms->v.n = u.now.n;
	ms->v.cap = u.now.cap;
	if (added)
		for (size_t i = 0; i < u.fresh.n; i++)
			added(arg, u.fresh.v[i]);
	vec_release(&u.fresh);
	u64map_release(&u.kept);
	u64map_release(&u.exec);
}

/* -- looking up --------------------------------------------------------------- */

static bool covers(const struct module *m, taddr_t addr)
{
	return addr >= m->start && addr < m->end;
}

struct module *modules_find(struct modules *ms, taddr_t addr)
{
	size_t lo = 0, hi = ms->v.n;

	if (ms->last && covers(ms->last, addr))
		return ms->last;
	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (ms->v.v[mid]->start <= addr)
			lo = mid + 1;
		else
			hi = mid;
	}
	/* Nearly always the one before; but in gaps between segments there is room for
	 * others: with 64 KiB of alignment the kernel puts the vdso into ld.so's. */
	for (size_t k = lo; k > 0 && lo - k < NESTED; k--)
		if (covers(ms->v.v[k - 1], addr))
			return ms->last = ms->v.v[k - 1];
	return NULL;
}

void modules_copy(struct modules *to, const struct modules *from, pid_t pid,
		  const struct mem_reader *mem)
{
	modules_init(to, pid, mem);
	for (size_t i = 0; i < from->v.n; i++) {
		struct module *m = xmemdup(from->v.v[i], sizeof *m);

		m->path = xstrdup(m->path);
		m->user = NULL;
		if (m->file)
			elf_file_ref(m->file);
		vec_push(&to->v, m);
	}
}

void modules_release(struct modules *ms)
{
	for (size_t i = 0; i < ms->v.n; i++)
		module_free(ms->v.v[i]);
	vec_release(&ms->v);
	ms->last = NULL;
}
