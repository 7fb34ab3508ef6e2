/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>
#include <sys/uio.h>

#include "arch/host.h"
#include "base/msg.h"
#include "base/strbuf.h"
#include "trace/argument.h"
#include "trace/fill.h"
#include "trace/image.h"
#include "trace/recorder.h"
#include "trace/redzone.h"

/* Of a zone: an overrun was told. */
#define TOLD ((uint64_t)1 << 63)

static uint32_t zone_size(const struct proc *p)
{
	return p->session->opts->change.redzone;
}

bool redzone_wanted(const struct proc *p)
{
	return zone_size(p) && p->from_launch && p->abi && p->state == PROC_TRACING;
}

/* Neither text, nor zeros, nor −1: what programs write most. */
static const uint8_t *pattern(void)
{
	static uint8_t bytes[REDZONE_MAX];

	if (!bytes[0])
		for (size_t i = 0; i < sizeof bytes; i++)
			bytes[i] = (uint8_t)(0xc1 + i * 5 % 61);
	return bytes;
}

/* -- where it can be done ----------------------------------------------------------- */

/* Functions that are told sizes, and that we do not know under these names. */
static const char *const unprobed[] = {
	"je_sdallocx", "_rjem_sdallocx", "TCMallocInternalSdallocx", "TCMallocInternalDeleteSized",
	"TCMallocInternalDeleteArraySized", "TCMallocInternalFreeSized",
	"TCMallocInternalFreeAlignedSized",
};

struct search {
	struct proc *p;
	const struct module *m;
	const char *found;
};

static void look_at(void *arg, size_t i, const struct elf_symbol *sym)
{
	struct search *s = arg;

	for (size_t k = 0; k < s->p->sites.n; k++)
		if (s->p->sites.v[k]->addr == s->m->bias + sym->value)
			return; /* another name of one that we know */
	s->found = unprobed[i];
}

static const char *unprobed_release(struct proc *p)
{
	struct search s = { .p = p };

	for (size_t i = 0; i < p->modules.v.n && !s.found; i++) {
		s.m = p->modules.v.v[i];
		if (s.m->file)
			elf_file_find_functions(s.m->file, unprobed, ARRAY_SIZE(unprobed), SYMS_OWN,
						look_at, &s);
	}
	return s.found;
}

static const struct module *sized_allocator(struct proc *p)
{
	for (size_t i = 0; i < p->sites.n; i++) {
		const struct probe_site *site = p->sites.v[i];

		if (site->probe->op == OP_RELEASE && site->size_arg && site->module &&
		    image_own_allocator(site->module))
			return site->module;
	}
	return NULL;
}

static void refuse(struct proc *p, const char *what, const char *why)
{
	p->redzone.refused = true;
	if (!p->redzone.told)
		msg_warn("no red zones in %s (%d): %s %s", p->name, p->pid, what, why);
	p->redzone.told = true;
}

/* An allocator that believes the sizes it is told at a release must be told the
 * enlarged ones, by every process that has such blocks. */
static bool is_refused(struct proc *p)
{
	const struct module *m;
	const char *name;

	if (p->redzone.sites == p->sites.n)
		return p->redzone.refused;
	p->redzone.sites = p->sites.n;
	p->redzone.refused = false;
	m = sized_allocator(p);
	name = unprobed_release(p);
	if (p->sanitized)
		refuse(p, "a sanitizer", "has its own");
	else if (name)
		refuse(p, name, "is told sizes, and is not observed");
	else if (m && !p->session->opts->follow_fork)
		refuse(p, last_part(m->path), "is told sizes at releases: give -f, so that children "
		       "are traced, too");
	return p->redzone.refused;
}

/* -- requests -------------------------------------------------------------------------- */

static bool may_enlarge(const struct call *c)
{
	const struct probe *pr = c->site->probe;

	if (pr->family == FAMILY_MAP || pr->family == FAMILY_CUSTOM || !pr->size_arg)
		return false;
	/* realloc to nothing is a release. */
	return pr->op == OP_ALLOC || (pr->op == OP_REALLOC && (c->size || !c->arg[pr->ptr_arg - 1]));
}

