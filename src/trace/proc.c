/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <fcntl.h>
#include <linux/kcmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "arch/host.h"
#include "base/xalloc.h"
#include "trace/breakpoint.h"
#include "trace/census.h"
#include "trace/pause.h"
#include "trace/proc.h"

struct task *task_find(struct session *s, pid_t tid)
{
	return u64map_getp(&s->tasks, (uint64_t)tid);
}

struct task *task_new(struct proc *proc, pid_t tid)
{
	struct task *t = xcalloc(1, sizeof *t);

	t->tid = tid;
	t->proc = proc;
	t->state = TASK_NEW;
	t->stack_want = 4096;
	t->is_leader = tid == proc->pid;
	vec_push(&proc->tasks, t);
	u64map_set(&proc->session->tasks, (uint64_t)tid, (uintptr_t)t);
	return t;
}

static void release_calls(struct task *t)
{
	while (t->calls.n)
		call_drop(t);
	vec_release(&t->calls);
}

void proc_remove_task(struct proc *p, const struct task *t)
{
	for (size_t i = 0; i < p->tasks.n; i++)
		if (p->tasks.v[i] == t) {
			vec_remove(&p->tasks, i);
			break;
		}
}

void task_free(struct task *t)
{
	release_calls(t);
	proc_remove_task(t->proc, t);
	u64map_del(&t->proc->session->tasks, (uint64_t)t->tid);
	vec_release(&t->mask_frames);
	free(t);
}

int task_get_regs(struct task *t)
{
	struct proc *p = t->proc;
	int err = host_get_regs(t->tid, &t->regs);

	if (!err && !p->code_mask_known && p->unwinder) {
		unwinder_set_code_mask(p->unwinder, host_code_mask(t->tid, p->abi));
		p->code_mask_known = true;
	}
	return err;
}

/* -- processes ------------------------------------------------------------------ */

static ssize_t reader(void *arg, taddr_t addr, void *buf, size_t len)
{
	return proc_read(arg, addr, buf, len);
}

struct proc *proc_new(struct session *s, pid_t pid)
{
	struct proc *p = xcalloc(1, sizeof *p);

	p->session = s;
	p->pid = pid;
	p->mem.fd = -1;
	p->mem.pid = p->mem.thread = pid;
	p->reader = (struct mem_reader){ reader, p };
	p->mapped = regions_new();
	vec_push(&s->procs, p);
	return p;
}

void proc_free(struct proc *p)
{
	struct session *s = p->session;

	census_forget(p);
	pause_forget(p);
	while (p->tasks.n)
		task_free(p->tasks.v[p->tasks.n - 1]);
	for (size_t i = 0; i < s->procs.n; i++)
		if (s->procs.v[i] == p) {
			vec_remove(&s->procs, i);
			break;
		}
	unwinder_free(p->unwinder);
	bp_forget_all(p);
	modules_release(&p->modules);
	memory_close(&p->mem);
	openset_free(p->open);
	u64map_release(&p->zones);
	freed_free(p->freed);
	u64map_release(&p->looked);
	regions_free(p->mapped);
	vec_release(&p->tasks);
	vec_release(&p->kept);
	vec_release(&p->ended_stacks);
	vec_release(&p->wrappers);
	u64map_release(&p->callees);
	for (size_t i = 0; i < p->sites.n; i++)
		free(p->sites.v[i]);
	vec_release(&p->sites);
	free(p->exe);
	free(p->name);
	free(p);
}

void proc_note_mapping(struct proc *p, taddr_t addr, uint64_t size, uint32_t stack)
{
	const uint64_t page = 4096; /* the smallest there is */
	struct region r = { addr & -page, 0, stack };

	if (!size || __builtin_add_overflow(addr, size, &r.end) || r.end > UINT64_MAX - page)
		return;
	r.end = (r.end + page - 1) & -page;
	for (size_t i = p->ended_stacks.n; i--;)
		if (p->ended_stacks.v[i] >= r.start && p->ended_stacks.v[i] < r.end)
			vec_remove(&p->ended_stacks, i);
	regions_cut(p->mapped, r.start, r.end, NULL, NULL);
	if (stack)
		regions_add(p->mapped, &r);
}

