/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "arch/host.h"
#include "base/strbuf.h"
#include "trace/glibc.h"
#include "trace/image.h"
#include "trace/space.h"

/* Thread-local storage of a static program lies in the break, right before the
 * first block: this far around the thread pointer it is looked for. */
#define TLS_VARIABLES ((uint64_t)65536)
#define TLS_OTHER ((uint64_t)4096)

/* -- what must not be read ------------------------------------------------------------- */

/* VmFlags of proc_pid_smaps(5): I/O, raw page frames, userfaultfd. */
static bool refuses(const char *flags)
{
	static const char *const none[] = { " io", " pf", " um", " uw", " ui" };

	for (size_t i = 0; i < ARRAY_SIZE(none); i++)
		if (strstr(flags, none[i]))
			return true;
	return false;
}

/* Reads /proc/TID/smaps: the lines of maps, and among them what belongs to
 * each.  Start addresses of what is refused to *out. */
static int read_refused(pid_t tid, struct u64map *out)
{
	char path[40], *line = NULL;
	size_t cap = 0;
	unsigned long from, to;
	taddr_t start = 0;
	FILE *f;

	snprintf(path, sizeof path, "/proc/%d/smaps", (int)tid);
	f = fopen(path, "re");
	if (!f)
		return -errno;
	while (getline(&line, &cap, f) > 0) {
		if (sscanf(line, "%lx-%lx ", &from, &to) == 2)
			start = from;
		else if (!strncmp(line, "VmFlags:", 8) && refuses(line + 8))
			u64map_set(out, start, 1);
	}
	free(line);
	fclose(f);
	return 0;
}

static bool is_special(const struct map_line *l)
{
	return !strcmp(l->path, "[vvar]") || !strcmp(l->path, "[vsyscall]") ||
	       !strcmp(l->path, "[vvar_vclock]") || !strcmp(l->path, "[vdso]");
}

/* Static programs of glibc keep pointers to blocks there.  Of a file's data only
 * what was written is in pages of the process's own. */
static bool is_relro(struct space *sp, const struct map_line *l)
{
	return !l->w && !l->x && !l->shared && l->ino && modules_find(&sp->proc->modules, l->start);
}

static void take_lines(struct space *sp)
{
	struct u64map refused = U64MAP_INIT;

	read_refused(sp->tid, &refused);
	for (size_t i = 0; i < sp->maps.lines.n; i++) {
		const struct map_line *l = &sp->maps.lines.v[i];

		if (!l->r || is_special(l) || (!l->w && !is_relro(sp, l)))
			continue;
		if (u64map_get(&refused, l->start))
			sp->refused += l->end - l->start;
		else
			regions_add(sp->parts, &(struct region){ l->start, l->end, l->w ? SPACE_ROOT :
											  SPACE_RELRO });
	}
	u64map_release(&refused);
}

/* -- painting ---------------------------------------------------------------------------- */

/* What there is of [start, end) becomes of that kind. */
static void paint(struct space *sp, taddr_t start, taddr_t end, enum space_kind kind)
{
	struct region r;

	while (start < end && regions_next(sp->parts, start, &r) && r.start < end) {
		struct region part = { MAX(r.start, start), MIN(r.end, end), kind };

		regions_cut(sp->parts, part.start, part.end, NULL, NULL);
		regions_add(sp->parts, &part);
		start = part.end;
	}
}

static void paint_mapping(void *arg, const struct region *r)
{
	if (r->stack == MAPPED_BY_ALLOCATOR)
		paint(arg, r->start, r->end, SPACE_HEAP);
}

/* Where addresses are not random the break may follow a program's .bss, and the kernel
 * makes one line of both. */
static taddr_t behind_modules(const struct space *sp, const struct map_line *l)
{
	const struct modules *ms = &sp->proc->modules;
	taddr_t start = l->start;

	for (size_t i = 0; i < ms->v.n; i++)
		if (ms->v.v[i]->start < l->end && ms->v.v[i]->end > start)
			start = MIN(ms->v.v[i]->end, l->end);
	return start;
}

static void paint_break(struct space *sp)
{
	if (!sp->proc->table_complete || sp->proc->own_break)
		return; /* heap memory that nobody knows is a root */
	for (size_t i = 0; i < sp->maps.lines.n; i++)
		if (!strcmp(sp->maps.lines.v[i].path, "[heap]"))
			paint(sp, behind_modules(sp, &sp->maps.lines.v[i]), sp->maps.lines.v[i].end,
			      SPACE_HEAP);
}

