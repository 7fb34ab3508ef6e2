/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From observed calls to events: interns stacks, keeps the table of open
 * blocks, and tells the sink.  Nothing here needs a stopped task. */
#ifndef TRACE_RECORDER_H
#define TRACE_RECORDER_H

#include "trace/proc.h"

struct recorder;

struct recorder *recorder_new(struct event_sink *sink);
void recorder_free(struct recorder *r);
uint32_t recorder_new_space(struct recorder *r);

/* The id of a backtrace of one operation in one address space; told to the
 * sink when it is new.  The first `skip` frames are left out. */
uint32_t recorder_stack(struct recorder *r, struct proc *p, struct task *t, uint16_t probe,
			const struct backtrace *bt, uint32_t skip);
/* The id of a new stack without frames, for blocks that one probe stands for. */
uint32_t recorder_no_stack(struct recorder *r, struct proc *p, uint16_t probe);
/* Whose releases are right for blocks of a stack: 1 << enum family, or'ed. */
void recorder_set_families(struct recorder *r, uint32_t stack, uint8_t families);
/* 0: not known. */
uint8_t recorder_families(const struct recorder *r, uint32_t stack);
/* Announces a probe, once. */
void recorder_probe(struct recorder *r, struct proc *p, uint16_t id, const struct probe *probe);

void record_proc(struct proc *p, pid_t ppid);
void record_proc_end(struct proc *p, enum proc_end_how how, int status);
void record_task(struct task *t);
void record_module(struct proc *p, const struct module *m);
void record_module_gone(struct proc *p, const struct module *m);
/* Any other event of this process. */
void record_event(struct proc *p, struct event *ev);
void record_note(struct session *s, pid_t pid, bool bad, const char *text);
/* s->mark was set. */
void record_mark(struct session *s);
/* EV_ROWS_…, filled in but for the time. */
void record_rows(struct session *s, struct event *ev);

/* Can one more block be kept track of?  False: it is counted as unknown. */
bool record_has_room(struct proc *p, taddr_t addr);
/* What is open is forgotten, and told to be. */
void record_reset(struct proc *p);
/* An EV_BLOCK for some of the open blocks, as openset_each_some(): false, that was all.
 * *hold: a reader is behind. */
bool record_blocks(struct proc *p, uint32_t *at, bool *hold);

/* What it asked for, where that has two factors. */
struct product call_product(const struct call *c);
/* What call c got, or did not get. */
void record_alloc(struct task *t, const struct call *c, taddr_t addr);
void record_failed(struct task *t, const struct call *c);
/* Takes the block out; true when it was known. */
bool record_take(struct task *t, taddr_t addr, struct open_block *out);
void record_release(struct task *t, const struct probe_site *site, taddr_t addr,
		    const struct open_block *known, enum release_known how, uint32_t at);
void record_release_undo(struct task *t, taddr_t addr, const struct open_block *known, uint32_t at);
void record_realloc_begin(struct task *t, const struct open_block *b, uint16_t probe, uint32_t at);
/* addr 0 and failed: the old block is open again. */
void record_realloc(struct task *t, const struct call *c, taddr_t old_addr,
		    const struct open_block *old, taddr_t addr, uint64_t size, bool failed);
/* Blocks that the census put into the table of open blocks, as the event says. */
void record_census(struct proc *p, const struct event *ev);
/* An EV_ERROR, complete but for pid, tid and time.  False: the user does not want to
 * know. */
bool record_error(struct task *t, struct event *ev);
void record_map(struct task *t, taddr_t addr, uint64_t size, uint32_t stack);
void record_unmap(struct task *t, taddr_t addr, uint64_t size);
void record_remap(struct task *t, taddr_t old_addr, uint64_t old_size, taddr_t addr,
		  uint64_t size, uint32_t stack);
void record_brk(struct task *t, taddr_t before, taddr_t after, uint32_t stack);
void record_call(struct task *t, const struct call *c, const struct probe *probe, bool has_result,
		 uint64_t result);

#endif
