/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "trace/pages.h"

/* As linux/fs.h has them since 6.7; older headers do not. */
struct mt_page_region {
	uint64_t start, end, categories;
};

struct mt_pm_scan_arg {
	uint64_t size, flags, start, end, walk_end;
	uint64_t vec, vec_len, max_pages;
	uint64_t category_inverted, category_mask, category_anyof_mask, return_mask;
};

#define MT_PAGEMAP_SCAN _IOWR('f', 16, struct mt_pm_scan_arg)
#define MT_PAGE_IS_FILE ((uint64_t)1 << 2)
#define MT_PAGE_IS_PRESENT ((uint64_t)1 << 3)
#define MT_PAGE_IS_SWAPPED ((uint64_t)1 << 4)
/* The page of zeros that all untouched memory shares: it has no pointers. */
#define MT_PAGE_IS_PFNZERO ((uint64_t)1 << 5)

/* Of a word of pagemap. */
#define PM_PRESENT ((uint64_t)1 << 63)
#define PM_SWAPPED ((uint64_t)1 << 62)
#define PM_FILE ((uint64_t)1 << 61) /* or shared anonymous memory */

#define REGIONS 512
#define WORDS 8192

int pages_open(struct pages *pg, pid_t tid)
{
	char path[40];

	snprintf(path, sizeof path, "/proc/%d/pagemap", (int)tid);
	*pg = (struct pages){ .fd = open(path, O_RDONLY | O_CLOEXEC) };
	pg->page = (uint64_t)sysconf(_SC_PAGESIZE);
	return pg->fd < 0 ? -errno : 0;
}

void pages_close(struct pages *pg)
{
	if (pg->fd >= 0)
		close(pg->fd);
	pg->fd = -1;
}

static int scan(struct pages *pg, taddr_t start, taddr_t end, bool own,
		void (*fn)(void *, taddr_t, taddr_t), void *arg)
{
	struct mt_page_region regions[REGIONS];
	uint64_t none = MT_PAGE_IS_PFNZERO | (own ? MT_PAGE_IS_FILE : 0);

	while (start < end) {
		struct mt_pm_scan_arg a = {
			.size = sizeof a, .start = start, .end = end,
			.vec = (uintptr_t)regions, .vec_len = REGIONS,
			.category_inverted = none,
			.category_mask = none,
			.category_anyof_mask = MT_PAGE_IS_PRESENT | MT_PAGE_IS_SWAPPED,
			.return_mask = MT_PAGE_IS_PRESENT,
		};
		int n = ioctl(pg->fd, MT_PAGEMAP_SCAN, &a);

		if (n < 0)
			return -errno;
		for (int i = 0; i < n; i++)
			fn(arg, regions[i].start, regions[i].end);
		if (a.walk_end <= start)
			return 0;
		start = a.walk_end;
	}
	return 0;
}

static int read_words(struct pages *pg, taddr_t start, taddr_t end, bool own,
		      void (*fn)(void *, taddr_t, taddr_t), void *arg)
{
	static uint64_t words[WORDS];
	taddr_t run = 0; /* where the present run began; 0: none */

	while (start < end) {
		size_t want = MIN((size_t)WORDS, (size_t)((end - start) / pg->page));
		ssize_t got = pread(pg->fd, words, want * 8, (off_t)(start / pg->page * 8));

		if (got < 8)
			return got < 0 ? -errno : 0;
		for (ssize_t i = 0; i < got / 8; i++, start += pg->page) {
			bool there = words[i] & (PM_PRESENT | PM_SWAPPED) &&
				     !(own && words[i] & PM_FILE);

			if (there && !run)
				run = start;
			if (!there && run) {
				fn(arg, run, start);
				run = 0;
			}
		}
	}
	if (run)
		fn(arg, run, end);
	return 0;
}

int pages_each(struct pages *pg, taddr_t start, taddr_t end, bool own,
	       void (*fn)(void *, taddr_t, taddr_t), void *arg)
{
	if (!pg->no_scan) {
		int err = scan(pg, start, end, own, fn, arg);

		if (err != -ENOTTY && err != -EINVAL)
			return err;
		pg->no_scan = true;
	}
	return read_words(pg, start, end, own, fn, arg);
}
