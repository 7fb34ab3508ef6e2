/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <string.h>
#include <sys/ptrace.h>

#include "base/msg.h"
#include "trace/ptrace.h"

/* glibc declares the request as an enum, musl as an int. */
static int pt(int request, pid_t tid, uintptr_t addr, uintptr_t data)
{
	if (ptrace(request, tid, (void *)addr, (void *)data) < 0)
		return -errno;
	return 0;
}

int pt_seize(pid_t tid, unsigned long options) { return pt(PTRACE_SEIZE, tid, 0, options); }
int pt_interrupt(pid_t tid) { return pt(PTRACE_INTERRUPT, tid, 0, 0); }
int pt_cont(pid_t tid, int sig) { return pt(PTRACE_CONT, tid, 0, (uintptr_t)sig); }
int pt_syscall(pid_t tid, int sig) { return pt(PTRACE_SYSCALL, tid, 0, (uintptr_t)sig); }
int pt_step(pid_t tid, int sig) { return pt(PTRACE_SINGLESTEP, tid, 0, (uintptr_t)sig); }
int pt_listen(pid_t tid) { return pt(PTRACE_LISTEN, tid, 0, 0); }
int pt_detach(pid_t tid, int sig) { return pt(PTRACE_DETACH, tid, 0, (uintptr_t)sig); }

/* struct ptrace_syscall_info (ptrace(2)) as far as it is read; musl has none. */
struct syscall_info {
	uint8_t op;
	uint8_t pad[23];
	uint64_t nr;
	uint64_t arg[6];
};
#define GET_SYSCALL_INFO 0x420e
#define AT_ENTRY 1

int pt_syscall_number(pid_t tid, uint64_t *out)
{
	struct syscall_info info = { 0 };
	int err = pt(GET_SYSCALL_INFO, tid, sizeof info, (uintptr_t)&info);

	if (!err && info.op != AT_ENTRY)
		err = -EIO;
	if (!err)
		*out = info.nr;
	return err;
}

int pt_event_message(pid_t tid, unsigned long *out)
{
	unsigned long v;
	int err = pt(PTRACE_GETEVENTMSG, tid, 0, (uintptr_t)&v);

	if (!err)
		*out = v;
	return err;
}

int pt_get_siginfo(pid_t tid, siginfo_t *out)
{
	return pt(PTRACE_GETSIGINFO, tid, 0, (uintptr_t)out);
}

int pt_set_siginfo(pid_t tid, const siginfo_t *in)
{
	return pt(PTRACE_SETSIGINFO, tid, 0, (uintptr_t)in);
}

/* The kernel's sigset_t: our own words, the low signals first. */
#define WORD_BITS (8 * sizeof(unsigned long))

int pt_get_sigmask(pid_t tid, uint64_t *out)
{
	unsigned long w[8 / sizeof(long)];
	int err = pt(PTRACE_GETSIGMASK, tid, sizeof w, (uintptr_t)w);
	uint64_t mask = 0;

	for (size_t i = 0; i < ARRAY_SIZE(w); i++)
		mask |= (uint64_t)w[i] << i * WORD_BITS;
	if (!err)
		*out = mask;
	return err;
}

int pt_set_sigmask(pid_t tid, uint64_t mask)
{
	unsigned long w[8 / sizeof(long)];

	for (size_t i = 0; i < ARRAY_SIZE(w); i++)
		w[i] = (unsigned long)(mask >> i * WORD_BITS);
	return pt(PTRACE_SETSIGMASK, tid, sizeof w, (uintptr_t)w);
}

bool pt_queued(pid_t tid, int sig, siginfo_t *out)
{
	struct __ptrace_peeksiginfo_args args = { .off = 0, .flags = 0, .nr = 16 };
	siginfo_t queue[16];

	for (;;) {
		long n = ptrace(PTRACE_PEEKSIGINFO, tid, &args, queue);

		if (n <= 0)
			return false;
		for (long i = 0; i < n; i++)
			if (queue[i].si_signo == sig) {
				*out = queue[i];
				return true;
			}
		args.off += (uint64_t)n;
	}
}

void pt_complain(const char *request, pid_t tid, taddr_t addr, int err)
{
	if (err == -ESRCH || err == ESRCH)
		return;
	msg_warn("%s of task %d at 0x%llx: %s", request, tid, (unsigned long long)addr,
		 strerror(err < 0 ? -err : err));
}
