/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>

#include "trace/recorder.h"
#include "trace/ways.h"

/* Links of a way that are told; the middle of a longer one is left out. */
#define MAX_LINKS 12

/* Whose stack lies there; 0: nobody's. */
static pid_t stack_owner(const struct ways *w, taddr_t addr)
{
	const struct map_line *l = maps_find(w->maps, addr);

	for (size_t i = 0; l && i < w->p->tasks.n; i++) {
		const struct task *t = w->p->tasks.v[i];

		if (t->state == TASK_STOPPED && t->regs.abi && regs_sp(&t->regs) >= l->start &&
		    regs_sp(&t->regs) < l->end)
			return t->tid;
	}
	return l && !strcmp(l->path, "[stack]") ? w->p->pid : 0;
}

static void fill_root(const struct ways *w, struct event *ev, const struct reach_root *root)
{
	const struct module *m;

	ev->u.why.at = root->at;
	if (root->kind == ROOT_REGISTER) {
		ev->u.why.from = FROM_REGISTER;
		ev->u.why.tid = (pid_t)(root->at >> 8);
		ev->u.why.at = root->at & 0xff;
		return;
	}
	ev->u.why.tid = stack_owner(w, root->at);
	ev->u.why.from = ev->u.why.tid ? FROM_STACK : FROM_MEMORY;
	m = ev->u.why.tid ? NULL : modules_find(&w->p->modules, root->at);
	ev->u.why.module = m ? m->id : 0;
}

void ways_tell(const struct ways *w, uint32_t block, uint32_t stack, enum leak_kind kind)
{
	struct reach_link link[MAX_LINKS];
	size_t steps = reach_why(w->reach, block, link, MAX_LINKS);

	for (size_t i = 0; i < MIN(steps, (size_t)MAX_LINKS); i++) {
		struct open_block b = reach_block(w->reach, link[i].block);
		struct event ev = { .type = EV_LEAK_WHY };
		size_t left_out = i >= MAX_LINKS / 2 ? steps - MIN(steps, (size_t)MAX_LINKS) : 0;

		ev.u.why.stack = stack;
		ev.u.why.kind = (uint8_t)kind;
		ev.u.why.step = (uint32_t)(i + left_out);
		ev.u.why.steps = (uint32_t)steps;
		ev.u.why.block = b.addr;
		ev.u.why.size = b.size;
		ev.u.why.block_stack = b.stack;
		ev.u.why.offset = link[i].offset;
		ev.u.why.from = FROM_BLOCK;
		ev.u.why.at = link[i].at;
		if (link[i].from == REACH_NONE)
			fill_root(w, &ev, &link[i].root);
		record_event(w->p, &ev);
	}
}

void ways_answer(const struct ways *w, taddr_t ptr)
{
	taddr_t addr = abi_data_addr(w->p->abi, ptr);
	uint32_t i = reach_find(w->reach, addr), leader = i;
	struct event ev = { .type = EV_WHY, .u.asked.addr = addr };
	enum leak_kind kind;
	struct open_block b;

	if (i == REACH_NONE) {
		record_event(w->p, &ev);
		return;
	}
	kind = reach_kind(w->reach, i, &leader);
	b = reach_block(w->reach, i);
	ev.u.asked.found = 1;
	ev.u.asked.kind = (uint8_t)kind;
	ev.u.asked.block = b.addr;
	ev.u.asked.size = b.size;
	ev.u.asked.stack = b.stack;
	if (leader != i)
		ev.u.asked.holder = reach_block(w->reach, leader).addr;
	record_event(w->p, &ev);
	ways_tell(w, i, b.stack, kind);
}
