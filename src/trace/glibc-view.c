/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <elf.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "arch/host.h"
#include "base/strbuf.h"
#include "trace/glibc-view.h"
#include "trace/image.h"

static ssize_t read_raw(void *arg, taddr_t addr, void *buf, size_t len)
{
	const struct proc *p = arg;

	return memory_read(&p->mem, addr, buf, len);
}

/* Neighbours are one range: what glibc got in one piece may have been cut in two
 * by madvise() and the like. */
static void add_range(struct addr_range **v, size_t *n, size_t *cap, const struct map_line *l)
{
	VEC(struct addr_range) list = { *v, *n, *cap };

	if (list.n && list.v[list.n - 1].end == l->start)
		list.v[list.n - 1].end = l->end;
	else
		vec_push(&list, (struct addr_range){ l->start, l->end });
	*v = list.v;
	*n = list.n;
	*cap = list.cap;
}
#define ADD_RANGE(list, l) add_range(&(list)->v, &(list)->n, &(list)->cap, l)

bool glibc_is_anonymous(const struct map_line *l)
{
	return l->r && l->w && !l->shared &&
	       (!l->path[0] || !strcmp(l->path, "[heap]") || !strncmp(l->path, "[anon", 5));
}

/* The module whose malloc the program calls; its variables are the heap's.  NULL
 * and why: there is none that we know. */
static const struct module *allocator(struct proc *p, char *why, size_t size)
{
	const struct module *found = NULL;

	for (size_t i = 0; i < p->sites.n; i++) {
		const struct probe_site *s = p->sites.v[i];

		if (strcmp(s->probe->symbol, "malloc") && strcmp(s->probe->symbol, "__libc_malloc"))
			continue;
		if (image_allocator_library(p, s->addr) || (found && found != s->module)) {
			snprintf(why, size, "malloc is not only the C library's, but in %.40s",
				 last_part(s->module->path));
			return NULL;
		}
		found = s->module;
	}
	if (!found)
		found = modules_find(&p->modules, p->entry);
	if (!found)
		snprintf(why, size, "no malloc was found");
	return found;
}

int glibc_program_build(struct glibc_program *g, struct proc *p, pid_t tid, char *why, size_t size)
{
	const struct module *m = allocator(p, why, size);
	const struct task *stopped = proc_stopped_task(p);
	struct maps maps;
	int err = m ? maps_read(&maps, tid) : -ENOTSUP;

	if (err)
		return err;
	for (size_t i = 0; i < maps.lines.n; i++) {
		const struct map_line *l = &maps.lines.v[i];

		if (l->w && l->r && l->start < m->end && l->end > m->start)
			ADD_RANGE(&g->data, l);
		if (glibc_is_anonymous(l))
			ADD_RANGE(&g->anon, l);
	}
	maps_release(&maps);
	g->module = last_part(m->path);
	g->mem = (struct mem_reader){ read_raw, p };
	g->v = (struct glibc_view){ .mem = &g->mem, .word = p->abi->word,
				    .align = p->abi->malloc_align, .page = 4096,
				    .tagged = stopped && host_tags_memory(stopped->tid),
				    .big_endian = p->abi->e_data == ELFDATA2MSB,
				    .data = g->data.v, .ndata = g->data.n, .anon = g->anon.v,
				    .nanon = g->anon.n };
	return 0;
}

void glibc_program_release(struct glibc_program *g)
{
	vec_release(&g->data);
	vec_release(&g->anon);
}
