/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "base/msg.h"
#include "trace/recorder.h"
#include "trace/rows.h"

/* A program that is held at its entry is not held longer without an answer. */
#define PATIENCE_NS (5 * NS_PER_S)

void rows_want(struct proc *p, const struct module *m)
{
	struct session *s = p->session;
	struct event ev = { .type = EV_ROWS_WANTED };
	size_t len;

	if (!s->given || !m->file || m->is_vdso)
		return;
	ev.u.rows.size = given_rows_want(s->given, p->abi, m->file);
	if (!ev.u.rows.size)
		return;
	ev.u.rows.build_id = elf_file_build_id(m->file, &len);
	ev.u.rows.build_id_len = (uint8_t)len;
	ev.u.rows.path = m->path;
	msg_verbose("%s has no unwinding tables: a client may have them", m->path);
	record_rows(s, &ev);
}

static bool is_part_of(const struct module *m, const struct rows_part *part)
{
	size_t len = 0;
	const uint8_t *id = m->file ? elf_file_build_id(m->file, &len) : NULL;

	return len == part->build_id_len && !memcmp(id, part->build_id, len);
}

/* Found or not, what was looked up before is looked up anew.  A path of it; NULL: it is
 * mapped nowhere now. */
static const char *forget_rows(struct session *s, const struct rows_part *part)
{
	const char *path = NULL;

	for (size_t i = 0; i < s->procs.n; i++) {
		struct proc *p = s->procs.v[i];

		for (size_t k = 0; k < p->modules.v.n && p->unwinder; k++) {
			const struct module *m = p->modules.v.v[k];

			if (!is_part_of(m, part))
				continue;
			unwinder_forget(p->unwinder, m->start, m->end);
			path = m->path;
		}
	}
	return path;
}

static void arrived(struct session *s, const struct rows_part *part)
{
	const char *path = forget_rows(s, part);
	struct event ev = { .type = EV_ROWS_GIVEN };

	ev.u.rows.build_id = part->build_id;
	ev.u.rows.build_id_len = (uint8_t)part->build_id_len;
	ev.u.rows.path = path ? path : "";
	ev.u.rows.size = given_rows_bytes(s->given, part->build_id, part->build_id_len);
	msg_verbose("%s: a client gave its rows, %llu bytes", path ? path : "a module that is gone",
		    (unsigned long long)ev.u.rows.size);
	record_rows(s, &ev);
}

int rows_take(struct session *s, const struct request *q, const char **why)
{
	struct rows_part part;
	int err;

	*why = "no rows are wanted";
	if (!s->given)
		return -ENOSYS;
	*why = "these are no rows";
	if (rows_part_read(&part, q->data, q->ndata))
		return -EBADMSG;
	err = given_rows_take(s->given, &part, q->a, why);
	if (!err)
		s->rows_until_ns = clock_ns() + PATIENCE_NS;
	if (err > 0)
		arrived(s, &part);
	if (err == -EBADMSG) {
		const char *path = forget_rows(s, &part);

		msg_warn("the rows that a client gives of %s are %s: they are not used",
			 path ? path : "a module", *why);
	}
	return MIN(err, 0);
}

bool rows_awaited(struct session *s)
{
	uint64_t now = clock_ns();

	if (!s->given || !given_rows_awaited(s->given))
		return false;
	if (!s->rows_until_ns)
		s->rows_until_ns = now + PATIENCE_NS;
	return now < s->rows_until_ns;
}
