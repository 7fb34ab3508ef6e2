/* SPDX-License-Identifier: GPL-2.0-or-later */
/* glibc's main arena, which has no symbol in a stripped library: found by its
 * looks.  malloc/malloc.c of glibc 2.27 to 2.41, struct malloc_state:
 *
 *   mutex, flags, have_fastchunks   3 ints (and padding on 64 bit)
 *   fastbinsY[10 or 11]             on 64 and on 32 bit
 *   top, last_remainder
 *   bins[254]                       an empty bin points to itself: both words
 *                                   hold their address less two words
 *   binmap[4]                       ints
 *   next                            ring of all arenas
 *   next_free, attached_threads, system_mem, max_system_mem */
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "trace/image.h"
#include "trace/space.h"

#define BINS 254
#define BINMAP_BYTES 16
#define MAX_ARENAS 4096
#define MAX_DATA ((uint64_t)16 << 20)

static unsigned before_bins(unsigned word)
{
	return word == 8 ? 16 + 10 * 8 + 2 * 8 : 12 + 11 * 4 + 2 * 4;
}

static unsigned next_offset(unsigned word)
{
	return before_bins(word) + BINS * word + BINMAP_BYTES;
}

/* Does the ring of arenas lead from this one back to it? */
static bool is_arena(struct proc *p, taddr_t arena)
{
	unsigned at = next_offset(p->abi->word);
	uint64_t next = arena;

	for (unsigned n = 0; n < MAX_ARENAS; n++) {
		if (proc_read_word(p, next + at, &next))
			return false;
		if (next == arena)
			return true;
	}
	return false;
}

static uint64_t word_at(const uint8_t *bytes, size_t i, unsigned word)
{
	uint64_t v = 0;

	memcpy(&v, bytes + i * word, word);
	return v;
}

/* The first empty bin tells where the bins are, but for how many there are
 * before it. */
static taddr_t arena_around(struct proc *p, taddr_t empty_bin)
{
	unsigned word = p->abi->word;

	for (unsigned i = 0; i < BINS; i += 2) {
		taddr_t arena = empty_bin - i * word - before_bins(word);

		if (is_arena(p, arena))
			return arena;
	}
	return 0;
}

static taddr_t search(struct proc *p, taddr_t start, taddr_t end)
{
	unsigned word = p->abi->word;
	size_t n = (size_t)MIN(end - start, MAX_DATA) / word;
	uint8_t *bytes = xmalloc(n * word);
	ssize_t got = proc_read(p, start, bytes, n * word);
	taddr_t arena = 0;

	n = got > 0 ? (size_t)got / word : 0;
	for (size_t i = 0; i + 1 < n && !arena; i++) {
		taddr_t self = start + i * word - 2 * word;

		if (word_at(bytes, i, word) != self || word_at(bytes, i + 1, word) != self)
			continue;
		arena = arena_around(p, start + i * word);
		i++;
	}
	free(bytes);
	return arena;
}

bool glibc_main_arena(struct proc *p, const struct maps *maps, taddr_t *start, taddr_t *end)
{
	for (size_t i = 0; i < p->modules.v.n; i++) {
		const struct module *m = p->modules.v.v[i];

		if (!image_has_malloc(m))
			continue;
		for (size_t k = 0; k < maps->lines.n; k++) {
			const struct map_line *l = &maps->lines.v[k];
			taddr_t arena;

			if (!l->w || l->start < m->start || l->start > m->end)
				continue;
			arena = search(p, l->start, l->end);
			if (!arena)
				continue;
			*start = arena;
			*end = arena + next_offset(p->abi->word);
			return true;
		}
	}
	return false;
}