/* Some allocators want a multiple of the alignment. */
static uint64_t extra_for(const struct task *t, const struct call *c)
{
	const struct probe *pr = c->site->probe;
	uint64_t extra = zone_size(t->proc);
	uint64_t align = pr->align_arg && pr->align_arg <= ARRAY_SIZE(c->arg) ? c->arg[pr->align_arg - 1] : 0;

	if (align && !(align & (align - 1)) && align <= 1 << 20 && c->size % align == 0)
		extra = (extra + align - 1) & ~(align - 1);
	/* What is refused anyway must not become small. */
	return c->size < ((uint64_t)1 << (8 * t->proc->abi->word - 1)) - extra ? extra : 0;
}

static uint64_t zone_of(const struct proc *p, taddr_t addr)
{
	const uint64_t *z = u64map_get(&p->zones, addr);

	return z ? *z : 0;
}

static uint64_t take_zone(struct proc *p, taddr_t addr)
{
	uint64_t z = zone_of(p, addr);

	if (z)
		u64map_del(&p->zones, addr);
	return z;
}

static uint64_t argument_now(const struct task *t, unsigned n)
{
	const struct abi *abi = t->proc->abi;
	taddr_t at = argument_place(abi, regs_sp(&t->regs), n);
	uint64_t v = 0;

	if (!at)
		return t->regs.w[abi->reg_arg[n - 1]];
	return proc_read_word(t->proc, at, &v) ? 0 : v;
}

static void enlarge(struct task *t, struct call *c, uint64_t extra)
{
	const struct probe *pr = c->site->probe;

	c->asked = argument_now(t, pr->size_arg);
	if (argument_set(t, pr->size_arg, c->size + extra))
		return;
	/* As a product, with the sum in one factor. */
	if (pr->count_arg && argument_set(t, pr->count_arg, 1)) {
		argument_set(t, pr->size_arg, c->asked);
		return;
	}
	c->zone = extra;
}

static void enlarge_old(struct task *t, struct call *c)
{
	const struct probe *pr = c->site->probe;

	c->old_zone = take_zone(t->proc, c->old.addr);
	if (c->old_zone && pr->old_size_arg)
		argument_set(t, pr->old_size_arg, c->arg[pr->old_size_arg - 1] + (c->old_zone & ~TOLD));
}

void redzone_request(struct task *t, struct call *c)
{
	uint64_t extra;

	if (!zone_size(t->proc) || t->proc->how == PROC_ATTACHED)
		return;
	if (c->had_old)
		enlarge_old(t, c);
	if (!c->ret || c->failing || !may_enlarge(c) || is_refused(t->proc))
		return;
	extra = extra_for(t, c);
	if (extra)
		enlarge(t, c, extra);
}

static void arm(struct proc *p, taddr_t addr, uint64_t size, uint64_t zone)
{
	if (!memory_poke(&p->mem, addr + size, pattern(), zone_size(p)))
		u64map_set(&p->zones, addr, zone);
}

static void put_back(struct task *t, const struct call *c)
{
	const struct probe *pr = c->site->probe;

	argument_put_back(t, c->sp, pr->size_arg, c->size + c->zone, c->asked);
	if (pr->count_arg)
		argument_put_back(t, c->sp, pr->count_arg, 1, c->arg[pr->count_arg - 1]);
}

/* The result is a size, and the block stays.  To the program it has the size that
 * it asked for, or that it had; a sized release must name the real one, of which
 * little may have changed (a small block never shrinks). */
static void resized(struct task *t, const struct call *c, taddr_t *result)
{
	taddr_t addr = c->arg[c->site->probe->ptr_arg - 1];
	struct open_block b;

	if (*result >= c->size + c->zone) {
		arm(t->proc, addr, c->size, *result - c->size);
		*result = c->size;
	} else if (zone_of(t->proc, addr) && openset_find(t->proc->open, addr, &b)) {
		*result = b.size;
	}
	t->regs.w[t->proc->abi->retval] = *result;
	host_set_regs(t->tid, &t->regs);
}

