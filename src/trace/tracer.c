/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One loop: the next stops, dispatched.  What each stop asks for is said in
 * wait.h. */
#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "arch/host.h"
#include "base/msg.h"
#include "base/xalloc.h"
#include "trace/breakpoint.h"
#include "trace/ending.h"
#include "trace/engine.h"
#include "trace/image.h"
#include "trace/ptrace.h"
#include "trace/recorder.h"
#include "trace/redzone.h"
#include "trace/scratch.h"
#include "trace/sigtrap.h"
#include "trace/step.h"
#include "trace/tracer.h"

/* -- resuming ---------------------------------------------------------------------- */

void task_continue(struct task *t, int sig)
{
	int err;

	t->state = TASK_RUNNING;
	err = pt_cont(t->tid, sig);
	if (err && err != -ESRCH)
		pt_complain("PTRACE_CONT", t->tid, 0, err);
}

/* Executes the instruction under bp on the task's registers and memory. */
static int emulate(struct task *t, struct breakpoint *bp)
{
	struct regs regs = t->regs;
	int err;

	regs_set_code(&regs, bp_code(bp));
	err = bp_emulate(t, bp, &regs);
	if (!err)
		err = host_set_regs(t->tid, &regs);
	if (!err)
		t->regs = regs;
	return err;
}

void task_continue_over(struct task *t, struct breakpoint *bp)
{
	struct breakpoint *at = bp->chain ? bp->chain : bp;
	taddr_t to = bp_resume(t->proc, t, at);

	if (t->proc->trap.lost)
		sigtrap_restore(t);
	if (!to && !emulate(t, at)) {
		task_continue(t, 0);
		return;
	}
	if (to && !host_set_pc(t->tid, &t->regs, to)) {
		task_continue(t, 0);
		return;
	}
	host_set_pc(t->tid, &t->regs, bp_code(at));
	if (t->proc->abi->has_singlestep && !at->d.whole) {
		step_over(t, at);
		return;
	}
	bp_abandon(t->proc, at);
	task_continue(t, 0);
}

/* The slot's code has pushed a register that it needs. */
static void pop_lent(struct task *t, const struct breakpoint *bp, const struct displace_fix *fix)
{
	struct proc *p = t->proc;
	taddr_t to = fix->to;

	if (to == bp_code(bp))
		to = engine_take_back(t, bp, to);
	if (proc_read_word(p, regs_sp(&t->regs), &t->regs.w[fix->value]))
		return;
	t->regs.w[p->abi->sp] += p->abi->word;
	regs_set_code(&t->regs, to);
	host_set_regs(t->tid, &t->regs);
}

/* Where the program would be whose pc is inside a slot. */
static void leave_slot(struct task *t, const struct breakpoint *bp, uint64_t offset)
{
	const struct displace_fix *fix = displace_fix_at(&bp->d, offset);
	struct proc *p = t->proc;
	taddr_t to;

	if (!fix)
		return; /* not at a boundary: a signal cannot come there */
	to = fix->to;
	if (fix->where == AT_ORIGINAL) {
		to = engine_take_back(t, bp, to);
	} else if (fix->where == AT_CALL_PUSHED) {
		uint8_t word[8];

		abi_store(p->abi, word, p->abi->word, fix->value);
		proc_write(p, t, regs_sp(&t->regs), word, p->abi->word);
	} else if (fix->where == AT_POP) {
		pop_lent(t, bp, fix);
		return;
	} else if (fix->where == AT_CALL_UNDO) {
		t->regs.w[p->abi->sp] += p->abi->word;
		t->regs.w[p->abi->pc] = to;
		host_set_regs(t->tid, &t->regs);
		return;
	}
	host_set_pc(t->tid, &t->regs, to);
}

