/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What QEMU's configure would have found out about a Debian x86-64 host, as far as the headers
 * that we include ask for it. CONFIG_INT128 decides the layout of MemoryRegion; plugin.c compares
 * sizes with the QEMU that loads us.
 */
#ifndef GVQ_CONFIG_HOST_H
#define GVQ_CONFIG_HOST_H

#define HOST_X86_64          1
#define CONFIG_POSIX         1
#define CONFIG_LINUX         1
#define CONFIG_PLUGIN        1
#define CONFIG_MODULES       1
#define CONFIG_INT128        1
#define CONFIG_INT128_TYPE   1
#define CONFIG_ATOMIC64      1
#define CONFIG_ATOMIC128     1
#define CONFIG_IOVEC         1
#define CONFIG_BYTESWAP_H    1
#define CONFIG_SYSMACROS     1
#define CONFIG_MEMBARRIER    1
#define CONFIG_LINUX_AIO     1
#define HAVE_SYSTEM_FUNCTION 1

#endif
