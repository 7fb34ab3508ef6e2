/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/msg.h"
#include "base/xalloc.h"
#include "trace/image.h"
#include "trace/ptrace.h"
#include "trace/recorder.h"
#include "trace/sigtrap.h"
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
	p = proc_new(s, pid);
	p->how = PROC_ATTACHED;
	while ((n = seize_pass(p)) > 0)
		;
	if (n < 0) {
		abandon(p);
		return explain(pid, n);
	}
	/* Nobody is stopped for this: breakpoints are single bytes, and the
	 * slots are made when the first thread comes by. */
	if (image_begin(p, NULL, false, 0)) {
		record_proc_end(p, END_DETACHED, 0);
		abandon(p);
		return -1;
	}
	for (size_t i = 0; i < p->tasks.n; i++) {
		sigtrap_begin_task(p->tasks.v[i]);
		record_task(p->tasks.v[i]);
	}
	msg_begin("attached to %d %s: %zu thread%s, %zu module%s; Ctrl-C reports and detaches", pid,
		  p->name, p->tasks.n, plural(p->tasks.n), p->modules.v.n, plural(p->modules.v.n));
	return 0;
}