void task_undisturb(struct task *t)
{
	struct proc *p = t->proc;
	struct breakpoint *bp;
	uint64_t offset;

	if (!p->abi || task_get_regs(t))
		return;
	if (t->stepping) {
		if (regs_pc(&t->regs) == t->stepping->addr)
			engine_take_back(t, t->stepping, 0);
		step_end(t);
		return;
	}
	bp = bp_slot_at(p, regs_pc(&t->regs), &offset);
	if (bp)
		leave_slot(t, bp, offset);
	if (t->mask_site)
		sigtrap_settle(t);
}

/* -- SIGTRAP ------------------------------------------------------------------------ */

static void finish_step(struct task *t)
{
	/* The trap of a step is as hard on a mask as that of a breakpoint. */
	if (t->trap_blocked || t->proc->trap.ignored)
		sigtrap_after_hit(t);
	step_end(t);
	task_continue(t, 0);
}

/* A step over an instruction of one byte ends where a breakpoint at that
 * instruction would. */
static bool is_step_end(const struct task *t)
{
	siginfo_t si;

	return t->stepping && !pt_get_siginfo(t->tid, &si) && si.si_code == TRAP_TRACE;
}

static void on_trap(struct task *t)
{
	struct proc *p = t->proc;
	struct breakpoint *bp;
	taddr_t pc, code;

	if (!p->abi || task_get_regs(t)) {
		if (!p->abi)
			task_continue(t, SIGTRAP);
		return;
	}
	if (t->mask_site)
		sigtrap_settle(t);
	if (is_step_end(t)) {
		finish_step(t);
		return;
	}
	pc = regs_pc(&t->regs) - p->abi->bp_pc_adjust;
	bp = bp_find(p, pc);
	if (bp && (bp->planted || bp_was(p, pc))) {
		t->regs.w[p->abi->pc] = pc;
		code = regs_code(&t->regs);
		if (t->trap_blocked || p->trap.ignored)
			sigtrap_after_hit(t);
		if (!bp->roles || p->paused) { /* lifted while this trap was in flight */
			host_set_pc(t->tid, &t->regs, code);
			task_continue(t, 0);
			return;
		}
		if (bp->roles & BP_SIGMASK)
			sigtrap_syscall(t, bp);
		if (bp->roles & BP_EXEC)
			redzone_exec(t);
		engine_hit(t, bp);
	} else if (t->stepping) {
		finish_step(t);
	} else if (bp_ends_slot(p, pc)) {
		if (t->trap_blocked || p->trap.ignored)
			sigtrap_after_hit(t);
		task_undisturb(t);
		task_continue(t, 0);
	} else if (bp_was(p, pc)) {
		t->regs.w[p->abi->pc] = pc;
		host_set_pc(t->tid, &t->regs, regs_code(&t->regs));
		task_continue(t, 0);
	} else {
		/* The program's own.  Its pc may be in a slot all the same. */
		task_undisturb(t);
		if (sigtrap_own(t)) {
			if (sigtrap_before_handler(t, SIGTRAP) && !pt_interrupt(t->tid))
				t->look_at_mask = true;
			task_continue(t, SIGTRAP);
		} else {
			task_continue(t, 0);
		}
	}
}

/* -- signals --------------------------------------------------------------------------- */

/* Does its default action write a core file?  signal(7) */
static bool dumps_core(int sig)
{
	switch (sig) {
	case SIGQUIT: case SIGILL: case SIGTRAP: case SIGABRT: case SIGBUS: case SIGFPE:
	case SIGSEGV: case SIGXCPU: case SIGXFSZ: case SIGSYS:
		return true;
	default:
		return false;
	}
}

static void on_signal(struct task *t, int sig)
{
	struct proc *p = t->proc;

	task_undisturb(t);
	/* A core file shows the program, not our breakpoints. */
	if (dumps_core(sig) && p->state == PROC_TRACING && !proc_handles(p, sig) && !proc_ignores(p, sig))
		bp_remove_all(p);
	if (p->abi && sigtrap_before_handler(t, sig) && !pt_interrupt(t->tid))
		t->look_at_mask = true;
	task_continue(t, sig);
}

