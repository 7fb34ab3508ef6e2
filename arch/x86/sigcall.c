/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>

#include "arch/x86/x86.h"

/* `mov $nr, %eax` */
static int loaded_number(const uint8_t *code, size_t len)
{
	if (len < 5 || code[0] != 0xb8 || code[3] || code[4])
		return -1;
	return code[1] | code[2] << 8;
}

/* C libraries for x86-64 have both side by side, so all arguments are in
 * their registers at the mov, which is the easier one to displace. */
int x86_64_syscall_site(const struct abi *abi, const uint8_t *code, size_t len, unsigned *at)
{
	int nr = loaded_number(code, len);

	if (nr < 0 || len < 7 || memcmp(code + 5, abi->syscall_insn, abi->syscall_insn_len))
		return -1;
	*at = 0;
	return nr;
}

/* On i386 the kernel is called through the vdso, `call *%gs:0x10`, with
 * argument moves between. */
int i386_syscall_site(const struct abi *abi, const uint8_t *code, size_t len, unsigned *at)
{
	static const uint8_t call[] = { 0x65, 0xff, 0x15, 0x10, 0, 0, 0 };
	int nr = loaded_number(code, len);

	if (nr < 0)
		return -1;
	for (unsigned i = 5; i < 40 && i + sizeof call <= len; i++) {
		if (!memcmp(code + i, call, sizeof call)) {
			*at = i;
			return nr;
		}
		if (!memcmp(code + i, abi->syscall_insn, abi->syscall_insn_len)) {
			*at = i;
			return nr;
		}
	}
	return -1;
}
