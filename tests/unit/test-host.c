/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What include/arch/host.h promises, of a child that is interrupted in read(2), on any
 * machine: through the table of its ABI. */
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>
#include "arch/host.h"

static __thread int variable;

struct child {
	pid_t pid;
	int pipe; /* it ends with the byte that it reads there */
	struct regs regs;
};

static const struct abi *own_abi(void)
{
	uint8_t head[20];
	int fd = open("/proc/self/exe", O_RDONLY);
	uint16_t machine;

	assert_int_equal(read(fd, head, sizeof head), (ssize_t)sizeof head);
	close(fd);
	memcpy(&machine, head + 18, 2);
	return abi_lookup(machine, head[EI_CLASS], head[EI_DATA]);
}

static char state_of(pid_t pid)
{
	char path[40], state = 0;
	FILE *f;

	snprintf(path, sizeof path, "/proc/%d/stat", pid);
	f = fopen(path, "r");
	if (f && fscanf(f, "%*d (%*[^)]) %c", &state) != 1)
		state = 0;
	if (f)
		fclose(f);
	return state;
}

static int await_stop(pid_t pid)
{
	int status;

	assert_int_equal(waitpid(pid, &status, __WALL), pid);
	assert_true(WIFSTOPPED(status));
	return status;
}

static void start(struct child *c)
{
	int fds[2], err;

	assert_int_equal(pipe(fds), 0);
	c->pid = fork();
	assert_true(c->pid >= 0);
	if (!c->pid) {
		uint8_t byte;

		close(fds[1]);
		_exit(read(fds[0], &byte, 1) == 1 ? byte : 98);
	}
	close(fds[0]);
	c->pipe = fds[1];
	err = ptrace(PTRACE_SEIZE, c->pid, NULL, (void *)PTRACE_O_TRACESYSGOOD) < 0;
	if (err) { /* it ends, for nobody writes */
		close(c->pipe);
		waitpid(c->pid, NULL, 0);
		skip();
	}
	while (state_of(c->pid) != 'S')
		usleep(1000);
	assert_int_equal(ptrace(PTRACE_INTERRUPT, c->pid, NULL, NULL), 0);
	await_stop(c->pid);
	assert_int_equal(host_get_regs(c->pid, &c->regs), 0);
	assert_ptr_equal(c->regs.abi, own_abi());
}

static void ends_with(struct child *c, int exit_code)
{
	int status;

	assert_int_equal(ptrace(PTRACE_CONT, c->pid, NULL, NULL), 0);
	assert_int_equal(waitpid(c->pid, &status, 0), c->pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), exit_code);
	close(c->pipe);
}

static void reads_and_ends_with(struct child *c, uint8_t byte)
{
	assert_int_equal(write(c->pipe, &byte, 1), 1);
	ends_with(c, byte);
}

/* -- tests -------------------------------------------------------------------- */

static uint64_t pattern(const struct abi *abi, unsigned i)
{
	uint64_t v = 0x0123456789abcdef * (2 * i + 3);

	return abi->word == 4 ? (uint32_t)v : v;
}

/* What is set is there, and what was there before lets the call go on. */
static void registers_are_set(void **state)
{
	struct regs set, got;
	struct child c;
	int8_t list[9];

	(void)state;
	start(&c);
	memcpy(list, c.regs.abi->syscall_arg, 6);
	list[6] = c.regs.abi->retval;
	list[7] = c.regs.abi->fp;
	list[8] = c.regs.abi->link < 0 ? c.regs.abi->fp : c.regs.abi->link;
	set = c.regs;
	for (unsigned i = 0; i < ARRAY_SIZE(list); i++)
		set.w[list[i]] = pattern(set.abi, (unsigned)list[i]);
	assert_int_equal(host_set_regs(c.pid, &set), 0);
	memset(&got, 0xff, sizeof got);
	assert_int_equal(host_get_regs(c.pid, &got), 0);
	assert_ptr_equal(got.abi, set.abi);
	for (unsigned i = 0; i < ARRAY_SIZE(list); i++)
		assert_int_equal(got.w[list[i]], pattern(set.abi, (unsigned)list[i]));
	assert_int_equal(regs_sp(&got), regs_sp(&c.regs));
	assert_int_equal(regs_code(&got), regs_code(&c.regs));
	assert_int_equal(host_set_regs(c.pid, &c.regs), 0);
	reads_and_ends_with(&c, 42);
}

static void ends(long a, long b)
{
	_exit((int)(a - b));
}

