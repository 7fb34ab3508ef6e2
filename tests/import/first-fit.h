/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A heap of which every byte's place is known: blocks one behind the other, each with a
 * header before it; the first free one that is large enough is taken, and split. */
#ifndef MTRACE_TESTS_FIRST_FIT_H
#define MTRACE_TESTS_FIRST_FIT_H

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

struct first_fit {
	uint64_t start, size;
	unsigned header, align;
	struct first_fit_block {
		uint64_t at, size; /* with the header */
		bool is_free;
	} *block; /* in the order of addresses */
	size_t n, cap;
};

static inline void first_fit_insert(struct first_fit *h, size_t i, struct first_fit_block b)
{
	if (h->n == h->cap) {
		h->cap = h->cap ? 2 * h->cap : 64;
		h->block = realloc(h->block, h->cap * sizeof *h->block);
		if (!h->block)
			abort();
	}
	memmove(h->block + i + 1, h->block + i, (h->n - i) * sizeof *h->block);
	h->block[i] = b;
	h->n++;
}

static inline void first_fit_remove(struct first_fit *h, size_t i)
{
	h->n--;
	memmove(h->block + i, h->block + i + 1, (h->n - i) * sizeof *h->block);
}

/* The pointer that the program gets, 0: there is no block large enough. */
static inline uint64_t first_fit_alloc(struct first_fit *h, uint64_t size)
{
	uint64_t need = (size + h->header + h->align - 1) / h->align * h->align;

	if (!h->n)
		first_fit_insert(h, 0, (struct first_fit_block){ h->start, h->size, true });
	for (size_t i = 0; i < h->n; i++) {
		struct first_fit_block b = h->block[i];

		if (!b.is_free || b.size < need)
			continue;
		if (b.size - need > h->header) {
			first_fit_insert(h, i + 1, (struct first_fit_block){
				b.at + need, b.size - need, true });
			b.size = need;
		}
		b.is_free = false;
		h->block[i] = b;
		return b.at + h->header;
	}
	return 0;
}

static inline void first_fit_free(struct first_fit *h, uint64_t addr)
{
	size_t i = 0;

	while (i < h->n && h->block[i].at + h->header != addr)
		i++;
	if (i == h->n || h->block[i].is_free)
		return;
	h->block[i].is_free = true;
	if (i + 1 < h->n && h->block[i + 1].is_free) {
		h->block[i].size += h->block[i + 1].size;
		first_fit_remove(h, i + 1);
	}
	if (i && h->block[i - 1].is_free) {
		h->block[i - 1].size += h->block[i].size;
		first_fit_remove(h, i);
	}
}

static inline void first_fit_release(struct first_fit *h)
{
	free(h->block);
	h->block = NULL;
	h->n = h->cap = 0;
}

#endif
