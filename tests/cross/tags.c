/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Does this machine keep the tags of memory (AArch64, MTE)?  There are emulators in which a
 * tag that is given to 16 bytes is that of others, too: 7.2.22 of qemu, and with it even
 * the C library's malloc fails.  Exit status: 0 it does, 1 it does not.
 * Build: -march=armv8.5-a+memtag -static */
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/prctl.h>

#ifndef PR_SET_TAGGED_ADDR_CTRL
#define PR_SET_TAGGED_ADDR_CTRL 55
#define PR_TAGGED_ADDR_ENABLE 1ul
#endif
#define MTE_TCF_SYNC 2ul /* linux/prctl.h: PR_MTE_TCF_SYNC, PR_MTE_TAG_SHIFT 3 */
#define MTE_ALL_TAGS (0xfffeul << 3)
#define MTE 0x20         /* asm/mman.h: PROT_MTE */

enum { GRANULE = 16, GRANULES = 64, CHANGED = 2, TAG = 10 };

static unsigned tag_of(char *p)
{
	uintptr_t v = (uintptr_t)p;

	__asm__ volatile("ldg %0, [%0]" : "+r"(v));
	return v >> 56 & 15;
}

int main(void)
{
	char *p = mmap(NULL, GRANULES * GRANULE, PROT_READ | PROT_WRITE | MTE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	uintptr_t tagged = ((uintptr_t)p + CHANGED * GRANULE) | (uintptr_t)TAG << 56;

	if (p == MAP_FAILED || prctl(PR_SET_TAGGED_ADDR_CTRL,
				     PR_TAGGED_ADDR_ENABLE | MTE_TCF_SYNC | MTE_ALL_TAGS, 0, 0, 0))
		return 1;
	__asm__ volatile("stg %0, [%0]" : : "r"(tagged) : "memory");
	for (int i = 0; i < GRANULES; i++)
		if (tag_of(p + i * GRANULE) != (i == CHANGED ? TAG : 0))
			return 1;
	return 0;
}
