/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/msg.h"
#include "base/oom.h"
#include "base/strbuf.h"
#include "base/xalloc.h"
#include "trace/ptrace.h"
#include "trace/sanitizer.h"
#include "trace/tracer.h"

/* What execvp() would run, found beforehand so that a mistake is told without
 * a child.  A malloc'ed path, or NULL with errno. */
static char *find_command(const char *name)
{
	const char *path = getenv("PATH");
	int worst = ENOENT;

	if (strchr(name, '/'))
		return xstrdup(name);
	if (!path)
		path = "/bin:/usr/bin";
	while (*path) {
		size_t n = strcspn(path, ":");
		char *try = n ? xasprintf("%.*s/%s", (int)n, path, name) : xstrdup(name);
		struct stat st;

		if (!stat(try, &st) && S_ISREG(st.st_mode)) {
			if (!access(try, X_OK))
				return try;
			worst = EACCES;
		}
		free(try);
		path += n + (path[n] == ':');
	}
	errno = worst;
	return NULL;
}

/* 0, or the exit code after a message. */
static int check_command(const char *path, const char *name)
{
	struct stat st;

	if (stat(path, &st) < 0) {
		msg_error("%s: %s", name, strerror(errno));
		return errno == ENOENT ? EXIT_NOT_FOUND : EXIT_NOT_EXECUTABLE;
	}
	if (S_ISDIR(st.st_mode)) {
		msg_error("%s: is a directory", name);
		return EXIT_NOT_EXECUTABLE;
	}
	if (access(path, X_OK) < 0) {
		msg_error("%s: %s; make it executable, or give its interpreter as the command",
			  name, strerror(errno));
		return EXIT_NOT_EXECUTABLE;
	}
	/* The kernel gives a traced program no rights that its tracer has not. */
	if (geteuid() && st.st_mode & S_ISUID && st.st_uid != geteuid())
		msg_warn("%s is set-user-ID, which has no effect while it is traced; use sudo and -u",
			 name);
	return 0;
}

void launch_inherit(const struct session *s)
{
	struct sigaction dfl = { .sa_handler = SIG_DFL };

	for (size_t i = 0; i < ARRAY_SIZE(s->inherited.sig); i++) {
		dfl.sa_handler = s->inherited.ignored[i] ? SIG_IGN : SIG_DFL;
		sigaction(s->inherited.sig[i], &dfl, NULL);
	}
	sigprocmask(SIG_SETMASK, &s->inherited.mask, NULL);
	if (s->inherited.core_changed)
		setrlimit(RLIMIT_CORE, &s->inherited.core);
}

/* In the child: from here on errors go through the pipe. */
static _Noreturn void run_command(const struct session *s, const char *path, int go, int tell,
				  const struct passwd *pw)
{
	char c;
	int err;

	launch_inherit(s);
	oom_unprotect();
	if (pw && (initgroups(pw->pw_name, pw->pw_gid) || setresgid(pw->pw_gid, pw->pw_gid, pw->pw_gid) ||
		   setresuid(pw->pw_uid, pw->pw_uid, pw->pw_uid)))
		goto fail;
	while (read(go, &c, 1) < 0 && errno == EINTR)
		;
	execv(path, s->opts->argv);
fail:
	err = errno;
	if (write(tell, &err, sizeof err) < 0)
		_exit(EXIT_OURS);
	_exit(err == ENOENT ? EXIT_NOT_FOUND : EXIT_NOT_EXECUTABLE);
}

static int close_on_exec(int fd)
{
	return fcntl(fd, F_SETFD, FD_CLOEXEC);
}

static int look_up_user(const char *name, struct passwd **pw)
{
	errno = 0;
	*pw = getpwnam(name);
	if (!*pw)
		return msg_error("-u %s: %s", name, errno ? strerror(errno) : "no such user");
	if (geteuid())
		return msg_error("-u %s: only root can run a command as another user", name);
	return 0;
}

static bool is_elf(const char *path)
{
	char magic[4];
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	bool is = fd >= 0 && read(fd, magic, 4) == 4 && !memcmp(magic, "\177ELF", 4);

	if (fd >= 0)
		close(fd);
	return is;
}

