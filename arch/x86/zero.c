/* SPDX-License-Identifier: GPL-2.0-or-later */
/* libstdc++'s operator new makes one byte of none before it calls malloc.
 * On x86-64 the request itself is overwritten by then, but the flags of the
 * comparison that did it are not. */
#include <Zydis/Zydis.h>

#include "arch/x86/x86.h"

#define ZERO_FLAG 0x40 /* EFLAGS.ZF */

/* Straight code up to the first call in which nothing but one `test %rdi, %rdi`
 * touches the flags. */
bool x86_64_tests_zero(const struct abi *abi, const uint8_t *code, size_t len)
{
	static const uint8_t test_rdi[] = { 0x48, 0x85, 0xff };
	ZydisDecoder decoder;
	bool tested = false;

	(void)abi;
	ZydisDecoderInit(&decoder, ZYDIS_MACHINE_MODE_LONG_64, ZYDIS_STACK_WIDTH_64);
	for (size_t at = 0; at < len;) {
		ZydisDecodedInstruction in;

		if (!ZYAN_SUCCESS(ZydisDecoderDecodeInstruction(&decoder, NULL, code + at, len - at, &in)))
			return false;
		if (in.meta.category == ZYDIS_CATEGORY_CALL)
			return tested;
		if (in.meta.branch_type != ZYDIS_BRANCH_TYPE_NONE)
			return false;
		if (in.length == sizeof test_rdi && !__builtin_memcmp(code + at, test_rdi, sizeof test_rdi))
			tested = true;
		else if (in.cpu_flags && (in.cpu_flags->modified || in.cpu_flags->set_0 ||
					  in.cpu_flags->set_1 || in.cpu_flags->undefined))
			return false;
		at += in.length;
	}
	return false;
}

bool x86_flag_zero(const struct regs *regs)
{
	return regs->w[X86_FLAGS] & ZERO_FLAG;
}
