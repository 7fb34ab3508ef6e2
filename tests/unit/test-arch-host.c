/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Registers of a stopped child, in 64-bit and in 32-bit mode. */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>
#include "arch/host.h"

#ifdef __x86_64__

#include "../../arch/x86/x86.h"

#define CODE 0x20000000
#define AT_STOP 10 /* of the int3 in both pieces of code */

/* mov $-12,%eax; mov $0x12345678,%ebx; int3; nop…; then exit(ebx), exit(1) */
static const uint8_t code32[] = {
	0xb8, 0xf4, 0xff, 0xff, 0xff, 0xbb, 0x78, 0x56, 0x34, 0x12, 0xcc, 0xbb, 1, 0, 0, 0,
	0xb8, 1, 0, 0, 0, 0xcd, 0x80,
};
/* the same with rdi and exit of x86-64 */
static const uint8_t code64[] = {
	0xb8, 0xf4, 0xff, 0xff, 0xff, 0xbf, 0x78, 0x56, 0x34, 0x12, 0xcc, 0xbf, 1, 0, 0, 0,
	0xb8, 60, 0, 0, 0, 0x0f, 0x05,
};

/* A child that runs the code in the mode of that code segment, stopped at its
 * int3; 0: ptrace is not allowed here. */
static pid_t start(const uint8_t *code, size_t len, unsigned long cs)
{
	pid_t pid = fork();
	int status;

	assert_true(pid >= 0);
	if (!pid) {
		void *page = mmap((void *)CODE, 4096, PROT_READ | PROT_WRITE | PROT_EXEC,
				  MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);

		if (page != (void *)CODE || ptrace(PTRACE_TRACEME, 0, NULL, NULL) < 0)
			_exit(99);
		memcpy(page, code, len);
		__asm__ volatile("push %0; push %1; lretq" : : "r"(cs), "r"((unsigned long)CODE));
		__builtin_unreachable();
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (WIFEXITED(status))
		return 0;
	assert_true(WIFSTOPPED(status));
	assert_int_equal(WSTOPSIG(status), SIGTRAP);
	return pid;
}

/* Goes on behind the setting of the exit status, which is ours to give. */
static void finish_with(pid_t pid, struct regs *regs, unsigned reg, int exit_code)
{
	int status;

	regs->w[reg] = (uint64_t)exit_code;
	regs->w[regs->abi->pc] = 0xdead;
	assert_int_equal(host_set_regs(pid, regs), 0);
	assert_int_equal(host_set_pc(pid, regs, CODE + AT_STOP + 6), 0);
	assert_int_equal(host_get_regs(pid, regs), 0);
	assert_int_equal(regs_pc(regs), CODE + AT_STOP + 6);
	ptrace(PTRACE_CONT, pid, NULL, NULL);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), exit_code);
	assert_int_equal(host_get_regs(pid, regs), -ESRCH);
	assert_int_equal(host_set_regs(pid, regs), -ESRCH);
	assert_int_equal(host_set_pc(pid, regs, 0), -ESRCH);
}

static void registers_of_64_bits(void **state)
{
	struct regs regs;
	pid_t pid = start(code64, sizeof code64, 0x33);

	(void)state;
	if (!pid)
		skip();
	assert_int_equal(host_get_regs(pid, &regs), 0);
	assert_ptr_equal(regs.abi, &abi_x86_64);
	assert_int_equal(regs_pc(&regs), CODE + AT_STOP + regs.abi->bp_pc_adjust);
	assert_int_equal(regs.w[regs.abi->reg_arg[0]], 0x12345678);
	assert_int_equal(regs.w[regs.abi->retval], 0xfffffff4);
	assert_int_equal(regs_syscall_result(&regs), 0xfffffff4);
	/* rax, now 60, is given too: code up to here was jumped over. */
	regs.w[regs.abi->retval] = 60;
	host_no_restart(&regs);
	finish_with(pid, &regs, X86_DI, 42);
}

static void registers_of_32_bits(void **state)
{
	struct regs regs;
	pid_t pid = start(code32, sizeof code32, 0x23);

	(void)state;
	if (!pid)
		skip();
	assert_int_equal(host_get_regs(pid, &regs), 0);
	assert_ptr_equal(regs.abi, &abi_i386);
	assert_int_equal(regs_pc(&regs), CODE + AT_STOP + regs.abi->bp_pc_adjust);
	assert_int_equal(regs.w[regs.abi->syscall_arg[0]], 0x12345678);
	assert_int_equal(regs.w[regs.abi->retval], 0xfffffff4);
	assert_int_equal(regs_syscall_result(&regs), -12);
	host_no_restart(&regs);
	finish_with(pid, &regs, X86_BX, 43);
}

static void both_are_supported(void **state)
{
	(void)state;
	assert_true(host_supports(&abi_x86_64));
	assert_true(host_supports(&abi_i386));
}

#else

static void nothing_to_test(void **state)
{
	(void)state;
	skip();
}

#endif

int main(void)
{
	const struct CMUnitTest tests[] = {
#ifdef __x86_64__
		cmocka_unit_test(registers_of_64_bits),
		cmocka_unit_test(registers_of_32_bits),
		cmocka_unit_test(both_are_supported),
#else
		cmocka_unit_test(nothing_to_test),
#endif
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