static void tell_failed_exec(const char *name, const char *path, int err)
{
	struct stat st;

	if (err == ENOEXEC && is_elf(path))
		msg_error("%s: %s; it is damaged, or for a machine (perhaps x32) that this kernel does "
			  "not run", name, strerror(err));
	else if (err == ENOEXEC)
		msg_error("%s: %s; a script needs a #! line, or its interpreter as the command", name,
			  strerror(err));
	else if (err == ENOENT && !stat(name, &st))
		msg_error("%s: the interpreter it asks for (its #! line, or an ELF program's linker) "
			  "does not exist", name);
	else
		msg_error("%s: %s", name, strerror(err));
}

/* The kernel kills a process when it is too late for an error: the old image
 * is gone, and the new one cannot be mapped. */
static int died_in_exec(struct session *s, int status)
{
	int sig = WIFSIGNALED(status) ? WTERMSIG(status) : 0;

	if (!sig)
		return msg_error("%s: ended before it could be run", s->opts->argv[0]), EXIT_OURS;
	msg_error("%s: the kernel killed it (%s) before its first instruction: is it damaged?",
		  s->opts->argv[0], strsignal(sig));
	s->result->exit_signal = sig;
	return 128 + sig;
}

/* The exec itself: until then the child is ours alone. */
static int await_exec(struct session *s, pid_t pid, int told, const char *path)
{
	int err = 0, status;

	for (;;) {
		if (waitpid(pid, &status, __WALL) < 0) {
			if (errno == EINTR)
				continue;
			msg_error("waiting for %s: %s", path, strerror(errno));
			return EXIT_OURS;
		}
		if (!WIFSTOPPED(status))
			break;
		if (status >> 8 == (SIGTRAP | PTRACE_EVENT_EXEC << 8)) {
			wait_put_back(pid, status);
			return 0;
		}
		pt_cont(pid, status >> 16 ? 0 : WSTOPSIG(status));
	}
	if (read(told, &err, sizeof err) != sizeof err || !err)
		return died_in_exec(s, status);
	tell_failed_exec(s->opts->argv[0], path, err);
	return err == ENOENT ? EXIT_NOT_FOUND : EXIT_NOT_EXECUTABLE;
}

static int seize_child(struct session *s, pid_t pid)
{
	int err = pt_seize(pid, s->options | PTRACE_O_EXITKILL);

	if (!err)
		return 0;
	msg_error("cannot trace: %s%s", strerror(-err),
		  err == -EPERM ? "; is ptrace forbidden here (container without SYS_PTRACE, seccomp, kernel.yama.ptrace_scope=3)?" : "");
	return EXIT_OURS;
}

pid_t launch(struct session *s, int *exit_code)
{
	const char *name = s->opts->argv[0];
	struct passwd *pw = NULL;
	int go[2] = { -1, -1 }, tell[2] = { -1, -1 };
	char *path = find_command(name);
	struct proc *p;
	pid_t pid = -1;

	if (!path) {
		msg_error("%s: %s", name, errno == ENOENT ? "command not found" : strerror(errno));
		*exit_code = errno == ENOENT ? EXIT_NOT_FOUND : EXIT_NOT_EXECUTABLE;
		return -1;
	}
	*exit_code = check_command(path, name);
	if (*exit_code)
		goto out;
	*exit_code = EXIT_OURS;
	if (sanitizer_refuse(path, name, &s->opts->change))
		goto out;
	if (s->opts->user && look_up_user(s->opts->user, &pw))
		goto out;
	if (pipe(go) || pipe(tell) || close_on_exec(go[0]) || close_on_exec(go[1]) ||
	    close_on_exec(tell[0]) || close_on_exec(tell[1]) || (pid = fork()) < 0) {
		msg_error("cannot start %s: %s", name, strerror(errno));
		goto out;
	}
	if (!pid) {
		close(go[1]);
		run_command(s, path, go[0], tell[1], pw);
	}
	close(tell[1]);
	tell[1] = -1;
	*exit_code = seize_child(s, pid);
	if (*exit_code) {
		kill(pid, SIGKILL);
		waitpid(pid, NULL, __WALL);
		pid = -1;
		goto out;
	}
	close(go[1]);
	go[1] = -1;
	*exit_code = await_exec(s, pid, tell[0], path);
	if (*exit_code) {
		pid = -1;
		goto out;
	}
	p = proc_new(s, pid);
	p->how = PROC_LAUNCHED;
	p->from_launch = true;
	p->name = xstrdup(last_part(name));
	task_new(p, pid);
	s->launched = pid;
out:
	for (int i = 0; i < 2; i++) {
		if (go[i] >= 0)
			close(go[i]);
		if (tell[i] >= 0)
			close(tell[i]);
	}
	free(path);
	return pid;
}