static void on_group_stop(struct task *t)
{
	task_undisturb(t);
	t->state = TASK_LISTENING;
	pt_listen(t->tid);
}

static void on_event_stop(struct task *t)
{
	if (t->look_at_mask) {
		t->look_at_mask = false;
		sigtrap_in_handler(t);
	}
	if (step_again(t))
		return;
	task_undisturb(t);
	task_continue(t, 0);
}

/* -- new tasks and processes -------------------------------------------------------------- */

void park(struct session *s, pid_t tid, int status)
{
	vec_push(&s->parked, ((struct parked){ tid, status }));
}

static bool unpark(struct session *s, pid_t tid, int *status)
{
	for (size_t i = 0; i < s->parked.n; i++)
		if (s->parked.v[i].tid == tid) {
			*status = s->parked.v[i].status;
			vec_remove_swap(&s->parked, i);
			return true;
		}
	return false;
}

/* Of memory that is shared what the children of a fork do not get is there, too. */
static int has_scratch_of(const struct proc *p, pid_t tid)
{
	struct memory theirs;
	int has;

	memory_open(&theirs, tid);
	has = scratch_is_in(p, &theirs);
	memory_close(&theirs);
	return has;
}

/* Any of its tasks may be a leader that has exited before the others and has no
 * memory left to compare. */
static bool shares_memory(const struct proc *p, pid_t tid)
{
	bool refused = false;
	int has;

	for (size_t i = 0; i < p->tasks.n; i++) {
		int shared = tasks_share_memory(p->tasks.v[i]->tid, tid);

		if (shared > 0)
			return true;
		refused |= shared < 0;
	}
	if (!refused)
		return false;
	has = has_scratch_of(p, tid);
	if (has >= 0)
		return has;
	for (size_t i = 0; i < p->tasks.n; i++)
		if (tasks_look_alike(p->tasks.v[i]->tid, tid))
			return true;
	return false;
}

static void note_not_followed(struct session *s, pid_t pid, bool execed)
{
	char path[40], comm[32] = "?";
	FILE *f;

	snprintf(path, sizeof path, "/proc/%d/comm", pid);
	f = fopen(path, "re");
	if (f) {
		if (fgets(comm, sizeof comm, f))
			comm[strcspn(comm, "\n")] = '\0';
		fclose(f);
	}
	vec_push(&s->not_followed, ((struct let_go){ pid, xstrdup(comm), execed, false }));
}

/* The child's first stop has come: it is a copy with our breakpoints in it. */
static void start_fork(struct proc *pp, struct task *t)
{
	struct proc *c = proc_new(pp->session, t->tid);

	c->how = PROC_FORKED;
	c->memgroup = pp->memgroup;
	t->state = TASK_STOPPED;
	image_copy(c, pp);
	/* From here on it is a task of its own process. */
	proc_remove_task(pp, t);
	t->proc = c;
	t->is_leader = true;
	vec_push(&c->tasks, t);
	record_proc(c, pp->pid);
	scratch_restore(c, t);
}

static void let_go(struct session *s, struct proc *parent, pid_t tid)
{
	if (!s->leaving)
		note_not_followed(s, tid, false);
	release_copy(parent, tid);
}

/* A new task has its parent's mask at the time of its birth, which the parent
 * may have changed since. */
static void look_at_first_mask(struct task *t)
{
	uint64_t mask;

	if (!pt_get_sigmask(t->tid, &mask))
		t->trap_blocked = mask >> (SIGTRAP - 1) & 1;
}

/* Its first stop, unless somebody is single-stepped just now. */
static void let_begin(struct task *t, int status)
{
	struct stop st = stop_decode(t->tid, status);

	if (!step_keeps(t, &st))
		task_continue(t, 0);
}

