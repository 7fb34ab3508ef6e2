/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <unistd.h>

#include "trace/memory.h"

void memory_open(struct memory *m, pid_t pid)
{
	char path[40];

	snprintf(path, sizeof path, "/proc/%d/mem", pid);
	m->pid = m->thread = pid;
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
	ssize_t n = process_vm_readv(m->thread, &here, 1, &there, 1, 0);

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

/* Of a thread that has ended, the first one too, the kernel knows no memory.  Is there
 * another one that has some? */
static bool turn_to_another(struct memory *m)
{
	char path[40], byte;
	struct iovec here = { &byte, 1 }, there = { NULL, 1 };
	struct dirent *e;
	bool found = false;
	DIR *d;

	snprintf(path, sizeof path, "/proc/%d/task", m->pid);
	d = opendir(path);
	while (d && !found && (e = readdir(d))) {
		pid_t tid = atoi(e->d_name);

		/* Nothing need be there: EFAULT. */
		found = tid > 0 && (process_vm_readv(tid, &here, 1, &there, 1, 0) >= 0 || errno != ESRCH);
		if (found)
			m->thread = tid;
	}
	if (d)
		closedir(d);
	return found;
}

static ssize_t write_as_tracee(struct memory *m, const struct iovec *here, unsigned n, struct iovec there)
{
	ssize_t done = process_vm_writev(m->thread, here, n, &there, 1, 0);

	if (done < 0 && errno == ESRCH && turn_to_another(m))
		done = process_vm_writev(m->thread, here, n, &there, 1, 0);
	return done;
}

int memory_poke(struct memory *m, taddr_t addr, const void *buf, size_t len)
{
	struct iovec here = { (void *)(uintptr_t)buf, len };
	struct iovec there = { (void *)(uintptr_t)addr, len };
	ssize_t n = write_as_tracee(m, &here, 1, there);

	return n == (ssize_t)len ? 0 : n < 0 ? -errno : -EFAULT;
}

#define FILL_CHUNK 65536
#define FILL_PARTS 64

/* process_vm_writev, unlike the descriptor, heeds the protection of pages.  The
 * same chunk is the source of all parts. */
int memory_fill(struct memory *m, taddr_t addr, uint8_t byte, uint64_t len)
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
		done = write_as_tracee(m, here, n, there);
		if (done <= 0)
			return done ? -errno : -EFAULT;
		addr += (size_t)done;
		len -= (size_t)done;
	}
	return 0;
}
