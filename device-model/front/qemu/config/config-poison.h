/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* QEMU forbids names of its targets here; we use none. */
