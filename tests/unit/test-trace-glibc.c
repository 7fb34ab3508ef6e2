/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The census of a heap that is made up, of each layout: what is in use and
 * nothing else; and of the same with damage. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "base/hash.h"
#include "trace/glibc-internal.h"

enum { DATA, BRK, TLS, MAPPED, THREAD, OLDER, NREGIONS };

#define TP (at[TLS] + 0x900)
static taddr_t cache_below = 0x40; /* tcache lies so far below TP */
static bool big; /* the byte order */
static bool large; /* the cache has a rest that is no chunk */

/* Two heaps of one thread's arena: multiples of HEAP_MAX_SIZE. */
static const taddr_t at[] = { [DATA] = 0xf7100000, [BRK] = 0x56001000, [TLS] = 0xf7200000,
			      [MAPPED] = 0xf7300000, [THREAD] = 0xf0000000, [OLDER] = 0xec000000 };
static const size_t size_of[] = { 0x2000, 0x4000, 0x1000, 0x30000, 0x3000, 0x2000 };

/* Words and alignments of blocks. */
static const struct kind {
	unsigned w, align;
} kinds[] = { { 8, 16 }, { 4, 16 }, { 4, 8 } };

struct made_up {
	unsigned w, align;
	uint8_t *mem[NREGIONS];
	taddr_t main_arena, thread_arena;
	taddr_t next;    /* where the next chunk comes */
	unsigned bits;   /* of its size */
	VEC(struct glibc_block) expect;
};

static uint8_t *place(struct made_up *x, taddr_t addr, size_t len)
{
	for (int i = 0; i < NREGIONS; i++)
		if (addr >= at[i] && addr - at[i] < size_of[i] && size_of[i] - (addr - at[i]) >= len)
			return x->mem[i] + (addr - at[i]);
	fail();
	return NULL;
}

static void put(struct made_up *x, taddr_t addr, uint64_t v, unsigned len)
{
	uint8_t *p = place(x, addr, len);

	for (unsigned i = 0; i < len; i++)
		p[i] = (uint8_t)(v >> 8 * (big ? len - 1 - i : i));
}

static void put_word(struct made_up *x, taddr_t addr, uint64_t v)
{
	put(x, addr, v, x->w);
}

static ssize_t read_made_up(void *arg, taddr_t addr, void *buf, size_t len)
{
	struct made_up *x = arg;

	for (int i = 0; i < NREGIONS; i++)
		if (addr >= at[i] && addr - at[i] < size_of[i]) {
			len = MIN(len, size_of[i] - (addr - at[i]));
			memcpy(buf, x->mem[i] + (addr - at[i]), len);
			return (ssize_t)len;
		}
	return -EFAULT;
}

/* -- making ----------------------------------------------------------------- */

static unsigned off(const struct made_up *x, unsigned in64, unsigned in32)
{
	return x->w == 8 ? in64 : in32;
}

/* The same behind an arena's fastbins, of which there is one less where blocks are
 * aligned to 8. */
static unsigned behind(const struct made_up *x, unsigned in64, unsigned in32)
{
	return off(x, in64, in32 - (x->align == 8 ? 4 : 0));
}

static uint64_t cache_size(const struct made_up *x)
{
	return off(x, 0x290, x->align == 8 ? 0x188 : 0x190);
}

static void make_arena(struct made_up *x, taddr_t a, taddr_t next, taddr_t top, uint64_t system_mem)
{
	for (unsigned i = 0; i < NBINS; i++) {
		taddr_t bin = a + behind(x, 0x70, 0x40) + 2 * x->w * i;

		put_word(x, bin, bin - 2 * x->w);
		put_word(x, bin + x->w, bin - 2 * x->w);
	}
	put_word(x, a + behind(x, 0x60, 0x38), top);
	put_word(x, a + behind(x, 0x870, 0x448), next);
	put_word(x, a + behind(x, 0x888, 0x454), system_mem);
	put_word(x, a + behind(x, 0x890, 0x458), system_mem);
}

static void make_params(struct made_up *x, taddr_t p, unsigned n_mmaps, uint64_t mmapped)
{
	unsigned w = x->w, longs = (7 * w + 20 + w - 1) & -w;

	put_word(x, p + 2 * w, 131072);
	put(x, p + 7 * w + 4, n_mmaps, 4);
	put(x, p + 7 * w + 8, 65536, 4);
	put(x, p + 7 * w + 12, n_mmaps + 1, 4);
	put_word(x, p + longs, mmapped);
	put_word(x, p + longs + w, mmapped + 4096);
	put_word(x, p + longs + 2 * w, at[BRK]);
	put_word(x, p + longs + 3 * w, 64);
	put_word(x, p + longs + 4 * w, off(x, 1032, x->align == 8 ? 516 : 1020));
	put_word(x, p + longs + 5 * w, 7);
}

