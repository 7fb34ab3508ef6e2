/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Both the pool and the index lie in pages that a clone shares until one side
 * writes: a fork costs the two directories, and each page touched afterwards
 * one copy.
 *
 *   directory (one per set)        page (shared by the sets that clone made)
 *   ┌──────────────┬─────┐         ┌──────┬──────────────────────────────┐
 *   │ page         │ own │ ──────► │ refs │ 4096 entries or index slots  │
 *   └──────────────┴─────┘         └──────┴──────────────────────────────┘
 *
 * `own` says that this set alone refers to the page; it is kept here because a
 * look at `refs` would be one more cache miss for each change.
 *
 * A slot of the index holds an entry's number + 1 in its low `bits` bits; that
 * is always enough, because there are fewer entries than slots.  The bits
 * above hold a part of the key's hash, so that a probe that passes other keys
 * does not touch the pool. */
#include "base/hash.h"
#include "base/msg.h"
#include "base/xalloc.h"
#include "model/openset.h"

#define PAGE_SHIFT 12
#define PAGE_ITEMS ((size_t)1 << PAGE_SHIFT)
#define MIN_BITS 6
#define MAX_BITS 31
#define ADDR_BITS 48
#define SIZE_BITS 32
#define MOVES_PER_ADD 4

/* first: address | low 16 bits of the size << 48
 * second: high 16 bits of the size | LIVE | mark << 17 | stack << 32
 * A free entry's first is the number of the next free one. */
struct entry {
	uint64_t first, second;
};

#define LIVE ((uint64_t)1 << 16)
#define MARK_SHIFT 17
#define NO_ENTRY UINT32_MAX

struct page {
	size_t refs;
	uint64_t bytes[];
};

struct page_ref {
	struct page *page;
	bool own;
};

/* An array in pages of PAGE_ITEMS items; the only page of a small index is
 * shorter. */
struct pages {
	struct page_ref *v;
	size_t n, cap;
	size_t page_bytes;
};

struct index {
	struct pages pages;
	unsigned bits; /* 0: there is none */
};

struct openset {
	struct pages pool;
	uint32_t pool_used;   /* entries ever handed out */
	uint32_t free_entry;  /* head of the list of free ones */
	size_t live;          /* entries in the pool that are blocks */
	struct index index;
	struct index old;     /* what the index was, while it moves over */
	size_t moved;         /* slots of `old` that are done */
	size_t move_from;     /* where that began: an unused slot */
	struct u64map odd;    /* address → struct open_block * of what does not
				 fit an entry: very large, or very high */
};

/* -- pages ---------------------------------------------------------------- */

static size_t pages_memory(const struct pages *p)
{
	return p->cap * sizeof *p->v + p->n * (sizeof(struct page) + p->page_bytes);
}

/* One page more, all zeros.  It gets its memory when it is written to: to
 * clear a large index in one go would be a long stop for the tracee. */
static void pages_grow(struct pages *p)
{
	if (p->n == p->cap) {
		p->cap = p->cap ? p->cap * 2 : 1;
		p->v = xrealloc(p->v, p->cap, sizeof *p->v);
	}
	p->v[p->n++] = (struct page_ref){ NULL, true };
}

static const void *pages_read(const struct pages *p, size_t i)
{
	/* For all the compiler knows somebody writes to it: else clang makes a
	 * constant of it, and the program's file has 64 KB of nothing. */
	static uint64_t __attribute__((used)) zeros[PAGE_ITEMS * sizeof(struct entry) / sizeof(uint64_t)];

	return p->v[i].page ? p->v[i].page->bytes : zeros;
}

static void *pages_write(struct pages *p, size_t i)
{
	struct page_ref *r = &p->v[i];

	if (!r->page) {
		r->page = xcalloc(1, sizeof *r->page + p->page_bytes);
		r->page->refs = 1;
		r->own = true;
	} else if (!r->own) {
		if (r->page->refs > 1) {
			r->page->refs--;
			r->page = xmemdup(r->page, sizeof *r->page + p->page_bytes);
			r->page->refs = 1;
		}
		r->own = true;
	}
	return r->page->bytes;
}

static void pages_share(struct pages *to, struct pages *from)
{
	*to = *from;
	if (!from->n)
		return;
	for (size_t i = 0; i < from->n; i++) {
		from->v[i].own = false;
		if (from->v[i].page)
			from->v[i].page->refs++;
	}
	to->v = xmemdup(from->v, from->cap * sizeof *from->v);
}

