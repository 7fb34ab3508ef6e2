/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Files are mapped by pages: what lies in memory before a program's data is what precedes
 * it in the file, and no pointer, whatever it looks like.  (memcheck takes it for one.) */
#include <elf.h>
#include <link.h>
#include <stdint.h>
#include <sys/auxv.h>
#include <sys/mman.h>

#include "expect.h"

/* The page of the first writable segment, where there is room before that. */
static uintptr_t *before_data(void)
{
	const ElfW(Phdr) *ph = (const ElfW(Phdr) *)getauxval(AT_PHDR);
	uintptr_t bias = 0, start = 0, page;

	for (unsigned long i = 0; i < getauxval(AT_PHNUM); i++) {
		if (ph[i].p_type == PT_PHDR)
			bias = (uintptr_t)ph - ph[i].p_vaddr;
		if (ph[i].p_type == PT_LOAD && ph[i].p_flags & PF_W && !start)
			start = ph[i].p_vaddr;
	}
	start += bias;
	page = start & -(uintptr_t)sysconf(_SC_PAGESIZE);
	return start - page >= sizeof page ? (uintptr_t *)page : NULL;
}

/* With -DRELRO that page is read-only, as the linker leaves it. */
__attribute__((noinline)) static void hide(uintptr_t *at)
{
#ifdef RELRO
	EXPECT_THAT(!mprotect(at, (size_t)sysconf(_SC_PAGESIZE), PROT_READ | PROT_WRITE));
#endif
	*(volatile uintptr_t *)at = (uintptr_t)malloc(50);
#ifdef RELRO
	EXPECT_THAT(!mprotect(at, (size_t)sysconf(_SC_PAGESIZE), PROT_READ));
#endif
}

/* What hide() had below is no pointer to its block. */
__attribute__((noinline)) static void scrub(void)
{
	char room[16384];
	char *p = room;

	memset(p, 0, sizeof room);
	KEEP(p);
}

static void *volatile kept;

int main(void)
{
	uintptr_t *at = before_data();

	EXPECT_THAT(at);
	kept = malloc(20);
	hide(at);
	scrub();
	expect("leaks.definite.blocks", 1);
	expect("leaks.definite.bytes", 50);
	expect("leaks.reachable.blocks >=", 1);
	return 0;
}