static taddr_t begin(const struct made_up *x, taddr_t start)
{
	return start + (-(start + 2 * x->w) & (x->align - 1));
}

/* A chunk of `size` bytes at the next place: its memory's address. */
static taddr_t chunk(struct made_up *x, uint64_t size)
{
	taddr_t mem = x->next + 2 * x->w;

	put_word(x, x->next + x->w, size | x->bits);
	x->next += size;
	return mem;
}

static taddr_t used(struct made_up *x, uint64_t size)
{
	taddr_t mem = chunk(x, size);

	put_word(x, mem, 0x4141);
	vec_push(&x->expect, (struct glibc_block){ mem, size - x->w, 0x4141 });
	return mem;
}

/* Free, and in a bin: the next chunk says so. */
static void binned(struct made_up *x, uint64_t size)
{
	chunk(x, size);
	put_word(x, x->next, size);
	x->bits &= ~(unsigned)PREV_INUSE;
}

static void cached(struct made_up *x, taddr_t cache, uint64_t size, unsigned n)
{
	uint64_t bin = (size - off(x, 32, 16)) / x->align;
	taddr_t before = 0;

	for (unsigned i = 0; i < n; i++) {
		taddr_t mem = chunk(x, size);

		put_word(x, mem, mem >> 12 ^ before);
		put_word(x, mem + x->w, 0x4b4b4b4b);
		before = mem;
	}
	put(x, cache + 2 * bin, n, 2);
	put_word(x, cache + 128 + x->w * bin, before);
}

static void in_fastbin(struct made_up *x, taddr_t arena, uint64_t size, unsigned n)
{
	unsigned bin = (unsigned)(size >> off(x, 4, 3)) - 2;
	taddr_t before = 0, mem = 0;

	for (unsigned i = 0; i < n; i++) {
		mem = chunk(x, size);
		put_word(x, mem, mem >> 12 ^ before);
		before = mem - 2 * x->w;
	}
	put_word(x, arena + off(x, 0x10, 0xc) + bin * x->w, before);
}

static void make_break(struct made_up *x)
{
	taddr_t cache;

	x->next = begin(x, at[BRK]);
	x->bits = PREV_INUSE;
	cache = chunk(x, cache_size(x) + (large ? off(x, 32, 16) - x->align : 0));
	used(x, 0x20);
	cached(x, cache, 0x40, 3);
	used(x, 0x50);
	in_fastbin(x, x->main_arena, 0x30, 4);
	binned(x, 0x200);
	used(x, 0x110);
	x->bits |= PREV_INUSE;
	used(x, cache_size(x)); /* of a cache's size, and none */
	cached(x, cache, 0x60, 7);
	put_word(x, x->next + x->w, (at[BRK] + size_of[BRK] - x->next) | PREV_INUSE);
	make_arena(x, x->main_arena, x->thread_arena, x->next, size_of[BRK]);
	/* the main thread's thread_arena and tcache */
	put_word(x, TP - cache_below + 2 * x->w, x->main_arena);
	put_word(x, TP - cache_below, cache);
}

static void make_heap(struct made_up *x, taddr_t heap, taddr_t before, size_t size)
{
	put_word(x, heap, x->thread_arena);
	put_word(x, heap + x->w, before);
	put_word(x, heap + 2 * x->w, size);
	put_word(x, heap + 3 * x->w, size);
	put_word(x, heap + 4 * x->w, 4096);
}

/* The older heap holds the arena and ends with fence posts; in front of them is
 * the rest of the old top, which looks like a chunk in use. */
