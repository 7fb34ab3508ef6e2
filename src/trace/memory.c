/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <unistd.h>

#include "trace/memory.h"

void memory_open(struct memory *m, pid_t pid)
{
	char path[40];

	snprintf(path, sizeof path, "/proc/%d/mem", pid);
	m->pid = pid;
	m->fd = open(path, O_RDWR | O_CLOEXEC);
}

void memory_close(struct memory *m)
{
	if (m->fd >= 0)
		close(m->fd);
	m->fd = -1;
}

ssize_t memory_read(const struct memory *m, taddr_t addr, void *buf, size_t len)
{
	struct iovec here = { buf, len };
	struct iovec there = { (void *)(uintptr_t)addr, len };
	ssize_t n = process_vm_readv(m->pid, &here, 1, &there, 1, 0);

	if (n >= 0)
		return n;
	/* Execute-only text and foreign kernels' limits: the descriptor may
	 * read what the system call may not. */
	if (m->fd >= 0)
		n = pread(m->fd, buf, len, (off_t)addr);
	return n < 0 ? -errno : n;
}

static int poke(pid_t tid, taddr_t addr, const uint8_t *p, size_t len)
{
	while (len) {
		taddr_t word_at = addr & ~(taddr_t)(sizeof(long) - 1);
		size_t off = addr - word_at, n = MIN(len, sizeof(long) - off);
		long word;

		errno = 0;
		word = ptrace(PTRACE_PEEKTEXT, tid, (void *)(uintptr_t)word_at, NULL);
		if (errno)
			return -errno;
		memcpy((char *)&word + off, p, n);
		if (ptrace(PTRACE_POKETEXT, tid, (void *)(uintptr_t)word_at, (void *)word) < 0)
			return -errno;
		addr += n;
		p += n;
		len -= n;
	}
	return 0;
}

int memory_write(const struct memory *m, pid_t tid, taddr_t addr, const void *buf, size_t len)
{
	ssize_t n = -1;

	if (m->fd >= 0)
		n = pwrite(m->fd, buf, len, (off_t)addr);
	if (n == (ssize_t)len)
		return 0;
	if (tid) /* proc_mem.force_override forbids it, or a short write */
		return poke(tid, addr, buf, len);
	return n < 0 ? -errno : -EFAULT;
}

int memory_poke(const struct memory *m, taddr_t addr, const void *buf, size_t len)
{
	struct iovec here = { (void *)(uintptr_t)buf, len };
	struct iovec there = { (void *)(uintptr_t)addr, len };
	ssize_t n = process_vm_writev(m->pid, &here, 1, &there, 1, 0);

	return n == (ssize_t)len ? 0 : n < 0 ? -errno : -EFAULT;
}

#define FILL_CHUNK 65536
#define FILL_PARTS 64

/* process_vm_writev, unlike the descriptor, heeds the protection of pages.  The
 * same chunk is the source of all parts. */
int memory_fill(const struct memory *m, taddr_t addr, uint8_t byte, uint64_t len)
{
	static uint8_t chunk[FILL_CHUNK];
	struct iovec here[FILL_PARTS];

	memset(chunk, byte, MIN(len, (uint64_t)sizeof chunk));
	while (len) {
		size_t want = 0;
		unsigned n = 0;
		struct iovec there = { (void *)(uintptr_t)addr, 0 };
		ssize_t done;

		while (n < FILL_PARTS && want < len) {
			here[n].iov_base = chunk;
			here[n].iov_len = MIN(len - want, (uint64_t)sizeof chunk);
			want += here[n++].iov_len;
		}
		there.iov_len = want;
		done = process_vm_writev(m->pid, here, n, &there, 1, 0);
		if (done <= 0)
			return done ? -errno : -EFAULT;
		addr += (size_t)done;
		len -= (size_t)done;
	}
	return 0;
}
