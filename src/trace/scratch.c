/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/msg.h"
#include "base/xalloc.h"
#include "trace/inject.h"
#include "trace/scratch.h"

#define AREA_FIRST (16u << 10)
#define AREA_MORE (64u << 10)
/* Room below a stack that is left to its growth, and around everything. */
#define STACK_ROOM (256u << 20)
#define GUARD 65536u

static bool in_reach(const struct abi *abi, const struct scratch *a, taddr_t addr)
{
	uint64_t reach = abi->slot_reach;

	if (!reach)
		return true;
	return addr < a->addr ? a->addr + a->size - addr < reach : addr - a->addr < reach;
}

static taddr_t slot_in(struct scratch *a, struct breakpoint *bp)
{
	size_t n = a->size / SLOT_SIZE;

	for (size_t i = a->used; i < n; i++)
		if (!a->owner[i]) {
			a->owner[i] = bp;
			a->used = i + 1;
			return a->addr + i * SLOT_SIZE;
		}
	return 0;
}

static struct scratch *area_new(struct proc *p, taddr_t addr, size_t size)
{
	struct scratch *a = xcalloc(1, sizeof *a);

	a->addr = addr;
	a->size = size;
	a->shadow = xcalloc(1, size);
	a->owner = xcalloc(size / SLOT_SIZE, sizeof *a->owner);
	vec_push(&p->scratch, a);
	return a;
}

static void area_free(struct scratch *a)
{
	free(a->shadow);
	free(a->owner);
	free(a);
}

/* -- injected pages ------------------------------------------------------------ */

static bool is_stack(const struct map_line *m)
{
	return !strncmp(m->path, "[stack", 6);
}

/* The gap nearest below `near` (then above it) that nothing will grow into:
 * brk grows from [heap] upwards, so a gap right above bss or [heap] is none;
 * a stack grows down. */
static taddr_t find_gap(const struct maps *maps, const struct abi *abi, taddr_t near, size_t size)
{
	uint64_t reach = abi->slot_reach ? abi->slot_reach : (uint64_t)1 << 31;
	taddr_t best = 0, lo = 65536;

	for (size_t i = 0; i < maps->lines.n; i++) {
		const struct map_line *next = &maps->lines.v[i];
		taddr_t top = next->start > (is_stack(next) ? STACK_ROOM : GUARD) ?
			      next->start - (is_stack(next) ? STACK_ROOM : GUARD) : 0;
		bool brk_may_come = i && maps->lines.v[i - 1].w &&
				    next->start - maps->lines.v[i - 1].end < (1u << 30);

		if (top > lo + size && !brk_may_come) {
			taddr_t at = (top - size) & ~(taddr_t)4095;
			uint64_t away = at > near ? at + size - near : near - at;

			if (away < reach - (1u << 20) && (!best || at <= near))
				best = at;
		}
		lo = MAX(lo, next->end + GUARD);
	}
	return best;
}

static bool map_area(struct task *t, taddr_t at, size_t size)
{
	const struct abi *abi = t->proc->abi;
	uint64_t arg[6] = { at, size, PROT_READ | PROT_EXEC,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, (uint64_t)-1, 0 };
	uint64_t no_fork[6] = { at, size, MADV_DONTFORK };
	int64_t got;

	if (inject_syscall(t, abi->nr_mmap, arg, &got))
		return false;
	if (abi->word == 4)
		got = (uint32_t)got;
	/* A kernel older than MAP_FIXED_NOREPLACE may place it elsewhere. */
	if ((taddr_t)got != at)
		return false;
	inject_syscall(t, abi->nr_madvise, no_fork, &got);
	return true;
}

static struct scratch *inject_area(struct proc *p, struct task *t, taddr_t near)
{
	size_t size = p->scratch.n ? AREA_MORE : AREA_FIRST;
	struct scratch *a;
	struct maps maps;
	taddr_t at;

	if (p->no_inject || !t || maps_read(&maps, p->pid))
		return NULL;
	at = find_gap(&maps, p->abi, near, size);
	maps_release(&maps);
	if (!at)
		return NULL;
	if (!map_area(t, at, size)) {
		msg_debug("no scratch page at 0x%llx", (unsigned long long)at);
		p->no_inject = true;
		return NULL;
	}
	a = area_new(p, at, size);
	a->injected = true;
	return a;
}