static bool has_block(const struct reach *blocks, taddr_t start, taddr_t end)
{
	taddr_t before, after;

	reach_around(blocks, start, &before, &after);
	return before > start || after < end;
}

/* Allocators that call the kernel by themselves leave no trace of their
 * mappings but the blocks: an anonymous stretch that holds some, and that
 * nobody else has asked for, is theirs. */
static void paint_unseen(struct space *sp, const struct reach *blocks)
{
	struct region r, m;

	for (taddr_t at = 0; regions_next(sp->parts, at, &r); at = r.end) {
		const struct map_line *l = maps_find(&sp->maps, r.start);

		if (r.stack != SPACE_ROOT || !l || l->path[0] ||
		    modules_find(&sp->proc->modules, r.start)) /* .bss */
			continue;
		while (r.start < r.end) {
			taddr_t end = r.end;

			if (regions_next(sp->proc->mapped, r.start, &m) && m.start < end) {
				if (m.start <= r.start) {
					r.start = MIN(m.end, r.end);
					continue;
				}
				end = m.start;
			}
			if (has_block(blocks, r.start, end))
				paint(sp, r.start, end, SPACE_HEAP);
			r.start = end;
		}
	}
}

/* -- threads --------------------------------------------------------------------------------- */

static void paint_tls(struct space *sp, const struct task *t, const struct reach *blocks)
{
	bool up = sp->proc->abi->tls_above;
	uint64_t below = up ? TLS_OTHER : TLS_VARIABLES, above = up ? TLS_VARIABLES : TLS_OTHER;
	taddr_t tp, before, after;
	struct region r;

	if (host_thread_pointer(t->tid, &t->regs, &tp) || !tp || !regions_next(sp->parts, tp, &r) || r.start > tp || r.stack != SPACE_HEAP)
		return;
	reach_around(blocks, tp, &before, &after);
	if (before > tp)
		return; /* it lies in a block, which is a root by the register */
	paint(sp, MAX(MAX(r.start, before), tp - MIN(tp, below)), MIN(after, tp + above), SPACE_ROOT);
}

/* A stack ends at a page that may not be touched, or is the kernel's own. */
static bool is_stack(const struct space *sp, const struct map_line *l)
{
	const struct map_line *below;

	if (!strcmp(l->path, "[stack]"))
		return true;
	below = maps_find(&sp->maps, l->start - 1);
	return below && !below->r && !below->w && !l->shared;
}

/* Below its stack pointer a task has nothing.  When that points to another place
 * (an alternate stack, a coroutine's in a block), the whole is taken. */
static void paint_stack(struct space *sp, taddr_t stack_pointer, struct u64map *done)
{
	taddr_t top = stack_pointer - sp->proc->abi->red_zone;
	const struct map_line *l = maps_find(&sp->maps, top);

	if (!l || u64map_get(done, l->start) || !is_stack(sp, l) ||
	    space_kind_at(sp, top) != SPACE_ROOT)
		return;
	u64map_set(done, l->start, 1);
	paint(sp, l->start, top & -(taddr_t)sp->proc->abi->word, SPACE_DEAD);
}

static bool is_readable(const struct task *t)
{
	return t->state == TASK_STOPPED && t->regs.abi;
}

/* A thread that has ended may have been the last one on its stack, or not. */
static void paint_threads(struct space *sp, const struct reach *blocks)
{
	const struct proc *p = sp->proc;
	struct u64map done = U64MAP_INIT; /* starts of stacks */

	for (size_t i = 0; i < p->tasks.n; i++)
		if (is_readable(p->tasks.v[i])) {
			paint_tls(sp, p->tasks.v[i], blocks);
			paint_stack(sp, regs_sp(&p->tasks.v[i]->regs), &done);
		}
	for (size_t i = p->ended_stacks.n; i--;)
		paint_stack(sp, p->ended_stacks.v[i], &done);
	u64map_release(&done);
}

/* -- modules' data ------------------------------------------------------------------------------- */

/* Where data of other segments ends before `start`, in its page. */
static taddr_t others_end(const struct elf_segment *seg, size_t n, taddr_t bias, taddr_t low,
			  taddr_t start)
{
	for (size_t i = 0; i < n; i++) {
		taddr_t end = bias + seg[i].vaddr + seg[i].memsz;

		if (seg[i].flags & PF_W && end > low && end <= start)
			low = end;
	}
	return low;
}

/* Files are mapped by pages: before a module's data comes what precedes it in the file,
 * constants and text.  On 32 bit three letters are as good as the address of a block. */