/* Both have come: the parent's event and the child's first stop. */
static void arrive(struct proc *p, pid_t tid, int status)
{
	struct session *s = p->session;
	uint64_t tgid = proc_status_number(tid, "Tgid", 10, 0);
	struct task *t;

	if (tgid == (uint64_t)p->pid) { /* a thread */
		t = task_new(p, tid);
		p->threaded = true;
		t->state = TASK_STOPPED;
		look_at_first_mask(t);
		record_task(t);
		/* Born into a process that is being stopped. */
		if (stop_decode(tid, status).kind == STOP_GROUP)
			on_group_stop(t);
		else
			let_begin(t, status);
	} else if (shares_memory(p, tid)) {
		t = task_new(p, tid);
		t->borrowed = true;
		t->state = TASK_STOPPED;
		look_at_first_mask(t);
		let_begin(t, status);
	} else if (s->opts->follow_fork && !s->leaving && p->state == PROC_TRACING) {
		t = task_new(p, tid);
		look_at_first_mask(t);
		start_fork(p, t);
		task_continue(t, 0);
	} else {
		let_go(s, p, tid);
	}
}

/* A child with memory of its own is a copy of the parent as it is now: what the
 * parent does next is none of the child's doing, so its first stop, which is
 * imminent, is waited for.  A thread's may come later. */
static bool await_first_stop(struct task *parent, pid_t tid, int *status)
{
	struct task child = { .tid = tid, .proc = parent->proc };
	uint64_t pid = (uint64_t)parent->proc->pid;

	return proc_status_number(tid, "Tgid", 10, pid) != pid && !wait_for_stop(&child, status);
}

static void on_new_task(struct task *parent)
{
	struct session *s = parent->proc->session;
	unsigned long msg;
	pid_t tid;
	int status;

	if (!pt_event_message(parent->tid, &msg) && !task_find(s, tid = (pid_t)msg)) {
		if (unpark(s, tid, &status) || await_first_stop(parent, tid, &status))
			arrive(parent->proc, tid, status);
		else /* Its first stop is to come. */
			vec_push(&s->expected,
				 ((struct expected){ tid, parent->tid, parent->proc->pid }));
	}
	task_undisturb(parent);
	task_continue(parent, 0);
}

static struct proc *find_proc(struct session *s, pid_t pid)
{
	for (size_t i = 0; i < s->procs.n; i++)
		if (s->procs.v[i]->pid == pid)
			return s->procs.v[i];
	return NULL;
}

void await_children(struct proc *p)
{
	struct session *s = p->session;

	for (size_t i = s->expected.n; i--;) {
		struct expected e = s->expected.v[i];
		struct task child = { .tid = e.tid, .proc = p };
		int status;

		if (e.pid != p->pid)
			continue;
		vec_remove_swap(&s->expected, i);
		if (!wait_for_stop(&child, &status))
			arrive(p, e.tid, status);
	}
}

static bool is_expected(const struct session *s, pid_t tid)
{
	for (size_t i = 0; i < s->expected.n; i++)
		if (s->expected.v[i].tid == tid)
			return true;
	return false;
}

/* Nobody will announce it, and p's breakpoints are in it. */
static bool is_orphan_of(const struct proc *p, pid_t pid)
{
	pid_t ppid = (pid_t)proc_status_number(pid, "PPid", 10, 0);
	struct memory copy;
	bool found;

	if (!p->abi || (ppid != p->pid && find_proc(p->session, ppid)))
		return false;
	memory_open(&copy, pid);
	found = bp_is_in_copy(p, &copy);
	memory_close(&copy);
	return found;
}

static void adopt(struct proc *p, pid_t pid)
{
	struct session *s = p->session;
	struct task child = { .tid = pid, .proc = p };
	int status;

	if (!unpark(s, pid, &status) && wait_for_stop(&child, &status))
		return;
	if (is_orphan_of(p, pid))
		arrive(p, pid, status);
	else
		park(s, pid, status);
}

