/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/msg.h"
#include "base/xalloc.h"
#include "trace/census.h"
#include "trace/image.h"
#include "trace/ptrace.h"
#include "trace/recorder.h"
#include "trace/sanitizer.h"
#include "trace/tracer.h"

/* One word of a /proc file; "" when it is not there. */
static void read_word(const char *path, char *out, size_t size)
{
	FILE *f = fopen(path, "re");

	out[0] = '\0';
	if (!f)
		return;
	if (fgets(out, (int)size, f))
		out[strcspn(out, "\n")] = '\0';
	fclose(f);
}

static void comm_of(pid_t pid, char *out, size_t size)
{
	char path[40];

	snprintf(path, sizeof path, "/proc/%d/comm", pid);
	read_word(path, out, size);
}

static bool is_kernel_thread(pid_t pid)
{
	char path[40], target[8];

	/* It has no executable, and is no zombie. */
	snprintf(path, sizeof path, "/proc/%d/exe", pid);
	return readlink(path, target, sizeof target) < 0 && errno == ENOENT;
}

static bool is_zombie(pid_t pid)
{
	return strchr("ZX", proc_state_letter(pid));
}

static uid_t owner_of(pid_t pid)
{
	return (uid_t)proc_status_number(pid, "Uid", 10, (uint64_t)-1);
}

/* EPERM has many reasons, each with another way out. */
static int explain_eperm(pid_t pid)
{
	pid_t tracer = (pid_t)proc_status_number(pid, "TracerPid", 10, 0);
	char comm[64], scope[16];

	comm_of(pid, comm, sizeof comm);
	if (tracer) {
		char who[64];

		comm_of(tracer, who, sizeof who);
		return msg_error("cannot attach to %d (%s): already traced by %s (%d); end that first",
				 pid, comm, who[0] ? who : "another process", tracer);
	}
	if (is_kernel_thread(pid))
		return msg_error("cannot attach to %d (%s): it is a kernel thread", pid, comm);
	if (geteuid() && owner_of(pid) != geteuid())
		return msg_error("cannot attach to %d (%s): it belongs to another user; use sudo", pid, comm);
	read_word("/proc/sys/kernel/yama/ptrace_scope", scope, sizeof scope);
	if (geteuid() && scope[0] > '0')
		return msg_error("cannot attach to %d (%s): kernel.yama.ptrace_scope is %s; use sudo, "
				 "or launch the program with %s", pid, comm, scope, msg_program());
	if (geteuid())
		return msg_error("cannot attach to %d (%s): it may not be traced (set-user-ID, "
				 "capabilities, or not dumpable); use sudo", pid, comm);
	return msg_error("cannot attach to %d (%s): not permitted even as root; in a container, add the "
			 "capability SYS_PTRACE", pid, comm);
}

static int explain(pid_t pid, int err)
{
	char comm[64];

	comm_of(pid, comm, sizeof comm);
	if (err == -ESRCH && !comm[0])
		return msg_error("cannot attach to %d: no such process", pid);
	if (is_zombie(pid))
		return msg_error("cannot attach to %d (%s): it is a zombie; its parent has not waited "
				 "for it", pid, comm);
	if (err == -EPERM)
		return explain_eperm(pid);
	return msg_error("cannot attach to %d (%s): %s", pid, comm, strerror(-err));
}

/* Seizes every task that is not ours yet.  Tasks made by seized ones are
 * seized by the kernel, so a pass that finds nothing new is the last.  Number
 * of new tasks, or -errno. */
static int seize_pass(struct proc *p)
{
	struct session *s = p->session;
	char path[40];
	struct dirent *de;
	int fresh = 0, err = 0;
	DIR *dir;

	snprintf(path, sizeof path, "/proc/%d/task", p->pid);
	dir = opendir(path);
	if (!dir)
		return errno == ENOENT ? -ESRCH : -errno;
	while (!err && (de = readdir(dir))) {
		pid_t tid = (pid_t)strtol(de->d_name, NULL, 10);
		struct task *t;

		if (tid <= 0 || task_find(s, tid))
			continue;
		err = pt_seize(tid, s->options);
		if (err == -ESRCH && tid != p->pid) { /* it ended meanwhile */
			err = 0;
			continue;
		}
		if (err == -EPERM && proc_status_number(tid, "TracerPid", 10, 0) == (uint64_t)getpid())
			err = 0; /* made by a seized task just now */
		if (err)
			break;
		t = task_new(p, tid);
		t->state = TASK_RUNNING;
		fresh++;
	}
	closedir(dir);
	return err ? err : fresh;
}

/* A vfork child that nobody traces runs in the memory that gets breakpoints:
 * is there one, and is it ours now? */
