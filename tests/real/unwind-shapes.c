/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Runs unwind-shapes-target under ptrace and compares our frames with the
 * chain it names at each int3.  The chain's tokens, separated by '<':
 *
 *	name     a frame in this function
 *	name*N   N of them
 *	?        any one frame
 *	~        any number of frames
 *	.        no more frames, and the stack is complete
 *
 * A chain that begins with '!' must hold after each single step from here to
 * the next int3.  Every unwinding is done with a large, a small and no copy of
 * the stack, which must agree. */
#include <elf.h>
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "arch/host.h"
#include "base/msg.h"
#include "trace/unwind.h"

#define EXIT_SKIP 77

struct child {
	pid_t pid;
	struct mem_reader mem;
	struct modules modules;
	struct unwinder *unwinder;
	char stepping[256]; /* the chain that holds at each step; "" */
	unsigned long stops, steps, failures;
};

static ssize_t read_child(void *arg, taddr_t addr, void *buf, size_t len)
{
	struct child *c = arg;
	struct iovec to = { buf, len }, from = { (void *)(uintptr_t)addr, len };
	ssize_t n = process_vm_readv(c->pid, &to, 1, &from, 1, 0);

	return n < 0 ? -errno : n;
}

static void gone(void *arg, struct module *m)
{
	struct child *c = arg;

	unwinder_forget(c->unwinder, m->start, m->end);
}

static bool refresh(void *arg)
{
	struct child *c = arg;
	size_t before = c->modules.v.n;
	struct maps maps;

	if (maps_read(&maps, c->pid) < 0)
		return false;
	modules_update(&c->modules, &maps, NULL, gone, c);
	maps_release(&maps);
	return c->modules.v.n != before;
}

static const char *name_of(struct child *c, const struct backtrace *b, uint32_t i)
{
	taddr_t at = b->exact[i] ? b->pc[i] : b->pc[i] - 1;
	struct module *m = modules_find(&c->modules, at);
	struct elf_symbol sym;

	if (!m || !m->file || !elf_file_function_at(m->file, at - m->bias, &sym))
		return "??";
	return sym.name;
}

/* A function may have been split: main.cold. */
static bool is_named(const char *name, const char *want, size_t len)
{
	return !strncmp(name, want, len) && (!name[len] || name[len] == '.');
}

/* Matches `chain` with the frames from i on. */
static bool matches(struct child *c, const struct backtrace *b, uint32_t i, const char *chain)
{
	size_t len = strcspn(chain, "<*");
	const char *rest = chain + strcspn(chain, "<");
	unsigned long times = chain[len] == '*' ? strtoul(chain + len + 1, NULL, 10) : 1;

	if (!*chain)
		return true;
	rest += *rest == '<';
	if (*chain == '.')
		return i == b->n && b->end == STACK_COMPLETE;
	if (*chain == '~') {
		for (; i <= b->n; i++) {
			if (matches(c, b, i, rest))
				return true;
		}
		return false;
	}
	for (; times; times--, i++) {
		if (i >= b->n)
			return false;
		if (*chain == '?')
			continue;
		if (!is_named(name_of(c, b, i), chain, len))
			return false;
	}
	return matches(c, b, i, rest);
}

static void show(struct child *c, const char *what, const char *chain, const struct backtrace *b)
{
	static const char *const ends[] = { "complete", "cut", "broken" };

	printf("# %s: expected %s; %s at %" PRIx64 "\n", what, chain, ends[b->end], b->broke_at);
	for (uint32_t i = 0; i < b->n && i < 20; i++)
		printf("#   %2u %12" PRIx64 " sp %12" PRIx64 " %s%s origin %u\n", i, b->pc[i],
		       b->cfa[i], name_of(c, b, i), b->exact[i] ? " (exact)" : "", b->origin[i]);
}

static bool same(const struct backtrace *a, const struct backtrace *b)
{
	size_t n = a->n;

	return n == b->n && a->end == b->end && !memcmp(a->pc, b->pc, n * sizeof a->pc[0]) &&
	       !memcmp(a->cfa, b->cfa, n * sizeof a->cfa[0]) && !memcmp(a->exact, b->exact, n);
}