struct task *proc_stopped_task(struct proc *p)
{
	for (size_t i = 0; i < p->tasks.n; i++)
		if (p->tasks.v[i]->state == TASK_STOPPED)
			return p->tasks.v[i];
	return NULL;
}

ssize_t proc_read(struct proc *p, taddr_t addr, void *buf, size_t len)
{
	ssize_t n = memory_read(&p->mem, addr, buf, len);

	if (n > 0)
		bp_splice(p, addr, buf, (size_t)n);
	return n;
}

int proc_read_word(struct proc *p, taddr_t addr, uint64_t *out)
{
	uint8_t b[8];
	ssize_t n = proc_read(p, addr, b, p->abi->word);

	if (n != p->abi->word)
		return n < 0 ? (int)n : -EFAULT;
	*out = abi_load(p->abi, b, p->abi->word);
	return 0;
}

int proc_write(struct proc *p, struct task *stopped, taddr_t addr, const void *buf, size_t len)
{
	return memory_write(&p->mem, stopped ? stopped->tid : 0, addr, buf, len);
}

uint64_t proc_status_number(pid_t pid, const char *key, int base, uint64_t otherwise)
{
	char path[40], line[256];
	uint64_t v = otherwise;
	size_t n = strlen(key);
	FILE *f;

	snprintf(path, sizeof path, "/proc/%d/status", pid);
	f = fopen(path, "re");
	if (!f)
		return otherwise;
	while (fgets(line, sizeof line, f))
		if (!strncmp(line, key, n) && line[n] == ':') {
			v = strtoull(line + n + 1, NULL, base);
			break;
		}
	fclose(f);
	return v;
}

/* What a file of a task's in /proc begins with; false: it is gone. */
static bool read_file(pid_t tid, const char *name, char *buf, size_t size)
{
	char path[40];
	ssize_t n;
	int fd;

	snprintf(path, sizeof path, "/proc/%d/%s", tid, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	n = read(fd, buf, size - 1);
	close(fd);
	buf[MAX(n, 0)] = '\0';
	return n > 0;
}

/* What follows the name, field 2, which may hold anything; NULL: it is gone. */
static char *read_stat(pid_t tid, char *buf, size_t size)
{
	char *paren = read_file(tid, "stat", buf, size) ? strrchr(buf, ')') : NULL;

	return paren && paren[1] == ' ' ? paren + 1 : NULL;
}

uint64_t proc_stat_number(pid_t tid, int field, uint64_t otherwise)
{
	char buf[2048], *at = read_stat(tid, buf, sizeof buf);

	for (int i = 3; at && i < field; i++)
		at = strchr(at + 1, ' ');
	return at ? strtoull(at, NULL, 10) : otherwise;
}

char proc_state_letter(pid_t tid)
{
	char buf[2048], *at = read_stat(tid, buf, sizeof buf);

	return at && at[1] ? at[1] : 'X';
}

int tasks_share_memory(pid_t a, pid_t b)
{
	long r = syscall(SYS_kcmp, a, b, KCMP_VM, 0, 0);

	if (r < 0)
		return errno == ESRCH ? 0 : -1;
	return !r;
}

bool tasks_look_alike(pid_t a, pid_t b)
{
	char one[160], other[160], again[160];

	/* It may grow while we look. */
	for (int tries = 0; tries < 16; tries++) {
		if (!read_file(a, "statm", one, sizeof one) ||
		    !read_file(b, "statm", other, sizeof other) ||
		    !read_file(a, "statm", again, sizeof again))
			return false;
		if (!strcmp(one, again))
			return !strcmp(one, other);
	}
	return false;
}

/* Stacks are told apart by their mappings: an alternate stack or a coroutine's
 * says nothing about the age of a call on another. */
bool task_same_stack(struct task *t, taddr_t a, taddr_t b)
{
	taddr_t lo = MIN(a, b), hi = MAX(a, b);
	struct maps maps;
	const struct map_line *m;

	if (lo >= t->stack_lo && hi < t->stack_hi)
		return true;
	if (maps_read(&maps, t->proc->pid))
		return hi - lo < 65536;
	m = maps_find(&maps, a);
	t->stack_lo = m ? m->start : a;
	t->stack_hi = m ? m->end : a;
	maps_release(&maps);
	return lo >= t->stack_lo && hi < t->stack_hi;
}
