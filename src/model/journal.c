/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/hash.h"
#include "base/xalloc.h"
#include "model/journal.h"
#include "model/wire.h"

enum { TOLD = 1, GONE = 2 };

/* Bytes for the rests of stacks, of about 4 kB each. */
#define RESTS_MAX 262144

struct journal {
	struct strbuf records;
	struct u64map modules; /* id → TOLD, GONE */
	size_t rests;          /* bytes of EV_STACK_REST among them */
};

/* Is it news of a module? */
static bool is_new(struct journal *j, uint32_t module, unsigned what)
{
	const uint64_t *had = u64map_get(&j->modules, module);
	uint64_t before = had ? *had : 0;

	if (before & what)
		return false;
	u64map_set(&j->modules, module, before | what);
	return true;
}

static bool is_kept(struct journal *j, const struct event *ev)
{
	switch (ev->type) {
	case EV_MODULE:      return is_new(j, ev->u.module.id, TOLD);
	case EV_MODULE_GONE: return is_new(j, ev->u.module.id, GONE);
	case EV_PROBE:
	case EV_STACK:
	case EV_PLACE:
	case EV_IMAGE:       return true;
	case EV_STACK_REST:  return j->rests < RESTS_MAX;
	default:             return false;
	}
}

void journal_take(struct journal *j, const struct event *ev)
{
	struct wire_encoder e = WIRE_ENCODER_INIT(&j->records);
	size_t before = j->records.n;

	if (!is_kept(j, ev))
		return;
	wire_encode(&e, ev);
	if (ev->type == EV_STACK_REST)
		j->rests += j->records.n - before;
}

void journal_tell(const struct journal *j, struct strbuf *out)
{
	if (j->records.n)
		strbuf_add(out, j->records.s, j->records.n);
}

struct journal *journal_new(void)
{
	return xcalloc(1, sizeof(struct journal));
}

void journal_free(struct journal *j)
{
	if (!j)
		return;
	strbuf_release(&j->records);
	u64map_release(&j->modules);
	free(j);
}

size_t journal_memory(const struct journal *j)
{
	return sizeof *j + j->records.cap + u64map_memory(&j->modules);
}