static void check(struct child *c, const struct regs *regs, const char *chain)
{
	static struct backtrace b, again;
	static uint8_t bytes[16384];
	struct stack_copy copy = { .addr = regs_sp(regs), .cap = sizeof bytes, .bytes = bytes };
	ssize_t n = read_child(c, copy.addr, bytes, sizeof bytes);

	copy.len = n > 0 ? (size_t)n : 0;
	unwind_any(c->unwinder, regs, &copy, UNWIND_MAX_DEPTH, &b);
	if (!matches(c, &b, 0, chain)) {
		c->failures++;
		if (c->failures < 10)
			show(c, "wrong", chain, &b);
	}
	copy.len = MIN(copy.len, (size_t)52);
	unwind_any(c->unwinder, regs, &copy, UNWIND_MAX_DEPTH, &again);
	if (same(&b, &again))
		unwind_any(c->unwinder, regs, NULL, UNWIND_MAX_DEPTH, &again);
	if (!same(&b, &again)) {
		c->failures++;
		show(c, "differs with less stack", chain, &again);
	}
}

static void read_chain(struct child *c, taddr_t addr, char *buf, size_t size)
{
	ssize_t n = read_child(c, addr, buf, size - 1);

	buf[n > 0 ? n : 0] = '\0';
}

static bool is_int3(struct child *c, const struct regs *regs)
{
	uint8_t byte = 0;

	return read_child(c, regs_pc(regs) - 1, &byte, 1) == 1 && byte == 0xcc;
}

/* A SIGTRAP: an int3 or a step. */
static void trapped(struct child *c, pid_t tid)
{
	struct regs regs;
	char chain[256];
	siginfo_t si;

	if (host_get_regs(tid, &regs) < 0)
		die("registers of %d", tid);
	if (ptrace(PTRACE_GETSIGINFO, tid, 0, &si) < 0)
		die("GETSIGINFO: %s", strerror(errno));
	if (si.si_code == SI_KERNEL && is_int3(c, &regs)) {
		read_chain(c, regs.w[regs.abi->retval], chain, sizeof chain);
		c->stepping[0] = '\0';
		if (chain[0] == '!')
			memcpy(c->stepping, chain + 1, sizeof chain - 1);
		c->stops++;
		check(c, &regs, chain + (chain[0] == '!'));
	} else if (c->stepping[0]) {
		c->steps++;
		check(c, &regs, c->stepping);
	}
}

static void began(struct child *c)
{
	struct regs regs;

	if (host_get_regs(c->pid, &regs) < 0)
		die("no registers");
	c->mem = (struct mem_reader){ read_child, c };
	modules_init(&c->modules, c->pid, &c->mem);
	c->unwinder = unwinder_new(regs.abi, &c->modules, &c->mem, refresh, c);
	refresh(c);
	ptrace(PTRACE_SETOPTIONS, c->pid, 0, PTRACE_O_TRACECLONE | PTRACE_O_EXITKILL);
}

static int pass_signal(struct child *c, pid_t tid, int status)
{
	int sig = WSTOPSIG(status);

	if (status >> 16 || (sig == SIGSTOP && tid != c->pid))
		return 0;
	if (sig != SIGTRAP)
		return sig;
	if (!c->unwinder)
		began(c);
	else
		trapped(c, tid);
	return 0;
}

/* Until the first thread ends; its wait status. */
static int follow(struct child *c)
{
	int status;
	pid_t tid;

	while ((tid = waitpid(-1, &status, __WALL)) > 0) {
		if (!WIFSTOPPED(status)) {
			if (tid == c->pid)
				return status;
			continue;
		}
		ptrace(c->stepping[0] ? PTRACE_SINGLESTEP : PTRACE_CONT, tid, 0,
		       pass_signal(c, tid, status));
	}
	return -1;
}

int main(int argc, char **argv)
{
	struct child c = { 0 };
	int status;

	if (argc < 2)
		return EXIT_OURS;
	c.pid = fork();
	if (!c.pid) {
		if (ptrace(PTRACE_TRACEME, 0, 0, 0) < 0)
			_exit(EXIT_SKIP);
		execv(argv[1], argv + 1);
		_exit(127);
	}
	status = follow(&c);
	if (!c.unwinder)
		return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
	printf("%s: %lu stops, %lu steps, %lu failures, status %d\n", argv[1], c.stops, c.steps,
	       c.failures, status);
	unwinder_free(c.unwinder);
	modules_release(&c.modules);
	return c.failures || !c.stops || status;
}