static void make_thread(struct made_up *x)
{
	unsigned info = off(x, 0x30, 0x18);

	make_heap(x, at[OLDER], 0, size_of[OLDER]);
	make_heap(x, at[THREAD], at[OLDER], size_of[THREAD]);
	x->bits = PREV_INUSE | NON_MAIN_ARENA;
	x->next = begin(x, x->thread_arena + behind(x, 0x898, 0x45c));
	used(x, 0x30);
	in_fastbin(x, x->thread_arena, 0x20, 2);
	used(x, 0x500);
	x->bits = PREV_INUSE;
	chunk(x, 0x20);
	chunk(x, 2 * x->w);
	put_word(x, x->next + x->w, PREV_INUSE);

	x->bits = PREV_INUSE | NON_MAIN_ARENA;
	x->next = begin(x, at[THREAD] + info);
	used(x, 0x800);
	put_word(x, x->next + x->w, (at[THREAD] + size_of[THREAD] - x->next) | PREV_INUSE);
	make_arena(x, x->thread_arena, x->main_arena, x->next, size_of[OLDER] + size_of[THREAD]);
}

static void mapped(struct made_up *x, taddr_t page, uint64_t lead, uint64_t total)
{
	uint64_t plain = begin(x, page) - page;
	taddr_t mem = page + lead + 2 * x->w;

	put_word(x, page + plain, plain);
	put_word(x, page + plain + x->w, (total - plain) | IS_MMAPPED);
	put_word(x, page + lead, lead);
	put_word(x, page + lead + x->w, (total - lead) | IS_MMAPPED);
	put_word(x, mem, 0x4242);
	vec_push(&x->expect, (struct glibc_block){ mem, total - lead - 2 * x->w, 0x4242 });
}

static int by_address(const void *a, const void *b)
{
	const struct glibc_block *p = a, *q = b;

	return p->addr < q->addr ? -1 : p->addr > q->addr;
}

/* Three mappings: two neighbours, one of them moved up by memalign(512), and one
 * behind a page of the program's. */
static void make(struct made_up *x, const struct kind *kind)
{
	unsigned w = kind->w;

	memset(x, 0, sizeof *x);
	x->w = w;
	x->align = kind->align;
	for (int i = 0; i < NREGIONS; i++)
		x->mem[i] = xcalloc(1, size_of[i]);
	x->main_arena = at[DATA] + 0xc60;
	x->thread_arena = at[OLDER] + off(x, 0x30, 0x18);
	memset(x->mem[DATA], 0x5a, 0x100);
	mapped(x, at[MAPPED], begin(x, at[MAPPED]) - at[MAPPED], 0x8000);
	mapped(x, at[MAPPED] + 0x8000, 512 - 2 * w, 0x9000);
	mapped(x, at[MAPPED] + 0x12000, begin(x, at[MAPPED]) - at[MAPPED], 0x3000);
	make_params(x, at[DATA] + 0x340, 3, 0x8000 + 0x9000 + 0x3000);
	make_break(x);
	make_thread(x);
	qsort(x->expect.v, x->expect.n, sizeof *x->expect.v, by_address);
}

static void release(struct made_up *x)
{
	for (int i = 0; i < NREGIONS; i++)
		free(x->mem[i]);
	vec_release(&x->expect);
}

/* The main arena but for its ring is all that a leak scan wants. */
static void check_main_arena(struct made_up *x)
{
	struct addr_range data = { at[DATA], at[DATA] + size_of[DATA] }, arena = { 0 };
	struct mem_reader mem = { read_made_up, x };
	struct glibc_view v = { .mem = &mem, .word = x->w, .align = x->align, .page = 4096, .data = &data, .ndata = 1,
				.big_endian = big };

	assert_true(glibc_main_arena(&v, &arena));
	assert_int_equal(arena.start, x->main_arena);
	assert_int_equal(arena.end, x->main_arena + behind(x, 0x870, 0x448));
	data.end = x->main_arena;
	assert_false(glibc_main_arena(&v, &arena));
}

typedef int taker(const struct glibc_view *v, struct glibc_heap *out);

static bool tagged; /* the program's memory */

static int take_by(struct made_up *x, struct glibc_heap *h, taker *take)
{
	struct addr_range data = { at[DATA], at[DATA] + size_of[DATA] }, anon[NREGIONS];
	static const int order[] = { BRK, OLDER, THREAD, DATA, TLS, MAPPED };
	struct mem_reader mem = { read_made_up, x };
	taddr_t tp = TP;
	struct glibc_view v = { .mem = &mem, .word = x->w, .align = x->align, .page = 4096, .data = &data, .ndata = 1,
				.anon = anon, .nanon = NREGIONS, .tp = &tp, .ntp = 1, .big_endian = big,
				.tagged = tagged };

	for (int i = 0; i < NREGIONS; i++)
		anon[i] = (struct addr_range){ at[order[i]], at[order[i]] + size_of[order[i]] };
	return take(&v, h);
}

