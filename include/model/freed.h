/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The blocks of one address space that were released last and whose addresses
 * were not handed out again: what a second release is told apart by from one
 * of an address that never was a block.
 *
 *   index: address → slot        slots, linked in the order of their release
 *                                oldest ⇄ … ⇄ newest
 *
 * It is bounded by the bytes the blocks had and by their number; the oldest go
 * first, but for the newest one. */
#ifndef MTRACE_MODEL_FREED_H
#define MTRACE_MODEL_FREED_H

#include "base/types.h"

struct freed_block {
	taddr_t addr;
	uint64_t size;
	uint32_t stack; /* of the allocation */
	uint32_t at;    /* of the release; 0: not taken */
};

#define FREED_MAX 65536 /* blocks, at 56 to 66 bytes each */

struct freed;

/* volume 0: nothing is remembered. */
struct freed *freed_new(uint64_t volume, size_t max);
/* NULL of NULL. */
struct freed *freed_copy(const struct freed *f);
void freed_free(struct freed *f);
void freed_add(struct freed *f, const struct freed_block *b);
/* The address was handed out again, or its release did not happen. */
void freed_drop(struct freed *f, taddr_t addr);
bool freed_find(const struct freed *f, taddr_t addr, struct freed_block *out);
/* The block, released last, that addr lies inside of (not at its beginning).
 * Looks at all of them. */
bool freed_around(const struct freed *f, taddr_t addr, struct freed_block *out);
size_t freed_count(const struct freed *f);

#endif
