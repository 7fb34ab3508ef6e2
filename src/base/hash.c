/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/hash.h"
#include "base/xalloc.h"

/* A key's home is the top bits of its hash; a cluster is never split by an
 * unused slot, which is what backward-shift deletion keeps true. */
static size_t home(const struct u64map *m, uint64_t key)
{
	return hash_u64(key) >> (64 - m->bits);
}

static size_t find(const struct u64map *m, uint64_t key)
{
	size_t mask = ((size_t)1 << m->bits) - 1;
	size_t i = home(m, key);

	while (m->used[i] && m->slot[i].key != key)
		i = (i + 1) & mask;
	return i;
}

uint64_t *u64map_get(const struct u64map *m, uint64_t key)
{
	size_t i;

	if (!m->n)
		return NULL;
	i = find(m, key);
	return m->used[i] ? &m->slot[i].value : NULL;
}

static void grow(struct u64map *m)
{
	struct u64map bigger = { .bits = m->slot ? m->bits + 1 : 4, .n = m->n };
	size_t size = (size_t)1 << bigger.bits;

	bigger.slot = xmalloc(size * sizeof *bigger.slot);
	bigger.used = xcalloc(size, 1);
	u64map_for_each(m, s) {
		size_t i = find(&bigger, s->key);

		bigger.slot[i] = *s;
		bigger.used[i] = 1;
	}
	free(m->slot);
	free(m->used);
	*m = bigger;
}

void u64map_set(struct u64map *m, uint64_t key, uint64_t value)
{
	size_t i;

	if (!m->slot || m->n * 4 >= ((size_t)3 << m->bits))
		grow(m);
	i = find(m, key);
	if (!m->used[i]) {
		m->used[i] = 1;
		m->slot[i].key = key;
		m->n++;
	}
	m->slot[i].value = value;
}

bool u64map_del(struct u64map *m, uint64_t key)
{
	size_t mask = ((size_t)1 << m->bits) - 1, hole, i;

	if (!m->n)
		return false;
	hole = find(m, key);
	if (!m->used[hole])
		return false;
	/* Move back every later member of the cluster whose home is not
	 * between the hole and itself. */
	for (i = (hole + 1) & mask; m->used[i]; i = (i + 1) & mask) {
		size_t h = home(m, m->slot[i].key);

		if (((i - h) & mask) >= ((i - hole) & mask)) {
			m->slot[hole] = m->slot[i];
			hole = i;
		}
	}
	m->used[hole] = 0;
	m->n--;
	return true;
}

void u64map_release(struct u64map *m)
{
	free(m->slot);
	free(m->used);
	*m = (struct u64map)U64MAP_INIT;
}

uint64_t hash_bytes(const void *p, size_t n, uint64_t seed)
{
	const unsigned char *b = p;
	uint64_t h = seed ^ 0x9e3779b97f4a7c15u * n, w;

	for (; n >= 8; n -= 8, b += 8) {
		memcpy(&w, b, 8);
		h = hash_u64(h ^ w);
	}
	if (n) {
		w = 0;
		memcpy(&w, b, n);
		h = hash_u64(h ^ w);
	}
	return h;
}

size_t u64map_memory(const struct u64map *m)
{
	return m->slot ? ((size_t)1 << m->bits) * (sizeof *m->slot + 1) : 0;
}