static int take(struct made_up *x, struct glibc_heap *h)
{
	return take_by(x, h, glibc_census);
}

/* -- tests ------------------------------------------------------------------ */

static void check_exact(struct made_up *x)
{
	struct glibc_heap h;

	check_main_arena(x);
	assert_int_equal(take(x, &h), 0);
	assert_string_equal(h.doubt, "");
	assert_int_equal(h.arenas, 2);
	assert_int_equal(h.mapped, 3);
	assert_int_equal(h.caches, 1);
	assert_int_equal(h.blocks.n, x->expect.n);
	for (size_t i = 0; i < h.blocks.n; i++) {
		assert_int_equal(h.blocks.v[i].addr, x->expect.v[i].addr);
		assert_int_equal(h.blocks.v[i].usable, x->expect.v[i].usable);
		assert_int_equal(h.blocks.v[i].first, x->expect.v[i].first);
	}
	glibc_heap_release(&h);
}

static void test_exact(void **state)
{
	struct made_up x;

	(void)state;
	for (size_t k = 0; k < ARRAY_SIZE(kinds); k++) {
		make(&x, &kinds[k]);
		check_exact(&x);
		release(&x);
	}
}

/* As on PowerPC, and on ARM, where variables lie above the thread pointer. */
static void test_other_machines(void **state)
{
	taddr_t below = cache_below;

	cache_below = (taddr_t)-0x60;
	test_exact(state);
	big = true;
	test_exact(state);
	cache_below = below;
	test_exact(state);
	big = false;
}

static void test_large_cache(void **state)
{
	large = true;
	test_exact(state);
	large = false;
}

/* The program has moved the break by itself: two fence posts, its own bytes, and
 * the heap again. */
static void test_foreign_break(void **state)
{
	struct made_up x;
	taddr_t top;

	(void)state;
	for (size_t k = 0; k < ARRAY_SIZE(kinds); k++) {
		unsigned w = kinds[k].w;

		make(&x, &kinds[k]);
		top = x.next = 0;
		for (unsigned i = 0; i < w; i++)
			top |= (taddr_t)place(&x, x.main_arena + behind(&x, 0x60, 0x38), w)[i] << 8 * i;
		x.next = top;
		x.bits = PREV_INUSE;
		chunk(&x, 2 * w);
		chunk(&x, 2 * w);
		memset(place(&x, x.next, 0x1000), 0x77, 0x1000);
		x.next = begin(&x, x.next + 0x1000);
		used(&x, 0x70);
		put_word(&x, x.next + w, (at[BRK] + size_of[BRK] - x.next) | PREV_INUSE);
		put_word(&x, x.main_arena + behind(&x, 0x60, 0x38), x.next);
		qsort(x.expect.v, x.expect.n, sizeof *x.expect.v, by_address);
		check_exact(&x);
		release(&x);
	}
}

/* The break could not grow, the arena got a mapping, and all that was in that has been
 * released: the top is its first chunk, and may reach to the end of what is mapped. */
static void test_segment_without_blocks(void **state)
{
	static const taddr_t pages[] = { 0x20000, 0x2f000 };
	struct made_up x;

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(kinds) * ARRAY_SIZE(pages); i++) {
		taddr_t page = at[MAPPED] + pages[i / ARRAY_SIZE(kinds)];

		make(&x, &kinds[i % ARRAY_SIZE(kinds)]);
		x.next = 0;
		for (unsigned k = 0; k < x.w; k++)
			x.next |= (taddr_t)place(&x, x.main_arena + behind(&x, 0x60, 0x38), x.w)[k] << 8 * k;
		x.bits = PREV_INUSE;
		chunk(&x, 2 * x.w);
		chunk(&x, 2 * x.w);
		x.next = begin(&x, page);
		put_word(&x, x.next + x.w, (page + 0x1000 - x.next) | PREV_INUSE);
		put_word(&x, x.main_arena + behind(&x, 0x60, 0x38), x.next);
		put(&x, x.main_arena + 4, 2, 4); /* NONCONTIGUOUS */
		check_exact(&x);
		release(&x);
	}
}

/* Variables that hold an arena's address, amid zeros. */
static void test_other_pointers(void **state)
{
	struct made_up x;

	(void)state;
	for (size_t k = 0; k < ARRAY_SIZE(kinds); k++) {
		make(&x, &kinds[k]);
		put_word(&x, at[DATA] + 0x1e00, x.thread_arena);
		put_word(&x, at[DATA] + 0x1e80, at[DATA] + 0x1e80 - behind(&x, 0x870, 0x448));
		check_exact(&x);
		release(&x);
	}
}