/* -- padding ----------------------------------------------------------------------- */

/* Behind the last instruction of a text segment the rest of the page is mapped
 * as well; where the file has zeros there, nobody uses it. */
static struct scratch *padding_area(struct proc *p, struct module *m)
{
	const struct elf_segment *seg;
	size_t n = elf_file_segments(m->file, &seg);
	uint8_t page[4096];

	for (size_t i = 0; i < n; i++) {
		taddr_t end = m->bias + seg[i].vaddr + seg[i].filesz;
		taddr_t from = (end + SLOT_SIZE - 1) & ~(taddr_t)(SLOT_SIZE - 1);
		taddr_t stop = (end + 4095) & ~(taddr_t)4095;
		size_t zero = 0, room = stop - from;
		struct scratch *a;

		if (!(seg[i].flags & 1 /* PF_X */) || seg[i].flags & 2 || from >= stop)
			continue;
		if (memory_read(&p->mem, from, page, room) != (ssize_t)room)
			continue;
		while (zero < room && !page[zero])
			zero++;
		zero &= ~(size_t)(SLOT_SIZE - 1);
		if (!zero)
			continue;
		a = area_new(p, from, zero);
		a->module = m;
		return a;
	}
	return NULL;
}

static struct scratch *padding_near(struct proc *p, taddr_t near)
{
	for (size_t i = 0; i < p->modules.v.n; i++) {
		struct module *m = p->modules.v.v[i];
		bool have = m->is_vdso || !m->file;
		struct scratch *a;

		for (size_t k = 0; k < p->scratch.n; k++)
			have |= p->scratch.v[k]->module == m;
		if (have)
			continue;
		if (p->abi->slot_reach &&
		    (near > m->end ? near - m->start : m->end - near) >= p->abi->slot_reach)
			continue;
		a = padding_area(p, m);
		if (a)
			return a;
	}
	return NULL;
}

/* For tests, with -D only: MTRACE_SLOTS=padding injects nothing, =none makes
 * every instruction be stepped over. */
static bool slots_are(const char *what)
{
	const char *slots = msg_level() >= MSG_DEBUG ? getenv("MTRACE_SLOTS") : NULL;

	return slots && !strcmp(slots, what);
}

taddr_t scratch_take(struct proc *p, struct task *stopped, struct breakpoint *bp)
{
	struct scratch *a;
	taddr_t slot;

	if (slots_are("none"))
		return 0;
	for (size_t i = p->scratch.n; i--;) {
		a = p->scratch.v[i];
		if (in_reach(p->abi, a, bp->addr) && (slot = slot_in(a, bp)))
			return slot;
	}
	a = slots_are("padding") ? NULL : inject_area(p, stopped, bp->addr);
	if (!a)
		a = padding_near(p, bp->addr);
	return a && in_reach(p->abi, a, bp->addr) ? slot_in(a, bp) : 0;
}

static struct scratch *area_of(const struct proc *p, taddr_t addr)
{
	for (size_t i = 0; i < p->scratch.n; i++)
		if (addr - p->scratch.v[i]->addr < p->scratch.v[i]->size)
			return p->scratch.v[i];
	return NULL;
}

void scratch_give_back(struct proc *p, taddr_t slot)
{
	struct scratch *a = area_of(p, slot);
	size_t i = (slot - a->addr) / SLOT_SIZE;

	a->owner[i] = NULL;
	a->used = MIN(a->used, i);
}

int scratch_write(struct proc *p, struct task *stopped, taddr_t slot, const void *code, size_t len)
{
	struct scratch *a = area_of(p, slot);

	if (!a || slot + len > a->addr + a->size)
		return -EINVAL;
	memcpy(a->shadow + (slot - a->addr), code, len);
	if (!a->injected)
		u64map_set(&p->dirty_pages, slot >> 12, 1);
	return proc_write(p, stopped, slot, code, len);
}

struct breakpoint *scratch_owner(const struct proc *p, taddr_t pc, uint64_t *offset)
{
	const struct scratch *a = area_of(p, pc);

