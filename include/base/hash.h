/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A map from a 64-bit key to a 64-bit value (a pointer, an index): open
 * addressing, linear probing, backward-shift deletion.  No key is reserved. */
#ifndef MTRACE_BASE_HASH_H
#define MTRACE_BASE_HASH_H

#include "base/types.h"

struct u64map_slot {
	uint64_t key;
	uint64_t value;
};

struct u64map {
	struct u64map_slot *slot; /* 1 << bits of them; NULL when empty */
	uint8_t *used;
	unsigned bits;
	size_t n;
};

#define U64MAP_INIT { NULL, NULL, 0, 0 }

/* Address of the value, NULL when the key is not there.  Valid until the next
 * set or del. */
uint64_t *u64map_get(const struct u64map *m, uint64_t key);
/* Inserts or overwrites. */
void u64map_set(struct u64map *m, uint64_t key, uint64_t value);
/* True when it was there. */
bool u64map_del(struct u64map *m, uint64_t key);
void u64map_release(struct u64map *m);
/* Bytes that it takes beside itself. */
size_t u64map_memory(const struct u64map *m);

static inline void *u64map_getp(const struct u64map *m, uint64_t key)
{
	uint64_t *v = u64map_get(m, key);

	return v ? (void *)(uintptr_t)*v : NULL;
}

#define u64map_for_each(m, s)                                              \
	for (struct u64map_slot *s = (m)->slot, *s##_end_ =                \
		     (m)->slot ? (m)->slot + ((size_t)1 << (m)->bits) : NULL; \
	     s < s##_end_; s++)                                            \
		if ((m)->used[s - (m)->slot])

/* Mixes all bits of v (splitmix64's finaliser). */
static inline uint64_t hash_u64(uint64_t v)
{
	v ^= v >> 30;
	v *= 0xbf58476d1ce4e5b9u;
	v ^= v >> 27;
	v *= 0x94d049bb133111ebu;
	return v ^ v >> 31;
}

uint64_t hash_bytes(const void *p, size_t n, uint64_t seed);

#endif
