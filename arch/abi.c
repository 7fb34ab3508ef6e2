/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "arch/abi.h"

static const struct abi *const abis[] = {
#ifdef ABI_X86
	&abi_x86_64,
	&abi_i386,
#endif
#ifdef ABI_ARM
	&abi_arm,
#endif
};

const struct abi *abi_lookup(unsigned e_machine, unsigned e_class, unsigned e_data)
{
	for (size_t i = 0; i < ARRAY_SIZE(abis); i++)
		if (abis[i]->e_machine == e_machine && abis[i]->e_class == e_class &&
		    abis[i]->e_data == e_data)
			return abis[i];
	return NULL;
}

const struct abi *abi_at(size_t i)
{
	return i < ARRAY_SIZE(abis) ? abis[i] : NULL;
}

const struct displace_fix *displace_fix_at(const struct displaced *d, uint64_t offset)
{
	for (unsigned i = 0; i < d->nfix; i++)
		if (d->fix[i].at == offset)
			return &d->fix[i];
	return NULL;
}
