/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef CODE_ADDRESS_H
#define CODE_ADDRESS_H

#include <stdint.h>

/* Where the code of a code pointer is: 32-bit ARM has the instruction set in its lowest bit. */
static inline uintptr_t code_address(const void *code)
{
#ifdef __arm__
	return (uintptr_t)code & ~(uintptr_t)1;
#else
	return (uintptr_t)code;
#endif
}

#endif
