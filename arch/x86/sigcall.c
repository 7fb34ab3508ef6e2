/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>

#include "arch/x86/x86.h"

/* `mov $nr, %eax` */
static int loaded_number(const uint8_t *code, size_t len)
{
	if (len < 5 || code[0] != X86_MOV_EAX || code[3] || code[4])
		return -1;
	return code[1] | code[2] << 8;
}

/* Straight-line code from the number to what enters the kernel: a few moves of
 * arguments lie between.  The bytes of `door`, at most `insns` instructions on. */
static int find_door(const struct abi *abi, const uint8_t *code, size_t len, const uint8_t *door,
		     size_t door_len, int insns, unsigned *at)
{
	int nr = loaded_number(code, len);
	size_t i = 5;

	if (nr < 0)
		return -1;
	while (insns-- && i + door_len <= len) {
		int n;

		if (!memcmp(code + i, door, door_len)) {
			*at = (unsigned)i;
			return nr;
		}
		n = abi->insn_length(abi, 0, code + i, len - i);
		/* A jump, a call or a return ends it. */
		if (n <= 0 || (code[i] & 0xf0) == 0x70 || (code[i] & 0xf0) == 0xe0 || code[i] == 0xc3 ||
		    (code[i] == 0x0f && (code[i + 1] & 0xf0) == 0x80) || code[i] == 0xff)
			return -1;
		i += (size_t)n;
	}
	return -1;
}

int x86_64_syscall_site(const struct abi *abi, const uint8_t *code, size_t len, unsigned *at)
{
	return find_door(abi, code, len, abi->syscall_insn, abi->syscall_insn_len, 6, at);
}

/* On i386 the kernel is called through the vdso, or directly. */
int i386_syscall_site(const struct abi *abi, const uint8_t *code, size_t len, unsigned *at)
{
	static const uint8_t call[] = { 0x65, 0xff, 0x15, 0x10, 0, 0, 0 }; /* call *%gs:0x10 */
	int nr = find_door(abi, code, len, call, sizeof call, 8, at);

	return nr >= 0 ? nr : find_door(abi, code, len, abi->syscall_insn, abi->syscall_insn_len, 8, at);
}