static void paint_before_data(struct space *sp, const struct module *m, taddr_t page)
{
	const struct elf_segment *seg;
	size_t n = m->file ? elf_file_segments(m->file, &seg) : 0;

	for (size_t i = 0; i < n; i++) {
		taddr_t start = m->bias + seg[i].vaddr;

		if (seg[i].flags & PF_W)
			paint(sp, others_end(seg, n, m->bias, start & -page, start), start, SPACE_DEAD);
	}
}

static void paint_modules(struct space *sp)
{
	const struct modules *ms = &sp->proc->modules;
	taddr_t page = (taddr_t)sysconf(_SC_PAGESIZE);

	for (size_t i = 0; i < ms->v.n; i++)
		paint_before_data(sp, ms->v.v[i], page);
}

/* -- allocators' own data ------------------------------------------------------------------------ */

static bool is_known_allocator(const struct module *m)
{
	static const char *const names[] = { "libjemalloc.so", "libtcmalloc", "libmimalloc.so" };
	const char *name = last_part(m->path);

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (!strncmp(name, names[i], strlen(names[i])))
			return true;
	return false;
}

static bool is_musl(const struct module *m)
{
	const char *name = last_part(m->path);

	return image_has_malloc(m) && (!strncmp(name, "ld-musl", 7) || !strcmp(name, "libc.so"));
}

/* musl's linker gives the rest of the pages around a module's data to its
 * allocator (reclaim_gaps in ldso/dynlink.c). */
static void paint_gaps(struct space *sp, const struct module *m)
{
	const struct elf_segment *seg;
	size_t n = m->file ? elf_file_segments(m->file, &seg) : 0;
	const taddr_t page = 4096;

	for (size_t i = 0; i < n; i++) {
		taddr_t start = m->bias + seg[i].vaddr, end = start + seg[i].memsz;

		if (!(seg[i].flags & PF_W))
			continue;
		paint(sp, start & -page, start, SPACE_HEAP);
		paint(sp, end, (end + page - 1) & -page, SPACE_HEAP);
	}
}

static ssize_t read_program(void *arg, taddr_t addr, void *buf, size_t len)
{
	return proc_read(arg, addr, buf, len);
}

static void paint_main_arena(struct space *sp, const struct module *m)
{
	struct mem_reader mem = { read_program, sp->proc };
	struct glibc_view v = { .mem = &mem, .word = sp->proc->abi->word, .page = 4096, .ndata = 1,
				  .align = sp->proc->abi->malloc_align,
				  .big_endian = sp->proc->abi->e_data == ELFDATA2MSB };

	for (size_t i = 0; i < sp->maps.lines.n; i++) {
		const struct map_line *l = &sp->maps.lines.v[i];
		struct addr_range data = { l->start, l->end }, arena;

		if (!l->w || !l->r || l->start >= m->end || l->end <= m->start)
			continue;
		v.data = &data;
		if (glibc_main_arena(&v, &arena))
			paint(sp, arena.start, arena.end, SPACE_DEAD);
	}
}

static void paint_allocators(struct space *sp)
{
	struct modules *ms = &sp->proc->modules;

	for (size_t i = 0; i < ms->v.n; i++) {
		const struct module *m = ms->v.v[i];

		if (image_has_malloc(m) && is_known_allocator(m))
			paint(sp, m->start, m->end, SPACE_DEAD);
		else if (image_has_malloc(m))
			paint_main_arena(sp, m);
		for (size_t k = 0; is_musl(m) && k < ms->v.n; k++)
			paint_gaps(sp, ms->v.v[k]);
	}
}

/* -- all of it --------------------------------------------------------------------------------------- */

int space_build(struct space *sp, struct proc *p, pid_t tid, const struct reach *blocks)
{
	int err;

	*sp = (struct space){ .proc = p, .tid = tid };
	err = maps_read(&sp->maps, tid);
	if (err)
		return err;
	sp->parts = regions_new();
	take_lines(sp);
	paint_break(sp);
	regions_each(p->mapped, paint_mapping, sp);
	if (p->table_complete && p->from_launch)
		paint_unseen(sp, blocks);
	paint_threads(sp, blocks);
	paint_modules(sp);
	paint_allocators(sp);
	return 0;
}

void space_release(struct space *sp)
{
	maps_release(&sp->maps);
	regions_free(sp->parts);
	sp->parts = NULL;
}

unsigned space_kind_at(const struct space *sp, taddr_t addr)
{
	struct region r;

	return regions_next(sp->parts, addr, &r) && r.start <= addr ? r.stack : 0;
}