static void pages_release(struct pages *p)
{
	for (size_t i = 0; i < p->n; i++)
		if (p->v[i].page && !--p->v[i].page->refs)
			free(p->v[i].page);
	free(p->v);
	p->v = NULL;
	p->n = p->cap = 0;
}

/* -- entries -------------------------------------------------------------- */

static const struct entry *entry_at(const struct openset *os, uint32_t n)
{
	return (const struct entry *)pages_read(&os->pool, n >> PAGE_SHIFT) +
	       (n & (PAGE_ITEMS - 1));
}

static struct entry *entry_change(struct openset *os, uint32_t n)
{
	return (struct entry *)pages_write(&os->pool, n >> PAGE_SHIFT) + (n & (PAGE_ITEMS - 1));
}

static taddr_t entry_addr(const struct entry *e)
{
	return e->first & (((uint64_t)1 << ADDR_BITS) - 1);
}

static bool fits(const struct open_block *b)
{
	return b->addr >> ADDR_BITS == 0 && b->size >> SIZE_BITS == 0;
}

static void pack(struct entry *e, const struct open_block *b)
{
	e->first = b->addr | b->size << ADDR_BITS;
	e->second = b->size >> 16 | LIVE | (uint64_t)b->mark << MARK_SHIFT |
		    (uint64_t)b->stack << 32;
}

static void unpack(const struct entry *e, struct open_block *b)
{
	b->addr = entry_addr(e);
	b->size = e->first >> ADDR_BITS | (e->second & (LIVE - 1)) << 16;
	b->stack = (uint32_t)(e->second >> 32);
	b->mark = (uint32_t)(e->second >> MARK_SHIFT) & OPENSET_MAX_MARK;
}

static uint32_t entry_new(struct openset *os)
{
	uint32_t n = os->free_entry;

	if (n != NO_ENTRY) {
		os->free_entry = (uint32_t)entry_at(os, n)->first;
		return n;
	}
	n = os->pool_used++;
	if (n >> PAGE_SHIFT == os->pool.n)
		pages_grow(&os->pool);
	return n;
}

static void entry_free(struct openset *os, uint32_t n)
{
	*entry_change(os, n) = (struct entry){ os->free_entry, 0 };
	os->free_entry = n;
}

/* -- index ---------------------------------------------------------------- */

static size_t index_size(const struct index *ix)
{
	return (size_t)1 << ix->bits;
}

static void index_init(struct index *ix, unsigned bits)
{
	size_t size = (size_t)1 << bits;

	ix->bits = bits;
	ix->pages = (struct pages){ .page_bytes = MIN(size, PAGE_ITEMS) * sizeof(uint32_t) };
	for (size_t i = 0; i < size; i += PAGE_ITEMS)
		pages_grow(&ix->pages);
}

static uint32_t slot_at(const struct index *ix, size_t i)
{
	return ((const uint32_t *)pages_read(&ix->pages, i >> PAGE_SHIFT))[i & (PAGE_ITEMS - 1)];
}

static void slot_set(struct index *ix, size_t i, uint32_t v)
{
	((uint32_t *)pages_write(&ix->pages, i >> PAGE_SHIFT))[i & (PAGE_ITEMS - 1)] = v;
}

static uint32_t slot_entry(const struct index *ix, uint32_t slot)
{
	return (slot & (uint32_t)(index_size(ix) - 1)) - 1;
}

static size_t home(const struct index *ix, uint64_t hash)
{
	return hash >> (64 - ix->bits);
}

static uint32_t tag(const struct index *ix, uint64_t hash)
{
	return (uint32_t)hash << ix->bits;
}

/* The slot of addr, or the unused one where the search ends. */
static size_t index_find(const struct openset *os, const struct index *ix, taddr_t addr,
			 uint64_t hash, uint32_t *slot)
{
	size_t mask = index_size(ix) - 1, i = home(ix, hash);
	uint32_t t = tag(ix, hash);

	for (;; i = (i + 1) & mask) {
		*slot = slot_at(ix, i);
		if (!*slot)
			return i;
		if ((*slot ^ t) >> ix->bits == 0 &&
		    entry_addr(entry_at(os, slot_entry(ix, *slot))) == addr)
			return i;
	}
}