#ifdef __arm__
__attribute__((target("arm"))) static void ends_arm(long a, long b)
{
	_exit((int)(a - b));
}

__attribute__((target("thumb"))) static void ends_thumb(long a, long b)
{
	_exit((int)(a - b));
}
#endif

static void (*const functions[])(long, long) = {
	ends,
#ifdef __arm__
	ends_arm, ends_thumb,
#endif
};

static void set_argument(struct child *c, struct regs *regs, unsigned i, long v)
{
	const struct abi *abi = regs->abi;

	if (i < abi->nreg_args)
		regs->w[abi->reg_arg[i]] = (uint64_t)v;
	else
		assert_int_equal(ptrace(PTRACE_POKEDATA, c->pid,
					(void *)(uintptr_t)(regs_sp(regs) + abi->stack_arg + i * abi->word),
					(void *)v), 0);
}

/* As if it had called the function where it stood, in whichever instruction set. */
static void enter(struct child *c, uintptr_t function)
{
	struct regs regs = c->regs;

	host_no_restart(&regs);
	regs.w[regs.abi->sp] = ((regs_sp(&regs) - 1024) & ~(taddr_t)63) - regs.abi->ret_pops;
	set_argument(c, &regs, 0, 50);
	set_argument(c, &regs, 1, 7);
	assert_int_equal(host_set_regs(c->pid, &regs), 0);
	assert_int_equal(host_set_pc(c->pid, &regs, function), 0);
	assert_int_equal(regs_code(&regs), function);
	assert_int_equal(host_get_regs(c->pid, &c->regs), 0);
	assert_int_equal(regs_code(&c->regs), function);
	assert_int_equal(regs_pc(&c->regs), abi_code_addr(c->regs.abi, function));
	assert_int_equal(regs_sp(&c->regs), regs_sp(&regs));
}

/* The read that was interrupted is not made again there. */
static void the_pc_is_set(void **state)
{
	struct child c;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(functions); i++) {
		start(&c);
		enter(&c, (uintptr_t)functions[i]);
		ends_with(&c, 43);
	}
}

/* A forked child has its parent's. */
static void the_thread_pointer_is_found(void **state)
{
	taddr_t tp = 0, self = (taddr_t)pthread_self(), var = (uintptr_t)&variable;
	struct child c;

	(void)state;
	start(&c);
	assert_int_equal(host_thread_pointer(c.pid, &c.regs, &tp), 0);
	if (c.regs.abi->tls_above)
		assert_true(self < tp && tp <= var);
	else
		assert_true(var < tp && tp <= self);
	reads_and_ends_with(&c, 44);
}

/* At the entry of the read, which is made again, it becomes a getppid(2). */
static void another_call_is_made(void **state)
{
	struct child c;
	uint8_t byte = 45;
	int stops = 0;

	(void)state;
	start(&c);
	if (c.regs.abi->nr_restart < 0) {
		assert_int_equal(host_set_syscall(c.pid, SYS_getppid), -ENOTSUP);
		reads_and_ends_with(&c, byte);
		return;
	}
	while (stops++ < 2) {
		assert_int_equal(ptrace(PTRACE_SYSCALL, c.pid, NULL, NULL), 0);
		assert_int_equal(WSTOPSIG(await_stop(c.pid)), SIGTRAP | 0x80);
		if (stops == 1)
			assert_int_equal(host_set_syscall(c.pid, SYS_getppid), 0);
	}
	assert_int_equal(host_get_regs(c.pid, &c.regs), 0);
	assert_int_equal(regs_syscall_result(&c.regs), getpid());
	assert_int_equal(c.regs.w[c.regs.abi->syscall_nr], SYS_read);
	ends_with(&c, 98); /* it was not one byte */
}

static void the_dead_are_told(void **state)
{
	struct child c;

	(void)state;
	start(&c);
	assert_true(host_supports(c.regs.abi));
	assert_int_equal((uintptr_t)ends & host_code_mask(c.pid, c.regs.abi), (uintptr_t)ends);
	reads_and_ends_with(&c, 46);
	assert_int_equal(host_get_regs(c.pid, &c.regs), -ESRCH);
	assert_int_equal(host_set_regs(c.pid, &c.regs), -ESRCH);
	assert_int_equal(host_set_pc(c.pid, &c.regs, (uintptr_t)ends), -ESRCH);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(registers_are_set),
		cmocka_unit_test(the_pc_is_set),
		cmocka_unit_test(the_thread_pointer_is_found),
		cmocka_unit_test(another_call_is_made),
		cmocka_unit_test(the_dead_are_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