static bool seize_borrower(struct proc *p, pid_t parent)
{
	struct session *s = p->session;
	bool found = false;
	char path[64];
	FILE *f;
	int pid;

	snprintf(path, sizeof path, "/proc/%d/task/%d/children", p->pid, parent);
	f = fopen(path, "re");
	while (f && fscanf(f, "%d", &pid) == 1) {
		int shared = task_find(s, pid) ? 0 : tasks_share_memory(parent, pid);
		struct task *t;

		if (!shared || (shared < 0 && !tasks_look_alike(parent, pid)) ||
		    pt_seize(pid, s->options))
			continue;
		t = task_new(p, pid);
		t->borrowed = true;
		t->state = TASK_RUNNING;
		found = true;
	}
	if (f)
		fclose(f);
	return found;
}

/* Has a task that was interrupted left the call in which it may have been? */
static bool is_past_fork(struct proc *p, struct task *t)
{
	int status, got = wait_poll(t, &status);

	if (got > 0 && (stop_decode(t->tid, status).kind != STOP_EVENT || pt_cont(t->tid, 0)))
		wait_put_back(t->tid, status);
	if (got)
		return true;
	switch (proc_state_letter(t->tid)) {
	case 'D': /* vfork: it stops when the child has memory of its own */
		return seize_borrower(p, t->tid);
	case 'Z': case 'X':
		return true;
	default:
		return false;
	}
}

/* Whether a child is traced, the kernel decides when fork() begins.  One that
 * had begun before its task was seized makes a child, or a thread, that is not,
 * and that would die of breakpoints which are planted before it is done.  Who
 * sleeps is in no fork, and is not disturbed. */
static void await_forks(struct proc *p)
{
	struct timespec pause = { 0, 200000 };
	VEC(struct task *) busy = { 0 };

	for (size_t i = 0; i < p->tasks.n; i++) {
		struct task *t = p->tasks.v[i];

		if (strchr("RD", proc_state_letter(t->tid)) && !pt_interrupt(t->tid))
			vec_push(&busy, t);
	}
	/* A second is long enough, but for who waits for a disk, or vfork. */
	for (int tries = 0; busy.n && tries < 5000; tries++) {
		for (size_t i = busy.n; i--;)
			if (is_past_fork(p, busy.v[i]))
				vec_remove(&busy, i);
		if (busy.n)
			nanosleep(&pause, NULL);
	}
	vec_release(&busy);
}

/* All tasks there are, and none in the making. */
static int seize_all(struct proc *p)
{
	int n;

	while ((n = seize_pass(p)) > 0)
		;
	if (n < 0)
		return n;
	await_forks(p);
	while ((n = seize_pass(p)) > 0)
		;
	return n;
}

static void abandon(struct proc *p)
{
	for (size_t i = 0; i < p->tasks.n; i++) {
		int status;

		if (!pt_interrupt(p->tasks.v[i]->tid) && !wait_for_stop(p->tasks.v[i], &status))
			pt_detach(p->tasks.v[i]->tid, 0);
	}
	proc_free(p);
}

static const char *plural(size_t n) { return n == 1 ? "" : "s"; }

int attach(struct session *s, pid_t pid)
{
	char exe[40], comm[64];
	struct proc *p;
	uint64_t tgid;
	int n;

	if (pid == getpid())
		return msg_error("cannot attach to %d: that is %s itself", pid, msg_program());
	tgid = proc_status_number(pid, "Tgid", 10, 0);
	if (tgid && tgid != (uint64_t)pid) {
		msg_info("%d is a thread of %d; attaching to that", pid, (int)tgid);
		pid = (pid_t)tgid;
	}
	for (size_t i = 0; i < s->procs.n; i++)
		if (s->procs.v[i]->pid == pid)
			return 0;
	snprintf(exe, sizeof exe, "/proc/%d/exe", pid);
	comm_of(pid, comm, sizeof comm);
	if (sanitizer_refuse(exe, comm, &s->opts->change))
		return -1;
	p = proc_new(s, pid);
	p->how = PROC_ATTACHED;
	n = seize_all(p);
	if (n < 0) {
		abandon(p);
		return explain(pid, n);
	}
	p->threaded = p->tasks.n > 1;
	/* Nobody is stopped for this: breakpoints are written at once, and the
	 * slots are made when the first thread comes by. */
	if (image_begin(p, NULL, false, 0)) {
		record_proc_end(p, END_DETACHED, 0);
		abandon(p);
		return -1;
	}
	for (size_t i = 0; i < p->tasks.n; i++)
		record_task(p->tasks.v[i]);
	msg_begin("attached to %d %s: %zu thread%s, %zu module%s; Ctrl-C reports and detaches", pid,
		  p->name, p->tasks.n, plural(p->tasks.n), p->modules.v.n, plural(p->modules.v.n));
	if (census_wanted(s->opts))
		census_begin(p);
	return 0;
}