	if (!a)
		return NULL;
	*offset = (pc - a->addr) % SLOT_SIZE;
	return a->owner[(pc - a->addr) / SLOT_SIZE];
}

/* An injected page is not inherited, and what is written into padding after a
 * fork is not seen in the copy: a byte that no slot uses is changed for a
 * moment. */
static int area_is_in(const struct proc *p, const struct scratch *a, const struct memory *mem)
{
	taddr_t last = a->addr + a->size - 1;
	uint8_t was, now, other;

	if (a->owner[a->size / SLOT_SIZE - 1] || memory_read(&p->mem, last, &was, 1) != 1)
		return -1;
	other = (uint8_t)~was;
	if (memory_write(&p->mem, p->mem.pid, last, &other, 1))
		return -1;
	if (memory_read(mem, last, &now, 1) != 1)
		now = was;
	memory_write(&p->mem, p->mem.pid, last, &was, 1);
	return now == other;
}

int scratch_is_in(const struct proc *p, const struct memory *mem)
{
	int is = -1;

	for (size_t i = 0; i < p->scratch.n && is < 0; i++)
		is = area_is_in(p, p->scratch.v[i], mem);
	return is;
}

/* -- fork, detach, unmapping ------------------------------------------------------------ */

static void zero_padding(const struct scratch *a, const struct memory *mem)
{
	/* In no file: the compiler is not to see that nobody writes there. */
	static uint8_t __attribute__((used)) zeros[4096];

	if (!a->injected)
		memory_write(mem, mem->pid, a->addr, zeros, MIN(a->size, sizeof zeros));
}

void scratch_clean_copy(const struct proc *p, const struct memory *copy)
{
	for (size_t i = 0; i < p->scratch.n; i++)
		zero_padding(p->scratch.v[i], copy);
}

void scratch_clean(struct proc *p)
{
	scratch_clean_copy(p, &p->mem);
}

void scratch_copy_table(const struct proc *from, struct proc *to)
{
	for (size_t i = 0; i < from->scratch.n; i++) {
		const struct scratch *was = from->scratch.v[i];
		struct scratch *a = area_new(to, was->addr, was->size);

		a->injected = was->injected;
		a->used = was->used;
		a->module = was->module ? modules_find(&to->modules, was->addr) : NULL;
		memcpy(a->shadow, was->shadow, was->size);
		for (size_t k = 0; k < was->size / SLOT_SIZE; k++)
			if (was->owner[k])
				a->owner[k] = u64map_getp(&to->bps, was->owner[k]->addr);
	}
}

int scratch_restore(struct proc *p, struct task *stopped)
{
	int worst = 0;

	for (size_t i = 0; i < p->scratch.n; i++) {
		struct scratch *a = p->scratch.v[i];
		int err = 0;

		if (!a->injected)
			continue;
		if (!map_area(stopped, a->addr, a->size))
			err = -ENOMEM;
		else
			err = proc_write(p, stopped, a->addr, a->shadow, a->used * SLOT_SIZE);
		if (!err)
			continue;
		/* Those slots are not there: their breakpoints are stepped. */
		for (size_t k = 0; k < a->size / SLOT_SIZE; k++)
			if (a->owner[k]) {
				a->owner[k]->resume = 0;
				a->owner[k]->slot = 0;
				a->owner[k]->d.kind = DISPLACE_STEP;
				a->owner[k] = NULL;
			}
		worst = err;
	}
	return worst;
}

void scratch_disown(struct proc *p, const struct breakpoint *bp)
{
	/* The slot itself is not used again: a thread may stand in it. */
	struct scratch *a = bp->slot ? area_of(p, bp->slot) : NULL;

	if (a)
		a->owner[(bp->slot - a->addr) / SLOT_SIZE] = NULL;
}

void scratch_forget_module(struct proc *p, const struct module *m)
{
	for (size_t i = p->scratch.n; i--;)
		if (p->scratch.v[i]->module == m) {
			area_free(p->scratch.v[i]);
			vec_remove(&p->scratch, i);
		}
}

void scratch_forget_all(struct proc *p)
{
	for (size_t i = 0; i < p->scratch.n; i++)
		area_free(p->scratch.v[i]);
	vec_release(&p->scratch);
}
