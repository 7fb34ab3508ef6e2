/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Ctrl-C, SIGTERM, SIGHUP, SIGQUIT and SIGUSR1, as a terminal and as kill(1)
 * send them: a program that is its own driver.
 *
 *   cli-signals           the program: frees a block in an exit function, ends
 *                         0.5 s after SIGINT with status 9
 *   cli-signals once      drives: starts $MTRACE with the program in a session
 *                         of its own, sends signals, and checks */
#include <arpa/inet.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static volatile sig_atomic_t got;
static void *kept;

static void on_interrupt(int sig) { got = sig; }
static void release(void) { free(kept); }

static int program(void)
{
	signal(SIGINT, on_interrupt);
	atexit(release);
	kept = malloc(5000);
	if (write(1, "ready\n", 6) != 6)
		return 1;
	for (int i = 0; i < 2000; i++) {
		free(malloc(64));
		usleep(10000);
		if (got) {
			usleep(500000);
			exit(9);
		}
	}
	return 2;
}

static char self[4096], said[1 << 16];

static void fail(const char *what)
{
	printf("%s; it said:\n%s", what, said);
	exit(1);
}

static pid_t start(int *out, char **argv)
{
	int fds[2];
	pid_t pid;

	if (pipe(fds) || (pid = fork()) < 0)
		fail("cannot start");
	if (!pid) {
		int err = open("driven.err", O_WRONLY | O_CREAT | O_TRUNC, 0666);

		setsid();
		signal(SIGINT, SIG_DFL); /* a shell's background job ignores it */
		signal(SIGQUIT, SIG_DFL);
		dup2(fds[1], 1);
		dup2(err, 2);
		close(fds[0]);
		close(fds[1]);
		execv(argv[0], argv);
		_exit(127);
	}
	close(fds[1]);
	*out = fds[0];
	return pid;
}

static void await_ready(int out)
{
	char line[16];

	if (read(out, line, sizeof line) != 6)
		fail("the program did not begin");
	usleep(300000);
}

static const char *slurp(const char *path)
{
	FILE *f = fopen(path, "r");
	size_t n = f ? fread(said, 1, sizeof said - 1, f) : 0;

	said[n] = '\0';
	if (f)
		fclose(f);
	return said;
}

static void await_said(const char *text)
{
	for (int i = 0; i < 2000 && !strstr(slurp("driven.err"), text); i++)
		usleep(10000);
}