static void index_put(struct index *ix, uint64_t hash, uint32_t entry)
{
	size_t mask = index_size(ix) - 1, i = home(ix, hash);

	while (slot_at(ix, i))
		i = (i + 1) & mask;
	slot_set(ix, i, tag(ix, hash) | (entry + 1));
}

/* Backward-shift deletion: no tombstones, so the table does not age. */
static void index_remove(const struct openset *os, struct index *ix, size_t hole)
{
	size_t mask = index_size(ix) - 1;
	uint32_t slot;

	for (size_t i = (hole + 1) & mask; (slot = slot_at(ix, i)); i = (i + 1) & mask) {
		size_t h = home(ix, hash_u64(entry_addr(entry_at(os, slot_entry(ix, slot)))));

		if (((i - h) & mask) >= ((i - hole) & mask)) {
			slot_set(ix, hole, slot);
			hole = i;
		}
	}
	slot_set(ix, hole, 0);
}

/* Moves some slots of the old index over, always whole clusters: a search in
 * the old one never misses what is still there. */
static void move_some(struct openset *os)
{
	size_t size = index_size(&os->old), mask = size - 1;

	for (size_t done = 0; os->moved < size; done++) {
		size_t i = (os->move_from + os->moved) & mask;
		uint32_t slot = slot_at(&os->old, i);

		if (!slot && done >= MOVES_PER_ADD)
			return;
		os->moved++;
		if (slot) {
			uint32_t n = slot_entry(&os->old, slot);

			index_put(&os->index, hash_u64(entry_addr(entry_at(os, n))), n);
			slot_set(&os->old, i, 0);
		}
	}
	pages_release(&os->old.pages);
	os->old.bits = 0;
}

static void make_room(struct openset *os)
{
	if (os->old.bits)
		move_some(os);
	/* At most 7 of 10 slots are used.  A move ends long before the new
	 * index is that full; should it not have, it ends now. */
	if ((os->live + 1) * 10 <= index_size(&os->index) * 7)
		return;
	while (os->old.bits)
		move_some(os);
	if (os->index.bits == MAX_BITS)
		die("more than %zu open blocks in one process", os->live);
	os->old = os->index;
	os->moved = os->move_from = 0;
	while (slot_at(&os->old, os->move_from))
		os->move_from++;
	index_init(&os->index, os->old.bits + 1);
}

/* -- the set -------------------------------------------------------------- */

struct openset *openset_new(void)
{
	struct openset *os = xcalloc(1, sizeof *os);

	os->pool.page_bytes = PAGE_ITEMS * sizeof(struct entry);
	os->free_entry = NO_ENTRY;
	index_init(&os->index, MIN_BITS);
	return os;
}

struct openset *openset_clone(struct openset *of)
{
	struct openset *os = xmemdup(of, sizeof *of);

	pages_share(&os->pool, &of->pool);
	pages_share(&os->index.pages, &of->index.pages);
	pages_share(&os->old.pages, &of->old.pages);
	os->odd = (struct u64map)U64MAP_INIT;
	u64map_for_each(&of->odd, s) {
		const void *b = (const void *)(uintptr_t)s->value;

		u64map_set(&os->odd, s->key,
			   (uintptr_t)xmemdup(b, sizeof(struct open_block)));
	}
	return os;
}

void openset_free(struct openset *os)
{
	if (!os)
		return;
	pages_release(&os->pool);
	pages_release(&os->index.pages);
	pages_release(&os->old.pages);
	u64map_for_each(&os->odd, s)
		free((void *)(uintptr_t)s->value);
	u64map_release(&os->odd);
	free(os);
}

/* Entry number of addr, and where it is in which index; NO_ENTRY: nowhere. */
static uint32_t locate(const struct openset *os, taddr_t addr, bool *in_old, size_t *at)
{
	uint64_t hash = hash_u64(addr);
	uint32_t slot;

	*in_old = false;
	*at = index_find(os, &os->index, addr, hash, &slot);
	if (slot)
		return slot_entry(&os->index, slot);
	if (!os->old.bits)
		return NO_ENTRY;
	*in_old = true;
	*at = index_find(os, &os->old, addr, hash, &slot);
	return slot ? slot_entry(&os->old, slot) : NO_ENTRY;
}

static bool take_odd(struct openset *os, taddr_t addr, struct open_block *out)
{
	struct open_block *b = u64map_getp(&os->odd, addr);

	if (!b)
		return false;
	*out = *b;
	free(b);
	u64map_del(&os->odd, addr);
	return true;
}