/* The zone of the block before came along as if it were content. */
static void wipe_old(struct task *t, const struct call *c, taddr_t addr)
{
	if (c->old_zone && c->size > c->old.size && call_zeroes(c))
		memory_fill(&t->proc->mem, addr + c->old.size, 0,
			    MIN(c->size - c->old.size, (uint64_t)zone_size(t->proc)));
}

void redzone_returned(struct task *t, struct call *c, taddr_t *addr, bool failed)
{
	const struct probe *pr = c->site->probe;
	struct proc *p = t->proc;

	if (!zone_size(p))
		return;
	if (c->zone)
		put_back(t, c);
	if (c->zone && pr->kind == KIND_XALLOCX) {
		resized(t, c, addr);
		return;
	}
	if (failed && c->size && pr->kind != KIND_FREES_OLD)
		redzone_abandoned(p, c);
	if (failed || !*addr)
		return;
	if (c->old_zone)
		wipe_old(t, c, *addr);
	if (c->zone)
		arm(p, *addr, c->size, c->zone);
	else
		take_zone(p, *addr);
}

void redzone_abandoned(struct proc *p, const struct call *c)
{
	if (c->old_zone)
		u64map_set(&p->zones, c->old.addr, c->old_zone);
}

void redzone_take_back(struct task *t, const struct call *c)
{
	const struct probe *pr = c->site ? c->site->probe : NULL;

	if (!pr || pr->flags & PROBE_USABLE)
		return;
	redzone_abandoned(t->proc, c);
	if (c->old_zone && pr->old_size_arg)
		argument_set(t, pr->old_size_arg, c->arg[pr->old_size_arg - 1]);
	if (!c->zone)
		return;
	argument_set(t, pr->size_arg, c->asked);
	if (pr->count_arg)
		argument_set(t, pr->count_arg, c->arg[pr->count_arg - 1]);
}

/* -- releases and checks --------------------------------------------------------------------- */

static bool is_damaged(struct proc *p, const struct open_block *b, const uint8_t *found,
		       struct fault *f)
{
	uint32_t n = zone_size(p), first = 0, last;

	while (first < n && found[first] == pattern()[first])
		first++;
	if (first == n)
		return false;
	for (last = n; found[last - 1] == pattern()[last - 1];)
		last--;
	u64map_set(&p->zones, b->addr, zone_of(p, b->addr) | TOLD);
	*f = (struct fault){ .kind = ERROR_OVERRUN, .addr = b->addr, .size = b->size,
			     .stack = b->stack, .offset = b->size + first, .given = last - first };
	f->ndata = (uint8_t)MIN(last - first, (uint32_t)sizeof f->data);
	memcpy(f->data, found + first, f->ndata);
	return true;
}

bool redzone_overrun(struct proc *p, const struct open_block *b, struct fault *f)
{
	static uint8_t found[REDZONE_MAX];
	uint64_t zone = zone_size(p) ? zone_of(p, b->addr) : 0;

	return zone && !(zone & TOLD) &&
	       memory_read(&p->mem, b->addr + b->size, found, zone_size(p)) == (ssize_t)zone_size(p) &&
	       is_damaged(p, b, found, f);
}

void redzone_released(struct task *t, const struct probe_site *site, const struct open_block *b)
{
	uint64_t zone = zone_size(t->proc) ? take_zone(t->proc, b->addr) : 0;

	t->last.zone = zone;
	if (zone && site->size_arg)
		argument_set(t, site->size_arg, argument_now(t, site->size_arg) + (zone & ~TOLD));
}

