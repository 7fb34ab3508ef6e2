/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Unwinds a process that somebody else holds still (gdb, see unwind-gdb.py).
 * Each line of input names the process, the word size and the registers in
 * the order of the ABI's indices, in hex; the answer is one line:
 *
 *	END COUNT PC:SP:EXACT:ORIGIN …
 *
 * Reading its memory takes the same permission as tracing it. */
#include <elf.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/uio.h>

#include "base/msg.h"
#include "trace/unwind.h"

#define COPY 4096

struct process {
	pid_t pid;
	unsigned word;
	struct mem_reader mem;
	struct modules modules;
	struct unwinder *unwinder;
};

static ssize_t read_process(void *arg, taddr_t addr, void *buf, size_t len)
{
	struct process *p = arg;
	struct iovec to = { buf, len }, from = { (void *)(uintptr_t)addr, len };
	ssize_t n = process_vm_readv(p->pid, &to, 1, &from, 1, 0);

	return n < 0 ? -errno : n;
}

static void gone(void *arg, struct module *m)
{
	struct process *p = arg;

	unwinder_forget(p->unwinder, m->start, m->end);
}

static bool refresh(void *arg)
{
	struct process *p = arg;
	size_t before = p->modules.v.n;
	struct maps maps;

	if (maps_read(&maps, p->pid) < 0)
		return false;
	modules_update(&p->modules, &maps, NULL, gone, p);
	maps_release(&maps);
	return p->modules.v.n != before;
}

static void forget_process(struct process *p)
{
	if (!p->unwinder)
		return;
	unwinder_free(p->unwinder);
	modules_release(&p->modules);
	p->unwinder = NULL;
}

static void use_process(struct process *p, pid_t pid, unsigned word)
{
	unsigned class = word == 4 ? ELFCLASS32 : ELFCLASS64;
	const struct abi *abi = abi_lookup(word == 4 ? EM_386 : EM_X86_64, class, ELFDATA2LSB);

	if (p->unwinder && p->pid == pid && p->word == word)
		return;
	forget_process(p);
	p->pid = pid;
	p->word = word;
	p->mem = (struct mem_reader){ read_process, p };
	modules_init(&p->modules, pid, &p->mem);
	p->unwinder = unwinder_new(abi, &p->modules, &p->mem, refresh, p);
	refresh(p);
}

/* Where the return address is on top of the stack, unwinding as from a
 * function's entry must find the same callers. */
static void check_entry(struct process *p, const struct regs *regs, const struct stack_copy *copy,
			const struct backtrace *b)
{
	static struct backtrace e;
	uint32_t n = b->n - 1;

	if (b->n < 2 || b->n == UNWIND_MAX_DEPTH || b->cfa[1] != b->cfa[0] + p->word)
		return;
	unwind_entry(p->unwinder, regs, copy, UNWIND_MAX_DEPTH, &e);
	if (e.n != n || e.end != b->end || memcmp(e.pc, b->pc + 1, n * sizeof e.pc[0]) ||
	    memcmp(e.cfa, b->cfa + 1, n * sizeof e.cfa[0]))
		die("unwind_entry finds other callers at %" PRIx64, b->pc[0]);
}

static void answer(struct process *p, struct regs *regs)
{
	static const char *const ends[] = { "complete", "cut", "broken" };
	static struct backtrace b;
	static uint8_t bytes[COPY];
	struct stack_copy copy = { .addr = regs_sp(regs), .cap = COPY, .bytes = bytes };
	ssize_t n = read_process(p, copy.addr, bytes, COPY);

	copy.len = n > 0 ? (size_t)n : 0;
	unwind_any(p->unwinder, regs, &copy, UNWIND_MAX_DEPTH, &b);
	check_entry(p, regs, &copy, &b);
	printf("%s %u", ends[b.end], b.n);
	for (uint32_t i = 0; i < b.n; i++)
		printf(" %" PRIx64 ":%" PRIx64 ":%u:%u", b.pc[i], b.cfa[i], b.exact[i],
		       b.origin[i]);
	putchar('\n');
	fflush(stdout);
}

static bool parse(char *line, pid_t *pid, unsigned *word, struct regs *regs)
{
	int at;

	memset(regs, 0, sizeof *regs);
	if (sscanf(line, "%d %u%n", pid, word, &at) != 2)
		return false;
	for (unsigned i = 0; i < ABI_MAX_REGS; i++) {
		int used;

		if (sscanf(line + at, "%" SCNx64 "%n", &regs->w[i], &used) != 1)
			return i > 0;
		at += used;
	}
	return true;
}

int main(void)
{
	struct process p = { 0 };
	char line[4096];
	struct regs regs;
	unsigned word;
	pid_t pid;

	while (fgets(line, sizeof line, stdin)) {
		if (!parse(line, &pid, &word, &regs))
			die("not understood: %s", line);
		use_process(&p, pid, word);
		regs.abi = abi_lookup(word == 4 ? EM_386 : EM_X86_64,
				      word == 4 ? ELFCLASS32 : ELFCLASS64, ELFDATA2LSB);
		answer(&p, &regs);
	}
	forget_process(&p);
	return 0;
}
