/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Memory that a scan must not touch: a terabyte that is only reserved, holes of
 * a memfd and of a file, a range whose faults a thread answers that is stopped
 * itself while we are scanned. */
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "expect.h"

#ifndef UFFD_USER_MODE_ONLY
#define UFFD_USER_MODE_ONLY 1
#endif

#define TERABYTE ((size_t)(1ull << 40)) /* with 64 bits */
#define HOLE ((size_t)64 << 20)

static void *volatile keep;

/* Nothing is ever answered. */
static void *handler(void *arg)
{
	char message[sizeof(struct uffd_msg)];

	while (read((int)(intptr_t)arg, message, sizeof message) > 0)
		;
	return NULL;
}

static int watched_range(void)
{
	struct uffdio_api api = { .api = UFFD_API };
	struct uffdio_register reg = { .mode = UFFDIO_REGISTER_MODE_MISSING };
	int fd = (int)syscall(SYS_userfaultfd, O_CLOEXEC);
	pthread_t t;
	void *p;

	if (fd < 0)
		fd = (int)syscall(SYS_userfaultfd, O_CLOEXEC | UFFD_USER_MODE_ONLY);
	if (fd < 0 || ioctl(fd, UFFDIO_API, &api))
		return 0;
	p = mmap(NULL, HOLE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	reg.range.start = (uintptr_t)p;
	reg.range.len = HOLE;
	if (p == MAP_FAILED || ioctl(fd, UFFDIO_REGISTER, &reg))
		return 0;
	return !pthread_create(&t, NULL, handler, (void *)(intptr_t)fd);
}

static long long status(const char *key)
{
	static char buf[8192];
	int fd = open("/proc/self/status", O_RDONLY);
	ssize_t n = read(fd, buf, sizeof buf - 1);
	char *at;

	close(fd);
	buf[n > 0 ? n : 0] = '\0';
	at = strstr(buf, key);
	return at ? atoll(at + strlen(key) + 1) : -1;
}

static long long blocks_of(int fd)
{
	struct stat st;

	return fstat(fd, &st) ? -1 : st.st_blocks;
}

int main(void)
{
	int memory = memfd_create("hole", 0), file = open(".", O_TMPFILE | O_RDWR, 0600);
	long long rss, shared;
	void *p;

	EXPECT_THAT(memory >= 0 && !ftruncate(memory, HOLE));
	p = mmap(NULL, HOLE, PROT_READ | PROT_WRITE, MAP_SHARED, memory, 0);
	EXPECT_THAT(p != MAP_FAILED);
	if (file >= 0 && !ftruncate(file, HOLE))
		mmap(NULL, HOLE, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
	if (sizeof(void *) == 8)
		EXPECT_THAT(mmap(NULL, TERABYTE, PROT_READ | PROT_WRITE,
				 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0) != MAP_FAILED);
	if (watched_range())
		expect("scan.bytes_unread >=", (long long)HOLE);
	keep = malloc(100);
	memset(keep, 0, 100);
	expect("leaks.reachable.blocks >=", 1);
	expect("leaks.definite.blocks", 0);
	expect("scan.nth >=", 3);
	expect("scan.bytes_read <=", 64 << 20);
	usleep(300000);
	rss = status("VmRSS:");
	shared = status("RssShmem:");
	usleep(1500000); /* scans come and go */
	EXPECT_THAT(status("VmRSS:") - rss < 256 && status("RssShmem:") == shared);
	EXPECT_THAT(blocks_of(memory) == 0);
	EXPECT_THAT(file < 0 || blocks_of(file) == 0);
	return 0;
}