void redzone_release_undone(struct task *t, const struct probe_site *site)
{
	uint64_t zone = t->last.zone;

	t->last.zone = 0;
	if (!zone)
		return;
	u64map_set(&t->proc->zones, t->last.ptr, zone);
	if (site && site->size_arg)
		argument_set(t, site->size_arg, argument_now(t, site->size_arg) - (zone & ~TOLD));
}

/* -- all of them -------------------------------------------------------------------------------- */

#define BATCH 512
#define BATCH_BYTES (1 << 20)

struct batch {
	struct proc *p;
	struct open_block b[BATCH];
	size_t n, most;
	uint8_t *found;
};

static void look(struct batch *batch)
{
	size_t size = zone_size(batch->p);
	struct iovec here = { batch->found, batch->n * size }, there[BATCH];
	struct fault f;

	for (size_t i = 0; i < batch->n; i++)
		there[i] = (struct iovec){ (void *)(uintptr_t)(batch->b[i].addr + batch->b[i].size), size };
	/* In one go; where one cannot be read, each for itself. */
	if (process_vm_readv(batch->p->mem.thread, &here, 1, there, batch->n, 0) == (ssize_t)here.iov_len) {
		for (size_t i = 0; i < batch->n; i++)
			if (is_damaged(batch->p, &batch->b[i], batch->found + i * size, &f))
				fault_tell_later(batch->p, &f);
	} else {
		for (size_t i = 0; i < batch->n; i++)
			if (redzone_overrun(batch->p, &batch->b[i], &f))
				fault_tell_later(batch->p, &f);
	}
	batch->n = 0;
}

static int add(void *arg, const struct open_block *b)
{
	struct batch *batch = arg;
	uint64_t zone = zone_of(batch->p, b->addr);

	if (!zone || zone & TOLD)
		return 0;
	batch->b[batch->n++] = *b;
	if (batch->n == batch->most)
		look(batch);
	return 0;
}

void redzone_check(struct proc *p)
{
	static uint8_t found[BATCH_BYTES];
	static struct batch batch;

	if (!zone_size(p) || !p->open || !p->zones.n)
		return;
	batch = (struct batch){ .p = p, .found = found };
	batch.most = MIN((size_t)BATCH, sizeof found / zone_size(p));
	openset_each(p->open, add, &batch);
	if (batch.n)
		look(&batch);
}

/* A child that shares the memory takes nothing with it. */
void redzone_exec(struct task *t)
{
	if (!t->borrowed && redzone_wanted(t->proc))
		redzone_check(t->proc);
}

void redzone_leave(struct proc *p)
{
	const struct module *m;

	if (!p->zones.n || !p->abi || p->state != PROC_TRACING)
		return;
	m = sized_allocator(p);
	if (m)
		msg_warn("blocks of %s (%d) stay larger than it knows, and %s is told sizes at "
			 "releases: do not let it run on (%zu by now)", p->name, p->pid,
			 last_part(m->path), p->zones.n);
	else
		msg_info("%zu block%s of %s (%d) stay%s larger by %s red zone%s, which harms nothing",
			 p->zones.n, p->zones.n == 1 ? "" : "s", p->name, p->pid,
			 p->zones.n == 1 ? "s" : "", p->zones.n == 1 ? "its" : "their",
			 p->zones.n == 1 ? "" : "s");
}

/* -- how large a block is ----------------------------------------------------------------------- */

void redzone_usable(struct task *t, struct call *c)
{
	const struct probe *pr = c->site->probe;
	struct open_block b;

	c->zone = 0;
	if (pr->size_arg)
		c->zone = !is_refused(t->proc);
	else if (zone_of(t->proc, c->arg[0]) && openset_find(t->proc->open, c->arg[0], &b))
		c->zone = 1;
	if (c->zone)
		c->size = pr->size_arg ? c->arg[pr->size_arg - 1] : b.size;
}

void redzone_usable_returned(struct task *t, const struct call *c)
{
	if (!c->zone)
		return;
	t->regs.w[t->proc->abi->retval] = c->size;
	host_set_regs(t->tid, &t->regs);
}