void adopt_orphans(struct proc *p)
{
	struct session *s = p->session;
	DIR *dir = opendir("/proc");
	struct dirent *de;

	while (dir && (de = readdir(dir))) {
		pid_t pid = (pid_t)strtol(de->d_name, NULL, 10);

		if (pid > 0 && !task_find(s, pid) && !is_expected(s, pid) &&
		    proc_status_number(pid, "TracerPid", 10, 0) == (uint64_t)getpid())
			adopt(p, pid);
	}
	if (dir)
		closedir(dir);
}

static bool is_end(const struct stop *st)
{
	return st->kind == STOP_EXIT || st->kind == STOP_EXITED || st->kind == STOP_KILLED;
}

/* A stop of a task that nobody announced yet, or whose parent already did. */
static void on_unknown(struct session *s, const struct stop *st)
{
	for (size_t i = 0; i < s->expected.n; i++) {
		struct expected e = s->expected.v[i];
		struct proc *p;

		if (e.tid != st->tid)
			continue;
		vec_remove_swap(&s->expected, i);
		if (st->kind == STOP_EXIT)
			pt_cont(st->tid, 0);
		if (is_end(st))
			return;
		p = find_proc(s, e.pid);
		if (p)
			arrive(p, st->tid, st->raw);
		else
			pt_detach(st->tid, 0);
		return;
	}
	if (st->kind == STOP_EXIT) /* killed at its birth; nobody may announce it any more */
		pt_cont(st->tid, 0);
	else if (!is_end(st))
		park(s, st->tid, st->raw);
}

/* -- exec ---------------------------------------------------------------------------------------- */

/* All other threads are gone, and the one that called has the leader's tid. */
static struct task *survive_exec(struct session *s, pid_t pid)
{
	struct task *t = task_find(s, pid), *caller;
	unsigned long former;
	struct proc *p;

	if (pt_event_message(pid, &former) || (pid_t)former == pid)
		return t;
	caller = task_find(s, (pid_t)former);
	if (!caller)
		return t;
	p = caller->proc;
	if (t)
		task_free(t);
	u64map_del(&s->tasks, (uint64_t)caller->tid);
	caller->tid = pid;
	caller->is_leader = p->pid == pid;
	u64map_set(&s->tasks, (uint64_t)pid, (uintptr_t)caller);
	return caller;
}

/* A child that shared its parent's memory has its own now. */
static struct proc *split_off(struct task *t)
{
	struct proc *old = t->proc, *p;

	for (size_t i = 0; i < old->tasks.n; i++)
		if (old->tasks.v[i] == t) {
			vec_remove(&old->tasks, i);
			break;
		}
	t->calls.n = 0;
	p = proc_new(old->session, t->tid);
	p->how = PROC_EXECED;
	p->from_launch = old->from_launch;
	t->proc = p;
	t->borrowed = false;
	t->is_leader = true;
	vec_push(&p->tasks, t);
	return p;
}

static void drop_other_tasks(struct proc *p, struct task *t)
{
	for (size_t i = p->tasks.n; i--;)
		if (p->tasks.v[i] != t && !p->tasks.v[i]->borrowed) {
			p->tasks.v[i]->calls.n = 0;
			task_free(p->tasks.v[i]);
		}
}

/* --no-follow-exec: the new program was never touched. */
static void let_image_go(struct session *s, pid_t pid)
{
	note_not_followed(s, pid, true);
	if (pid == s->launched)
		s->launched_let_go = true;
	pt_detach(pid, 0);
}

static void begin_image(struct session *s, struct proc *p, struct task *t, pid_t ppid)
{
	if (image_begin(p, t, true, ppid))
		return;
	look_at_first_mask(t);
	sigtrap_restore(t);
	if (p->pid == s->launched && p->how == PROC_LAUNCHED)
		msg_begin("tracing %s (pid %d)", s->opts->argv[0], p->pid);
}