static void add_new(struct openset *os, const struct open_block *b)
{
	uint32_t n;

	if (!fits(b)) {
		u64map_set(&os->odd, b->addr, (uintptr_t)xmemdup(b, sizeof *b));
		return;
	}
	make_room(os);
	n = entry_new(os);
	pack(entry_change(os, n), b);
	index_put(&os->index, hash_u64(b->addr), n);
	os->live++;
}

bool openset_add(struct openset *os, const struct open_block *b, struct open_block *old)
{
	struct open_block before;
	bool in_old, replaced;
	uint32_t n;
	size_t at;

	n = b->addr >> ADDR_BITS ? NO_ENTRY : locate(os, b->addr, &in_old, &at);
	if (n != NO_ENTRY && fits(b)) {
		unpack(entry_at(os, n), &before);
		pack(entry_change(os, n), b);
		replaced = true;
	} else {
		replaced = openset_take(os, b->addr, &before);
		add_new(os, b);
	}
	if (replaced && old)
		*old = before;
	return replaced;
}

bool openset_take(struct openset *os, taddr_t addr, struct open_block *out)
{
	bool in_old;
	uint32_t n;
	size_t at;

	if (os->odd.n && take_odd(os, addr, out))
		return true;
	if (addr >> ADDR_BITS)
		return false;
	n = locate(os, addr, &in_old, &at);
	if (n == NO_ENTRY)
		return false;
	unpack(entry_at(os, n), out);
	index_remove(os, in_old ? &os->old : &os->index, at);
	entry_free(os, n);
	os->live--;
	return true;
}

bool openset_find(const struct openset *os, taddr_t addr, struct open_block *out)
{
	const struct open_block *b = os->odd.n ? u64map_getp(&os->odd, addr) : NULL;
	bool in_old;
	uint32_t n;
	size_t at;

	if (b) {
		*out = *b;
		return true;
	}
	if (addr >> ADDR_BITS)
		return false;
	n = locate(os, addr, &in_old, &at);
	if (n == NO_ENTRY)
		return false;
	unpack(entry_at(os, n), out);
	return true;
}

struct around {
	taddr_t addr;
	struct open_block *out;
};

static int is_around(void *arg, const struct open_block *b)
{
	struct around *a = arg;

	if (a->addr <= b->addr || a->addr - b->addr >= b->size)
		return 0;
	*a->out = *b;
	return 1;
}

bool openset_around(const struct openset *s, taddr_t addr, struct open_block *out)
{
	return openset_each(s, is_around, &(struct around){ addr, out });
}

size_t openset_count(const struct openset *os)
{
	return os->live + os->odd.n;
}

/* An entry stays in its place, whatever becomes of the index. */
static int each_between(const struct openset *os, uint32_t from, uint32_t to,
			int (*fn)(void *, const struct open_block *), void *arg)
{
	struct open_block b;
	int err;

	for (uint32_t n = from; n < to; n++) {
		const struct entry *e = entry_at(os, n);

		if (!(e->second & LIVE))
			continue;
		unpack(e, &b);
		err = fn(arg, &b);
		if (err)
			return err;
	}
	return 0;
}

static int each_odd(const struct openset *os, int (*fn)(void *, const struct open_block *), void *arg)
{
	u64map_for_each(&os->odd, s) {
		int err = fn(arg, (const struct open_block *)(uintptr_t)s->value);

		if (err)
			return err;
	}
	return 0;
}

int openset_each(const struct openset *os, int (*fn)(void *, const struct open_block *), void *arg)
{
	int err = each_between(os, 0, os->pool_used, fn, arg);

	return err ? err : each_odd(os, fn, arg);
}

bool openset_each_some(const struct openset *os, uint32_t *at, uint32_t places,
		       int (*fn)(void *, const struct open_block *), void *arg)
{
	uint32_t from = *at;

	*at = MIN(from + places, os->pool_used);
	if (each_between(os, from, *at, fn, arg))
		return false;
	if (*at < os->pool_used)
		return true;
	each_odd(os, fn, arg);
	return false;
}

size_t openset_memory(const struct openset *os)
{
	size_t odd = os->odd.slot ? (size_t)1 << os->odd.bits : 0;

	return sizeof *os + pages_memory(&os->pool) + pages_memory(&os->index.pages) +
	       pages_memory(&os->old.pages) + odd * (sizeof(struct u64map_slot) + 1) +
	       os->odd.n * sizeof(struct open_block);
}
