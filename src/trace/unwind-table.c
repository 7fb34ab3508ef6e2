/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Rows by code address:
 *
 *   slot: 1 << bits rows of 24 bytes, linear probing
 *   ┌──────────────────────────────┬──────┬───┐
 *   │ pc  module  cfa  ra  saves 3 │ free │ … │
 *   └────────────────────────│─────┴──────┴───┘
 *                            ▼
 *   saves: one for each combination of pushed registers
 *
 * Nothing is ever removed but by rebuilding the table, which happens when a
 * module goes. */
#include <errno.h>

#include "unwind-internal.h"

/* A program that makes code as it runs could have any number of addresses:
 * at this size we begin anew. */
#define BITS_MIN 10
#define ROWS_MAX ((size_t)1 << 20)

void row_table_init(struct row_table *t)
{
	*t = (struct row_table){ .bits = BITS_MIN };
	t->slot = xcalloc((size_t)1 << t->bits, sizeof *t->slot);
}

static void free_full(struct row_table *t)
{
	for (size_t i = 0; i < t->full.n; i++)
		free(t->full.v[i]);
	t->full.n = 0;
}

void row_table_release(struct row_table *t)
{
	free_full(t);
	vec_release(&t->full);
	for (size_t i = 0; i < t->saves.n; i++)
		free(t->saves.v[i]);
	vec_release(&t->saves);
	free(t->slot);
	t->slot = NULL;
}

static struct row *put(struct row_table *t, const struct row *row)
{
	size_t mask = ((size_t)1 << t->bits) - 1, i = row_home(t, row->pc);

	while (t->slot[i].pc)
		i = (i + 1) & mask;
	t->slot[i] = *row;
	t->n++;
	return &t->slot[i];
}

static void drop_full(struct row_table *t, const struct row *row)
{
	if (row->kind != ROW_FULL)
		return;
	free(t->full.v[row->cfa_off]);
	t->full.v[row->cfa_off] = NULL;
}

/* A new table of 1 << bits without the rows of [start, end). */
static void rebuild(struct row_table *t, unsigned bits, taddr_t start, taddr_t end)
{
	size_t size = (size_t)1 << t->bits;
	struct row *old = t->slot;

	t->slot = xcalloc((size_t)1 << bits, sizeof *t->slot);
	t->bits = bits;
	t->n = 0;
	for (size_t i = 0; i < size; i++) {
		if (!old[i].pc)
			continue;
		if (old[i].pc >= start && old[i].pc < end)
			drop_full(t, &old[i]);
		else
			put(t, &old[i]);
	}
	free(old);
}

/* Forgets everything but the full row that `keep` names. */
static void wipe(struct row_table *t, const struct row *keep)
{
	memset(t->slot, 0, sizeof *t->slot << t->bits);
	t->n = 0;
	for (size_t i = 0; i < t->full.n; i++) {
		if (keep->kind == ROW_FULL && (size_t)keep->cfa_off == i)
			continue;
		free(t->full.v[i]);
		t->full.v[i] = NULL;
	}
}

struct row *row_table_add(struct row_table *t, const struct row *row)
{
	if (t->n >= ROWS_MAX) {
		wipe(t, row);
	} else if (t->n * 2 >= (size_t)1 << t->bits) {
		rebuild(t, t->bits + 1, 0, 0);
	}
	return put(t, row);
}

void row_table_forget(struct row_table *t, taddr_t start, taddr_t end)
{
	rebuild(t, t->bits, start, end);
}

static size_t saves_size(const struct saves *s)
{
	return sizeof *s + s->n * sizeof s->s[0];
}

int row_table_intern(struct row_table *t, const struct saves *s)
{
	size_t size = saves_size(s);

	/* Some dozens in a program; looked through on a miss only. */
	for (size_t i = 0; i < t->saves.n; i++) {
		if (saves_size(t->saves.v[i]) == size && !memcmp(t->saves.v[i], s, size))
			return (int)i;
	}
	if (t->saves.n > UINT16_MAX)
		return -ENOSPC;
	vec_push(&t->saves, xmemdup(s, size));
	return (int)t->saves.n - 1;
}

int32_t row_table_keep(struct row_table *t, struct full_row *full)
{
	for (size_t i = 0; i < t->full.n; i++) {
		if (!t->full.v[i]) {
			t->full.v[i] = full;
			return (int32_t)i;
		}
	}
	vec_push(&t->full, full);
	return (int32_t)t->full.n - 1;
}