static int finish(pid_t pid)
{
	int status;

	alarm(30);
	if (waitpid(pid, &status, 0) != pid)
		fail("waitpid");
	slurp("driven.err");
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

static void want_status(int is, int want)
{
	if (is != want) {
		printf("status %d instead of %d; ", is, want);
		fail("wrong status");
	}
}

static void want(const char *text)
{
	if (!strstr(said, text)) {
		printf("missing: %s; ", text);
		fail("a line is missing");
	}
}

static void want_not(const char *text)
{
	if (strstr(said, text)) {
		printf("there is: %s; ", text);
		fail("a line too many");
	}
}

static pid_t mtrace(int *out, char *option, char *value)
{
	char *plain[] = { getenv("MTRACE"), self, NULL };
	char *with[] = { getenv("MTRACE"), option, self, NULL };
	char *both[] = { getenv("MTRACE"), option, value, self, NULL };

	return start(out, !option ? plain : !value ? with : both);
}

/* One Ctrl-C: the program's own way to end. */
static void once(void)
{
	int out;
	pid_t pid = mtrace(&out, NULL, NULL);

	await_ready(out);
	kill(-pid, SIGINT);
	want_status(finish(pid), 9);
	want("to end; Ctrl-C twice to report now");
	want("waiting for ");
	want("exited with status 9");
	want_not("malloc(5000)");
}

/* timeout(1) sends it twice at once: to its child and to its group. */
static void echo(void)
{
	int out;
	pid_t pid = mtrace(&out, NULL, NULL);

	await_ready(out);
	kill(pid, SIGINT);
	kill(-pid, SIGINT);
	want_status(finish(pid), 9);
	want("exited with status 9");
}

static void twice(void)
{
	int out;
	pid_t pid = mtrace(&out, NULL, NULL);

	await_ready(out);
	kill(-pid, SIGINT);
	usleep(200000);
	kill(-pid, SIGINT);
	want_status(finish(pid), 128 + SIGINT);
	want("was let go");
	want("malloc(5000)");
}

/* It is passed on to the program, which dies of it: the pipe closes. */
static void ended_by(int sig)
{
	char c;
	int out;
	pid_t pid = mtrace(&out, NULL, NULL);

	await_ready(out);
	kill(pid, sig);
	want_status(finish(pid), 128 + sig);
	want("malloc(5000)");
	if (read(out, &c, 1) != 0)
		fail("the program says more");
}

static void detach_on_exit(void)
{
	char option[] = "--detach-on-exit", c;
	int out;
	pid_t pid = mtrace(&out, option, NULL);

	await_ready(out);
	kill(pid, SIGTERM);
	want_status(finish(pid), 0);
	want("was let go");
	fcntl(out, F_SETFL, O_NONBLOCK);
	usleep(300000);
	if (read(out, &c, 1) == 0)
		fail("the program ended");
	kill(-pid, SIGINT);
}

/* The program handles Ctrl-\ in its own way: it is not mtrace's. */
static void quit(void)
{
	int out;
	pid_t pid = mtrace(&out, NULL, NULL);

	await_ready(out);
	kill(pid, SIGQUIT);
	usleep(300000);
	kill(-pid, SIGINT);
	want_status(finish(pid), 9);
	want("exited with status 9");
}

static void report_now(void)
{
	int out;
	pid_t pid = mtrace(&out, NULL, NULL);

	await_ready(out);
	kill(pid, SIGUSR1);
	await_said(" errors\n"); /* its last line */
	want("is still running");
	want("malloc(5000)");
	kill(-pid, SIGINT);
	want_status(finish(pid), 9);
	want("exited with status 9");
}

/* The file holds the last report only. */
static void report_now_file(void)
{
	char option[] = "-o", file[] = "report.%p";
	char path[64];
	int out;
	pid_t pid = mtrace(&out, option, file);

	await_ready(out);
	kill(pid, SIGUSR1);
	usleep(500000);
	kill(-pid, SIGINT);
	want_status(finish(pid), 9);
	if (!strstr(said, "(pid "))
		fail("no pid");
	snprintf(path, sizeof path, "report.%ld", strtol(strstr(said, "(pid ") + 5, NULL, 10));
	slurp(path);
	want("exited with status 9");
	want_not("still running");
}

/* An attached program runs on after the first Ctrl-C. */
static void attached(int sig)
{
	char number[16], p[] = "-p";
	char *plain[] = { self, NULL }, *attach[] = { getenv("MTRACE"), p, number, NULL };
	int out, none;
	pid_t program = start(&out, plain), pid;

	await_ready(out);
	snprintf(number, sizeof number, "%d", (int)program);
	unlink("driven.err"); /* the program's */
	pid = start(&none, attach);
	await_said("attached to");
	kill(pid, sig);
	want_status(finish(pid), 0);
	want("was let go");
	want("Ctrl-C reports and detaches");
	usleep(300000);
	kill(program, SIGINT);
	want_status(finish(program), 9);
}

/* A server of debug information that never answers, and a program without
 * any: Ctrl-C ends the wait.  (Where mtrace does not ask, nothing waits.) */
static void in_report(void)
{
	struct sockaddr_in at = { .sin_family = AF_INET };
	char stripped[] = "./stripped", fast[] = "fast", url[64];
	char *args[] = { getenv("MTRACE"), stripped, fast, NULL };
	socklen_t len = sizeof at;
	int s = socket(AF_INET, SOCK_STREAM, 0), out, status;
	pid_t pid;

	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (s < 0 || bind(s, (void *)&at, sizeof at) || listen(s, 8) ||
	    getsockname(s, (void *)&at, &len))
		exit(0);
	snprintf(url, sizeof url, "http://127.0.0.1:%d", ntohs(at.sin_port));
	setenv("DEBUGINFOD_URLS", url, 1);
	setenv("HOME", ".", 1);
	setenv("DEBUGINFOD_CACHE_PATH", "./cache", 1);
	snprintf(said, sizeof said, "strip -o stripped '%s'", self);
	if (system(said))
		exit(0);
	pid = start(&out, args);
	usleep(1500000);
	kill(-pid, SIGINT);
	for (int i = 0; waitpid(pid, &status, WNOHANG) == 0; i++) {
		if (i == 500)
			fail("it goes on waiting");
		usleep(10000);
	}
	slurp("driven.err");
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 3)
		fail("not the program's status");
	want("stripped+0x");
	want("33 bytes definitely lost in 1 block from 1 stack, 0 errors");
}

static int fast(void)
{
	return malloc(33) ? 3 : 1;
}

int main(int argc, char **argv)
{
	if (argc < 2)
		return program();
	if (!realpath("/proc/self/exe", self))
		return 1;
	setvbuf(stdout, NULL, _IOLBF, 0);
	if (!strcmp(argv[1], "once")) once();
	else if (!strcmp(argv[1], "echo")) echo();
	else if (!strcmp(argv[1], "twice")) twice();
	else if (!strcmp(argv[1], "term")) ended_by(SIGTERM);
	else if (!strcmp(argv[1], "hup")) ended_by(SIGHUP);
	else if (!strcmp(argv[1], "detach")) detach_on_exit();
	else if (!strcmp(argv[1], "quit")) quit();
	else if (!strcmp(argv[1], "usr1")) report_now();
	else if (!strcmp(argv[1], "usr1-file")) report_now_file();
	else if (!strcmp(argv[1], "in-report")) in_report();
	else if (!strcmp(argv[1], "fast")) return fast();
	else if (!strcmp(argv[1], "attached-int")) attached(SIGINT);
	else if (!strcmp(argv[1], "attached-quit")) attached(SIGQUIT);
	else if (!strcmp(argv[1], "attached-usr2")) attached(SIGUSR2);
	else return 2;
	return 0;
}