/* A bin or two beside the main arena nearly all bins fit too, and what lies where
 * the next arena should be told of may look like one. */
static void test_beside(void **state)
{
	struct made_up x;

	(void)state;
	for (size_t k = 0; k < ARRAY_SIZE(kinds); k++) {
		unsigned w = kinds[k].w, binmap;

		make(&x, &kinds[k]);
		binmap = behind(&x, 0x860, 0x438);
		for (unsigned i = 0; i < 16; i += w)
			put_word(&x, x.main_arena + binmap + i, x.thread_arena);
		put_word(&x, x.main_arena + binmap + 16 + 2 * w, x.thread_arena);
		check_exact(&x);
		release(&x);
	}
}

static void test_never_used(void **state)
{
	struct glibc_heap h;
	struct made_up x;

	(void)state;
	make(&x, &kinds[0]);
	memset(x.mem[DATA] + 0xc60, 0, 0x898);
	put_word(&x, x.main_arena + 0x870, x.main_arena);
	put_word(&x, x.main_arena + 0x880, 1);
	make_params(&x, at[DATA] + 0x340, 0, 0);
	assert_int_equal(take(&x, &h), 0);
	assert_int_equal(h.blocks.n, 0);
	assert_string_equal(h.doubt, "");
	release(&x);
}

static void test_other_layouts(void **state)
{
	struct glibc_heap h;
	struct made_up x;

	(void)state;
	make(&x, &kinds[0]);
	put_word(&x, x.main_arena + 0x870, 0);
	assert_int_equal(take(&x, &h), -ENOTSUP);
	assert_non_null(strstr(h.doubt, "no main arena"));
	release(&x);

	make(&x, &kinds[0]);
	make_params(&x, at[DATA] + 0x340, 3, 1);
	assert_int_equal(take(&x, &h), -ENOTSUP);
	assert_non_null(strstr(h.doubt, "no malloc parameters"));
	release(&x);

	make(&x, &kinds[0]);
	x.w = 2;
	assert_int_equal(take(&x, &h), -ENOTSUP);
	x.w = 8;
	release(&x);
}

/* A walk that does not arrive is told, and what it found is not handed out. */
static void test_broken(void **state)
{
	struct glibc_heap h;
	struct made_up x;

	(void)state;
	make(&x, &kinds[0]);
	put_word(&x, begin(&x, at[BRK]) + 0x290 + 8, 0x31);
	assert_int_equal(take(&x, &h), -EINVAL);
	assert_non_null(strstr(h.doubt, "main heap"));
	assert_int_equal(h.blocks.n, 0);
	release(&x);

	make(&x, &kinds[0]);
	make_params(&x, at[DATA] + 0x340, 4, 0x8000 + 0x9000 + 0x3000);
	assert_int_equal(take(&x, &h), 0);
	assert_int_equal(h.blocks.n, x.expect.n);
	assert_non_null(strstr(h.doubt, "3 blocks with mappings"));
	glibc_heap_release(&h);
	release(&x);
}

static bool inside(taddr_t addr)
{
	for (int i = 0; i < NREGIONS; i++)
		if (addr >= at[i] && addr <= at[i] + size_of[i])
			return true;
	return false;
}

/* Where a heap holds something: the rest is zeros. */
static size_t random_place(uint64_t *seed, int i)
{
	return hash_u64(++*seed) % MIN(size_of[i], (size_t)0x1800);
}

static void damage(struct made_up *x, uint64_t *seed)
{
	int i = (int)(hash_u64(++*seed) % NREGIONS);
	size_t where = random_place(seed, i) & -(size_t)x->w;
	uint64_t v = hash_u64(++*seed);

	if (v & 1) /* one address for another, a length for an address, … */
		v = at[v / 2 % NREGIONS] + (random_place(seed, i) & -(size_t)x->w);
	else if (v & 2)
		v %= 0x4000;
	if (hash_u64(++*seed) & 1)
		put_word(x, at[i] + where, v);
	else
		x->mem[i][where] ^= (uint8_t)(1u << (v & 7));
}