static void on_exec(struct session *s, pid_t pid)
{
	struct task *t = survive_exec(s, pid);
	bool first, follow;
	struct proc *p;
	pid_t ppid = 0;

	if (!t) {
		pt_cont(pid, 0);
		return;
	}
	t->state = TASK_STOPPED;
	p = t->proc;
	if (t->borrowed)
		step_end(t);
	else
		step_forget(p);
	first = p->state == PROC_STARTING && !p->abi;
	follow = first || (t->borrowed ? s->opts->follow_fork : true);
	if (t->borrowed) {
		ppid = p->pid;
		if (!follow || !s->opts->follow_exec) {
			note_not_followed(s, pid, false);
			t->calls.n = 0;
			task_free(t);
			pt_detach(pid, 0);
			return;
		}
		p = split_off(t);
	} else if (!first) {
		drop_other_tasks(p, t);
		if (p->abi)
			await_children(p);
		if (!s->opts->follow_exec) {
			record_proc_end(p, END_DETACHED, 0);
			image_end(p);
			proc_free(p);
			let_image_go(s, pid);
			return;
		}
		record_proc_end(p, END_EXECED, 0);
		image_end(p);
		p->how = PROC_EXECED;
	}
	begin_image(s, p, t, ppid);
	task_continue(t, 0);
}

/* -- the end of tasks -------------------------------------------------------------------------------- */

static void launched_ends(struct session *s, const struct stop *st)
{
	s->launched_ended = true;
	s->launched_let_go = false;
	if (st->kind == STOP_EXITED)
		s->result->exit_code = st->status;
	else
		s->result->exit_signal = st->status;
}

static void on_gone(struct session *s, struct task *t, const struct stop *st)
{
	struct proc *p = t->proc;
	bool leader = t->tid == p->pid;

	step_end(t);
	t->calls.n = 0;
	if (leader) {
		record_proc_end(p, st->kind == STOP_EXITED ? END_EXITED : END_SIGNALED, st->status);
		if (p->pid == s->launched)
			launched_ends(s, st);
	}
	task_free(t);
	step_recount(p);
	ending_recheck(p);
	if (!p->tasks.n)
		await_children(p);
	if (!p->tasks.n && (p->threaded || st->kind == STOP_KILLED))
		adopt_orphans(p);
	if (!p->tasks.n) {
		if (p->abi)
			image_end(p);
		proc_free(p);
	}
}

/* -- dispatch ------------------------------------------------------------------------------------------- */

void dispatch_stop(struct session *s, const struct stop *st)
{
	struct task *t = task_find(s, st->tid);

	s->stops++;
	if (!t) {
		if (st->tid == s->reporter && (st->kind == STOP_EXITED || st->kind == STOP_KILLED))
			s->reporter = 0;
		else if (s->launched_let_go && st->tid == s->launched &&
			 (st->kind == STOP_EXITED || st->kind == STOP_KILLED))
			launched_ends(s, st);
		else if (st->kind == STOP_EXEC)
			on_exec(s, st->tid);
		else
			on_unknown(s, st);
		return;
	}
	if (st->kind == STOP_EXITED || st->kind == STOP_KILLED) {
		on_gone(s, t, st);
		return;
	}
	t->absent = false;
	if (st->kind != STOP_EXEC && step_keeps(t, st))
		return;
	t->state = TASK_STOPPED;
	t->stop_status = st->raw;
	switch (st->kind) {
	case STOP_TRAP:
		on_trap(t);
		break;
	case STOP_SIGNAL:
		on_signal(t, st->sig);
		break;
	case STOP_GROUP:
		on_group_stop(t);
		break;
	case STOP_EVENT:
		on_event_stop(t);
		break;
	case STOP_CLONE:
	case STOP_FORK:
	case STOP_VFORK:
		on_new_task(t);
		t->absent = st->kind == STOP_VFORK;
		break;
	case STOP_EXEC:
		on_exec(s, st->tid);
		break;
	case STOP_EXIT:
		task_ends(t);
		break;
	default:
		task_continue(t, 0);
	}
}