static void test_damaged(void **state)
{
	uint64_t seed = 1, taken = 0;

	(void)state;
	for (unsigned round = 0; round < 20000; round++) {
		struct glibc_heap h;
		struct made_up x;

		make(&x, &kinds[round % ARRAY_SIZE(kinds)]);
		for (unsigned n = 1 + hash_u64(++seed) % 8; n; n--)
			damage(&x, &seed);
		if (!take(&x, &h))
			taken++;
		for (size_t i = 0; i < h.blocks.n; i++) {
			assert_true(inside(h.blocks.v[i].addr));
			assert_true(inside(h.blocks.v[i].addr + h.blocks.v[i].usable));
			assert_true(!i || h.blocks.v[i - 1].addr < h.blocks.v[i].addr);
		}
		glibc_heap_release(&h);
		release(&x);
	}
	assert_true(taken > 100 && taken < 20000);
}

/* With tags of memory a block ends where its chunk does, but for those with mappings of
 * their own; the lists of free ones are as ever. */
static void test_tagged(void **state)
{
	struct glibc_heap plain, tags;
	uint32_t header, align, min, smaller = 0;
	struct made_up x;

	(void)state;
	make(&x, &kinds[0]);
	assert_int_equal(take(&x, &plain), 0);
	tagged = true;
	assert_int_equal(take(&x, &tags), 0);
	assert_string_equal(tags.doubt, "");
	assert_int_equal(tags.blocks.n, plain.blocks.n);
	for (size_t i = 0; i < tags.blocks.n; i++) {
		assert_int_equal(tags.blocks.v[i].addr, plain.blocks.v[i].addr);
		if (tags.blocks.v[i].usable == plain.blocks.v[i].usable)
			continue;
		assert_int_equal(tags.blocks.v[i].usable + x.w, plain.blocks.v[i].usable);
		smaller++;
	}
	assert_int_equal(smaller + plain.mapped, plain.blocks.n);
	glibc_heap_release(&plain);
	glibc_heap_release(&tags);
	assert_int_equal(take_by(&x, &tags, glibc_outline), 0);
	assert_int_equal(tags.regions.v[0].lead, begin(&x, at[BRK]) - at[BRK] + cache_size(&x));
	glibc_heap_release(&tags);
	glibc_block_layout(&(struct glibc_view){ .word = 8, .align = 16, .tagged = true }, &header, &align, &min);
	assert_int_equal(header, 16);
	tagged = false;
	release(&x);
}

/* Each part of an arena, and what the first block's head comes behind: in the break the
 * cache of the thread, in a thread's first heap the arena. */
static void test_outline(void **state)
{
	struct glibc_heap h;
	struct made_up x;

	(void)state;
	for (size_t k = 0; k < ARRAY_SIZE(kinds); k++) {
		unsigned info, w = kinds[k].w;

		make(&x, &kinds[k]);
		info = off(&x, 0x30, 0x18);
		assert_int_equal(take_by(&x, &h, glibc_outline), 0);
		assert_int_equal(h.blocks.n, 0);
		assert_int_equal(h.regions.n, 3);
		assert_int_equal(h.regions.v[0].start, at[BRK]);
		assert_int_equal(h.regions.v[0].end, at[BRK] + size_of[BRK]);
		assert_int_equal(h.regions.v[0].arena, 0);
		assert_int_equal(h.regions.v[0].lead,
				 begin(&x, at[BRK]) - at[BRK] + cache_size(&x) + w);
		assert_int_equal(h.regions.v[1].start, at[THREAD]);
		assert_int_equal(h.regions.v[1].end, at[THREAD] + size_of[THREAD]);
		assert_int_equal(h.regions.v[1].arena, 1);
		assert_int_equal(h.regions.v[1].lead, begin(&x, at[THREAD] + info) + w - at[THREAD]);
		assert_int_equal(h.regions.v[2].start, at[OLDER]);
		assert_int_equal(h.regions.v[2].lead,
				 begin(&x, x.thread_arena + behind(&x, 0x898, 0x45c)) + w - at[OLDER]);
		glibc_heap_release(&h);
		release(&x);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_exact),
		cmocka_unit_test(test_tagged),
		cmocka_unit_test(test_outline),
		cmocka_unit_test(test_other_machines),
		cmocka_unit_test(test_large_cache),
		cmocka_unit_test(test_foreign_break),
		cmocka_unit_test(test_segment_without_blocks),
		cmocka_unit_test(test_beside),
		cmocka_unit_test(test_other_pointers),
		cmocka_unit_test(test_never_used),
		cmocka_unit_test(test_other_layouts),
		cmocka_unit_test(test_broken),
		cmocka_unit_test(test_damaged),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
